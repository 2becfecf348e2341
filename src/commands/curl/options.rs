//! curl's options, each with what is known of it: its row of options.txt, whose head explains the columns. What they mean
//! for an option, `guard.rs` and `value.rs` know. `tests/curl-options` writes the table from curl's own list.

/// One option a line. One string, for a list of strings would have to be relocated each time the program starts.
const TABLE: &str = include_str!("options.txt");

/// How much of the command line an option uses up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    /// Nothing but itself, and `--no-` can be put before its name.
    Toggle,
    /// Nothing but itself, and its letter stands alone (`-h`, not `-sh`): curl's versions disagree on what follows it.
    NothingAlone,
    /// What follows its letter (`-ofile`), or what follows `=` (curl 8.16), or else the next argument, whatever it is.
    Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CurlOption {
    pub(super) name: &'static str,
    letter: Option<u8>,
    pub(super) takes: Takes,
    /// The table's word for whether it may be used.
    pub(super) verdict: &'static str,
    /// The table's word for what its value may be.
    pub(super) value: &'static str,
}

impl CurlOption {
    pub(super) fn letter(&self) -> Option<char> {
        self.letter.map(char::from)
    }
}

/// Why an option, or its value, is refused, and what to do instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) why: &'static str,
    pub(super) hint: &'static str,
}

/// An option that nobody has judged: newer than the table, or a word in it that is no verdict.
pub(super) const UNJUDGED: Reason = Reason {
    why: "ls-token does not know this option yet",
    hint: "leave it out, or use curl itself without the token",
};

/// Returns the table's reason for a verdict other than that an option is allowed.
pub(super) fn reason(verdict: &str) -> Reason {
    let texts =
        |row: &'static str| row.strip_prefix(": ")?.strip_prefix(verdict)?.strip_prefix(" | ")?.split_once(" | ");
    TABLE.lines().find_map(texts).map_or(UNJUDGED, |(why, hint)| Reason { why, hint })
}

/// Finds the option of this long name, written in full and as curl writes it: old curls accept `--LOC` for
/// `--location`, new ones do not, and nobody should be asked to guess. `--no-` and `--expand-` are not part of a name.
pub(super) fn long(name: &str) -> Option<CurlOption> {
    rows(TABLE).find(|option| option.name == name)
}

pub(super) fn short(letter: u8) -> Option<CurlOption> {
    rows(TABLE).find(|option| option.letter == Some(letter))
}

pub(super) fn rows(table: &'static str) -> impl Iterator<Item = CurlOption> {
    table.lines().filter_map(parse)
}

/// Reads a row. A column that is missing is empty, which is a word that nobody knows. A comment or a reason is none.
fn parse(row: &'static str) -> Option<CurlOption> {
    let mut columns = row.split_ascii_whitespace();
    let takes = match columns.next()? {
        "!" => Takes::Nothing,
        "~" => Takes::Toggle,
        "^" => Takes::NothingAlone,
        "=" => Takes::Value,
        _ => return None,
    };
    let letter = columns.next()?.bytes().next().filter(|letter| *letter != b'-');
    let name = columns.next()?;
    let (verdict, value) = (columns.next().unwrap_or_default(), columns.next().unwrap_or_default());
    Some(CurlOption { name, letter, takes, verdict, value })
}

pub(super) fn all() -> impl Iterator<Item = CurlOption> {
    rows(TABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_the_table_is_an_option_that_is_found_by_its_name_and_its_letter() {
        let lines: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with(['#', ':'])).collect();
        assert!(lines.len() > 200 && lines.len() == all().count() && all().filter_map(|one| one.letter).count() > 40);
        for (line, option) in lines.iter().zip(all()) {
            let [takes, letter, name, verdict, value] = line.split_ascii_whitespace().collect::<Vec<_>>()[..] else {
                panic!("not five columns: {line}")
            };
            assert_eq!(*line, format!("{takes} {letter} {name:<26} {verdict:<13} {value}"));
            assert_eq!(long(name), Some(option));
            assert!(option.letter.is_none_or(|letter| short(letter) == Some(option)), "{option:?}");
            assert!(!name.starts_with("no-") && !name.starts_with("expand-"), "{name}");
        }
        assert!(all().is_sorted_by(|one, next| one.name < next.name));
    }
}
