//! `ls-token doctor`: what it finds, what it says to do, what it goes on with, and what it keeps to itself.

mod around;
mod server;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::login::{login, stored};
use crate::sandbox::{Done, LS_TOKEN, Sandbox, need, ready};
use crate::server::{Server, access_token_in};

/// Every check that there is a line of in the usual case, in order.
const NAMES: [&str; 19] = [
    "program",
    "settings",
    "profile",
    "source",
    "pat",
    "address",
    "connection",
    "version",
    "clock",
    "exchange",
    "user",
    "cache",
    "curl",
    "curlrc",
    "authorities",
    "proxies",
    "environment",
    "plugin",
    "helpers",
];

/// A sandbox in which nothing is wrong: one profile with its token in a file, and ls-token in PATH.
fn healthy() -> (Sandbox, Server) {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_file(&server, "");
    std::os::unix::fs::symlink(LS_TOKEN, sandbox.bin().join("ls-token")).unwrap();
    new_curl(&sandbox, "8.21.0");
    (sandbox, server)
}

/// Puts a curl of that version into the sandbox, which tells its version and does nothing else.
fn new_curl(sandbox: &Sandbox, version: &str) {
    sandbox.command(
        "curl",
        &format!(
            "[ \"$*\" = '-q --version' ] || exit 9\necho 'curl {version} (x86_64-pc-linux-gnu) libcurl/{version}'"
        ),
    );
}

/// Runs doctor, and asserts that what it prints shows no secret, no user and no home directory.
fn doctor(sandbox: &Sandbox) -> Done {
    let done = sandbox.ls_token(&["doctor"]).run();
    assert!(access_token_in(&done.stdout).is_none(), "a token in {done:?}");
    let home = sandbox.home().display().to_string();
    assert!(!done.stdout.contains(&home), "the home directory in {done:?}");
    assert!(!done.stdout.contains("someone@"), "a name in {done:?}");
    done
}

/// Returns the line of a check, with what there is to do about it.
#[track_caller]
fn check(done: &Done, name: &str) -> String {
    let mut lines = done.stdout.lines();
    let found = lines.find(|line| line.split_whitespace().nth(1) == Some(name));
    let line = found.unwrap_or_else(|| panic!("no line for {name}: {done:?}"));
    let next = lines.next().filter(|line| line.trim().starts_with("do: "));
    format!("{line}\n{}", next.unwrap_or_default().trim())
}

/// Asserts that a check came out so, and that its line has these texts in it.
#[track_caller]
fn finds(done: &Done, mark: &str, name: &str, texts: &[&str]) {
    let line = check(done, name);
    assert!(line.starts_with(&format!("{mark} ")), "not {mark}: {line}");
    for text in texts {
        assert!(line.contains(text), "{text:?} is missing in: {line}");
    }
    let wants_help = ["warn", "FAIL"].contains(&mark);
    assert_eq!(line.contains("\ndo: "), wants_help, "what to do: {line}");
}

/// Asserts that it ends with that status, and names the first failure.
#[track_caller]
fn fails_with(done: &Done, status: i32, first: &str) {
    assert_eq!(done.code, Some(status), "{done:?}");
    done.says(&format!("failed: {first}\n"));
}

