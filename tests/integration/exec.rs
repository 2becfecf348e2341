//! `ls-token exec`: a command gets the server and the personal access token of one profile, for itself alone; everything
//! else about it, from its arguments to its death, is as if it had been called by itself.

mod refused;
mod transparent;

use serde_json::json;

use crate::sandbox::{Done, Sandbox};
use crate::server::{Server, jwt};
use crate::settings::profile;

/// A sandbox with one profile, `test`, and a server that must not be called: `exec` exchanges nothing.
fn with_profile() -> (Sandbox, Server) {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.use_file(&server, "");
    (sandbox, server)
}

/// Asserts that a run failed with that status, and that the command `note` was not run.
#[track_caller]
fn assert_not_run(sandbox: &Sandbox, done: &Done, code: i32) {
    done.fails(code);
    assert_eq!(sandbox.lines("noted"), [""; 0], "the command was run");
}

/// Writes the command `note`, which notes that it was run and with which server.
fn write_note(sandbox: &Sandbox) {
    sandbox.command("note", r#"echo "$LABEL_STUDIO_URL" >>"$here/noted""#);
}

#[test]
fn the_command_gets_the_url_and_the_personal_access_token() {
    let (sandbox, server) = with_profile();
    // The token is compared here: what is printed is searched for it.
    let script = r#"echo "$LABEL_STUDIO_URL"; [ "$LABEL_STUDIO_API_KEY" = "$1" ] && echo same"#;
    sandbox.command("given", script);
    let done = sandbox.ls_token(&["exec", "given", server.pat()]).run();
    assert_eq!(done.quiet().stdout, format!("{}\nsame\n", server.url()));
    assert!(!sandbox.cache().exists(), "something was cached");
}

#[test]
fn the_environments_own_pair_is_given_on() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.use_env(&server);
    write_note(&sandbox);
    let done =
        sandbox.ls_token(&["exec", "note"]).env("LABEL_STUDIO_URL", format!("{}/", server.url().to_uppercase())).run();
    assert_eq!(done.quiet().code, Some(0));
    assert_eq!(sandbox.lines("noted"), [server.url()], "the URL in its one form");
}

#[test]
fn a_profile_or_a_url_picks_the_token() {
    let sandbox = Sandbox::new();
    let servers = [(); 2].map(|()| Server::start().expect_no_calls());
    let profiles = profile(&sandbox, "one", &servers[0], "") + &profile(&sandbox, "two", &servers[1], "");
    sandbox.settings(&profiles);
    sandbox.command("given", r#"[ "$LABEL_STUDIO_API_KEY" = "$1" ] && echo "$LABEL_STUDIO_URL""#);
    for server in &servers {
        let name = if server.url() == servers[0].url() { "one" } else { "two" };
        let by_name = sandbox.ls_token(&["exec", "--profile", name, "given", server.pat()]).run();
        assert_eq!(by_name.quiet().line(), server.url());
        let by_url = sandbox.ls_token(&["--url", &server.url(), "exec", "given", server.pat()]).run();
        assert_eq!(by_url.quiet().line(), server.url());
    }
}

#[test]
fn a_profiles_pair_takes_the_place_of_the_environments() {
    let (sandbox, server) = with_profile();
    let other = Server::start().expect_no_calls();
    sandbox.use_env(&other);
    sandbox.command("given", r#"[ "$LABEL_STUDIO_API_KEY" = "$1" ] && echo "$LABEL_STUDIO_URL""#);
    let done = sandbox.ls_token(&["exec", "--profile", "test", "given", server.pat()]).run();
    assert_eq!(done.quiet().line(), server.url());
}

#[test]
fn f13_variables_that_hold_other_tokens_are_not_given_on() {
    let (sandbox, server) = with_profile();
    let other = Server::start().expect_no_calls();
    let both = profile(&sandbox, "test", &server, "")
        + &format!("[profiles.other]\nurl = \"{}\"\npat = \"env:OTHER_PAT\"\n", other.url());
    sandbox.settings(&both);
    sandbox.set("OTHER_PAT", other.pat());
    // What it writes down is searched for tokens when the sandbox ends; its own it leaves out.
    let script = r#"tr '\0' '\n' </proc/$$/environ | grep -v ^LABEL_STUDIO_API_KEY= >"$here/environ"
tr '\0' '\n' </proc/$$/cmdline >"$here/cmdline""#;
    sandbox.command("look", script);
    let look = |call: crate::sandbox::Call<'_>| {
        assert_eq!(call.run().quiet().code, Some(0));
        let lines = sandbox.lines("environ");
        assert!(lines.iter().any(|line| line.starts_with("HOME=")), "{lines:?}");
        assert!(!lines.iter().any(|line| line.starts_with("OTHER_PAT=")), "OTHER_PAT was given on");
    };
    look(sandbox.ls_token(&["exec", "--profile", "test", "look"]));
    look(sandbox.ls_token(&["exec", "--profile", "other", "look"]));
    // Also where the environment names the server, so that the settings need not be read for that.
    let pair = sandbox.ls_token(&["exec", "look"]).env("LABEL_STUDIO_URL", server.url());
    look(pair.env("LABEL_STUDIO_API_KEY", server.pat()));
}

#[test]
fn the_source_is_read_once_each_time() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let reference = "op://Development/Label Studio PAT/credential";
    sandbox.one_password(reference, server.pat());
    sandbox.use_source(&server, reference, "");
    write_note(&sandbox);
    for calls in 1..=2 {
        assert_eq!(sandbox.ls_token(&["exec", "note"]).run().quiet().code, Some(0));
        assert_eq!(sandbox.lines("op.calls").len(), calls);
        assert_eq!(sandbox.lines("noted").len(), calls);
    }
    assert!(!sandbox.cache().exists(), "something was cached");
}

