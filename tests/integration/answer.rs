//! Answers that are no token, or one that could do harm, or a way to somewhere else: none is printed, cached, followed.

use serde_json::json;

use crate::exchange::run_with;
use crate::sandbox::ready;
use crate::server::{REFRESH, Reply, Server, html_page, pat_in};

#[test]
fn f39_what_came_instead_of_a_token_is_said() {
    let json = |body: &str| Reply::body(200, "application/json", body);
    let deep = format!("{{\"access\": {}", "[".repeat(60_000));
    for (reply, says) in [
        (Reply::body(200, "text/html; charset=utf-8", "<!DOCTYPE html><title>Log in</title>"), "an HTML page"),
        (Reply::body(200, "", "<html><body>Log in"), "an HTML page"),
        (Reply::body(200, "text/html", html_page()), "more than 64 KiB"),
        (json(""), "an empty body"),
        (json(" \r\n\t"), "an empty body"),
        (json("[]"), "JSON that is a list, not an object,"),
        (json("null"), "JSON that is null, not an object,"),
        (json("5"), "JSON that is a number, not an object,"),
        (json("\"eyJ\""), "JSON that is a string, not an object,"),
        (json("{}"), "JSON without `access`"),
        (json("{\"refresh\": \"x\", \"token\": \"y\"}"), "JSON without `access`"),
        (json("{\"access\": null}"), "`access: null`"),
        (json("{\"access\": 5}"), "`access: 5`"),
        (json("{\"access\": true}"), "`access: true`"),
        (json("{\"access\": [\"a.b.c\"]}"), "`access` as a list"),
        (json("{\"access\": {\"access\": \"a.b.c\"}}"), "`access` as an object"),
        (json("{\"access\": \"\"}"), "an `access` that is not a JWT"),
        (json("{\"access\": \"null\"}"), "an `access` that is not a JWT"),
        (json("{\"access\": \"a.b.c\""), "broken JSON"),
        (json("{\"access\": \"a.b.c\"} trailing"), "broken JSON"),
        (json("{'access': 'a.b.c'}"), "broken JSON"),
        (json(&deep), "broken JSON"),
        (Reply::body(200, "application/json", b"{\"access\": \"\xff\xfe.b.c\"}".to_vec()), "broken JSON"),
        (Reply::body(200, "text/plain", "OK"), "a body of type text/plain that is not JSON"),
        (Reply::body(200, "application/octet-stream", vec![0_u8; 1000]), "a body of type application/octet-stream"),
        (Reply::body(200, "", "OK"), "a body that is not JSON"),
        (Reply::body(201, "text/x-odd", "OK"), "the server answered 201 with a body of type text/x-odd"),
    ] {
        let (done, exchanges) = run_with(reply);
        done.fails(76)
            .says("the server answered 20")
            .says(says)
            .says("instead of an access token")
            .says("server: ")
            .says("hint: ");
        done.does_not_say("\x1b").does_not_say("a.b.c");
        assert_eq!(exchanges, 1, "{says} was tried again");
    }
}

#[test]
fn f08_an_access_token_that_could_do_harm_is_neither_printed_nor_cached() {
    let long = format!("eyJ.{}.x", "a".repeat(8 * 1024));
    for token in [
        "eyJ.eyJ.abc\"",
        "eyJ.eyJ.abc\r\nX-Evil: 1",
        "eyJ.eyJ.abc\n",
        "\neyJ.eyJ.abc",
        "eyJ.eyJ.a\0b",
        "eyJ.eyJ.a b",
        "eyJ.eyJ.a'b",
        "eyJ.eyJ.$(id)",
        "eyJ.eyJ.`id`",
        "eyJ.eyJ.a\\b",
        "eyJ.eyJ.ä",
        "eyJ.eyJ.\u{202e}",
        "eyJ.eyJ.abc=",
        "eyJ.eyJ.a+b",
        "eyJ.eyJ.a/b",
        "eyJ.eyJ",
        "eyJ",
        "eyJ..abc",
        ".eyJ.abc",
        "eyJ.eyJ.",
        "a.b.c.d",
        "..",
        "-K/etc/passwd",
        &long,
    ] {
        let (done, exchanges) = run_with(Reply::access(&json!(token)));
        done.fails(76).says("instead of an access token").does_not_say(token.trim());
        assert_eq!(exchanges, 1);
    }
}

