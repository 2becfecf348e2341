//! Reads curl's command line as curl does, and refuses what curl's versions read differently.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use super::options::{CurlOption, Takes, long, short};
use crate::error::{Error, Fact, Kind, Result};
use crate::types::untrusted;

/// What a command line comes to.
#[derive(Debug)]
pub(super) enum Line {
    /// curl is to tell something of itself (`--help`, `--version`): the words for that.
    Information(Vec<OsString>),
    /// curl is to send requests.
    Request(Request),
}

/// A command line that sends requests.
#[derive(Debug)]
pub(super) struct Request {
    /// Whether `-q` came first, so that `.curlrc` is not read.
    pub(super) without_curlrc: bool,
    /// The parts between `--next`.
    pub(super) segments: Vec<Segment>,
}

/// A part of the command line with options of its own.
#[derive(Debug, Default)]
pub(super) struct Segment {
    /// The options, in their order.
    pub(super) options: Vec<Given>,
    /// The addresses as they were written.
    pub(super) addresses: Vec<OsString>,
}

/// An option as it was given.
#[derive(Debug)]
pub(super) struct Given {
    /// Its long name.
    pub(super) name: &'static str,
    /// The word that curl gets for it: the letter where a letter was given.
    pub(super) word: String,
    /// Whether it stood behind `--no-`.
    pub(super) negated: bool,
    /// Its value.
    pub(super) value: Option<OsString>,
    /// Where it stands, for messages: nothing for the command line.
    pub(super) place: String,
}

impl Given {
    /// Returns where it stands, behind a blank and in brackets: nothing for the command line.
    pub(super) fn at(&self) -> String {
        if self.place.is_empty() { String::new() } else { format!(" ({})", self.place) }
    }
}

/// Reads the arguments.
pub(super) fn parse(arguments: Vec<OsString>) -> Result<Line> {
    let without_curlrc =
        arguments.first().is_some_and(|first| first == "--disable" || first.as_bytes().starts_with(b"-q"));
    let mut segments = vec![Segment::default()];
    let mut rest = arguments.into_iter();
    let mut only_addresses = false;
    while let Some(argument) = rest.next() {
        let bytes = argument.as_bytes();
        let Some(segment) = segments.last_mut() else {
            break;
        };
        if only_addresses || !bytes.starts_with(b"-") {
            segment.addresses.push(argument);
            continue;
        }
        if bytes == b"--" {
            only_addresses = true;
            continue;
        }
        for given in read_word(&argument, &mut rest)? {
            match given.name {
                "help" | "version" | "manual" | "dump-ca-embed" if !given.negated => {
                    return Ok(Line::Information(std::iter::once(given.word.into()).chain(rest.next()).collect()));
                }
                "next" if segment.addresses.is_empty() => return Err(no_address(" before --next")),
                "next" => {
                    segments.push(Segment::default());
                    break;
                }
                "url" => segment.addresses.extend(given.value),
                // Like curl, which looks for it in the first place only.
                "disable" => {}
                _ => segment.options.push(given),
            }
        }
    }
    if segments.last().is_none_or(|segment| segment.addresses.is_empty()) {
        return Err(no_address(""));
    }
    Ok(Line::Request(Request { without_curlrc, segments }))
}

/// Reads a word that begins with a dash: one long option, or one or more short ones.
pub(super) fn read_word(word: &OsStr, rest: &mut impl Iterator<Item = OsString>) -> Result<Vec<Given>> {
    let bytes = word.as_bytes();
    let Some(name) = bytes.strip_prefix(b"--") else {
        return read_letters(word, rest);
    };
    let equals = name.iter().position(|byte| *byte == b'=');
    let (name, joined) = name.split_at(equals.unwrap_or(name.len()));
    let joined = joined.strip_prefix(b"=").map(|value| OsString::from_vec(value.to_vec()));
    let name = str::from_utf8(name).map_err(|_| unknown(word))?;
    if name.strip_prefix("expand-").is_some_and(|name| long(name).is_some()) {
        return Err(usage("curl's own variables could build any address".into())
            .with(Fact::Argument, untrusted(name))
            .hint("let the shell expand them: \"$NAME\""));
    }
    let (option, negated) = match (long(name), name.strip_prefix("no-").and_then(long)) {
        (Some(option), _) => (option, false),
        (None, Some(option)) if option.takes == Takes::Toggle => (option, true),
        _ => return Err(unknown(word)),
    };
    if joined.is_some() && option.takes != Takes::Value {
        return Err(usage(format!("curl's option --{name} takes no value")));
    }
    let value = if option.takes == Takes::Value {
        Some(joined.or_else(|| rest.next()).ok_or_else(|| no_value(word))?)
    } else {
        None
    };
    Ok(vec![Given { name: option.name, word: format!("--{name}"), negated, value, place: String::new() }])
}

