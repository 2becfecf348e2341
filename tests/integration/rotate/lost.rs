//! Answers that are no new token: what they say of the old one, and what is to be done.

use std::fs::{self, File};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;

use super::{is_in_place, rescue_files, with_file};
use crate::sandbox::{Done, Sandbox, read};
use crate::server::{REFRESH, ROTATE, Reply, Server, html_page};

/// Runs a rotation that the server answers so.
fn rotate_with(reply: Reply) -> (Sandbox, Server, Done) {
    let (sandbox, server, file) = with_file();
    server.always(ROTATE, reply);
    let done = sandbox.ls_token(&["rotate"]).run();
    assert_eq!(server.count("POST", ROTATE), 1, "it is never tried again");
    assert_eq!(read(&file).trim_end(), server.pat(), "the old one stays");
    (sandbox, server, done)
}

#[test]
fn f40_a_refusal_changes_nothing_and_says_so() {
    for (reply, status, says) in [
        (Reply::error(400, "Validation error"), 77, "rejected the personal access token: Validation error"),
        (Reply::error(401, "Authentication credentials were not provided."), 77, "rejected the access token"),
        (Reply::error(403, "No"), 77, "the server refused rotation (403 Forbidden): No"),
        (Reply::body(404, "text/html", html_page()), 76, "this server has no rotation endpoint (404)"),
        (Reply::error(405, "No"), 76, "this server has no rotation endpoint (405)"),
        (Reply::error(429, "Slow"), 69, "asks for fewer requests (status 429): Slow"),
        (
            Reply::redirect(307, "https://elsewhere.example.com/"),
            76,
            "redirects (307) to https://elsewhere.example.com; no token was sent on",
        ),
    ] {
        let (sandbox, server, done) = rotate_with(reply);
        done.fails(status)
            .says(says)
            .says("personal access token: unchanged, and still valid")
            .says("profile: test")
            .says(&format!("server: {}", server.url()));
        assert_eq!(server.exchanges(), 1, "it need not be found out");
        assert!(rescue_files(&sandbox).is_empty());
    }
}

#[test]
fn f40_an_answer_that_says_nothing_is_found_out_about() {
    let json = |body: &str| Reply::body(200, "application/json", body);
    let long = json!({"refresh": "x".repeat(20_000)}).to_string();
    for (reply, status, says) in [
        (Reply::error(500, "Oh"), 69, "failed internally (status 500): Oh"),
        (Reply::error(503, "Later"), 69, "is not available"),
        (Reply::reset(Vec::new()), 69, "broke off"),
        (Reply::body(200, "text/html", "<html>Log in"), 76, "an HTML page instead of a new personal access token"),
        (json(""), 76, "an empty body"),
        (json("[]"), 76, "JSON that is a list, not an object,"),
        (json("{}"), 76, "JSON without `refresh`"),
        (json("{\"refresh\": null}"), 76, "`refresh: null`"),
        (json("{\"refresh\": \"\"}"), 76, "a `refresh` of 0 bytes"),
        (json("{\"refresh\": \"a b\"}"), 76, "a `refresh` that is no token"),
        (json(&long), 76, "a `refresh` of 20000 bytes"),
        (
            Reply::body(204, "", ""),
            76,
            "the server answered 204 with an empty body instead of a new personal access token",
        ),
    ] {
        let (sandbox, server, done) = rotate_with(reply);
        done.fails(status).says(says).says("personal access token: unchanged, and still valid");
        assert_eq!(server.exchanges(), 2, "the old one was tried");
        assert!(rescue_files(&sandbox).is_empty());
        sandbox.ls_token(&["--refresh"]).run().quiet().token();
    }
}

/// Answers a rotation that takes place with something else, so that the new token is lost.
fn lose(server: &Server, reply: Reply) {
    server.always(ROTATE, Reply::Lost(Box::new(reply)));
}

#[test]
fn a_new_token_that_is_lost_with_its_answer_is_said_to_be() {
    for reply in [Reply::reset(Vec::new()), Reply::error(500, "Oh"), Reply::error(504, "Late")] {
        let (sandbox, server, file) = with_file();
        lose(&server, reply);
        let done = sandbox.ls_token(&["rotate"]).run();
        done.fails(69)
            .says("the old personal access token is revoked, and the new one was lost with the server's answer: ")
            .says(&format!("revoke what {}/user/account/personal-access-token lists", server.url()))
            .says(&format!("save that in file:{}", file.display()));
        assert_eq!(server.count("POST", ROTATE), 1);
        assert!(rescue_files(&sandbox).is_empty());
    }
}

