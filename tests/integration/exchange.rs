//! Refusals and trouble: every answer that Label Studio was seen to give, with its message, and what is tried again.

use std::time::Duration;

use serde_json::{Value, json};

use crate::sandbox::{Done, Sandbox, ready};
use crate::server::{REFRESH, Reply, Server, field_envelope, html_page};

/// Runs ls-token with a server that gives this reply to every exchange, and returns it with the number of exchanges.
pub(crate) fn run_with(reply: Reply) -> (Done, usize) {
    let (sandbox, server) = ready();
    server.always(REFRESH, reply);
    let done = sandbox.ls_token(&[]).run();
    assert!(sandbox.cache_files().is_empty(), "something was cached after {done:?}");
    (done, server.exchanges())
}

#[test]
fn f40_what_label_studio_says_of_a_token_is_repeated_with_a_hint() {
    let blank = "This field may not be blank.";
    let bare = |status: u16, body: Value| Reply::json(status, &body);
    for (reply, says, hint) in [
        (
            Reply::error(401, "Token is invalid"),
            "token: Token is invalid",
            "it may be incomplete, or belong to another server",
        ),
        (Reply::error(401, "Token is blacklisted"), "token: Token is blacklisted", "it was revoked or rotated"),
        (Reply::error(401, "Token has wrong type"), "token: Token has wrong type", "it is not a personal access token"),
        (Reply::error(401, "Token is expired"), "token: Token is expired", "it may have expired"),
        (Reply::json(400, &field_envelope("refresh", blank)), blank, "it may be incomplete"),
        (Reply::json(400, &field_envelope("refresh", "This field is required.")), "This field is required.", ""),
        (Reply::error(400, "JSON parse error - Expecting value"), "JSON parse error - Expecting value", ""),
        (
            bare(401, json!({"detail": "Given token not valid for any token type", "code": "token_not_valid"})),
            "Given token not valid",
            "",
        ),
        (bare(400, json!({"refresh": [blank]})), blank, ""),
        (
            Reply::error(403, "You do not have permission"),
            "(status 403): You do not have permission",
            "Access Token Settings",
        ),
        (
            Reply::body(401, "text/html", html_page()),
            "something in front of Label Studio wants a login (status 401) and sent an HTML page",
            "must let /api/ through",
        ),
        (Reply::body(401, "", ""), "Label Studio rejected the personal access token\n", ""),
        (Reply::body(403, "", ""), "the server forbids the exchange (status 403)\n", ""),
    ] {
        let (done, exchanges) = run_with(reply);
        done.fails(77).says(says).says("server: http://127.0.0.1:").says("hint: ").says(hint).does_not_say("<");
        assert_eq!(exchanges, 1, "{says} was tried again");
    }
}

#[test]
fn f40_the_hint_names_the_page_where_a_new_token_is_made() {
    let (sandbox, server) = ready();
    server.revoke(server.pat());
    sandbox.ls_token(&[]).run().fails(77).says(&format!("{}/user/account/personal-access-token", server.url()));
}

#[test]
fn f40_other_refusals_have_their_own_messages() {
    for (reply, says) in [
        (Reply::body(404, "text/html", html_page()), "there is no token exchange at this address (status 404)"),
        (
            Reply::error(405, "Method \"POST\" not allowed."),
            "this address does not exchange tokens (status 405): Method \"POST\" not allowed.",
        ),
        (Reply::error(409, "Conflict"), "the server rejected the request (status 409): Conflict"),
        (Reply::body(418, "", ""), "the server rejected the request (status 418)"),
        (Reply::body(204, "", ""), "the server answered 204 with an empty body"),
    ] {
        let (done, exchanges) = run_with(reply);
        done.fails(76).says(says).says("server: ").says("hint: ").does_not_say("<html");
        assert_eq!(exchanges, 1, "{says} was tried again");
    }
}

#[test]
fn f40_a_server_in_trouble_is_tried_three_times_except_for_500() {
    for (status, says, tries) in [
        (500, "the server failed internally (status 500): Trouble", 1),
        (501, "the server failed (status 501): Trouble", 1),
        (502, "the proxy in front of the server could not reach it (status 502): Trouble; tried 3 times", 3),
        (503, "the server is not available (status 503): Trouble; tried 3 times", 3),
        (504, "did not answer the proxy in front of it in time (status 504): Trouble; tried 3 times", 3),
        (429, "the server asks for fewer requests (status 429): Trouble; tried 3 times", 3),
    ] {
        let (done, exchanges) = run_with(Reply::error(status, "Trouble"));
        done.fails(69).says(says).says("server: ").says("hint: ").within(Duration::from_secs(4));
        assert_eq!(exchanges, tries, "{says}");
    }
}

