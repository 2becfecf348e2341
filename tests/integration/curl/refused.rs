//! Options that are refused: each with a message that names it, says why, and says what to do instead.

use super::kit::{CURLRC, asked, curl, profile, starts, watch, with_secure_server};
use crate::sandbox::Sandbox;
use crate::server::Server;

/// What would send the request elsewhere, whatever the server: the option, and whether it takes a value.
const ELSEWHERE: &[(&str, bool)] = &[
    ("--config", true),
    ("-K", true),
    ("--variable", true),
    ("--connect-to", true),
    ("--resolve", true),
    ("--unix-socket", true),
    ("--abstract-unix-socket", true),
    ("--request-target", true),
    ("--ipfs-gateway", true),
    ("--proto-default", true),
    ("--alt-svc", true),
    ("--hsts", true),
    ("--doh-url", true),
    ("--doh-insecure", false),
    ("--doh-cert-status", false),
    ("--haproxy-clientip", true),
    ("--haproxy-protocol", false),
    ("--metalink", false),
];

/// What would show the token.
const SHOWING: &[(&str, bool)] =
    &[("--location-trusted", false), ("--insecure", false), ("-k", false), ("--libcurl", true), ("--engine", true)];

/// What would let somebody else pass for the server, or read along.
const WEAKENING: &[(&str, bool)] = &[
    ("--cacert", true),
    ("--capath", true),
    ("--ca-native", false),
    ("--ssl-sessions", true),
    ("--tls-earlydata", false),
    ("--ciphers", true),
    ("--tls13-ciphers", true),
    ("--sigalgs", true),
    ("--tlsv1", false),
    ("-1", false),
    ("--tlsv1.0", false),
    ("--tlsv1.1", false),
    ("--tls-max", true),
    ("--sslv2", false),
    ("-2", false),
    ("--sslv3", false),
    ("-3", false),
    ("--ssl-allow-beast", false),
    ("--false-start", false),
    ("--egd-file", true),
    ("--random-file", true),
    ("--ech", true),
];

/// What would log in a second way.
const LOGGING_IN: &[(&str, bool)] = &[
    ("--user", true),
    ("-u", true),
    ("--oauth2-bearer", true),
    ("--netrc", false),
    ("-n", false),
    ("--netrc-file", true),
    ("--netrc-optional", false),
    ("--anyauth", false),
    ("--basic", false),
    ("--digest", false),
    ("--negotiate", false),
    ("--ntlm", false),
    ("--ntlm-wb", false),
    ("--aws-sigv4", true),
    ("--delegation", true),
    ("--tlsuser", true),
    ("--tlspassword", true),
    ("--tlsauthtype", true),
];

/// What a plain http request may not have.
const WITHOUT_TLS: &[(&str, bool)] = &[
    ("--proxy", true),
    ("-x", true),
    ("--proxy1.0", true),
    ("--preproxy", true),
    ("--socks4", true),
    ("--socks4a", true),
    ("--socks5", true),
    ("--socks5-hostname", true),
    ("--proxytunnel", false),
    ("-p", false),
    ("--proxy-header", true),
    ("--noproxy", true),
    ("--dns-interface", true),
    ("--dns-ipv4-addr", true),
    ("--dns-ipv6-addr", true),
    ("--dns-servers", true),
];

/// Asserts that an option is refused with a reason and a hint, wherever it stands.
#[track_caller]
fn assert_explained(sandbox: &Sandbox, option: &str, takes_value: bool) {
    let value: &[&str] = if takes_value { &["a:b"] } else { &[] };
    let before = [&[option], value, &["/x"]].concat();
    let behind = [&["-s", "/x", option], value].concat();
    let in_second = [&["/x", "--next", option], value, &["/y"]].concat();
    for line in [before, behind, in_second] {
        let done = curl(sandbox, &line).run();
        done.fails(2).says(&format!("curl's {option} is refused: ")).says("\n  hint: ").does_not_say("a:b");
        done.does_not_say("does not know this option");
        assert_eq!(done.stderr.lines().count(), 2, "{line:?}: {done:?}");
    }
    assert_eq!(starts(sandbox), 0);
}

#[test]
fn f05_each_refused_option_says_why_and_what_to_do_instead() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    watch(&sandbox);
    sandbox.settings(&profile(&sandbox, "test", &server, ""));
    for table in [ELSEWHERE, SHOWING, WEAKENING, LOGGING_IN, WITHOUT_TLS] {
        for (option, takes_value) in table {
            assert_explained(&sandbox, option, *takes_value);
        }
    }
}

#[test]
fn f05_the_same_options_are_refused_for_https_but_proxies_and_name_servers_are_the_users_choice() {
    let (sandbox, server, _) = with_secure_server();
    for table in [ELSEWHERE, SHOWING, WEAKENING, LOGGING_IN] {
        for (option, takes_value) in table {
            assert_explained(&sandbox, option, *takes_value);
        }
    }
    assert_eq!(server.connections(), 0);
    for (number, (option, takes_value)) in WITHOUT_TLS.iter().enumerate() {
        let mut line = vec!["-sS", "-m", "3", option];
        line.extend(takes_value.then_some("127.0.0.1:1"));
        line.push("/x");
        let done = curl(&sandbox, &line).run();
        done.does_not_say("ls-token");
        assert_eq!(starts(&sandbox), number + 1, "{line:?}: {done:?}");
    }
}