#[test]
fn a_healthy_set_up_has_nothing_but_ok() {
    let (sandbox, server) = healthy();
    let done = doctor(&sandbox);
    done.quiet();
    assert_eq!(done.code, Some(0), "{done:?}");
    let words = |place| {
        let lines = done.stdout.lines();
        lines.map(move |line| line.split_whitespace().nth(place).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(words(1), NAMES);
    assert!(words(0).iter().all(|mark| mark == "ok"), "{done:?}");
    let columns: Vec<_> = done.stdout.lines().map(|line| line.find(line.split_whitespace().nth(2).unwrap())).collect();
    assert!(columns.iter().all(|column| column.is_some_and(|column| column <= 22)), "{columns:?}");
    finds(&done, "ok", "settings", &["1 profile; ~/.config/ls-token/config.toml"]);
    finds(&done, "ok", "profile", &["test for http://127.0.0.1:", "the default, or the only one"]);
    finds(&done, "ok", "source", &["the token was read from file:~/label studio.pat in "]);
    finds(&done, "ok", "pat", &["valid for 72999 more days"]);
    finds(&done, "ok", "version", &["Label Studio 1.21.0 Community"]);
    finds(&done, "ok", "exchange", &["valid for 300 s"]);
    finds(&done, "ok", "user", &["s…@example.com (user 1, organization 1)"]);
    assert_eq!(server.exchanges(), 1);
    assert!(sandbox.cache_files().is_empty(), "it leaves no token behind");
}

#[test]
fn json_has_the_same_checks_and_the_status() {
    let (sandbox, server) = healthy();
    let object = sandbox.ls_token(&["doctor", "--json"]).run().object();
    let names: Vec<_> =
        object["checks"].as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(names, NAMES);
    assert_eq!((&object["status"], &object["checks"][0]["mark"]), (&json!(0), &json!("ok")));
    server.revoke(server.pat());
    let done = sandbox.ls_token(&["doctor", "--json"]).run();
    let object: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.code, &object["status"]), (Some(77), &json!(77)));
    let marks: Vec<_> = object["checks"].as_array().unwrap().iter().filter(|check| check["mark"] != "ok").collect();
    assert_eq!((&marks[0]["name"], &marks[0]["mark"]), (&json!("exchange"), &json!("fail")));
    assert_eq!((&marks[1]["name"], &marks[1]["mark"]), (&json!("user"), &json!("skipped")));
}

#[test]
fn without_settings_the_rest_is_still_looked_at() {
    let sandbox = Sandbox::new();
    let done = doctor(&sandbox);
    fails_with(&done, 78, "profile");
    finds(&done, "ok", "settings", &["no profile; ~/.config"]);
    finds(&done, "FAIL", "profile", &["no Label Studio server is set", "do: run `ls-token login`"]);
    for name in ["source", "pat", "connection", "exchange", "user", "cache"] {
        finds(&done, "skipped", name, &["needs a profile"]);
    }
    finds(&done, "ok", "helpers", &[]);
}

#[test]
fn settings_that_cannot_be_read_are_a_failure_that_names_the_line() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.settings("[profiles.a]\nurl = 5\n");
    let done = doctor(&sandbox);
    fails_with(&done, 78, "settings");
    finds(&done, "FAIL", "settings", &["url must be a string", "~/.config/ls-token/config.toml, line 2"]);
    finds(&done, "skipped", "profile", &["needs the settings"]);
    sandbox.set("LS_TOKEN_CONFIG", "relative.toml");
    let done = doctor(&sandbox);
    fails_with(&done, 78, "settings");
    finds(&done, "FAIL", "settings", &["LS_TOKEN_CONFIG depends on the current directory"]);
    finds(&done, "ok", "curlrc", &[]);
    drop(server);
}

#[test]
fn f72_settings_that_cannot_be_read_are_ignored_beside_the_pair_of_variables_and_that_is_said() {
    let (sandbox, _server) = ready();
    sandbox.settings("[profiles.a]\nurl = 5\n");
    let done = doctor(&sandbox);
    assert_eq!(done.code, Some(0), "{done:?}");
    finds(&done, "warn", "settings", &["ignored, as LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY are set"]);
    finds(&done, "warn", "settings", &["url must be a string", "~/.config/ls-token/config.toml"]);
    finds(&done, "ok", "exchange", &[]);
}

#[test]
fn f51_settings_that_others_may_write_fail() {
    let (sandbox, server) = healthy();
    let path = sandbox.home().join(".config/ls-token/config.toml");
    finds(&doctor(&sandbox), "ok", "settings", &["1 profile"]);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
    let done = doctor(&sandbox);
    assert_eq!(done.code, Some(78));
    finds(&done, "FAIL", "settings", &["other users can write to the file; run chmod go-w ", "config.toml"]);
    assert_eq!(server.exchanges(), 1, "the token goes nowhere");
}

