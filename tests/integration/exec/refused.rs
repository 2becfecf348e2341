//! What `ls-token exec` refuses: then the command is not run, and where a look is enough, the token is not read either.

use serde_json::json;

use super::{assert_not_run, with_profile, write_note};
use crate::sandbox::Sandbox;
use crate::server::{Server, jwt, now_seconds, remember_pat};

#[test]
fn f02_a_url_of_another_server_gets_no_token() {
    let (sandbox, server) = with_profile();
    let other = Server::start().expect_no_calls();
    write_note(&sandbox);
    let elsewhere = sandbox.ls_token(&["exec", "--url", &other.url(), "note"]).run();
    assert_not_run(&sandbox, &elsewhere, 78);
    elsewhere.says("no personal access token belongs to");
    let both = ["exec", "--profile", "test", "--url", &other.url(), "note"];
    let contradictory = sandbox.ls_token(&both).run();
    assert_not_run(&sandbox, &contradictory, 78);
    contradictory.says("--url and --profile name different servers");
    // The variables' pair: the key belongs to the URL beside it.
    let pair = sandbox
        .ls_token(&["exec", "--url", &other.url(), "note"])
        .env("LABEL_STUDIO_URL", server.url())
        .env("LABEL_STUDIO_API_KEY", server.pat())
        .run();
    assert_not_run(&sandbox, &pair, 78);
    pair.says(&format!("LABEL_STUDIO_API_KEY belongs to {}", server.url()));
    for scheme in ["https", "http"] {
        let host = sandbox.ls_token(&["exec", "--url", &format!("{scheme}://label.example.com"), "note"]).run();
        assert_not_run(&sandbox, &host, 78);
    }
}

#[test]
fn f02_a_key_that_is_exported_beside_another_url_is_not_taken() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let other = Server::start().expect_no_calls();
    sandbox.use_source(&server, "env:LABEL_STUDIO_API_KEY", "");
    sandbox.use_env(&other);
    write_note(&sandbox);
    let done = sandbox.ls_token(&["exec", "--profile", "test", "note"]).run();
    assert_not_run(&sandbox, &done, 77);
    done.says("the variable LABEL_STUDIO_API_KEY is not set for this server");
}

#[test]
fn f09_what_is_no_personal_access_token_is_not_given_on() {
    let (sandbox, server) = with_profile();
    write_note(&sandbox);
    let legacy = "0123456789abcdef".repeat(3)[..40].to_owned();
    remember_pat(&legacy);
    let expired = jwt(&json!({"token_type": "refresh", "exp": now_seconds() - 10, "iat": 0}));
    let cut = server.pat().rsplit_once('.').unwrap().0.to_owned();
    for (given, what) in [
        (jwt(&json!({"token_type": "access"})), "this is an access token"),
        (legacy, "this is a legacy token"),
        (expired, "the personal access token expired at"),
        (cut, "the personal access token is incomplete"),
        (String::new(), "the personal access token is empty"),
        ("one two".into(), "more than one word"),
        ("null".into(), "does not look like a personal access token"),
    ] {
        sandbox.pat_file(&given);
        let done = sandbox.ls_token(&["exec", "note"]).run();
        assert_not_run(&sandbox, &done, 77);
        done.says(what);
    }
}

#[test]
fn f16_a_file_that_others_can_read_is_not_taken() {
    let (sandbox, server) = with_profile();
    write_note(&sandbox);
    sandbox.file("home of someone/label studio.pat", server.pat(), 0o644);
    let done = sandbox.ls_token(&["exec", "note"]).run();
    assert_not_run(&sandbox, &done, 77);
    done.says("chmod 600");
}

#[test]
fn a_source_that_fails_keeps_the_command_from_running() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.command("give", "echo 'the vault is sealed' >&2; exit 3");
    sandbox.use_source(&server, "cmd:give", "");
    write_note(&sandbox);
    let done = sandbox.ls_token(&["exec", "note"]).run();
    assert_not_run(&sandbox, &done, 77);
    done.says("`give` failed with exit status 3: the vault is sealed");
}

#[test]
fn a_command_that_cannot_be_run_is_127_and_the_token_is_not_read() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.command("give", r#"echo called >>"$here/give.calls""#);
    sandbox.use_source(&server, "cmd:give", "");
    sandbox.file("bin/plain", "#!/bin/sh\n", 0o600);
    for (command, why) in [
        ("no-such-command", "the program no-such-command is not in PATH"),
        ("plain", "the program plain is not in PATH"),
        ("./no-such-command", "the program ./no-such-command does not exist"),
        ("/etc/passwd/x", "does not exist"),
        ("", "is not in PATH"),
        ("\u{1b}[2Jx", "the program \\u{1b}[2Jx is not in PATH"),
    ] {
        let done = sandbox.ls_token(&["exec", "--", command]).run();
        done.fails(127).says(why).says("hint: ").does_not_say("\u{1b}");
    }
    for command in ["/etc/passwd", "/etc"] {
        let done = sandbox.ls_token(&["exec", "--", command]).run();
        done.fails(126).says(&format!("the program {command} is not executable")).says("hint: ");
    }
    assert_eq!(sandbox.lines("give.calls"), [""; 0], "the token was asked for");
}

#[test]
fn an_interpreter_that_is_missing_is_127() {
    let (sandbox, _server) = with_profile();
    sandbox.file("bin/broken", "#!/no/such/interpreter\n", 0o700);
    sandbox.ls_token(&["exec", "broken"]).run().fails(127).says("cannot run broken: ");
}

#[test]
fn f18_a_command_is_not_found_in_the_current_directory() {
    let (sandbox, _server) = with_profile();
    sandbox.file("work/tool", "#!/bin/sh\necho planted\n", 0o700);
    let path = format!(".::{}:/usr/bin:/bin", sandbox.bin().display());
    let done = sandbox.ls_token(&["exec", "tool"]).env("PATH", &path).run();
    done.fails(127).says("the program tool is not in PATH");
    // Where it is named by its path, that is the user's own wish.
    let done = sandbox.ls_token(&["exec", "./tool"]).env("PATH", &path).run();
    assert_eq!(done.quiet().line(), "planted");
}

#[test]
fn no_command_and_an_unknown_option_are_usage_errors() {
    let (sandbox, _server) = with_profile();
    write_note(&sandbox);
    for line in [
        &["exec"][..],
        &["exec", "--"],
        &["exec", "--profil", "test", "note"],
        &["exec", "-x", "note"],
        &["exec", "--refresh", "note"],
        &["exec", "--profile"],
    ] {
        let done = sandbox.ls_token(line).run();
        assert_not_run(&sandbox, &done, 2);
    }
}
