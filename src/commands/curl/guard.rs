//! Which of curl's options may be used beside a token. What is refused could take the token, or the request that carries
//! it, to another server, show it, or log in a second way. Each was tried with curl 7.88, 8.14, 8.21 and 8.23.

use std::os::unix::ffi::OsStrExt;

use super::parsed_option::ParsedOption;
use super::pipe::{self, Pipe};
use crate::error::{Error, Result};
use crate::types::escape::foreign;

/// Refuses an option that endangers the token. `secure` tells whether the request goes by https; `has_siblings` whether there
/// are other transfers, with tokens on pipes of their own.
pub(super) fn check(option: &ParsedOption, secure: bool, has_siblings: bool) -> Result<()> {
    let refuse = |why: &str, hint: &str| Err(refusal(option, why, hint));
    if !option.negated
        && let Some((why, hint)) = danger(option.name(), secure)
    {
        return refuse(why, hint);
    }
    let Some(value) = option.value.as_deref().map(OsStrExt::as_bytes) else {
        return Ok(());
    };
    if !is_data(option.name()) && value.iter().any(u8::is_ascii_control) {
        return refuse(
            "its value has a control character, which could begin a second request",
            "take the line break out of the value",
        );
    }
    if has_siblings && may_name_files(option.name(), value) && value.windows(3).any(|piece| piece == b"fd/") {
        return refuse(DESCRIPTOR.0, DESCRIPTOR.1);
    }
    match option.name() {
        "header" => check_header(value).map_or(Ok(()), |(why, hint)| refuse(why, hint)),
        "request" if !value.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-') => {
            refuse("its value is not a method", "-X takes a method, such as PATCH")
        }
        _ => Ok(()),
    }
}

/// Why an option may not name a pipe, and what to do instead.
const DESCRIPTOR: (&str, &str) = (
    "its value names an open descriptor, which may be another request's token",
    "use a file, or make one request at a time",
);

/// Refuses an option that names one of the pipes, which hold the tokens of other transfers: by a link, or in a list.
pub(super) fn check_pipes(option: &ParsedOption, pipes: &[Pipe]) -> Result<()> {
    let Some(value) = option.value.as_deref().filter(|_| !pipes.is_empty()) else {
        return Ok(());
    };
    let value = value.as_bytes();
    if !may_name_files(option.name(), value) {
        return Ok(());
    }
    let lists = option.name() == "upload-file" && value.iter().any(|byte| b"{[".contains(byte));
    let Some(mut paths) = pipe::paths(value).filter(|_| !lists) else {
        return Err(refusal(option, "its value names too many files to be checked", "make one request at a time"));
    };
    if paths.any(|path| pipes.iter().any(|pipe| pipe.is_at(path))) {
        return Err(refusal(option, DESCRIPTOR.0, DESCRIPTOR.1));
    }
    Ok(())
}

/// Tells whether the value of an option may name a file to be read, and is not data itself.
fn may_name_files(name: &str, value: &[u8]) -> bool {
    match name {
        "data" | "data-ascii" | "data-binary" | "json" => value.starts_with(b"@"),
        "data-urlencode" | "url-query" => value.contains(&b'@'),
        "form" => value.contains(&b'@') || value.contains(&b'<'),
        "data-raw" | "form-string" | "header" | "request" | "user-agent" => false,
        _ => true,
    }
}

/// Makes the error for an option that is not used.
fn refusal(option: &ParsedOption, why: &str, hint: &str) -> Error {
    Error::usage(format!("curl's {} is refused: {why}", foreign(&option.shown())), hint)
}

/// Returns why an option is refused and what to do instead.
fn danger(name: &str, secure: bool) -> Option<(&'static str, &'static str)> {
    const OTHER: &str = "for another server, use curl itself";
    const LOGIN: (&str, &str) =
        ("ls-token logs in; a second way would go elsewhere", "to log in otherwise, use curl itself");
    Some(match name {
        "config" => {
            ("it reads options that ls-token cannot check", "give the options themselves, or put them into ~/.curlrc")
        }
        "variable" => ("curl's own variables could build any address", "let the shell expand them: \"$NAME\""),
        "connect-to" | "resolve" | "unix-socket" | "abstract-unix-socket" => (
            "it sends the request to another server under the same name",
            "put the server's own address into a profile",
        ),
        "request-target" | "ipfs-gateway" | "proto-default" => {
            ("it changes the address of the request", "give the whole address")
        }
        "alt-svc" | "hsts" | "doh-url" | "doh-insecure" | "doh-cert-status" | "metalink" | "haproxy-clientip" => {
            ("it may send the request elsewhere", OTHER)
        }
        "location-trusted" => {
            ("it gives the token to every server that a redirect names", "use -L: the token stays with its own server")
        }
        "insecure" => {
            ("whoever is on the way could take the token", "name the server's authority as `ca_file` in the profile")
        }
        "verbose" | "trace" | "trace-ascii" | "libcurl" => (
            "it writes the token out",
            "for the answer's headers use -i or -D -, for figures -w '%{http_code} %{time_total}\\n'",
        ),
        "user" | "oauth2-bearer" | "netrc" | "netrc-file" | "netrc-optional" | "anyauth" | "basic" | "digest"
        | "negotiate" | "ntlm" | "ntlm-wb" | "aws-sigv4" | "delegation" => LOGIN,
        "proxy" | "proxy1.0" | "preproxy" | "socks4" | "socks4a" | "socks5" | "socks5-hostname" | "proxytunnel"
        | "proxy-header" | "noproxy"
            if !secure =>
        {
            (
                "a proxy would see the token of a plain http request",
                "leave it out: an http:// server is reached directly",
            )
        }
        "dns-interface" | "dns-ipv4-addr" | "dns-ipv6-addr" | "dns-servers" if !secure => {
            ("nothing proves that a plain http server is the right one", "leave it out, or use https")
        }
        _ => return None,
    })
}

