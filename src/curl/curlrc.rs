//! The user's own `.curlrc`. It is read here and not by curl: a `url`, `connect-to` or `verbose` in it would take the
//! token along. Each line goes through the same guard as the command line.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use super::arguments::Given;
use super::guard;
use super::options::{Takes, long, short};
use crate::console::warn;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::settings::{Environment, Profile};

/// The largest `.curlrc` that is taken, in bytes: what it says must fit into a pipe.
const LARGEST: usize = 8 * 1024;

/// Reads the options of the first `.curlrc` that there is, in curl's order of places.
pub(super) fn read(environment: &Environment) -> Result<Vec<Given>> {
    for path in environment.curlrc_places() {
        let Ok(bytes) = fs::read(&path) else { continue };
        if bytes.len() > LARGEST {
            return Err(
                Error::new(Kind::Settings, "the .curlrc is larger than 8 KiB")
                    .with("file", path.display())
                    .hint("go without it: give -q first"),
            );
        }
        let text = String::from_utf8_lossy(&bytes);
        let mut all = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let place = format!("{}, line {}", path.display(), number + 1);
            match parse(line) {
                Ok(None) => {}
                Ok(Some(given)) => all.push(Given { place, ..given }),
                Err(why) => warn(format_args!("passed over: {why} ({place})")),
            }
        }
        return Ok(all);
    }
    Ok(Vec::new())
}

/// Parses one line, by the rules of curl(1), `--config`: an option with or without dashes, then blanks, `=` or `:`, then
/// a value, quoted or up to the next blank.
fn parse(line: &str) -> std::result::Result<Option<Given>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', '/', '*']) {
        return Ok(None);
    }
    if line.chars().any(|c| c.is_control() && c != '\t') {
        return Err("a line with a control character".into());
    }
    let dashed = line.starts_with('-');
    let end = line
        .find(|c: char| c.is_whitespace() || (!dashed && matches!(c, '=' | ':')))
        .unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    let rest =
        rest.trim_start_matches(|c: char| c.is_whitespace() || (!dashed && matches!(c, '=' | ':')));
    let unknown = || "an option that ls-token does not know".to_owned();
    let (name, joined) = match word.strip_prefix("--") {
        Some(name) => name
            .split_once('=')
            .map_or((name, None), |(name, value)| (name, Some(value))),
        None => (word, None),
    };
    let letter = word
        .strip_prefix('-')
        .filter(|letter| letter.len() == 1)
        .and_then(|letter| letter.bytes().next());
    let (option, negated) = if let Some(option) = letter.and_then(short) {
        (option, false)
    } else {
        match (long(name), name.strip_prefix("no-").and_then(long)) {
            (Some(option), _) => (option, false),
            (None, Some(option)) if option.takes == Takes::Toggle => (option, true),
            _ => return Err(unknown()),
        }
    };
    if matches!(option.name, "url" | "next") {
        return Err(format!(
            "`{}` has no place here: addresses stand on the command line",
            option.name
        ));
    }
    let value = match (option.takes == Takes::Value, joined) {
        (false, _) => None,
        (true, Some(value)) => Some(value.to_owned()),
        (true, None) => Some(unquote(rest).ok_or("a quote that does not end")?),
    };
    let word = if negated {
        format!("--no-{}", option.name)
    } else {
        format!("--{}", option.name)
    };
    Ok(Some(Given {
        name: option.name,
        word,
        negated,
        value: value.map(Into::into),
        place: String::new(),
    }))
}

/// Returns a value without its quotes.
fn unquote(text: &str) -> Option<String> {
    let Some(quoted) = text.strip_prefix('"') else {
        return Some(
            text.split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned(),
        );
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some(value),
            '\\' => value.push(match characters.next()? {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                'v' => '\x0b',
                other => other,
            }),
            other => value.push(other),
        }
    }
}

/// Writes what may be taken from the file as a configuration. What may not is left out with a warning: that is safe, and
/// the rest goes on working.
pub(super) fn to_config(from_file: &[Given], profile: &Profile, crowded: bool) -> Secret {
    let mut text = String::new();
    for given in from_file {
        let trust = matches!(given.name, "cacert" | "capath" | "ca-native");
        if trust && profile.ca_file.is_some() {
            warn(format_args!(
                "passed over: the profile's ca_file counts ({})",
                given.place
            ));
        } else if let Err(error) = guard::check(given, profile.server.origin.secure, crowded) {
            warn(format_args!("passed over: {}", error.in_one_line()));
        } else {
            text.push_str(&to_line(given));
        }
    }
    Secret::new(text)
}

/// Writes an option as a line of a configuration file.
fn to_line(given: &Given) -> String {
    let name = given.word.trim_start_matches('-');
    match &given.value {
        None => format!("{name}\n"),
        Some(value) => quoted(name, &String::from_utf8_lossy(value.as_bytes())),
    }
}

/// Writes an option and its value as a line of a configuration file.
pub(super) fn quoted(name: &str, value: &str) -> String {
    let mut line = format!("{name} = \"");
    for c in value.chars() {
        match c {
            '"' | '\\' => _ = write!(line, "\\{c}"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            '\x0b' => line.push_str("\\v"),
            _ => line.push(c),
        }
    }
    line.push_str("\"\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a line and writes it again.
    fn again(line: &str) -> String {
        match parse(line) {
            Ok(None) => String::new(),
            Ok(Some(given)) => to_line(&given),
            Err(why) => format!("error: {why}"),
        }
    }

    #[test]
    fn lines_mean_what_curl_takes_them_for() {
        assert_eq!(
            again("proxy = http://p:3128"),
            "proxy = \"http://p:3128\"\n"
        );
        assert_eq!(
            again("--proxy http://p:3128 # x"),
            "proxy = \"http://p:3128\"\n"
        );
        assert_eq!(
            again("proxy: \"a \\\"b\\\" \\\\ c\" x"),
            "proxy = \"a \\\"b\\\" \\\\ c\"\n"
        );
        assert_eq!(again("-s"), "silent\n");
        assert_eq!(again("-x p:1"), "proxy = \"p:1\"\n");
        assert_eq!(again("no-silent"), "no-silent\n");
        assert_eq!(again("  # note"), "");
        assert!(
            again("user-agent = \"x").starts_with("error")
                && again("nonsense").starts_with("error")
        );
    }

    #[test]
    fn f06_an_address_in_the_file_is_passed_over() {
        for line in [
            "url = http://evil",
            "--url http://evil",
            "url=\"http://evil\"",
            "next",
            "--next",
            "-: x",
        ] {
            assert!(again(line).starts_with("error"), "{line}");
        }
    }
}
