//! System calls that fail: every one that the cache and the lock make, with every error that a disk gives.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;

use crate::sandbox::{Call, Done, LS_TOKEN, Sandbox, need, read, ready, wait_until};

/// A system call of a run: its name, and its number among those of that name.
type Numbered = (String, usize);

/// Runs ls-token under strace, with more options of strace's, and returns what came of it and the trace. That it makes
/// itself not dumpable is kept from it: strace could not read its paths, unless root runs it.
fn traced(sandbox: &Sandbox, options: &[&str]) -> (Done, String) {
    let trace = sandbox.root().join("trace");
    let done = sandbox.program("strace", &["-f", "-y", "-e", "inject=prctl:retval=0", "-o"]).arg(&trace);
    let done = options.iter().fold(done, Call::arg).arg(LS_TOKEN).run();
    (done, read(&trace))
}

/// The same where something is to happen at a system call of that name.
fn injected(sandbox: &Sandbox, name: &str, what: &str) -> (Done, String) {
    let (trace, inject) = (format!("trace={name},prctl"), format!("inject={name}:{what}"));
    traced(sandbox, &["-e", &trace, "-e", &inject])
}

/// Lists the system calls that concern the cache directory.
fn calls_of_the_cache(sandbox: &Sandbox, trace: &str) -> Vec<Numbered> {
    let cache = sandbox.cache().display().to_string();
    let mut counts = std::collections::HashMap::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let Some((name, arguments)) = line.split_once(' ').and_then(|(_, call)| call.trim_start().split_once('('))
        else {
            continue;
        };
        let number = counts.entry(name.to_owned()).or_insert(0);
        *number += 1;
        if arguments.contains(&cache) {
            calls.push((name.to_owned(), *number));
        }
    }
    calls
}

/// Returns whether a call of that name was made to fail.
fn is_injected(trace: &str, name: &str) -> bool {
    let call = format!(" {name}(");
    trace.lines().any(|line| line.contains(&call) && line.ends_with("(INJECTED)"))
}

/// Removes the cache, for a cold start.
fn clear(sandbox: &Sandbox) {
    let instead = sandbox.root().join("tmp");
    let instead = fs::read_dir(instead).unwrap().flatten().map(|entry| entry.path());
    for cache in instead.chain([sandbox.cache()]).filter(|path| path.exists()) {
        fs::remove_dir_all(cache).unwrap();
    }
}

/// Returns the system calls with which a cold start concerns itself with the cache and the lock.
fn calls_of_a_cold_start(sandbox: &Sandbox) -> Vec<Numbered> {
    sandbox.ls_token(&[]).run().token();
    clear(sandbox);
    let (_, trace) = traced(sandbox, &[]);
    let calls = calls_of_the_cache(sandbox, &trace);
    for needed in ["openat", "flock", "write", "renameat", "mkdir"] {
        let there = calls.iter().any(|(name, _)| name.starts_with(needed));
        assert!(there, "{needed} is not among {calls:?}");
    }
    calls
}

#[test]
fn f31_a_token_is_printed_whatever_call_of_the_cache_or_lock_fails() {
    need("strace");
    let (sandbox, server) = ready();
    let cache = sandbox.cache().display().to_string();
    let mut wrong = Vec::new();
    let mut tried = 0;
    for (name, number) in calls_of_a_cold_start(&sandbox) {
        for error in ["ENOSPC", "EROFS", "EACCES", "EIO"] {
            let inject = format!("error={error}:when={number}");
            // On a busy machine there may be other calls of that name before: then it was another that failed.
            let (before, done) = (0..20)
                .find_map(|_| {
                    clear(&sandbox);
                    let before = server.exchanges();
                    let (done, trace) = injected(&sandbox, &name, &inject);
                    let is_meant = |line: &str| line.contains(&cache) && line.ends_with("(INJECTED)");
                    trace.lines().any(is_meant).then_some((before, done))
                })
                .unwrap_or_else(|| panic!("{name}:{inject} did not come about"));
            let inject = format!("{name}:{inject}");
            let printed = server.issued().get(before) == Some(&done.stdout.trim_end().to_owned());
            let good = printed && done.code == Some(0) && done.stderr.lines().count() <= 1;
            if !good || server.exchanges() != before + 1 {
                wrong.push(format!("{inject}: {:?} {}", done.code.or(done.signal), done.stderr));
            }
            tried += 1;
        }
    }
    assert!(tried > 60, "only {tried} failures were tried");
    assert!(wrong.is_empty(), "{} of {tried}: {wrong:#?}", wrong.len());
    clear(&sandbox);
    sandbox.ls_token(&[]).run().quiet().token();
}