/// Returns why a header is refused and what to do instead.
fn check_header(value: &[u8]) -> Option<(&'static str, &'static str)> {
    if value.starts_with(b"@") {
        return Some(("it reads headers that ls-token cannot check", "give them one by one: -H 'Name: value'"));
    }
    if value.starts_with(b" ") || value.starts_with(b"\t") {
        return Some(("a header that begins with a blank continues the one before it", "take the blank out"));
    }
    let name = value.split(|byte| matches!(byte, b':' | b';')).next().unwrap_or_default();
    match name.trim_ascii().to_ascii_lowercase().as_slice() {
        b"authorization" => {
            Some(("ls-token sends that header itself", "leave it out; for another token use curl itself"))
        }
        b"x-api-key" => Some(("Label Studio ignores the token beside that header", "leave it out")),
        b"host" => Some(("it chooses another server behind the same address", "put that server into a profile")),
        _ => None,
    }
}

/// Tells whether an option's value is data, which may have any byte.
fn is_data(name: &str) -> bool {
    matches!(
        name,
        "data"
            | "data-ascii"
            | "data-binary"
            | "data-raw"
            | "data-urlencode"
            | "json"
            | "form"
            | "form-string"
            | "url-query"
            | "write-out"
            | "upload-file"
    )
}

#[cfg(test)]
mod tests {
    use super::super::options::long;
    use super::*;
    use crate::error::Kind;

    /// Checks an option on the command line.
    fn check_one(name: &str, value: Option<&str>, secure: bool, has_siblings: bool) -> Result<()> {
        let (row, value) = (long(name).unwrap(), value.map(Into::into));
        check(
            &ParsedOption { row, word: format!("--{name}"), negated: false, value, origin: None },
            secure,
            has_siblings,
        )
    }

    #[test]
    fn f05_dangerous_options_are_refused_and_explained() {
        for name in "config variable connect-to resolve unix-socket abstract-unix-socket request-target ipfs-gateway proto-default alt-svc hsts doh-url \
                     location-trusted insecure verbose trace trace-ascii libcurl user oauth2-bearer netrc netrc-file netrc-optional anyauth basic digest \
                     negotiate ntlm aws-sigv4 delegation haproxy-clientip"
            .split_whitespace()
        {
            let error = check_one(name, Some("x"), true, false).unwrap_err();
            assert!(!error.hint.is_empty() && error.kind == Kind::Usage, "{name}");
        }
    }

    #[test]
    fn f05_a_proxy_is_for_https_alone() {
        for name in ["proxy", "preproxy", "socks5", "noproxy", "dns-servers"] {
            assert!(
                check_one(name, Some("x"), true, false).is_ok() && check_one(name, Some("x"), false, false).is_err(),
                "{name}"
            );
        }
    }

    #[test]
    fn f05_no_header_replaces_or_follows_the_token() {
        for header in [
            "Authorization: x",
            "authorization;",
            "AUTHORIZATION :x",
            "X-Api-Key: x",
            "Host: evil",
            "@file",
            " folded",
            "\tfolded",
            "A: b\r\nC: d",
        ] {
            assert!(check_one("header", Some(header), true, false).is_err(), "{header:?}");
        }
        for header in ["Content-Type: application/json", "Accept:", "X-Empty;", "X-Authorization: x"] {
            assert!(check_one("header", Some(header), true, false).is_ok(), "{header:?}");
        }
        assert!(check_one("user-agent", Some("a\r\nb"), true, false).is_err());
        assert!(check_one("data", Some("a\r\nb"), true, false).is_ok());
        assert!(check_one("request", Some("GET http://evil/"), true, false).is_err());
    }

    #[test]
    fn f05_one_transfer_may_not_read_anothers_pipe() {
        assert!(check_one("write-out", Some("@/dev/fd/11"), true, true).is_err());
        assert!(check_one("data", Some("@/proc/self/fd/11"), true, true).is_err());
        assert!(check_one("form", Some("a=@fd/11"), true, true).is_err());
        assert!(check_one("data", Some("@/dev/fd/63"), true, false).is_ok());
    }

    #[test]
    fn every_name_here_is_one_of_curls() {
        let source = include_str!("guard.rs").split("#[cfg(test)]").next().unwrap();
        let names =
            source.split('"').skip(1).step_by(2).filter(|text| {
                text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
            });
        let names: Vec<_> = names.filter(|name| !["authorization", "x-api-key", "host", ""].contains(name)).collect();
        assert!(names.len() > 60, "{names:?}");
        for name in names {
            assert!(long(name).is_some(), "{name} is no option of curl's");
        }
    }
}