#[test]
fn why_a_profile_is_used_is_said() {
    let (sandbox, server) = healthy();
    let url = server.url();
    for (arguments, variables, why) in [
        (&["--profile", "test"][..], &[][..], "by --profile"),
        (&["--url", &url], &[], "by --url"),
        (&[], &[("LS_TOKEN_PROFILE", "test")], "by LS_TOKEN_PROFILE"),
        (&[], &[("LABEL_STUDIO_URL", url.as_str())], "by LABEL_STUDIO_URL"),
        (
            &[],
            &[("LABEL_STUDIO_URL", url.as_str()), ("LABEL_STUDIO_API_KEY", server.pat())],
            "by LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY",
        ),
    ] {
        let mut call = sandbox.ls_token(&["doctor"]);
        for argument in arguments {
            call = call.arg(argument);
        }
        for (name, value) in variables {
            call = call.env(name, value);
        }
        let line = check(&call.run(), "profile");
        assert!(line.trim_end().ends_with(why), "{line}");
    }
}

#[test]
fn a_source_that_fails_and_a_token_that_is_none_are_failures() {
    let (sandbox, server) = healthy();
    sandbox.command("vault", "echo 'the vault is locked' >&2; exit 3");
    sandbox.use_source(&server, "cmd:vault get", "");
    let done = doctor(&sandbox);
    fails_with(&done, 77, "source");
    finds(&done, "FAIL", "source", &["`vault` failed with exit status 3: the vault is locked"]);
    finds(&done, "skipped", "pat", &["needs the source"]);
    finds(&done, "ok", "version", &["Label Studio"]);
    finds(&done, "skipped", "exchange", &[]);
    let legacy = "0123456789abcdef0123456789abcdef01234567";
    sandbox.command("vault", &format!("echo {legacy}"));
    let done = doctor(&sandbox);
    fails_with(&done, 77, "pat");
    finds(&done, "ok", "source", &["the token was read from cmd:vault in "]);
    finds(&done, "FAIL", "pat", &["this is a legacy token"]);
    assert!(!done.stdout.contains(legacy));
}

#[test]
fn a_token_that_expires_soon_is_a_warning() {
    let (sandbox, server) = healthy();
    let now = crate::server::now_seconds();
    let pat =
        crate::server::jwt(&json!({"token_type": "refresh", "exp": now + 5 * 86_400 + 60, "iat": now, "user_id": "1"}));
    sandbox.file("soon.pat", pat, 0o600);
    sandbox.use_source(&server, &format!("file:{}/soon.pat", sandbox.root().display()), "");
    let done = doctor(&sandbox);
    finds(&done, "warn", "pat", &["valid for 5 more days", "do: renew it: ls-token rotate"]);
}

#[test]
fn f11_a_full_or_closed_stdout_is_said() {
    let (sandbox, server) = healthy();
    let _server = server.expect_no_calls();
    sandbox.shell("\"$LS_TOKEN\" doctor >/dev/full").run().fails(74);
    sandbox.shell("\"$LS_TOKEN\" doctor >&-").run().fails(74).says("standard output is closed");
}

#[test]
fn marks_have_colour_on_a_terminal_alone_and_not_with_no_color() {
    need("python3");
    let (sandbox, _server) = healthy();
    let on_a_terminal = ["-c", "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)", LS_TOKEN, "doctor"];
    let coloured = sandbox.program("python3", &on_a_terminal).run();
    coloured.prints("\x1b[32mok     \x1b[0m  program");
    let plain = sandbox.program("python3", &on_a_terminal).env("NO_COLOR", "1").run();
    plain.prints("ok       program");
    assert!(!plain.stdout.contains("\x1b[3"), "{plain:?}");
    assert!(!doctor(&sandbox).stdout.contains('\x1b'));
}

#[test]
fn what_login_stored_is_said_to_be_read_from_there() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    assert_eq!(login(&sandbox, &server, server.pat(), &[]).run().code, Some(0));
    stored(&sandbox);
    finds(&doctor(&sandbox), "ok", "source", &["the token was read from the file that login wrote in "]);
}