#[test]
fn f08_an_access_token_of_8_kib_is_taken() {
    let (sandbox, server) = ready();
    let token = format!("eyJ.{}.x", "a".repeat(8 * 1024 - 6));
    server.always(REFRESH, Reply::access(&json!(token)));
    sandbox.ls_token(&[]).run().says("not cached").token();
    server.set_claims(|claims| {
        claims.insert("padding".into(), json!("x".repeat(5000)));
    });
    server.always(REFRESH, Reply::Usual);
    let token = sandbox.ls_token(&[]).run().quiet().token();
    assert!(token.len() > 6000);
    assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), token);
    assert_eq!(server.exchanges(), 2);
}

#[test]
fn f10_what_a_server_says_is_escaped_and_cut() {
    let (done, _) = run_with(Reply::error(401, "a\u{1b}[2Jb\u{202e}c\r\nls-token: d\u{9b}e\u{200b}\u{e0041}"));
    done.fails(77).says("a\\u{1b}[2Jb\\u{202e}c\\r\\nls-token: d\\u{9b}e");
    assert!(done.stderr.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", done.stderr);
    for size in [1000, 60_000, 1_000_000] {
        let (done, _) = run_with(Reply::error(403, &"word ".repeat(size / 5)));
        assert!(done.fails(77).stderr.len() < 1000, "{} bytes of stderr", done.stderr.len());
    }
}

#[test]
fn f15_a_token_that_the_server_repeats_is_not_shown() {
    let (sandbox, server) = ready();
    for detail in
        [format!("Token {} is invalid", server.pat()), server.pat().to_owned(), server.pat().replace('.', " ")]
    {
        server.always(REFRESH, Reply::error(401, &detail));
        sandbox.ls_token(&["-v"]).run().fails(77).says("[redacted]");
        server.always(REFRESH, Reply::body(200, &detail, "x"));
        sandbox.ls_token(&["-v"]).run().fails(76);
        server.always(REFRESH, Reply::redirect(302, &format!("https://elsewhere.example/?token={detail}")));
        sandbox.ls_token(&["-v"]).run().fails(76);
    }
    assert!(pat_in(server.pat()).is_some(), "the canary scan knows the token");
}

#[test]
fn f01_a_redirect_is_not_followed_and_its_target_is_named() {
    for status in [301, 302, 303, 307, 308] {
        let (sandbox, server) = ready();
        let other = Server::start().expect_no_calls();
        let other_url = other.url();
        let port = server.port();
        for (location, says) in [
            (format!("{other_url}/api/token/refresh/"), other_url.as_str()),
            (format!("http://localhost:{}/api/token/refresh/", other.port()), "http://localhost:"),
            ("https://evil.example/steal?x=1".into(), "https://evil.example;"),
            (format!("https://127.0.0.1:{port}/api/token/refresh/"), &format!("https://127.0.0.1:{port};")),
            (format!("{}/api/token/refresh", server.url()), "another path of the same server"),
            ("/user/login/?next=/api/token/refresh/".into(), "another path of the same server"),
            (format!("//127.0.0.1:{}/x", other.port()), "an invalid address"),
            ("javascript:alert(1)".into(), "an invalid address"),
            ("https://evil@evil.example/".into(), "an invalid address"),
            (String::new(), "an invalid address"),
        ] {
            let before = server.requests().len();
            server.always(REFRESH, Reply::redirect(status, &location));
            let done = sandbox.ls_token(&[]).run();
            done.fails(76).says(&format!("the server redirects ({status}) to ")).says(says);
            done.says("no token was sent on").says("hint: ").does_not_say("steal").does_not_say("alert");
            assert_eq!(server.requests().len(), before + 1, "{status} to {location} was followed or tried again");
        }
    }
}

#[test]
fn f01_a_redirect_to_https_says_what_to_write() {
    let (done, _) = run_with(Reply::redirect(308, "https://127.0.0.1/api/token/refresh/"));
    done.fails(76).says("hint: set the profile's url to https: https://127.0.0.1");
}
