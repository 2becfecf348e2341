//! Reads curl's command line as curl does, and refuses what curl's versions read differently.

use std::ffi::OsString;
use std::mem;
use std::os::unix::ffi::OsStrExt as _;

use super::address::HINT;
use super::parsed_option::{ParsedOption, read_word};
use crate::error::{Error, Result};

#[derive(Debug)]
pub(super) enum Invocation {
    /// curl is to tell something of itself (`--help`, `--version`): the words for that.
    Info(Vec<OsString>),
    Request(Request),
}

#[derive(Debug)]
pub(super) struct Request {
    /// Whether `-q` came first, so that `.curlrc` is not read.
    pub(super) without_curlrc: bool,
    pub(super) segments: Vec<Segment>,
}

/// What lies between two `--next`, as it was written.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) options: Vec<ParsedOption>,
    pub(super) first: OsString,
    pub(super) others: Vec<OsString>,
}

impl Segment {
    /// Refuses a segment without an address; `place` says where it ends.
    fn new(options: Vec<ParsedOption>, addresses: Vec<OsString>, place: &str) -> Result<Self> {
        let mut addresses = addresses.into_iter();
        let first = addresses.next().ok_or_else(|| Error::usage(format!("there is no address{place}"), HINT))?;
        Ok(Self { options, first, others: addresses.collect() })
    }
}

impl Invocation {
    pub(super) fn parse(arguments: Vec<OsString>) -> Result<Self> {
        let without_curlrc =
            arguments.first().is_some_and(|first| first == "--disable" || first.as_bytes().starts_with(b"-q"));
        let (mut segments, mut options, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
        let mut rest = arguments.into_iter();
        let mut only_addresses = false;
        while let Some(argument) = rest.next() {
            if only_addresses || !argument.as_bytes().starts_with(b"-") {
                addresses.push(argument);
                continue;
            }
            if argument == "--" {
                only_addresses = true;
                continue;
            }
            for option in read_word(&argument, &mut rest)? {
                match option.name() {
                    "help" | "version" | "manual" | "dump-ca-embed" if !option.negated => {
                        return Ok(Self::Info(std::iter::once(option.word.into()).chain(rest.next()).collect()));
                    }
                    "next" => {
                        segments.push(Segment::new(
                            mem::take(&mut options),
                            mem::take(&mut addresses),
                            " before --next",
                        )?);
                    }
                    "url" => addresses.extend(option.value),
                    // Like curl, which looks for it in the first place only.
                    "disable" => {}
                    _ => options.push(option),
                }
            }
        }
        segments.push(Segment::new(options, addresses, "")?);
        Ok(Self::Request(Request { without_curlrc, segments }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> String {
        let words = line.split(' ').map(OsString::from).collect();
        match Invocation::parse(words) {
            Err(error) => format!("error: {}", error.what),
            Ok(Invocation::Info(words)) => format!("info: {words:?}"),
            Ok(Invocation::Request(request)) => {
                let segments = request.segments.iter().map(|segment| {
                    let options = segment.options.iter().map(|option| match &option.value {
                        Some(value) => format!("{}={}", option.word, value.to_string_lossy()),
                        None => option.word.clone(),
                    });
                    let addresses = [&segment.first].into_iter().chain(&segment.others);
                    let addresses = addresses.map(|address| address.display().to_string());
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
        assert_eq!(read("--help all"), "info: [\"--help\", \"all\"]");
        assert_eq!(read("–s"), "–s", "a dash that is none begins an address");
    }
}