#[test]
fn f27_a_kill_at_any_call_of_the_cache_or_lock_leaves_nothing_stuck() {
    need("strace");
    let (sandbox, server) = ready();
    let calls = calls_of_a_cold_start(&sandbox);
    assert!(calls.len() > 15, "{calls:?}");
    for (name, number) in calls {
        clear(&sandbox);
        let inject = format!("signal=KILL:when={number}");
        let (killed, _) = injected(&sandbox, &name, &inject);
        assert!(killed.signal == Some(9) && killed.stdout.is_empty(), "{name}:{inject}: {killed:?}");
        let next = sandbox.ls_token(&[]).run();
        next.quiet().within(Duration::from_secs(5));
        assert!(server.has_issued(&next.token()), "{name}:{inject}");
    }
}

#[test]
fn f43_ctrl_c_at_any_call_of_the_cache_or_lock_ends_it_or_comes_too_late() {
    need("strace");
    let (sandbox, server) = ready();
    let (mut ended, mut too_late) = (0, 0);
    for (name, number) in calls_of_a_cold_start(&sandbox) {
        clear(&sandbox);
        let inject = format!("signal=INT:when={number}");
        let (done, _) = injected(&sandbox, &name, &inject);
        if done.signal.is_some() {
            done.dies_of(Signal::INT).quiet();
            ended += 1;
        } else {
            assert!(server.has_issued(&done.quiet().token()), "{name}:{inject}");
            too_late += 1;
        }
        sandbox.ls_token(&[]).run().quiet().within(Duration::from_secs(5)).token();
    }
    // Too late is what comes after the token was taken in: a shell's loop would go on otherwise.
    assert!(ended > 10 && too_late <= 5, "{ended} ended, {too_late} came too late");
}

#[test]
fn f22_a_directory_that_another_process_creates_meanwhile_is_found() {
    need("strace");
    let (sandbox, server) = ready();
    let trace = sandbox.root().join("trace");
    // Longer where the machine is so busy that the other was not the first.
    for seconds in [1, 5, 25] {
        clear(&sandbox);
        let before = server.exchanges();
        // It has found no directory, and is held up where it would create one.
        let late = sandbox.program("strace", &["-o"]).arg(&trace).arg("-e");
        let late = late.arg(format!("inject=mkdir:delay_enter={seconds}000000:when=1")).arg(LS_TOKEN).start();
        wait_until("it is about to create one", || sandbox.lines("trace").iter().any(|line| line.contains("mkdir(")));
        let first = sandbox.ls_token(&[]).run();
        let was_first = sandbox.lines("trace").iter().all(|line| !(line.contains("mkdir(") && line.contains(") = ")));
        assert_eq!(late.wait().quiet().token(), first.token());
        assert_eq!(server.exchanges(), before + 1);
        if was_first {
            return;
        }
        fs::remove_file(&trace).unwrap();
    }
    panic!("it never created the directory while another was about to");
}

#[test]
fn f31_a_hit_that_cannot_read_the_cache_is_a_miss() {
    need("strace");
    let (sandbox, server) = ready();
    sandbox.ls_token(&[]).run().token();
    let (_, trace) = traced(&sandbox, &[]);
    let calls = calls_of_the_cache(&sandbox, &trace);
    assert!(calls.len() >= 3, "{calls:?}");
    for (name, number) in &calls {
        for error in ["EACCES", "EIO"] {
            let (done, trace) = injected(&sandbox, name, &format!("error={error}:when={number}"));
            assert!(is_injected(&trace, name), "{name} number {number} did not come about");
            assert_eq!(done.code, Some(0), "{name} number {number} failing with {error}: {}", done.stderr);
            assert!(server.issued().contains(&done.token()));
        }
    }
}

#[test]
fn f28_a_file_system_without_locks_is_done_without() {
    need("strace");
    let (sandbox, server) = ready();
    for (times, error) in ["ENOLCK", "ENOSYS", "EOPNOTSUPP", "EINVAL"].into_iter().enumerate() {
        clear(&sandbox);
        let (done, trace) = traced(&sandbox, &["-e", &format!("inject=flock:error={error}")]);
        assert!(is_injected(&trace, "flock"), "{error} did not come about");
        assert_eq!(done.quiet().token(), server.issued()[times]);
        assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), server.issued()[times], "cached all the same");
    }
    assert_eq!(server.exchanges(), 4);
}

#[test]
fn f28_an_interrupted_lock_is_tried_again() {
    need("strace");
    let (sandbox, server) = ready();
    let (done, trace) = traced(&sandbox, &["-e", "inject=flock:error=EINTR:when=1..5"]);
    assert_eq!(done.quiet().token(), server.issued()[0]);
    let tries = trace.lines().filter(|line| line.contains("flock(")).count();
    assert_eq!(tries, 6, "five times interrupted, once taken");
}
