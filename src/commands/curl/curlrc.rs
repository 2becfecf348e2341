//! The user's own `.curlrc`. It is read here and not by curl: a `url`, `connect-to` or `verbose` in it would take the
//! token along. Each line goes through the same guard as the command line.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::guard;
use super::parsed_option::{ParsedOption, read_word};
use crate::error::{Error, Fact, Kind, Result};
use crate::system::{Environment, files, warn};

/// The largest `.curlrc` that is read, in bytes: what it says must fit into a pipe.
const MAX_BYTES: u64 = 8 * 1024;

/// The escapes of a quoted value (curl(1), `--config`): any other character stands for itself.
const ESCAPES: [(u8, u8); 4] = [(b't', b'\t'), (b'n', b'\n'), (b'r', b'\r'), (b'v', 0x0b)];

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
        for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
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
    let Some(file) = Curlrc::find(environment) else { return Ok(Vec::new()) };
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

/// Parses one line, as curl(1) says at `--config`: an option, blanks, `=` or `:`, a value in quotes or up to a blank. Its
/// bytes stay what they are, whatever the text's encoding.
fn parse(line: &[u8]) -> Result<Vec<ParsedOption>, String> {
    let line = line.trim_ascii();
    if line.first().is_none_or(|first| b"#/*".contains(first)) {
        return Ok(Vec::new());
    }
    if line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return Err("a line with a control character".into());
    }
    let dashed = line.starts_with(b"-");
    let separates = |byte: &u8| byte.is_ascii_whitespace() || (!dashed && matches!(byte, b'=' | b':'));
    let (word, rest) = line.split_at(line.iter().position(separates).unwrap_or(line.len()));
    let word = if dashed { word.to_owned() } else { [b"--", word].concat() };
    let rest = rest.get(rest.iter().take_while(|byte| separates(byte)).count()..).unwrap_or_default();
    // A value that is empty counts as none, also between quotes.
    let value = unquote(rest).ok_or("a quote that does not end")?;
    let mut value = Some(OsString::from_vec(value)).filter(|value| !value.is_empty()).into_iter();
    let all = read_word(OsStr::from_bytes(&word), &mut value).map_err(|error| error.what)?;
    match all.iter().find(|option| matches!(option.name(), "url" | "next")) {
        Some(option) => Err(format!("`{}` has no place here: give addresses on the command line", option.name())),
        None => Ok(all),
    }
}

fn unquote(text: &[u8]) -> Option<Vec<u8>> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        return text.split(u8::is_ascii_whitespace).next().map(<[u8]>::to_vec);
    };
    let mut value = Vec::new();
    let mut bytes = quoted.iter();
    loop {
        match bytes.next()? {
            b'"' => return Some(value),
            b'\\' => {
                let escaped = bytes.next()?;
                value.push(ESCAPES.iter().find(|(name, _)| name == escaped).map_or(*escaped, |(_, meant)| *meant));
            }
            other => value.push(*other),
        }
    }
}

/// Keeps what may be taken from the file. The rest is ignored with a warning, which is safe.
pub(super) fn keep(options: &mut Vec<ParsedOption>, check: impl Fn(&ParsedOption) -> Result<()>) {
    let warn_of = |error: Error| warn(format_args!("ignored: {}", error.to_line()));
    options.retain(|option| check(option).map_err(warn_of).is_ok());
}

pub(super) fn to_config(options: &[ParsedOption]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::default();
    for option in options {
        push_line(&mut text, option);
    }
    text
}

fn push_line(text: &mut Vec<u8>, option: &ParsedOption) {
    match option.bytes() {
        None => text.extend_from_slice(format!("{}\n", option.word).as_bytes()),
        Some(value) => push_quoted(text, option.name(), value),
    }
}

pub(super) fn push_quoted(text: &mut Vec<u8>, name: &str, value: &[u8]) {
    text.extend_from_slice(format!("{name} = \"").as_bytes());
    for byte in value {
        let escape = ESCAPES.iter().find(|(_, meant)| meant == byte).map(|(name, _)| *name);
        if escape.is_some() || matches!(byte, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(escape.unwrap_or(*byte));
    }
    text.extend_from_slice(b"\"\n");
}
