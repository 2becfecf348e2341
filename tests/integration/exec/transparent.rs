//! The command that `ls-token exec` becomes: its arguments, streams, status, signals, limits and descriptors are its own.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::{with_profile, write_note};
use crate::record::age;
use crate::sandbox::{Sandbox, wait_until};
use crate::server::Server;

#[test]
fn every_exit_status_is_the_commands() {
    let (sandbox, _server) = with_profile();
    for number in 0..=255 {
        let done = sandbox.ls_token(&["exec", "sh", "-c", &format!("exit {number}")]).run();
        assert_eq!((done.quiet().code, done.stdout.as_str()), (Some(number), ""));
    }
}

#[test]
fn a_signal_that_kills_the_command_is_seen_as_its_own() {
    let (sandbox, _server) = with_profile();
    for signal in [Signal::HUP, Signal::INT, Signal::KILL, Signal::PIPE, Signal::TERM, Signal::USR1] {
        let script = format!("kill -{} $$", signal.as_raw());
        sandbox.ls_token(&["exec", "sh", "-c", &script]).run().dies_of(signal);
    }
}

#[test]
fn signals_reach_the_command_which_has_this_programs_process_id() {
    let (sandbox, _server) = with_profile();
    for (signal, name) in [(Signal::TERM, "TERM"), (Signal::INT, "INT"), (Signal::HUP, "HUP"), (Signal::USR1, "USR1")] {
        let script = format!(r"trap 'echo caught; exit 9' {name}; echo $$ >../ready; while :; do sleep 0.02; done");
        let running = sandbox.ls_token(&["exec", "sh", "-c", &script]).start();
        wait_until("the command runs", || !sandbox.lines("ready").is_empty());
        assert_eq!(sandbox.lines("ready"), [running.id().to_string()]);
        running.send(signal);
        let done = running.wait();
        assert_eq!((done.code, done.stdout.as_str()), (Some(9), "caught\n"), "{name}");
        fs::remove_file(sandbox.root().join("ready")).unwrap();
    }
}

#[test]
fn ctrl_c_ends_the_command() {
    let (sandbox, _server) = with_profile();
    let running = sandbox.ls_token(&["exec", "sleep", "1000"]).start();
    let name = format!("/proc/{}/comm", running.id());
    wait_until("it is the command", || fs::read_to_string(&name).is_ok_and(|name| name == "sleep\n"));
    // What a terminal does: the whole group gets the signal.
    let group = Pid::from_raw(i32::try_from(running.id()).unwrap()).unwrap();
    kill_process_group(group, Signal::INT).unwrap();
    running.wait().dies_of(Signal::INT);
}

#[test]
fn f43_ctrl_c_while_the_token_is_read_keeps_the_command_from_running() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.command("hang", r#"echo x >"$here/asked"; sleep 1000"#);
    sandbox.use_source(&server, "cmd:hang", "");
    write_note(&sandbox);
    let running = sandbox.ls_token(&["exec", "note"]).start();
    wait_until("the token is asked for", || !sandbox.lines("asked").is_empty());
    running.send(Signal::INT);
    let done = running.wait();
    done.dies_of(Signal::INT);
    assert_eq!(sandbox.lines("noted"), [""; 0], "the command was run");
}

#[test]
fn stdin_stdout_and_stderr_are_the_commands() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.file("pat", server.pat(), 0o600);
    // A source that reads stdin gets nothing of it.
    sandbox.command("give", r#"cat >/dev/null; cat "$here/pat""#);
    sandbox.use_source(&server, "cmd:give", "");
    let text = "what was typed\n\0\u{ff}".repeat(20_000);
    let done = sandbox.ls_token(&["exec", "sh", "-c", "cat; echo progress >&2"]).stdin(&text).run();
    assert_eq!((done.stdout == text, done.stderr.as_str()), (true, "progress\n"));
}

