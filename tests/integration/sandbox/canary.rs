//! The canary scan finds what is planted, in whatever place and form: a scan that finds nothing proves nothing otherwise.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Sandbox, ready};
use crate::server::{Canaries, Server, jwt, pat_in, redacted, remember_pat};

/// Returns whether the test would fail.
fn fails(test: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(test)).is_err()
}

/// Returns a legacy token, which is remembered.
fn legacy() -> String {
    let legacy = format!("{:032x}{:08x}", fastrand::u128(..), fastrand::u32(..));
    remember_pat(&legacy);
    legacy
}

#[test]
fn a_planted_token_is_found_in_any_place() {
    let pat = jwt(&serde_json::json!({"token_type": "refresh", "jti": format!("{:x}", fastrand::u128(..))}));
    let parts: Vec<&str> = pat.split('.').collect();
    for secret in [pat.as_str(), parts[1], parts[2], &legacy()] {
        for (before, after) in
            [("", ""), ("a", "b"), ("token=", "&x"), ("\0\u{ff}", "\n"), ("eyJ", "eyJ"), (&secret[1..], &secret[..9])]
        {
            let text = format!("{before}{secret}{after}");
            assert!(pat_in(&text).is_some(), "{} bytes before, {} after", before.len(), after.len());
            assert!(!redacted(&text).contains(secret));
        }
        let mut binary: Vec<u8> = (0..100_000).map(|_| fastrand::u8(..)).collect();
        assert_eq!(pat_in(&binary), None);
        binary.splice(54_321..54_321, secret.bytes());
        assert!(pat_in(&binary).is_some());
    }
    assert_eq!(pat_in(parts[0]), None, "the first part is the same for all");
    assert_eq!(pat_in(&pat[..parts[0].len() + 20]), None, "too little to tell anything");
}

#[test]
fn every_secret_is_found_among_thousands_and_no_other() {
    let mut canaries = Canaries::new();
    let random = |length: usize| -> String { (0..length).map(|_| fastrand::alphanumeric()).collect() };
    let secrets: Vec<String> = (0..3000).map(|number| random(1 + number % 60)).filter(|text| text.len() > 5).collect();
    let claims = |number: usize| format!("eyJhbGciOiJIUzI1NiJ9.{}{number:08}{}.x", "c".repeat(40), "d".repeat(40));
    for secret in &secrets {
        canaries.add(secret);
    }
    for number in (0..3000).step_by(2) {
        canaries.add(&claims(number));
    }
    for secret in &secrets {
        let text = format!("<{secret}>");
        assert!(canaries.find(text.as_bytes()).is_some_and(|found| text.contains(found)), "{secret}");
    }
    for number in 0..3000 {
        assert_eq!(canaries.find(claims(number).as_bytes()).is_some(), number % 2 == 0, "{number}");
    }
}

#[test]
fn a_token_in_a_file_that_the_test_did_not_write_is_a_failure() {
    fn middle(server: &Server) -> &str {
        server.pat().split('.').nth(1).unwrap()
    }
    for planted in [Server::pat, middle] {
        for written in [false, true] {
            let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
            let path = sandbox.directory("deep/down").join("a file");
            fs::write(&path, format!("something, {}, and more", planted(&server))).unwrap();
            if written {
                sandbox.may_hold_a_token(&path);
            }
            assert_eq!(fails(|| drop(sandbox)), !written);
        }
    }
}

#[test]
fn a_token_on_stdout_or_stderr_is_a_failure() {
    let (sandbox, server) = ready();
    let token = sandbox.ls_token(&[]).run().token();
    let legacy = legacy();
    let middle = server.pat().split('.').nth(1).unwrap();
    for (text, to, bad) in [
        (server.pat(), "", true),
        (server.pat(), ">&2", true),
        (middle, "", true),
        (middle, ">&2", true),
        (&legacy, "", true),
        (&legacy, ">&2", true),
        // An access token belongs on stdout, and there alone.
        (&token, "", false),
        (&token, ">&2", true),
        ("harmless", ">&2", false),
    ] {
        let run = || drop(sandbox.shell(&format!("printf 'it is %s.' {text} {to}")).run());
        assert_eq!(fails(run), bad, "{} {to}", redacted(text));
    }
}

#[test]
fn a_token_on_a_terminal_is_a_failure() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    for (text, bad) in [(server.pat(), true), ("harmless", false)] {
        let show = || drop(sandbox.program("/bin/echo", &[text]).on_terminal().wait());
        assert_eq!(fails(show), bad);
    }
}

#[test]
fn a_message_of_a_test_repeats_no_token() {
    let (sandbox, server) = ready();
    let done = sandbox.ls_token(&["--refresh"]).run();
    let token = done.token();
    let text = format!("{done:?} {:?}", server.requests());
    assert!(text.contains("POST /api/token/refresh/") && text.contains("eyJ…") && text.contains("refresh"), "{text}");
    for secret in [token.as_str(), server.pat()] {
        assert!(secret.split('.').skip(1).all(|part| !text.contains(part)), "a token in what a test would say");
    }
}
