//! Which of curl's options may be used beside a token. What is refused could take the token, or the request that carries
//! it, to another server, show it, or log in a second way. Each was tried with curl 7.88, 8.14, 8.21 and 8.23.

use std::os::unix::ffi::OsStrExt;

use super::arguments::Given;
use super::pipe::{self, Pipe};
use crate::error::{Error, Kind, Result};
use crate::escape::foreign;

/// Refuses an option that endangers the token. `secure` tells whether the request goes by https; `crowded` whether there
/// are other parts, with tokens on pipes of their own.
pub(super) fn check(given: &Given, secure: bool, crowded: bool) -> Result<()> {
    let refuse = |why: &str, hint: &str| Err(refusal(given, why, hint));
    if !given.negated
        && let Some((why, hint)) = danger(given.name, secure)
    {
        return refuse(why, hint);
    }
    let Some(value) = given.value.as_deref().map(OsStrExt::as_bytes) else {
        return Ok(());
    };
    if !is_data(given.name) && value.iter().any(u8::is_ascii_control) {
        return refuse(
            "its value has a control character, which could begin a second request",
            "take the line break out of the value",
        );
    }
    if crowded && may_name_files(given.name, value) && value.windows(3).any(|piece| piece == b"fd/") {
        return refuse(DESCRIPTOR.0, DESCRIPTOR.1);
    }
    match given.name {
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

/// Refuses an option that names one of the pipes, which hold the tokens of other parts: by a link, or in a list.
pub(super) fn check_pipes(given: &Given, pipes: &[Pipe]) -> Result<()> {
    let Some(value) = given.value.as_deref().filter(|_| !pipes.is_empty()) else {
        return Ok(());
    };
    let value = value.as_bytes();
    if !may_name_files(given.name, value) {
        return Ok(());
    }
    let lists = given.name == "upload-file" && value.iter().any(|byte| b"{[".contains(byte));
    let Some(mut paths) = pipe::paths(value).filter(|_| !lists) else {
        return Err(refusal(given, "its value names too many files to be checked", "make one request at a time"));
    };
    if paths.any(|path| pipes.iter().any(|pipe| pipe.is_at(path))) {
        return Err(refusal(given, DESCRIPTOR.0, DESCRIPTOR.1));
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
fn refusal(given: &Given, why: &str, hint: &str) -> Error {
    let (word, at) = (foreign(&given.word), given.at());
    Error::new(Kind::Usage, format!("curl's {word}{at} is refused: {why}")).hint(hint)
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
mod tests;