#[test]
fn every_argument_is_the_commands_as_it_came() {
    let (sandbox, _server) = with_profile();
    sandbox.command("show", r#"printf '[%s]' "$@"; echo"#);
    for (line, shown) in [
        (&["exec", "show"][..], "[]"),
        (&["exec", "--", "show"], "[]"),
        (&["exec", "show", "--"], "[--]"),
        (&["exec", "--", "show", "--", "-x"], "[--][-x]"),
        (&["exec", "show", "a  b", "", "*", "~", "$HOME", "two words"], "[a  b][][*][~][$HOME][two words]"),
        (&["exec", "show", "--help", "-h", "--version", "-V"], "[--help][-h][--version][-V]"),
        (&["exec", "show", "--profile", "x", "--url=y", "-v"], "[--profile][x][--url=y][-v]"),
        (&["exec", "show", "curl", "exec"], "[curl][exec]"),
    ] {
        assert_eq!(sandbox.ls_token(line).run().quiet().line(), shown, "{line:?}");
    }
    let odd = sandbox.ls_token(&["exec", "show"]).arg(OsStr::from_bytes(b"\xff=\n")).run();
    assert_eq!(odd.quiet().stdout, "[\u{fffd}=\n]\n");
}

#[test]
fn the_command_sees_its_name_as_it_was_typed() {
    let (sandbox, _server) = with_profile();
    for name in ["sh", "/bin/sh"] {
        let done = sandbox.ls_token(&["exec", name, "-c", "tr '\\0' '\\n' </proc/$$/cmdline | head -n 1"]).run();
        assert_eq!(done.quiet().line(), name);
    }
}

#[test]
fn a_script_without_an_interpreters_name_runs_as_env_runs_it() {
    let (sandbox, _server) = with_profile();
    sandbox.file("bin/old", "echo old \"$1\"\n", 0o700);
    let done = sandbox.ls_token(&["exec", "old", "style"]).run();
    assert_eq!(done.quiet().line(), "old style");
}

#[test]
fn limits_signals_and_descriptors_are_as_without_it() {
    let (sandbox, _server) = with_profile();
    let script = r#"ulimit -a; grep -E '^(Sig(Ign|Cgt|Blk)|Shd|NoNewPrivs|Seccomp)' /proc/self/status
for fd in /proc/$$/fd/*; do echo "${fd##*/}"; done; stat -c %u /proc/$$/environ; umask; pwd"#;
    sandbox.command("state", script);
    for prefix in ["", "ulimit -c 0; ", "trap '' INT HUP; ", "umask 027; ", "exec 3</dev/null; "] {
        let run = |line: &str| sandbox.shell(&format!("{prefix}exec {line}")).run().stdout;
        let (bare, with) = (run("state"), run(r#""$LS_TOKEN" exec state"#));
        assert!(bare.contains("SigIgn:"), "{bare}");
        assert_eq!(with, bare, "{prefix}");
    }
}

#[test]
fn closed_streams_are_closed_for_the_command_too() {
    let (sandbox, server) = with_profile();
    sandbox.command("note", r#"echo "$LABEL_STUDIO_URL" >"$here/noted""#);
    for closing in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        let done = sandbox.shell(&format!(r#""$LS_TOKEN" exec note {closing}"#)).run();
        assert_eq!(done.code, Some(0), "{closing}: {done:?}");
        assert_eq!(sandbox.lines("noted"), [server.url()], "{closing}");
        fs::remove_file(sandbox.root().join("noted")).unwrap();
    }
}

#[test]
fn closed_streams_do_no_harm_to_a_source_that_is_a_command() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.file("pat", server.pat(), 0o600);
    sandbox.command("give", r#"echo asking >&2; cat "$here/pat""#);
    sandbox.use_source(&server, "cmd:give", "");
    sandbox.command("note", r#"[ "$LABEL_STUDIO_API_KEY" = "$(cat "$here/pat")" ] && echo same >"$here/noted""#);
    for closing in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        let done = sandbox.shell(&format!(r#""$LS_TOKEN" exec note {closing}"#)).run();
        assert_eq!(done.code, Some(0), "{closing}: {done:?}");
        assert_eq!(sandbox.lines("noted"), ["same"], "{closing}");
        fs::remove_file(sandbox.root().join("noted")).unwrap();
    }
}

#[test]
fn f75_an_access_token_goes_to_what_wants_one() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_file(&server, "");
    let given = |arguments: &[&str]| {
        sandbox.ls_token(&[&["exec"], arguments, &["printenv", "LABEL_STUDIO_API_KEY"]].concat()).run().quiet().token()
    };
    let token = given(&["--key", "access", "--"]);
    assert_eq!(vec![token.clone()], server.issued());
    assert_eq!(given(&["--key=access"]), token, "it is the cached one");
    // The command may run for a while.
    age(&sandbox.cache_file(), Duration::from_secs(31));
    assert_ne!(given(&["--key", "access"]), token);
    assert_eq!(server.exchanges(), 2);
    sandbox.command("given", r#"[ "$LABEL_STUDIO_API_KEY" = "$1" ]"#);
    for arguments in [&["exec", "--key", "pat", "given"][..], &["exec", "given"]] {
        assert_eq!(sandbox.ls_token(arguments).arg(server.pat()).run().code, Some(0));
    }
    sandbox.ls_token(&["exec", "--key", "refresh", "given"]).run().fails(2).says("[possible values: pat, access]");
    server.revoke(server.pat());
    sandbox.command("note", r#"echo run >"$here/noted""#);
    sandbox.ls_token(&["exec", "--key", "access", "note"]).run().quiet();
    sandbox.ls_token(&["--profile", "test", "logout"]).run();
    sandbox.ls_token(&["exec", "--key", "access", "note"]).run().fails(78);
    assert_eq!(sandbox.lines("noted"), ["run"]);
}