/// Reads short options in one word: `-sSo file`, `-ofile`.
fn read_letters(word: &OsStr, rest: &mut impl Iterator<Item = OsString>) -> Result<Vec<Given>> {
    let letters = word.as_bytes().get(1..).unwrap_or_default();
    if letters.is_empty() {
        return Err(unknown(word));
    }
    let mut all = Vec::new();
    for (place, letter) in letters.iter().enumerate() {
        let option: CurlOption = short(*letter).ok_or_else(|| unknown(word))?;
        let mut given = Given {
            name: option.name,
            word: format!("-{}", char::from(*letter)),
            negated: false,
            value: None,
            place: String::new(),
        };
        match option.takes {
            Takes::Nothing | Takes::Toggle => all.push(given),
            Takes::NothingAlone if letters.len() == 1 => all.push(given),
            Takes::NothingAlone => {
                return Err(usage(format!("curl's versions read {} differently", untrusted(&word.to_string_lossy())))
                    .hint(format!("give the option -{} as an argument of its own", char::from(*letter))));
            }
            Takes::Value => {
                let behind = letters.get(place + 1..).filter(|behind| !behind.is_empty());
                let value = behind.map(|behind| OsString::from_vec(behind.to_vec())).or_else(|| rest.next());
                given.value = Some(value.ok_or_else(|| no_value(word))?);
                all.push(given);
                break;
            }
        }
    }
    Ok(all)
}

/// Makes a usage error, as curl's own would be, but ours.
fn usage(what: String) -> Error {
    Error::new(Kind::Usage, what)
}

/// Makes the error for a word that is no option.
fn unknown(word: &OsStr) -> Error {
    const OURS: [&str; 5] = ["--profile", "--format", "--min-ttl", "--refresh", "--no-cache"];
    let text = word.to_string_lossy();
    let name = text.split('=').next().unwrap_or_default();
    if OURS.contains(&name) {
        return usage(format!("{name} is ls-token's own option, and goes before `curl`"))
            .hint(format!("ls-token {name} … curl …; a profile for lscurl: LS_TOKEN_PROFILE=NAME lscurl …"));
    }
    usage(format!("{} is no option of curl's that ls-token knows", untrusted(&word.to_string_lossy())))
        .hint("write options in full and as `curl --help all` does")
}

/// Makes the error for an option without its value.
fn no_value(word: &OsStr) -> Error {
    usage(format!("the option {} needs a value", untrusted(&word.to_string_lossy())))
}

/// Makes the error for a segment that fetches nothing.
fn no_address(place: &str) -> Error {
    usage(format!("there is no address{place}"))
        .hint("give a path such as /api/projects/, or a URL of a profile's server")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads words and shows what came of them.
    fn read(line: &str) -> String {
        let words = line.split(' ').map(OsString::from).collect();
        match parse(words) {
            Err(error) => format!("error: {}", error.what),
            Ok(Line::Information(words)) => format!("information: {words:?}"),
            Ok(Line::Request(request)) => {
                let segments = request.segments.iter().map(|segment| {
                    let options = segment.options.iter().map(|given| match &given.value {
                        Some(value) => format!("{}={}", given.word, value.to_string_lossy()),
                        None => given.word.clone(),
                    });
                    let addresses = segment.addresses.iter().map(|address| address.to_string_lossy().into_owned());
                    options.chain(addresses).collect::<Vec<_>>().join(" ")
                });
                segments.collect::<Vec<_>>().join(" | ")
            }
        }
    }

    #[test]
    fn options_are_taken_apart_as_curl_does() {
        assert_eq!(read("-sSLo file /a"), "-s -S -L -o=file /a");
        assert_eq!(read("-ofile /a -d@- --data-raw x"), "-o=file -d=@- --data-raw=x /a");
        assert_eq!(read("--output=f /a --no-silent"), "--output=f --no-silent /a");
        assert_eq!(read("-o --next /a"), "-o=--next /a");
        assert_eq!(read("/a --next -X PATCH /b -: /c"), "/a | -X=PATCH /b | /c");
        assert_eq!(read("--url /a --url=/b /c"), "/a /b /c");
        assert_eq!(read("/a -- -s --next"), "/a -s --next");
        assert_eq!(read("--help all"), "information: [\"--help\", \"all\"]");
    }

    #[test]
    fn f05_what_curls_versions_read_differently_is_refused() {
        for line in [
            "-2o /a",
            "-:o /a",
            "-s:o /a",
            "-hx /a",
            "--loc /a",
            "--LOCATION /a",
            "--next=x /a",
            "--silent=1 /a",
            "- /a",
            "---url /a",
            "--expand-url {{x}}",
            "--no-output x /a",
            "-* /a",
            "--next /a",
            "/a --next",
            "-s",
            "-o",
            "--no-no-silent /a",
            "--config",
            "–s",
        ] {
            let seen = read(line);
            assert!(seen.starts_with("error") || line == "–s", "{line} was read as {seen}");
        }
    }
}
