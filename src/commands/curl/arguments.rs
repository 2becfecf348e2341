//! Reads curl's command line as curl does, and refuses what curl's versions read differently.

use std::ffi::OsString;
use std::mem;
use std::os::unix::ffi::OsStrExt as _;

use super::address::HINT;
use super::parsed_option::{ParsedOption, read_word};
use super::transfer::{Addresses, Transfer};
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
    /// What lies between `--next`.
    pub(super) transfers: Vec<Transfer<Addresses>>,
}

/// A transfer of which more may come.
#[derive(Default)]
struct Draft {
    options: Vec<ParsedOption>,
    addresses: Vec<OsString>,
}

impl Draft {
    /// Ends the transfer; `place` says where, for the case that it has no address.
    fn finish(self, place: &str) -> Result<Transfer<Addresses>> {
        let mut addresses = self.addresses.into_iter();
        let first = addresses.next().ok_or_else(|| Error::usage(format!("there is no address{place}"), HINT))?;
        Ok(Transfer { target: Addresses { first, others: addresses.collect() }, options: self.options })
    }
}

impl Invocation {
    pub(super) fn parse(arguments: Vec<OsString>) -> Result<Self> {
        let without_curlrc =
            arguments.first().is_some_and(|first| first == "--disable" || first.as_bytes().starts_with(b"-q"));
        let (mut transfers, mut draft) = (Vec::new(), Draft::default());
        let mut rest = arguments.into_iter();
        let mut only_addresses = false;
        while let Some(argument) = rest.next() {
            if only_addresses || !argument.as_bytes().starts_with(b"-") {
                draft.addresses.push(argument);
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
                    "next" => transfers.push(mem::take(&mut draft).finish(" before --next")?),
                    "url" => draft.addresses.extend(option.value),
                    // Like curl, which looks for it in the first place only.
                    "disable" => {}
                    _ => draft.options.push(option),
                }
            }
        }
        transfers.push(draft.finish("")?);
        Ok(Self::Request(Request { without_curlrc, transfers }))
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
                let transfers = request.transfers.iter().map(|transfer| {
                    let options = transfer.options.iter().map(|option| match &option.value {
                        Some(value) => format!("{}={}", option.word, value.to_string_lossy()),
                        None => option.word.clone(),
                    });
                    let Addresses { first, others } = &transfer.target;
                    let addresses = [first].into_iter().chain(others).map(|address| address.display().to_string());
                    options.chain(addresses).collect::<Vec<_>>().join(" ")
                });
                transfers.collect::<Vec<_>>().join(" | ")
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
        ] {
            let seen = read(line);
            assert!(seen.starts_with("error"), "{line} was read as {seen}");
        }
    }
}
