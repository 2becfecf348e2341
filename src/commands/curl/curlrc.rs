//! The user's own `.curlrc`. It is read here and not by curl: a `url`, `connect-to` or `verbose` in it would take the
//! token along. Each line goes through the same guard as the command line.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::arguments::{Given, read_word};
use super::guard;
use super::pipe::Pipe;
use super::transfer::Transfer;
use crate::error::{Error, Fact, Kind, Result};
use crate::system::{Environment, warn};
use crate::types::Secret;

/// The largest `.curlrc` that is taken, in bytes: what it says must fit into a pipe.
const LARGEST: u64 = 8 * 1024;

/// Reads the options of the first `.curlrc` that there is, in curl's order of places.
pub(super) fn read(environment: &Environment) -> Result<Vec<Given>> {
    for path in environment.curlrc_places() {
        let Ok(bytes) = read_file(&path) else {
            continue;
        };
        if bytes.len() as u64 > LARGEST {
            return Err(Error::new(Kind::Settings, "the .curlrc is larger than 8 KiB")
                .with(Fact::File, path.display())
                .hint("go without it: give -q first"));
        }
        let text = String::from_utf8_lossy(&bytes);
        let mut all = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let place = format!("{}, line {}", path.display(), number + 1);
            match parse(line) {
                Ok(options) => all.extend(options.into_iter().map(|given| Given { place: place.clone(), ..given })),
                Err(why) => warn(format_args!("passed over: {why} ({place})")),
            }
        }
        return Ok(all);
    }
    Ok(Vec::new())
}

/// Lists what in the first `.curlrc` that there is would endanger a token, each with its place, for `doctor`.
pub(crate) fn risks(environment: &Environment, secure: bool) -> Option<(PathBuf, Vec<String>)> {
    let mut places = environment.curlrc_places().into_iter();
    let (path, bytes) = places.find_map(|path| read_file(&path).ok().map(|bytes| (path, bytes)))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut risks = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let place = format!("{}, line {}", path.display(), number + 1);
        let options = match parse(line) {
            Ok(options) => options,
            Err(why) => {
                risks.push(format!("{why} ({place})"));
                continue;
            }
        };
        for given in options {
            let given = Given { place: place.clone(), ..given };
            let refused = guard::check(&given, secure, false).err();
            risks.extend(refused.map(|error| error.what));
        }
    }
    Some((path, risks))
}

/// Reads a file, and no more than tells that it is too long. A pipe or device is none.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    if !path.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Parses one line, by the rules of curl(1), `--config`: an option with or without dashes, then blanks, `=` or `:`, then
/// a value, quoted or up to the next blank.
fn parse(line: &str) -> std::result::Result<Vec<Given>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', '/', '*']) {
        return Ok(Vec::new());
    }
    if line.chars().any(|c| c.is_control() && c != '\t') {
        return Err("a line with a control character".into());
    }
    let dashed = line.starts_with('-');
    let separates = |c: char| c.is_whitespace() || (!dashed && matches!(c, '=' | ':'));
    let (word, rest) = line.split_at(line.find(separates).unwrap_or(line.len()));
    let word = if dashed { word.to_owned() } else { format!("--{word}") };
    let rest = rest.trim_start_matches(separates);
    // A value that is empty counts as none, also between quotes.
    let value = unquote(rest).ok_or("a quote that does not end")?;
    let mut value = Some(OsString::from(value)).filter(|value| !value.is_empty()).into_iter();
    let all = read_word(OsStr::new(&word), &mut value).map_err(|error| error.what)?;
    match all.iter().find(|given| matches!(given.name, "url" | "next")) {
        Some(given) => Err(format!("`{}` has no place here: addresses stand on the command line", given.name)),
        None => Ok(all),
    }
}

/// Returns a value without its quotes.
fn unquote(text: &str) -> Option<String> {
    let Some(quoted) = text.strip_prefix('"') else {
        return Some(text.split_whitespace().next().unwrap_or_default().to_owned());
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
pub(super) fn to_config(from_file: &[Given], part: &Transfer, crowded: bool, pipes: &[Pipe]) -> Secret {
    let mut text = String::new();
    for given in from_file {
        let trust = matches!(given.name, "cacert" | "capath" | "ca-native");
        if trust && part.profile.server.origin.secure {
            warn(format_args!(
                "passed over: whom to trust with a token is said by the profile's ca_file{}",
                given.at()
            ));
            continue;
        }
        let checked = part.check_option(given, crowded).and_then(|()| guard::check_pipes(given, pipes));
        match checked {
            Ok(()) => text.push_str(&to_line(given)),
            Err(error) => warn(format_args!("passed over: {}", error.to_line())),
        }
    }
    Secret::new(text)
}

/// Writes an option as a line of a configuration file, by its long name.
fn to_line(given: &Given) -> String {
    let no = if given.negated { "no-" } else { "" };
    match &given.value {
        None => format!("{no}{}\n", given.name),
        Some(value) => quoted(given.name, &String::from_utf8_lossy(value.as_bytes())),
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
            Ok(options) => options.iter().map(to_line).collect(),
            Err(why) => format!("error: {why}"),
        }
    }

    #[test]
    fn lines_mean_what_curl_takes_them_for() {
        assert_eq!(again("proxy = http://p:3128"), "proxy = \"http://p:3128\"\n");
        assert_eq!(again("--proxy http://p:3128 # x"), "proxy = \"http://p:3128\"\n");
        assert_eq!(again("proxy: \"a \\\"b\\\" \\\\ c\" x"), "proxy = \"a \\\"b\\\" \\\\ c\"\n");
        assert_eq!(again("-s"), "silent\n");
        assert_eq!(again("-sSd@f"), "silent\nshow-error\ndata = \"@f\"\n");
        assert_eq!(again("-sSd x=1"), "silent\nshow-error\ndata = \"x=1\"\n");
        assert_eq!(again("-x p:1"), "proxy = \"p:1\"\n");
        assert_eq!(again("no-silent"), "no-silent\n");
        assert_eq!(again("  # note"), "");
        assert!(
            ["user-agent = \"x", "nonsense", "data", "data = \"\""].iter().all(|line| again(line).starts_with("error"))
        );
    }

    #[test]
    fn f06_an_address_in_the_file_is_passed_over() {
        for line in ["url = http://evil", "--url http://evil", "url=\"http://evil\"", "next", "--next", "-: x"] {
            assert!(again(line).starts_with("error"), "{line}");
        }
    }
}
