//! The user's own `.curlrc`. It is read here and not by curl: a `url`, `connect-to` or `verbose` in it would take the
//! token along. Each line goes through the same guard as the command line.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::guard;
use super::parsed_option::{ParsedOption, read_word};
use crate::error::{Error, Fact, Kind, Result};
use crate::system::{Environment, files, warn};
use crate::types::Secret;

/// The largest `.curlrc` that is read, in bytes: what it says must fit into a pipe.
const MAX_BYTES: u64 = 8 * 1024;

/// The escapes of a quoted value (curl(1), `--config`): any other character stands for itself.
const ESCAPES: [(char, char); 4] = [('t', '\t'), ('n', '\n'), ('r', '\r'), ('v', '\x0b')];

/// The first `.curlrc` that there is, in curl's order of places.
struct Curlrc {
    path: PathBuf,
    too_large: bool,
    entries: Vec<Entry>,
}

/// An option, or what is wrong with a line that has none.
type Entry = Result<ParsedOption, String>;

impl Curlrc {
    fn find(environment: &Environment) -> Option<Self> {
        let mut places = environment.curlrc_places().into_iter();
        let (path, bytes) = places.find_map(|path| read_file(&path).ok().map(|bytes| (path, bytes)))?;
        let mut entries = Vec::new();
        for (number, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
            let origin = format!("{}, line {}", path.display(), number + 1);
            match parse(line) {
                Err(fault) => entries.push(Err(format!("{fault} ({origin})"))),
                Ok(options) => {
                    let with_origin = |option| Ok(ParsedOption { origin: Some(origin.clone()), ..option });
                    entries.extend(options.into_iter().map(with_origin));
                }
            }
        }
        Some(Self { path, too_large: bytes.len() as u64 > MAX_BYTES, entries })
    }
}

/// Reads the options of the user's `.curlrc`, and warns of what in it is none.
pub(super) fn read(environment: &Environment) -> Result<Vec<ParsedOption>> {
    let Some(file) = Curlrc::find(environment) else {
        return Ok(Vec::new());
    };
    if file.too_large {
        return Err(Error::new(Kind::Settings, "the .curlrc is larger than 8 KiB")
            .with(Fact::File, file.path.display())
            .hint("go without it: give -q first"));
    }
    let understood = |entry: Entry| entry.map_err(|fault| warn(format_args!("ignored: {fault}"))).ok();
    Ok(file.entries.into_iter().filter_map(understood).collect())
}

/// Lists what in the user's `.curlrc` would endanger a token, each with its place, for `doctor`.
pub(crate) fn risks(environment: &Environment, secure: bool) -> Option<(PathBuf, Vec<String>)> {
    let file = Curlrc::find(environment)?;
    let risk = |entry: Entry| match entry {
        Err(fault) => Some(fault),
        Ok(option) => guard::check(&option, secure, false).err().map(|error| error.what),
    };
    Some((file.path, file.entries.into_iter().filter_map(risk).collect()))
}

/// Returns the first option of the user's `.curlrc` that chooses a proxy, and its place: the exchange reads none of them.
pub(crate) fn proxy_option(environment: &Environment) -> Option<String> {
    const PROXIES: [&str; 7] = ["proxy", "preproxy", "proxy1.0", "socks4", "socks4a", "socks5", "socks5-hostname"];
    let mut options = Curlrc::find(environment)?.entries.into_iter().flatten();
    options.find(|option| PROXIES.contains(&option.name())).map(|option| option.shown())
}

/// Reads a file, and no more than tells that it is too long. A pipe or device is none.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    if !path.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    files::read_up_to(&File::open(path)?, MAX_BYTES + 1)
}

/// Parses one line, by the rules of curl(1), `--config`: an option with or without dashes, then blanks, `=` or `:`, then
/// a value, quoted or up to the next blank.
fn parse(line: &str) -> Result<Vec<ParsedOption>, String> {
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
    match all.iter().find(|option| matches!(option.name(), "url" | "next")) {
        Some(option) => Err(format!("`{}` has no place here: give addresses on the command line", option.name())),
        None => Ok(all),
    }
}

fn unquote(text: &str) -> Option<String> {
    let Some(quoted) = text.strip_prefix('"') else {
        return Some(text.split_whitespace().next().unwrap_or_default().to_owned());
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some(value),
            '\\' => {
                let escaped = characters.next()?;
                value.push(ESCAPES.iter().find(|(name, _)| *name == escaped).map_or(escaped, |(_, meant)| *meant));
            }
            other => value.push(other),
        }
    }
}

/// Writes what may be taken from the file as a configuration. The rest is ignored with a warning, which is safe.
pub(super) fn to_config(options: &[ParsedOption], check: impl Fn(&ParsedOption) -> Result<()>) -> Secret {
    let mut text = String::new();
    for option in options {
        match check(option) {
            Ok(()) => text.push_str(&to_line(option)),
            Err(error) => warn(format_args!("ignored: {}", error.to_line())),
        }
    }
    Secret::new(text)
}

fn to_line(option: &ParsedOption) -> String {
    let no = if option.negated { "no-" } else { "" };
    match option.bytes() {
        None => format!("{no}{}\n", option.name()),
        Some(value) => quoted(option.name(), &String::from_utf8_lossy(value)),
    }
}

pub(super) fn quoted(name: &str, value: &str) -> String {
    let mut line = format!("{name} = \"");
    for c in value.chars() {
        let escape = ESCAPES.iter().find(|(_, meant)| *meant == c).map(|(name, _)| *name);
        if escape.is_some() || matches!(c, '"' | '\\') {
            line.push('\\');
        }
        line.push(escape.unwrap_or(c));
    }
    line.push_str("\"\n");
    line
}