#[test]
fn f40_trouble_that_goes_away_costs_a_moment_only() {
    let slow_down = Reply::error(429, "Slow down").with("Retry-After", "1");
    for (replies, at_least) in [
        (vec![Reply::error(503, "Starting")], 200),
        (vec![Reply::body(502, "text/html", html_page()), Reply::error(504, "Late")], 600),
        (vec![slow_down.clone(), slow_down], 2000),
        (vec![Reply::reset(Vec::new())], 200),
        (vec![Reply::raw(Vec::new()), Reply::raw(b"HTTP/1.1 200".to_vec())], 600),
        (vec![Reply::error(503, "Now").with("Retry-After", "0"), Reply::error(503, "Now").with("Retry-After", "0")], 0),
        (vec![Reply::error(503, "Odd").with("Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT")], 200),
        (vec![Reply::error(503, "Odd").with("Retry-After", "-1")], 200),
    ] {
        let (sandbox, server) = ready();
        let tries = replies.len() + 1;
        server.script(REFRESH, replies.clone());
        let done = sandbox.ls_token(&[]).run();
        assert_eq!(done.quiet().token(), server.issued()[0], "{replies:?}");
        assert_eq!(server.exchanges(), tries, "{replies:?}");
        assert!(done.took >= Duration::from_millis(at_least), "{replies:?} took {:?}", done.took);
        done.within(Duration::from_millis(at_least + 2500));
    }
}

#[test]
fn f40_a_retry_is_told_of_with_v() {
    let (sandbox, server) = ready();
    server.script(REFRESH, [Reply::error(503, "Starting")]);
    let done = sandbox.ls_token(&["-v"]).run();
    done.says("exchange: the server is not available (status 503): Starting; trying again in 0.").token();
}

#[test]
fn f40_retry_after_is_honoured_up_to_ten_seconds_and_within_the_time_limit() {
    for wait in ["11", "60", "99999999999999999999"] {
        let (done, exchanges) = run_with(Reply::error(503, "Later").with("Retry-After", wait));
        done.fails(69).within(Duration::from_secs(4));
        assert_eq!(exchanges, if wait.len() > 3 { 3 } else { 1 }, "Retry-After: {wait}");
    }
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_file(&server, "timeout = 2");
    server.always(REFRESH, Reply::error(429, "Later").with("Retry-After", "5"));
    sandbox.ls_token(&[]).run().fails(69).within(Duration::from_secs(1));
    assert_eq!(server.exchanges(), 1);
}

#[test]
fn f68_something_in_front_is_told_from_label_studio_by_the_shape_of_its_answer() {
    let json = |status: u16, text: &str| Reply::body(status, "application/json", text);
    let html = |status: u16| Reply::body(status, "text/html", html_page());
    let certificate = "<html><head><title>400 No required SSL certificate was sent</title></head></html>";
    for (reply, says) in [
        (html(401), "wants a login (status 401) and sent an HTML page"),
        (
            json(401, "{\"error\": \"unauthorized\"}"),
            "wants a login (status 401) and sent JSON that is not Label Studio's",
        ),
        (json(401, "[\"login\"]"), "wants a login (status 401) and sent JSON that is not Label Studio's"),
        (
            Reply::body(401, "text/plain", "Unauthorized"),
            "wants a login (status 401) and sent a body of type text/plain",
        ),
        (html(403), "refused the request (status 403) and sent an HTML page"),
        (json(403, "{\"message\": \"Forbidden\"}"), "refused the request (status 403) and sent JSON that is not"),
        (Reply::body(400, "text/html", certificate), "wants a client certificate (status 400) and sent an HTML page"),
    ] {
        let (done, exchanges) = run_with(reply);
        done.fails(77)
            .says("something in front of Label Studio ")
            .says(says)
            .says("hint: ")
            .does_not_say("create a new one");
        assert_eq!(exchanges, 1, "{says}");
    }
    for (reply, says) in [
        (json(401, "{\"detail\": \"Token is invalid\"}"), "rejected the personal access token: Token is invalid"),
        (json(401, "{\"detail\": \"x\", \"code\": \"token_not_valid\"}"), "rejected the personal access token: x"),
        (
            json(400, "{\"refresh\": [\"This field may not be blank.\"]}"),
            "rejected the personal access token: This field",
        ),
        (Reply::body(401, "", ""), "rejected the personal access token"),
        (Reply::error(403, "No"), "the server forbids the exchange (status 403): No"),
    ] {
        run_with(reply).0.fails(77).says(says).does_not_say("in front of");
    }
}

#[test]
fn f69_a_user_that_is_gone_or_inactive_is_a_rejection_and_not_a_server_in_trouble() {
    for (status, detail, says) in [
        (500, "User matching query does not exist.", "hint: its user was deleted; create a new one at "),
        (401, "No active account found for the given token.", "hint: its user is inactive; an administrator can"),
    ] {
        let (done, exchanges) = run_with(Reply::error(status, detail));
        done.fails(77).says(&format!("Label Studio rejected the personal access token: {detail}")).says(says);
        assert_eq!(exchanges, 1, "{detail}");
    }
    run_with(Reply::error(500, "relation does not exist")).0.fails(69).says("the server failed internally");
}