#[test]
fn a_server_that_goes_away_leaves_a_note_that_the_next_run_understands() {
    let (sandbox, server, file) = with_file();
    server.always(ROTATE, Reply::Lost(Box::new(Reply::reset(Vec::new()))));
    server.script(REFRESH, [Reply::Usual, Reply::error(500, "Gone")]);
    sandbox
        .ls_token(&["rotate"])
        .run()
        .fails(69)
        .says("personal access token: may be revoked: the server cannot be asked")
        .says("when the server answers again, run `ls-token rotate --profile test`");
    assert_eq!(rescue_files(&sandbox).len(), 1);
    // Whoever asks for a token hears of it, too.
    sandbox
        .ls_token(&[])
        .run()
        .fails(77)
        .says("Token is blacklisted")
        .says("rotation: the one of 20")
        .says("was interrupted, and the new token was lost with its answer");
    let note = File::options().write(true).open(rescue_files(&sandbox).remove(0)).unwrap();
    note.set_modified(UNIX_EPOCH - Duration::from_secs(5)).unwrap();
    sandbox.ls_token(&[]).run().fails(77).says("rotation: an earlier one was interrupted");
    sandbox.ls_token(&["rotate"]).run().fails(77).says("was interrupted, and the new token was lost");
    assert!(rescue_files(&sandbox).is_empty(), "said once");
    // A new one, made in the browser, is rotated as any other.
    server.always(ROTATE, Reply::Usual);
    server.revoke(&server.good_pats()[0]);
    fs::write(&file, server.new_pat()).unwrap();
    sandbox.ls_token(&["rotate"]).run().quiet().line();
    is_in_place(&sandbox, &server, &file);
}

#[test]
fn a_firewalls_refusal_does_not_prove_a_token_lost() {
    let (sandbox, server, _file) = with_file();
    server.always(ROTATE, Reply::reset(Vec::new()));
    server.script(REFRESH, [Reply::Usual, Reply::error(500, "Gone")]);
    sandbox.ls_token(&["rotate"]).run().fails(69);
    server.always(REFRESH, Reply::body(403, "text/html", "<html>No"));
    sandbox
        .ls_token(&[])
        .run()
        .fails(77)
        .says("something in front of Label Studio refused the request (status 403)")
        .does_not_say("was lost");
}

#[test]
fn a_note_of_a_rotation_that_never_took_place_is_no_hindrance() {
    let (sandbox, server, file) = with_file();
    server.script(ROTATE, [Reply::reset(Vec::new())]);
    server.script(REFRESH, [Reply::Usual, Reply::error(500, "Gone")]);
    sandbox.ls_token(&["rotate"]).run().fails(69).says("may be revoked");
    sandbox.ls_token(&[]).run().quiet().token();
    sandbox.ls_token(&["rotate"]).run().quiet().prints("rotated: ");
    is_in_place(&sandbox, &server, &file);
}

#[test]
fn a_note_that_was_never_written_is_none() {
    for content in ["", "\0\0\0", "   "] {
        let (sandbox, server, file) = with_file();
        server.script(ROTATE, [Reply::reset(Vec::new())]);
        server.script(REFRESH, [Reply::Usual, Reply::error(500, "Gone")]);
        sandbox.ls_token(&["rotate"]).run().fails(69);
        fs::write(rescue_files(&sandbox).remove(0), content).unwrap();
        sandbox.ls_token(&["rotate"]).run().quiet().prints("rotated: ");
        is_in_place(&sandbox, &server, &file);
    }
}

#[test]
fn a_slow_answer_is_waited_for_longer_than_the_profiles_time_limit() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let file = sandbox.use_file(&server, "timeout = 3");
    server.always(ROTATE, Reply::Usual.after(Duration::from_millis(3500)));
    sandbox.ls_token(&["rotate"]).run().quiet().prints("rotated: ");
    is_in_place(&sandbox, &server, &file);
}

#[test]
fn a_new_token_that_the_server_does_not_take_is_kept_and_not_saved() {
    let (sandbox, server, file) = with_file();
    server.script(REFRESH, [Reply::Usual, Reply::error(401, "Token is invalid")]);
    let done = sandbox.ls_token(&["rotate"]).run();
    done.fails(77).says("Token is invalid").says("rescued: ").says("the new token is kept in that file");
    assert_eq!(read(&file).trim_end(), server.pat());
    assert_eq!(rescue_files(&sandbox).len(), 1);
    sandbox.ls_token(&["rotate"]).run().prints("finished an interrupted rotation, without asking for another token");
    is_in_place(&sandbox, &server, &file);
}

#[test]
fn a_new_token_that_cannot_be_tried_out_is_saved_with_a_warning() {
    let (sandbox, server, file) = with_file();
    server.script(REFRESH, [Reply::Usual, Reply::error(500, "Oh")]);
    let done = sandbox.ls_token(&["rotate"]).run();
    done.prints("rotated: ")
        .says("warning: the new token is saved without having been tested: the server failed internally");
    is_in_place(&sandbox, &server, &file);
}