#[test]
fn f05_negative_forms_of_refused_options_are_harmless() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    watch(&sandbox);
    sandbox.settings(&profile(&sandbox, "test", &server, ""));
    for option in [
        "--no-location-trusted",
        "--no-insecure",
        "--no-ssl-allow-beast",
        "--no-verbose",
        "--no-netrc",
        "--no-netrc-optional",
        "--no-basic",
        "--no-digest",
        "--no-proxytunnel",
    ] {
        let done = curl(&sandbox, &["-sSf", option, "/health"]).run();
        assert_eq!(done.quiet().code, Some(0), "{option}: {done:?}");
    }
}

#[test]
fn f05_each_refused_header_says_why_and_what_to_do_instead() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    watch(&sandbox);
    sandbox.settings(&profile(&sandbox, "test", &server, ""));
    for (header, why) in [
        ("Authorization: Bearer x", "ls-token sends that header itself"),
        ("aUTHORIZATION;", "ls-token sends that header itself"),
        ("X-Api-Key: x", "Label Studio ignores the token beside that header"),
        ("Host: example.com", "it chooses another server behind the same address"),
        ("@headers", "it reads headers that ls-token cannot check"),
        (" folded: x", "a header that begins with a blank continues the one before it"),
        ("X: y\nZ: a", "its value has a control character"),
    ] {
        for line in [&["-H", header, "/x"][..], &["--header", header, "/x"], &["-s", "/x", "-H", header]] {
            curl(&sandbox, line).run().fails(2).says(why).says("\n  hint: ").does_not_say("Bearer x");
        }
    }
    assert_eq!(starts(&sandbox), 0);
}

#[test]
fn f55_a_method_that_makes_the_server_echo_the_token_is_refused() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    watch(&sandbox);
    sandbox.settings(&profile(&sandbox, "test", &server, ""));
    sandbox.ls_token(&[]).run().token();
    for line in [
        &["-X", "TRACE", "/x"][..],
        &["-X", "trace", "/x"],
        &["-XTrace", "/x"],
        &["-sXTRACE", "/x"],
        &["--request", "TRACE", "/x"],
        &["--request=trace", "/x"],
        &["/x", "--next", "-X", "TRACE", "/y"],
    ] {
        curl(&sandbox, line).run().fails(2).says("the server would answer with the request, and the token in it");
    }
    assert_eq!(starts(&sandbox), 0);
    for line in ["request = TRACE", "request=trace", "-X TRACE", "--request \"Trace\""] {
        sandbox.file(CURLRC, format!("{line}\n"), 0o600);
        let done = curl(&sandbox, &["-sS", "/x"]).run();
        done.says("warning: ignored: curl's ").says("the server would answer with the request");
    }
    let asked = asked(&server);
    assert!(asked.len() == 4 && asked.iter().all(|request| request.method == "GET"), "{asked:?}");
}

#[test]
fn f05_an_option_that_nobody_knows_is_refused() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    watch(&sandbox);
    sandbox.settings(&profile(&sandbox, "test", &server, ""));
    let all = [
        "--nonsense",
        "--nonsense=x",
        "--no-nonsense",
        "--expand-nonsense",
        "--",
        "--no-",
        "--=",
        "--=x",
        "--silent-",
        "--Silent",
        "--si",
        "-@",
        "-ß",
        "-s@",
        "--no-no-location-trusted",
        "--httpsig",
        "--url2",
        "--next-",
        "--http",
        "--ssl2",
        "-",
        "---",
        "-=",
        "-\u{202e}",
        "--\x1b[2J",
    ];
    for option in all.iter().filter(|option| **option != "--") {
        let done = curl(&sandbox, &[option, "/x"]).run();
        done.fails(2).says("is no option of curl's that ls-token knows").says("\n  hint: write options in full");
        assert!(!done.stderr.contains('\x1b') && !done.stderr.contains('\u{202e}'), "{done:?}");
    }
    curl(&sandbox, &["--expand-url", "x", "/x"]).run().fails(2).says("hint: let the shell expand them");
    for option in ["--silent=1", "--next=x", "--location="] {
        curl(&sandbox, &[option, "/x"]).run().fails(2).says("takes no value");
    }
    for option in ["-o", "--output", "-sSo", "-d", "--url"] {
        curl(&sandbox, &["/x", option]).run().fails(2).says("needs a value");
    }
    curl(&sandbox, &["-2s", "/x"])
        .run()
        .fails(2)
        .says("curl's versions disagree on letters beside -2")
        .says("hint: give -2 as an argument of its own");
    assert_eq!(starts(&sandbox), 0);
}

#[test]
fn a_foreign_address_is_explained_with_the_servers_there_are() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    watch(&sandbox);
    sandbox.settings(&profile(&sandbox, "test", &server, ""));
    let done = curl(&sandbox, &["https://evil.example/api?x=1"]).run();
    done.fails(2)
        .says("the address https://evil.example/api?x=1 belongs to no profile's server, so it gets no token")
        .says(&format!("servers: {}", server.url()))
        .says("hint: for another server use curl itself");
    let done = curl(&sandbox, &["https://someone:hunter2@evil.example/"]).run();
    done.fails(2).says("has user info").does_not_say("hunter2");
    let done = curl(&sandbox, &["/a\x1b[2J\u{202e}b"]).run();
    assert!(!done.fails(2).stderr.contains(['\x1b', '\u{202e}']), "{done:?}");
}
