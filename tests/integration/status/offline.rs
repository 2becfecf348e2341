//! `ls-token status` asks nobody and touches nothing: no server, no command, no lock, no secret, no file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{cached, status};
use crate::sandbox::{Call, LS_TOKEN, Sandbox, need, read};
use crate::server::{Gate, REFRESH, Reply, Server};

/// Runs `status` under strace and returns the trace.
fn traced(sandbox: &Sandbox, arguments: &[&str]) -> String {
    need("strace");
    let trace = sandbox.root().join("trace");
    // That it makes itself not dumpable is kept from it: strace could not read its paths, unless root runs it.
    let call = sandbox.program("strace", &["-f", "-y", "-e", "inject=prctl:retval=0", "-o"]).arg(&trace).arg(LS_TOKEN);
    let done = arguments.iter().fold(call.arg("status"), Call::arg).run();
    assert_eq!(done.quiet().code, Some(0), "{done:?}");
    read(&trace)
}

/// Lists everything below a directory, with its time of change.
fn everything(directory: &Path) -> Vec<(PathBuf, SystemTime)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let about = entry.metadata().unwrap();
        found.push((entry.path(), about.modified().unwrap()));
        if about.is_dir() {
            found.extend(everything(&entry.path()));
        }
    }
    found.sort();
    found
}

#[test]
fn it_opens_the_settings_and_the_cache_and_nothing_else_of_the_users() {
    let (sandbox, server) = cached();
    let calls = [
        "socket(", "connect(", "flock(", " clone", "fork(", "execve(", "O_CREAT", "O_WRONLY", "O_RDWR", "mkdir",
        "unlink", "rename",
    ];
    for arguments in [&[][..], &["--json"], &["--all"], &["--all", "--json"]] {
        let trace = traced(&sandbox, arguments);
        let counts = calls.map(|call| trace.lines().filter(|line| line.contains(call)).count());
        assert_eq!(counts, [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], "{calls:?} of {arguments:?}: {trace}");
        let opened: Vec<&str> = trace
            .lines()
            .filter(|line| line.contains("openat(") && line.contains(" someone/"))
            .map(|line| line.split('"').nth(1).unwrap().rsplit(" someone/").next().unwrap())
            .collect();
        let name = sandbox.cache_file();
        let cache = format!(".cache/ls-token/{}", name.file_name().unwrap().to_str().unwrap());
        assert_eq!(opened, [".config/ls-token/config.toml", cache.as_str()], "{arguments:?}");
    }
    // The same look at the program that has to do all that, so that the words above are those to look for.
    sandbox
        .program("strace", &["-f", "-e", "inject=prctl:retval=0", "-o"])
        .arg(sandbox.root().join("trace"))
        .arg(LS_TOKEN)
        .arg("--refresh")
        .run()
        .token();
    let trace = read(&sandbox.root().join("trace"));
    for call in ["socket(", "connect(", "flock(", "O_CREAT", "rename", "label studio.pat\", O_RDONLY"] {
        assert!(trace.contains(call), "{call} is not in {trace}");
    }
    assert_eq!(server.exchanges(), 2);
}

#[test]
fn it_runs_no_command_and_asks_no_server() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.command("give", r#"echo called >>"$here/give.calls""#);
    sandbox.one_password("op://Development/Label Studio PAT/credential", server.pat());
    for source in ["cmd:give --the secret", "op://Development/Label Studio PAT/credential"] {
        sandbox.use_source(&server, source, "");
        let lines = status(&sandbox, &[]);
        let shown = if source.starts_with("cmd:") { "cmd:give" } else { source };
        assert_eq!((lines[2].1.as_str(), lines[3].1.as_str()), (shown, "none"), "no argument of the command");
        sandbox.ls_token(&["status", "--all"]).run().quiet();
    }
    assert_eq!((sandbox.lines("give.calls").len(), sandbox.lines("op.calls").len()), (0, 0));
}

#[test]
fn it_changes_nothing() {
    let (sandbox, _server) = cached();
    let before = everything(sandbox.root());
    for arguments in [&["status"][..], &["status", "--all"], &["status", "--json"]] {
        sandbox.ls_token(arguments).run().quiet();
    }
    assert_eq!(everything(sandbox.root()), before);
    assert!(before.len() > 5, "{before:?}");
}

#[test]
fn it_waits_for_no_lock_and_no_server() {
    let (sandbox, server) = cached();
    let gate = Gate::default();
    server.always(REFRESH, Reply::Usual.when(&gate));
    let mut holder = sandbox.ls_token(&["--refresh"]).start();
    server.wait_for_exchanges(2);
    sandbox.ls_token(&["status"]).run().quiet();
    assert!(!holder.has_ended(), "it waited for the other");
    gate.open();
    holder.wait().token();
}

#[test]
fn a_source_that_others_can_read_is_not_its_business() {
    let (sandbox, server) = cached();
    sandbox.file("home of someone/label studio.pat", server.pat(), 0o644);
    status(&sandbox, &[]);
}

#[test]
fn it_is_as_good_as_a_token_where_stdout_is_closed_or_full() {
    let (sandbox, _server) = cached();
    for (to, code) in [(">&-", 74), (">/dev/full", 74)] {
        let done = sandbox.shell(&format!(r#""$LS_TOKEN" status {to}"#)).run();
        done.fails(code).says("cannot write to standard output");
    }
}