#[test]
fn verbose_tells_the_steps_and_no_secret() {
    let (sandbox, server) = with_profile();
    write_note(&sandbox);
    let done = sandbox.ls_token(&["exec", "-v", "note"]).run();
    done.says(&format!("ls-token: settings: profile test for {}, token from file:", server.url()))
        .says("ls-token: source: reading file:");
    // A flag behind the command is the command's.
    sandbox.ls_token(&["exec", "note", "-v"]).run().quiet();
}

#[test]
fn a_variable_that_no_profile_names_is_given_on() {
    let (sandbox, _server) = with_profile();
    let token = jwt(&serde_json::json!({"token_type": "refresh"}));
    let done =
        sandbox.ls_token(&["exec", "sh", "-c", r#"[ "$MINE" = "$0" ] && echo same"#, &token]).env("MINE", &token).run();
    assert_eq!(done.quiet().line(), "same");
}

#[test]
fn f44_a_base_path_keeps_the_slash_that_urljoin_needs() {
    let sandbox = Sandbox::new();
    let pat = sandbox.pat_file(&jwt(&json!({"token_type": "refresh"})));
    let script = "from os import environ as e; from urllib.parse import urljoin; \
                  print(e['LABEL_STUDIO_URL'], urljoin(e['LABEL_STUDIO_URL'], 'api/token/refresh/'))";
    for (url, handed_on) in [
        ("https://h.example", "https://h.example"),
        ("https://h.example/", "https://h.example"),
        ("https://h.example:8443/ls", "https://h.example:8443/ls/"),
        ("https://h.example/ls/", "https://h.example/ls/"),
        ("https://h.example/a/b.c//", "https://h.example/a/b.c/"),
        ("http://[::1]:8080/label-studio", "http://[::1]:8080/label-studio/"),
    ] {
        sandbox.settings(&format!("[profiles.a]\nurl = \"{url}\"\npat = \"file:{}\"\n", pat.display()));
        let done = sandbox.ls_token(&["exec", "--", "python3", "-c", script]).run();
        let base = handed_on.trim_end_matches('/');
        assert_eq!(done.quiet().line(), format!("{handed_on} {base}/api/token/refresh/"), "{url}");
        // What is handed on means the same server to ls-token itself.
        let again = sandbox.ls_token(&["exec", "--url", handed_on, "--", "printenv", "LABEL_STUDIO_URL"]).run();
        assert_eq!(again.quiet().line(), handed_on);
    }
}
