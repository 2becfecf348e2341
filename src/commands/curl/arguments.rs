//! Reads curl's command line as curl does, and refuses what curl's versions read differently.

use std::ffi::OsString;
use std::mem;
use std::os::unix::ffi::OsStrExt as _;

use super::address::HINT;
use super::parsed_option::{ParsedOption, read_word};
use crate::error::{Error, Result};

pub(super) enum Invocation {
    /// curl is to tell something of itself (`--help`, `--version`): the words for that.
    Info(Vec<OsString>),
    Request(Request),
}

pub(super) struct Request {
    /// Whether `-q` came first, so that `.curlrc` is not read.
    pub(super) without_curlrc: bool,
    pub(super) segments: Vec<Segment>,
}

/// What lies between two `--next`, as it was written.
pub(super) struct Segment {
    pub(super) options: Vec<ParsedOption>,
    pub(super) first: OsString,
    pub(super) others: Vec<OsString>,
}

impl Segment {
    /// Takes what was read of a segment, and refuses one without an address; `place` says where it ends.
    fn take(options: &mut Vec<ParsedOption>, addresses: &mut Vec<OsString>, place: &str) -> Result<Self> {
        let mut addresses = addresses.drain(..);
        let first = addresses.next().ok_or_else(|| Error::usage(format!("there is no address{place}"), HINT))?;
        Ok(Self { options: mem::take(options), first, others: addresses.collect() })
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
                    "next" => segments.push(Segment::take(&mut options, &mut addresses, " before --next")?),
                    "url" => addresses.extend(option.value),
                    // Like curl, which looks for it in the first place only.
                    "disable" => {}
                    _ => options.push(option),
                }
            }
        }
        segments.push(Segment::take(&mut options, &mut addresses, "")?);
        Ok(Self::Request(Request { without_curlrc, segments }))
    }
}
