//! One option as it was written, read as curl does, and refused where curl's versions read it differently.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use super::options::{CurlOption, Reason, Takes, long, reason, short};
use crate::error::{Error, Result};
use crate::types::untrusted;

/// The most of an unknown word that a message shows, in characters: curl's longest name has 26.
const MAX_SHOWN: usize = 40;

#[derive(Debug)]
pub(super) struct ParsedOption {
    pub(super) row: CurlOption,
    /// The word that curl gets for it: the letter where a letter was given.
    pub(super) word: String,
    /// Whether it stood behind `--no-`.
    pub(super) negated: bool,
    pub(super) value: Option<OsString>,
    /// The file and line that it comes from; None for the command line.
    pub(super) origin: Option<String>,
}

impl ParsedOption {
    pub(super) fn name(&self) -> &'static str {
        self.row.name
    }

    /// Returns whether it makes curl log what it sends.
    pub(super) fn logs(&self) -> bool {
        self.row.verdict == "logs" && !self.negated
    }

    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.value.as_deref().map(OsStr::as_bytes)
    }

    /// Returns the word for a message, with where it stands if that is not the command line.
    pub(super) fn shown(&self) -> String {
        match &self.origin {
            None => self.word.clone(),
            Some(origin) => format!("{} ({origin})", self.word),
        }
    }
}

/// Reads a word that begins with a dash: one long option, or one or more short ones.
pub(super) fn read_word(word: &OsStr, rest: &mut impl Iterator<Item = OsString>) -> Result<Vec<ParsedOption>> {
    let Some(name) = word.as_bytes().strip_prefix(b"--") else { return read_letters(word, rest) };
    let equals = name.iter().position(|byte| *byte == b'=');
    let (name, joined) = name.split_at(equals.unwrap_or(name.len()));
    let joined = joined.strip_prefix(b"=").map(|value| OsString::from_vec(value.to_vec()));
    let unknown = || unknown(&name_part(&word.to_string_lossy()));
    let name = str::from_utf8(name).map_err(|_| unknown())?;
    if name.strip_prefix("expand-").is_some_and(|name| long(name).is_some()) {
        let Reason { why, hint } = reason("no:variables");
        return Err(Error::usage(format!("curl's --{name} is refused: {why}"), hint));
    }
    let (row, negated) = match (long(name), name.strip_prefix("no-").and_then(long)) {
        (Some(row), _) => (row, false),
        (None, Some(row)) if row.takes == Takes::Toggle => (row, true),
        _ => return Err(unknown()),
    };
    let word = format!("--{name}");
    let value = match (row.takes, joined) {
        (Takes::Value, joined) => Some(joined.or_else(|| rest.next()).ok_or_else(|| no_value(&word))?),
        (_, None) => None,
        (_, Some(_)) => {
            return Err(Error::usage(format!("curl's {word} takes no value"), format!("write {word} alone")));
        }
    };
    Ok(vec![ParsedOption { row, word, negated, value, origin: None }])
}

/// Reads short options in one word: `-sSo file`, `-ofile`.
fn read_letters(word: &OsStr, rest: &mut impl Iterator<Item = OsString>) -> Result<Vec<ParsedOption>> {
    let letters = word.as_bytes().get(1..).unwrap_or_default();
    if letters.is_empty() {
        return Err(unknown("-"));
    }
    let mut all = Vec::new();
    for (place, letter) in letters.iter().enumerate() {
        let word = format!("-{}", if letter.is_ascii() { char::from(*letter) } else { '…' });
        let row = short(*letter).ok_or_else(|| unknown(&word))?;
        let behind = letters.get(place + 1..).filter(|behind| !behind.is_empty());
        let value = match row.takes {
            Takes::NothingAlone if letters.len() > 1 => {
                let hint = format!("give {word} as an argument of its own");
                return Err(Error::usage(format!("curl's versions disagree on letters beside {word}"), hint));
            }
            Takes::Nothing | Takes::Toggle | Takes::NothingAlone => None,
            Takes::Value => {
                let value = behind.map(|behind| OsString::from_vec(behind.to_vec())).or_else(|| rest.next());
                Some(value.ok_or_else(|| no_value(&word))?)
            }
        };
        // `-vv` is more than `-v -v`.
        if let Some(before) = all.last_mut().filter(|before: &&mut ParsedOption| before.row == row) {
            before.word.push(char::from(*letter));
            continue;
        }
        let last = value.is_some();
        all.push(ParsedOption { row, word, negated: false, value, origin: None });
        if last {
            break;
        }
    }
    Ok(all)
}

fn unknown(name: &str) -> Error {
    const OURS: [&str; 5] = ["--profile", "--format", "--min-ttl", "--refresh", "--no-cache"];
    if OURS.contains(&name) {
        let hint = format!("ls-token {name} … curl …; a profile for lscurl: LS_TOKEN_PROFILE=NAME lscurl …");
        return Error::usage(format!("{name} is ls-token's own option, and goes before `curl`"), hint);
    }
    let what = format!("{} is no option of curl's that ls-token knows", untrusted(name));
    Error::usage(what, "write options in full and as `curl --help all` does")
}

/// Returns what of a word could be an option's name. What stands behind may be a value, and a secret:
/// `--proxyuser=me:secret`, where the option is called `--proxy-user`.
fn name_part(word: &str) -> String {
    let in_a_name = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let name: String = word.chars().take_while(in_a_name).take(MAX_SHOWN).collect();
    let cut = word.chars().nth(name.len()).is_some_and(|next| !matches!(next, '=' | ':'));
    if cut { name + "…" } else { name }
}

fn no_value(word: &str) -> Error {
    Error::usage(format!("curl's {word} needs a value"), format!("write {word} VALUE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f52_a_word_is_shown_up_to_where_a_value_could_begin() {
        let pairs = "--proxyuser=me:secret --proxyuser|--proxy-usr:me:secret --proxy-usr|--user\"a:secret\" --user…|\
            --user'secret' --user…|--proxyuser@secret --proxyuser…|--proxyuser;secret --proxyuser…|\
            --proxyuser\u{a0}secret --proxyuser…|--http://me:secret@proxy --http|--proxy_user_secret --proxy…|\
            -@secret -@|-s@secret -@|-9secret -9|-sécret -…|--=secret --|--nonsense --nonsense|--http9.9 --http9.9|\
            --\u{1b}[2Jsecret --…";
        for (word, shown) in pairs.split('|').map(|pair| pair.split_once(' ').unwrap()) {
            let error = read_word(OsStr::new(word), &mut std::iter::empty()).unwrap_err();
            assert_eq!(error.what, format!("{shown} is no option of curl's that ls-token knows"), "{word}");
        }
        let long = format!("--{}", "a".repeat(5_000));
        assert!(name_part(&long).chars().count() <= MAX_SHOWN + 1);
    }

    #[test]
    fn f52_no_message_shows_what_may_be_a_value() {
        for word in ["--silent=secret", "-2secret", "-hsecret", "--expand-url=secret", "--expand-proxy-user=secret"] {
            let error = read_word(OsStr::new(word), &mut std::iter::empty()).unwrap_err();
            assert!(!error.lines().any(|line| line.contains("secret")), "{error:?}");
        }
    }
}
