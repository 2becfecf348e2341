//! What is refused, and what is not.

use super::super::options::long;
use super::*;

/// Checks an option on the command line.
fn check_one(name: &str, value: Option<&str>, secure: bool, crowded: bool) -> Result<()> {
    let name = long(name).unwrap().name;
    check(
        &Given { name, word: format!("--{name}"), negated: false, value: value.map(Into::into), place: String::new() },
        secure,
        crowded,
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
fn f05_one_segment_may_not_read_anothers_pipe() {
    assert!(check_one("write-out", Some("@/dev/fd/11"), true, true).is_err());
    assert!(check_one("data", Some("@/proc/self/fd/11"), true, true).is_err());
    assert!(check_one("form", Some("a=@fd/11"), true, true).is_err());
    assert!(check_one("data", Some("@/dev/fd/63"), true, false).is_ok());
}

#[test]
fn every_name_here_is_one_of_curls() {
    let source = include_str!("../guard.rs").split("#[cfg(test)]").next().unwrap();
    let names = source
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b)));
    let names: Vec<_> = names.filter(|name| !["authorization", "x-api-key", "host", ""].contains(name)).collect();
    assert!(names.len() > 60, "{names:?}");
    for name in names {
        assert!(long(name).is_some(), "{name} is no option of curl's");
    }
}
