//! A personal access token is looked at before it is sent: each mix-up has its own message, and nothing goes out.

use serde_json::json;

use crate::sandbox::{Done, Sandbox, ready};
use crate::server::{Server, jwt, now_seconds, remember_pat};

/// Runs ls-token with something in place of a personal access token; the server must not hear of it.
fn run_with(given: &str) -> Done {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    if given.len() > 8 {
        remember_pat(given.trim());
    }
    sandbox.file("given", given, 0o600);
    let file = sandbox.root().join("given");
    sandbox.use_source(&server, &format!("file:{}", file.display()), "");
    let done = sandbox.ls_token(&["-v"]).run();
    done.fails(77).says("profile: test").says("hint: ");
    assert!(sandbox.cache_files().is_empty());
    done
}

/// Makes a personal access token that no server knows.
fn made_up() -> String {
    jwt(&json!({"token_type": "refresh", "exp": now_seconds() + 1000, "iat": now_seconds()}))
}

#[test]
fn f09_white_space_around_it_does_not_matter() {
    let (sandbox, server) = ready();
    for around in [("", "\n"), ("", "\r\n"), (" ", " "), ("\n\n\t", "\n \n")] {
        sandbox.set("LABEL_STUDIO_API_KEY", format!("{}{}{}", around.0, server.pat(), around.1));
        sandbox.ls_token(&["--refresh"]).run().quiet().token();
        assert_eq!(server.requests().last().unwrap().text(), format!("{{\"refresh\":\"{}\"}}", server.pat()));
    }
}

#[test]
fn f09_an_empty_one_is_named() {
    for given in ["", "\n", " \t\r\n"] {
        run_with(given).says("the personal access token is empty").says("Account & Settings > Personal Access Token");
    }
}

#[test]
fn f09_a_legacy_token_is_named() {
    let legacy = format!("{:032x}{:08x}", fastrand::u128(..), fastrand::u32(..));
    run_with(&legacy).says("this is a legacy token, which cannot be exchanged");
    run_with(&format!("{}\n", legacy.to_uppercase())).says("this is a legacy token, which cannot be exchanged");
}

#[test]
fn f09_an_access_token_is_named() {
    let access = jwt(&json!({"token_type": "access", "exp": now_seconds() + 300, "iat": now_seconds()}));
    run_with(&access).says("this is an access token, not a personal access token");
}

#[test]
fn f09_one_without_its_signature_is_named() {
    let pat = made_up();
    let (cut, _) = pat.rsplit_once('.').unwrap();
    run_with(cut).says("is incomplete: its signature, the third part, is missing");
}

#[test]
fn f09_what_is_no_jwt_is_named() {
    let pat = made_up();
    for given in [
        "sesame",
        "null",
        "a.b.c",
        "a.b.c.d",
        "a..c",
        "....",
        "!.e30.c",
        "a.e30.!",
        "a.W10.c",
        "a.e30.",
        ".e30.c",
        &format!("{pat}."),
        &format!("{pat}.x"),
        &pat[pat.len() - 30..],
        &pat.replace('.', "_"),
    ] {
        run_with(given).says("does not look like a personal access token");
    }
}

#[test]
fn f09_a_jwt_of_something_else_is_named() {
    run_with(&jwt(&json!({"token_type": "session", "exp": now_seconds() + 300})))
        .says("not a personal access token of Label Studio");
}

#[test]
fn f09_an_expired_one_is_named_with_its_date() {
    let expired = jwt(&json!({"token_type": "refresh", "exp": 1_000_000_000, "iat": 900_000_000}));
    run_with(&expired).says("expired at 2001-09-09T01:46:40Z").says("create a new one");
}

#[test]
fn f09_control_characters_and_words_inside_are_named() {
    let pat = made_up();
    let (head, tail) = pat.split_at(50);
    for inside in ["\x1b", "\0", "\x07", "\u{7f}", "ä", "\u{202e}", "\u{feff}"] {
        run_with(&format!("{head}{inside}{tail}")).says("has characters that no token has").does_not_say("\x1b[");
    }
    for inside in [" ", "\n", "\r\n", "\t"] {
        run_with(&format!("{head}{inside}{tail}"))
            .says("there is more than one word where the personal access token should be");
    }
    run_with(&format!("Your token:\n{pat}\n")).says("there is more than one word");
}

#[test]
fn f09_more_than_16_kib_is_no_token() {
    run_with(&"x".repeat(16 * 1024 + 1)).says("is longer than 16 KiB, which none is");
    run_with(&"x".repeat(100_000)).says("is longer than 16 KiB, which none is");
    run_with(&"x".repeat(16 * 1024)).says("does not look like a personal access token");
}

#[test]
fn a_token_without_dates_or_type_is_left_to_the_server() {
    let (sandbox, server) = ready();
    let pat = jwt(&json!({"user_id": "1"}));
    sandbox.ls_token(&[]).env("LABEL_STUDIO_API_KEY", pat).run().fails(77).says("Token is invalid");
    assert_eq!(server.exchanges(), 1);
}
