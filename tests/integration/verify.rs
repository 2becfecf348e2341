//! `ls-token verify`: does the server take the token, and whose is it.

use std::time::Duration;

use serde_json::json;

use crate::sandbox::{Sandbox, ready};
use crate::server::{PROJECTS, REFRESH, Reply, Server, WHOAMI, html_page};

#[test]
fn it_says_whose_the_token_is() {
    let (sandbox, server) = ready();
    let done = sandbox.ls_token(&["verify"]).run();
    done.quiet().prints(&format!("someone@example.com (user 1, organization 1) at {}, token valid for ", server.url()));
    done.line();
    assert_eq!(server.count("GET", WHOAMI), 1);
}

#[test]
fn it_uses_the_cached_token_and_caches_a_new_one() {
    let (sandbox, server) = ready();
    sandbox.ls_token(&["verify"]).run().quiet().line();
    sandbox.ls_token(&["verify"]).run().quiet().line();
    assert_eq!(server.exchanges(), 1);
    assert_eq!(sandbox.ls_token(&[]).run().token(), server.issued()[0]);
}

#[test]
fn its_json_has_the_user_and_the_times() {
    let (sandbox, server) = ready();
    let object = sandbox.ls_token(&["verify", "--json"]).run().object();
    let user = json!({"id": 1, "email": "someone@example.com", "organization": 1});
    assert_eq!(object["user"], user);
    assert_eq!(object["url"], server.url());
    assert_eq!(object["profile"], "environment");
    assert_eq!(object["renewed"], false);
    let left = object["expires_in"].as_u64().unwrap();
    assert!((295..=300).contains(&left), "{left}");
}

#[test]
fn a_cached_token_that_is_not_taken_is_exchanged_anew_once() {
    let (sandbox, server) = ready();
    let first = sandbox.ls_token(&[]).run().token();
    server.reject(&first);
    let done = sandbox.ls_token(&["verify"]).run();
    done.prints("someone@example.com").says("warning: the server rejected the cached token; this is a new one");
    assert_eq!(server.exchanges(), 2);
    let second = sandbox.ls_token(&[]).run().token();
    assert_ne!(first, second);
    let object = sandbox.ls_token(&["verify", "--json"]).run();
    assert_eq!(object.quiet().object()["renewed"], false);
}

#[test]
fn a_new_token_that_is_not_taken_is_a_denial() {
    let (sandbox, server) = ready();
    server.allow_pats(false);
    let done = sandbox.ls_token(&["verify"]).run();
    done.fails(77)
        .says("Label Studio rejected the access token: Authentication credentials were not provided.")
        .says(&format!("  server: {}\n", server.url()))
        .says("Organization > Access Token Settings");
    assert_eq!(server.exchanges(), 1, "a new one is not exchanged again");
}

#[test]
fn a_cached_token_that_is_not_taken_and_a_revoked_pat_are_a_denial_that_names_both() {
    let (sandbox, server) = ready();
    let first = sandbox.ls_token(&[]).run().token();
    server.reject(&first);
    server.revoke(server.pat());
    sandbox
        .ls_token(&["verify"])
        .run()
        .fails(77)
        .says("the server rejected the cached token, and there is no new one: ")
        .says("Token is blacklisted");
}

#[test]
fn f40_what_whoami_answers_is_explained() {
    let json = |body: &str| Reply::body(200, "application/json", body);
    for (reply, status, says) in [
        (
            Reply::body(400, "text/html", "Request Header Or Cookie Too Large"),
            76,
            "the server rejected the request (whoami, status 400)",
        ),
        (Reply::error(403, "No."), 77, "the server refused whoami (403 Forbidden): No."),
        (Reply::body(404, "text/html", html_page()), 76, "this server has no whoami endpoint (404)"),
        (Reply::error(500, "Oh"), 69, "the server failed internally (status 500): Oh"),
        (Reply::error(503, "Later"), 69, "the server is not available (status 503): Later"),
        (
            Reply::redirect(302, "https://login.example.com/"),
            76,
            "the server redirects (302) to https://login.example.com",
        ),
        (
            Reply::body(200, "text/html", "<html>Log in"),
            76,
            "the server answered 200 with an HTML page instead of a user",
        ),
        (json("[]"), 76, "JSON that is a list, not an object,"),
        (json("{}"), 76, "JSON without the `id` of a user"),
        (json("{\"id\": \"1\"}"), 76, "JSON without the `id` of a user"),
        (json(""), 76, "an empty body"),
        (Reply::reset(Vec::new()), 69, "the connection to 127.0.0.1 broke off"),
    ] {
        let (sandbox, server) = ready();
        server.always(WHOAMI, reply);
        let done = sandbox.ls_token(&["verify"]).run();
        done.fails(status).says(says).says(&format!("server: {}", server.url()));
        assert!(done.stderr.lines().last().unwrap().starts_with("  hint: "), "{done:?}");
        assert_eq!(done.stderr.matches("server: ").count(), 1, "{done:?}");
    }
}

#[test]
fn f10_a_name_that_a_terminal_would_obey_is_escaped() {
    let (sandbox, server) = ready();
    let who = json!({"id": 7, "email": "a\x1b[2J\u{202e}b@example.com", "active_organization": null});
    server.always(WHOAMI, Reply::json(200, &who));
    sandbox.ls_token(&["verify"]).run().quiet().prints("a\\u{1b}[2J\\u{202e}b@example.com (user 7) at ");
}

#[test]
fn f38_a_silent_whoami_ends_within_the_time_limit() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_file(&server, "timeout = 1");
    server.always(WHOAMI, Reply::Silence);
    sandbox
        .ls_token(&["verify"])
        .run()
        .fails(69)
        .says("127.0.0.1 did not answer within 1 s")
        .within(Duration::from_secs(4));
}

#[test]
fn without_a_server_or_a_token_it_fails_as_ls_token_does() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.ls_token(&["verify"]).run().fails(78);
    sandbox.use_source(&server, "env:NOT_SET", "");
    sandbox.ls_token(&["verify"]).run().fails(77);
}

#[test]
fn a_token_is_asked_for_in_whoamis_header_and_nowhere_else() {
    let (sandbox, server) = ready();
    sandbox.ls_token(&["verify"]).run().line();
    let token = &server.issued()[0];
    for request in server.requests() {
        let header = request.header("authorization");
        if request.path() == WHOAMI {
            assert_eq!(header, Some(format!("Bearer {token}").as_str()));
        } else {
            assert_eq!(header, None, "{}", request.path());
        }
        assert!(!request.target.contains(token.as_str()));
    }
    assert_eq!(server.count("GET", PROJECTS) + server.count("POST", REFRESH), 1);
}
