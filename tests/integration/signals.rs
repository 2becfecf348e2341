//! Ctrl-C and its like, at each step that takes time: the program dies of the signal at once, its command with it, and
//! the lock is free.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::{Done, Running, Sandbox, ready, wait_until};
use crate::server::{Gate, REFRESH, Reply, Server};

/// How soon it must be over: 100 ms are promised.
const SOON: Duration = Duration::from_millis(400);

/// The same where other processes have to end first, which may have to wait for a processor.
const SOON_AFTER_OTHERS: Duration = Duration::from_secs(5);

/// Sends a signal and asserts that it ends the program at once.
fn ends_of(running: Running, signal: Signal) -> Done {
    let done = ends_after_others_of(running, signal);
    done.ends_within(SOON);
    done
}

/// The same where other processes have to end first.
fn ends_after_others_of(running: Running, signal: Signal) -> Done {
    running.send(signal);
    let done = running.wait();
    done.dies_of(signal).ends_within(SOON_AFTER_OTHERS);
    done
}

/// Returns whether a process is there, also one that has ended but was not waited for.
pub(crate) fn is_alive(id: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[test]
fn f43_a_signal_ends_the_exchange_and_frees_the_lock() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (sandbox, server) = (Sandbox::new(), Server::start());
        sandbox.use_env(&server);
        server.script(REFRESH, [Reply::Silence]);
        let running = sandbox.ls_token(&[]).start();
        server.wait_for_exchanges(1);
        ends_of(running, signal).quiet();
        sandbox.ls_token(&[]).run().quiet().within(Duration::from_secs(5)).token();
        assert_eq!(server.exchanges(), 2);
    }
}

#[test]
fn f43_a_signal_ends_the_pause_between_tries() {
    let (sandbox, server) = ready();
    server.script(REFRESH, [Reply::error(503, "Later").with("Retry-After", "9")]);
    let running = sandbox.ls_token(&["-v"]).start();
    wait_until("it pauses", || running.stderr_so_far().ends_with("; trying again in 9.0 s\n"));
    ends_of(running, Signal::INT).does_not_say("interrupted");
    assert_eq!(server.exchanges(), 1);
}

#[test]
fn f43_a_signal_ends_the_wait_for_the_lock_and_leaves_the_holder_alone() {
    let ((sandbox, server), gate) = (ready(), Gate::default());
    server.script(REFRESH, [Reply::Usual.when(&gate)]);
    let holder = sandbox.ls_token(&[]).start();
    server.wait_for_exchanges(1);
    let waiter = sandbox.ls_token(&[]).start();
    waiter.wait_until_it_waits();
    ends_of(waiter, Signal::INT).quiet();
    gate.open();
    assert_eq!(holder.wait().quiet().token(), server.issued()[0]);
    assert_eq!(server.exchanges(), 1);
}

#[test]
fn f43_a_signal_ends_the_source_and_everything_that_it_started() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (sandbox, server) = (Sandbox::new(), Server::start());
        sandbox.file("pat", server.pat(), 0o600);
        sandbox.command("hang", r#"sleep 1000 & echo $$ >"$here/own"; echo $! >"$here/child"; wait"#);
        sandbox.use_source(&server, "cmd:hang", "");
        let running = sandbox.ls_token(&[]).start();
        wait_until("the command runs", || !sandbox.lines("child").is_empty());
        let (own, child) = (sandbox.lines("own").remove(0), sandbox.lines("child").remove(0));
        assert!(is_alive(&own) && is_alive(&child));
        ends_after_others_of(running, signal).quiet();
        wait_until("the command and its child are gone", || !is_alive(&own) && !is_alive(&child));
        sandbox.command("hang", r#"cat "$here/pat""#);
        sandbox.ls_token(&[]).run().quiet().within(Duration::from_secs(5)).token();
    }
}

#[test]
fn f43_a_source_that_will_not_end_is_killed() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.command("deaf", r#"trap '' INT TERM HUP; echo $$ >"$here/own"; while :; do sleep 0.1; done"#);
    sandbox.use_source(&server, "cmd:deaf", "");
    let running = sandbox.ls_token(&[]).start();
    wait_until("the command runs", || !sandbox.lines("own").is_empty());
    ends_after_others_of(running, Signal::INT);
    assert!(!is_alive(&sandbox.lines("own")[0]));
}

#[test]
fn a_signal_that_was_ignored_from_the_start_stays_ignored() {
    let ((sandbox, server), gate) = (ready(), Gate::default());
    server.always(REFRESH, Reply::Usual.when(&gate));
    let running = sandbox.shell(r#"trap '' INT HUP; exec "$LS_TOKEN""#).start();
    server.wait_for_exchanges(1);
    running.send(Signal::INT);
    running.send(Signal::HUP);
    gate.open();
    assert_eq!(running.wait().quiet().token(), server.issued()[0]);
}

#[test]
fn a_shell_sees_130_and_no_token() {
    let (sandbox, server) = ready();
    server.always(REFRESH, Reply::Silence);
    let script = r#"sh -c 'echo $$ >../own; exec "$LS_TOKEN"'; echo "status $?" >&2"#;
    let running = sandbox.shell(script).start();
    server.wait_for_exchanges(1);
    let id = sandbox.lines("own")[0].parse().unwrap();
    kill_process(Pid::from_raw(id).unwrap(), Signal::INT).unwrap();
    let done = running.wait();
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""));
    done.says("status 130");
}

#[test]
fn f43_a_signal_that_comes_at_the_end_of_a_request_counts_as_well() {
    let (sandbox, server) = ready();
    for _ in 0..10 {
        let (before, gate) = (server.exchanges(), Gate::default());
        server.always(REFRESH, Reply::Usual.when(&gate));
        let running = sandbox.ls_token(&["--no-cache"]).start();
        server.wait_for_exchanges(before + 1);
        running.send(Signal::INT);
        // The answer is there before the program looks up from its wait.
        gate.open();
        running.wait().dies_of(Signal::INT);
    }
}

#[test]
fn f43_a_command_that_does_not_listen_is_ended_as_soon() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.command("give", r#"trap '' TERM; echo >"$here/runs"; while :; do sleep 0.05; done"#);
    sandbox.use_source(&server, "cmd:give", "");
    let running = sandbox.ls_token(&[]).start();
    wait_until("the command runs", || sandbox.root().join("runs").exists());
    ends_after_others_of(running, Signal::INT);
}
