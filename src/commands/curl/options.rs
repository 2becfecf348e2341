//! The options of curl's command line: what each is called, and whether it uses up a value.
//!
//! It knows nothing of what an option means, nor of whether it may be used. `tests/curl-options` writes the table from
//! curl's own list, and holds it against the curl that is installed.

/// One option a line: a mark, the short option's letter or a space, a space, the long option's name. One string, for a
/// list of strings would have to be relocated each time the program starts.
const TABLE: &str = include_str!("options.txt");

/// How much of the command line an option uses up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing but itself.
    Nothing,
    /// Nothing but itself, and `--no-` can be put before its name.
    Toggle,
    /// Nothing but itself, and its letter stands alone (`-h`, not `-sh`): curl's versions disagree on what follows it.
    NothingAlone,
    /// What follows its letter (`-ofile`), or what follows `=` (curl 8.16), or else the next argument, whatever it is.
    Value,
}

/// One of curl's options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CurlOption {
    /// The long name, without dashes.
    pub(super) name: &'static str,
    /// The short option's letter.
    letter: Option<u8>,
    /// How much of the command line it uses up.
    pub(super) takes: Takes,
}

/// Finds the option of this long name, written in full and as curl writes it: old curls accept `--LOC` for
/// `--location`, new ones do not, and nobody should be asked to guess. `--no-` and `--expand-` are not part of a name.
pub(super) fn long(name: &str) -> Option<CurlOption> {
    all().find(|option| option.name == name)
}

/// Finds the option of this short letter.
pub(super) fn short(letter: u8) -> Option<CurlOption> {
    all().find(|option| option.letter == Some(letter))
}

/// Walks through the table. It is short: a search that is cleverer than this would only be longer.
fn all() -> impl Iterator<Item = CurlOption> {
    TABLE.split('\n').filter_map(parse)
}

/// Reads a line of the table; the comment at its head is none.
fn parse(line: &'static str) -> Option<CurlOption> {
    let (marks, name) = line.split_once(' ')?;
    let (mark, letter, name) = match (marks.as_bytes(), name.strip_prefix(' ')) {
        ([mark], Some(name)) => (mark, None, name),
        ([mark, letter], None) => (mark, Some(*letter), name),
        _ => return None,
    };
    let takes = match mark {
        b'!' => Takes::Nothing,
        b'~' => Takes::Toggle,
        b'^' => Takes::NothingAlone,
        b'=' => Takes::Value,
        _ => return None,
    };
    Some(CurlOption { name, letter, takes })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the option of this long name takes.
    fn long_takes(name: &str) -> Option<Takes> {
        long(name).map(|option| option.takes)
    }

    #[test]
    fn each_line_of_the_table_is_an_option_and_curl_has_more_than_200() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(all().count(), lines);
        assert!(lines > 200, "{lines}");
    }

    #[test]
    fn names_and_letters_are_each_one_options_own() {
        let names: Vec<_> = all().map(|option| option.name).collect();
        assert!(names.is_sorted_by(|one, next| one < next));
        let mut letters: Vec<_> = all().filter_map(|option| option.letter).collect();
        let count = letters.len();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), count);
        assert!(count > 40, "{count}");
    }

    #[test]
    fn no_name_begins_as_if_it_were_a_prefix_and_a_name() {
        assert!(all().all(|option| !option.name.starts_with("no-") && !option.name.starts_with("expand-")));
    }

    #[test]
    fn each_kind_of_option_is_told_from_the_others() {
        assert_eq!(long_takes("url"), Some(Takes::Value));
        assert_eq!(long_takes("location-trusted"), Some(Takes::Toggle));
        assert_eq!(long_takes("tlsv1.2"), Some(Takes::Nothing));
        assert_eq!(long_takes("next"), Some(Takes::NothingAlone));
    }

    #[test]
    fn letters_lead_to_their_long_names() {
        let named = |letter| short(letter).map(|option| (option.name, option.takes));
        assert_eq!(named(b'K'), Some(("config", Takes::Value)));
        assert_eq!(named(b'N'), Some(("buffer", Takes::Toggle)));
        assert_eq!(named(b':'), Some(("next", Takes::NothingAlone)));
        assert_eq!(named(b'2'), Some(("sslv2", Takes::NothingAlone)));
    }

    #[test]
    fn abbreviations_other_cases_prefixes_and_marks_are_no_names() {
        let words = "locat URL Location-Trusted no-silent expand-url url= curl";
        for name in words.split(' ').chain(["", " ", "=  url"]) {
            assert_eq!(long(name), None, "{name}");
        }
        for letter in [0, b' ', b'-', b'*', b'$', b'=', b'~', b'\n', 0xff] {
            assert_eq!(short(letter), None, "{letter}");
        }
    }
}
