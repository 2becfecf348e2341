//! The lock: one asks, the others wait for its answer or its failure, and nobody waits for ever.

use std::fs;
use std::os::unix::fs::symlink;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;

use crate::sandbox::{Done, LS_TOKEN, Running, Sandbox, need, read, ready};
use crate::server::{Gate, REFRESH, Reply, Server};
use crate::stampede::different_tokens;

#[test]
fn f21_the_command_does_not_inherit_the_lock() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.file("pat", server.pat(), 0o600);
    sandbox.command("give", r#"ls -l /proc/$$/fd >"$here/descriptors"; cat "$here/pat""#);
    sandbox.use_source(&server, "cmd:give", "");
    sandbox.ls_token(&[]).run().token();
    let descriptors = sandbox.lines("descriptors");
    assert!(descriptors.iter().any(|line| line.contains(" 2 -> pipe")), "{descriptors:?}");
    assert!(!descriptors.iter().any(|line| line.contains(".lock") || line.contains("socket")), "{descriptors:?}");
}

#[test]
fn f27_a_killed_holder_frees_the_lock_and_a_waiter_takes_over() {
    need("strace");
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_file(&server, "timeout = 300");
    server.script(REFRESH, [Reply::Silence]);
    let holder = sandbox.ls_token(&[]).start();
    server.wait_for_exchanges(1);
    let mut waiters: Vec<Running> = (0..4).map(|_| sandbox.ls_token(&[]).start()).collect();
    // One of them is watched: how soon it takes over is how long it sleeps between two looks, however busy the machine.
    let sleeps = sandbox.root().join("sleeps");
    // That it makes itself not dumpable is kept from it: strace could not read its memory, unless root runs it.
    let options = ["-f", "-e", "trace=clock_nanosleep,prctl", "-e", "inject=prctl:retval=0", "-o"];
    waiters.push(sandbox.program("strace", &options).arg(&sleeps).arg(LS_TOKEN).start());
    waiters.iter().for_each(Running::wait_until_it_waits);
    assert_eq!(server.exchanges(), 1, "the others wait");
    holder.send(Signal::KILL);
    holder.wait().dies_of(Signal::KILL);
    let done: Vec<Done> = waiters.into_iter().map(Running::wait).collect();
    assert_eq!((different_tokens(&done), server.exchanges()), (1, 2));
    let longest = longest_sleep(&read(&sleeps));
    assert!(Duration::ZERO < longest && longest < Duration::from_millis(200), "{longest:?} between two looks");
}

/// Returns the longest sleep that strace saw begin.
fn longest_sleep(trace: &str) -> Duration {
    let number = |line: &str, name: &str| -> Option<u64> {
        line.split_once(name)?.1.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
    };
    let sleep = |line: &str| {
        Some(Duration::from_secs(number(line, "tv_sec=")?) + Duration::from_nanos(number(line, "tv_nsec=")?))
    };
    trace.lines().filter_map(sleep).max().unwrap_or_default()
}

#[test]
fn f27_kills_at_any_moment_leave_no_stuck_lock_and_no_torn_cache() {
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| kill_at_any_moment(250));
        }
    });
}

/// Kills so many runs at random moments, in a sandbox of its own, and asserts after each that the next one has a token.
fn kill_at_any_moment(kills: usize) {
    let (sandbox, server) = ready();
    let mut usual = (0..5).map(|_| sandbox.ls_token(&["--refresh"]).run().took).min().unwrap();
    let mut killed = 0;
    while killed < kills {
        let running = sandbox.ls_token(&["--refresh"]).start();
        sleep(usual.mul_f64(fastrand::f64()));
        running.send(Signal::KILL);
        let done = running.wait();
        // As long as runs take on a machine that is more or less busy by now.
        if done.signal.is_some() {
            killed += 1;
            usual = usual.mul_f64(1.02);
        } else {
            usual = done.took.min(usual.mul_f64(0.95));
        }
        // A lock that is stuck costs 20 seconds, and then the token.
        let next = sandbox.ls_token(&[]).run();
        assert!(server.has_issued(&next.quiet().within(Duration::from_secs(5)).token()));
    }
    let left = fs::read_dir(sandbox.cache()).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
    assert!(left.into_iter().all(|name| name.len() >= 64 || name.starts_with(".ls-token-new-")));
}

#[test]
fn f27_a_stopped_holder_makes_waiters_give_up_with_75() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_file(&server, "timeout = 1");
    server.script(REFRESH, [Reply::Silence]);
    let holder = sandbox.ls_token(&[]).start();
    server.wait_for_exchanges(1);
    holder.send(Signal::STOP);
    let waiter = sandbox.ls_token(&[]).run();
    waiter
        .fails(75)
        .says("another ls-token has held the lock for 6 s")
        .says(&format!("process: {}", holder.id()))
        .says("hint: try again;");
    waiter.within(Duration::from_secs(8));
    assert!(waiter.took >= Duration::from_secs(6), "{:?}", waiter.took);
    drop(holder);
    sandbox.use_file(&server, "");
    assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), server.issued()[0]);
    assert_eq!(server.exchanges(), 2);
}

#[test]
fn one_servers_lock_is_not_anothers() {
    let (sandbox, slow, quick) = (Sandbox::new(), Server::start(), Server::start());
    slow.always(REFRESH, Reply::Silence);
    sandbox.use_file(&slow, "timeout = 300");
    let mut holder = sandbox.ls_token(&[]).start();
    slow.wait_for_exchanges(1);
    let other =
        sandbox.ls_token(&[]).env("LABEL_STUDIO_URL", quick.url()).env("LABEL_STUDIO_API_KEY", quick.pat()).run();
    other.quiet().token();
    assert!(!holder.has_ended(), "the other waited for it");
}

#[test]
fn a_hit_does_not_wait_for_one_that_refreshes() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_file(&server, "timeout = 300");
    let token = sandbox.ls_token(&[]).run().token();
    server.script(REFRESH, [Reply::Silence]);
    let mut holder = sandbox.ls_token(&["--refresh"]).start();
    server.wait_for_exchanges(2);
    assert_eq!(sandbox.ls_token(&[]).run().token(), token);
    assert!(!holder.has_ended(), "the hit waited for it");
}

#[test]
fn those_who_waited_take_the_holders_failure_as_theirs() {
    let ((sandbox, server), gate) = (ready(), Gate::default());
    server.revoke(server.pat());
    server.script(REFRESH, [Reply::Usual.when(&gate)]);
    let holder = sandbox.ls_token(&[]).start();
    server.wait_for_exchanges(1);
    let waiters: Vec<Running> = (0..10).map(|_| sandbox.ls_token(&[]).start()).collect();
    waiters.iter().for_each(Running::wait_until_it_waits);
    gate.open();
    holder.wait().fails(77).says("Token is blacklisted").does_not_say("asked by");
    for waiter in waiters {
        let done = waiter.wait();
        done.fails(77).says("Label Studio rejected the personal access token: Token is blacklisted");
        done.says("asked by: another ls-token").says(&server.url()).says("hint: it was revoked or rotated");
    }
    assert_eq!(server.exchanges(), 1);
    sandbox.ls_token(&[]).run().fails(77).does_not_say("asked by");
    assert_eq!(server.exchanges(), 2, "a later call asks anew: the token may have been mended");
}

#[test]
fn the_failure_of_another_token_is_not_ours() {
    let ((sandbox, server), gate) = (ready(), Gate::default());
    let good = server.new_pat();
    server.revoke(server.pat());
    server.script(REFRESH, [Reply::Usual.when(&gate)]);
    let holder = sandbox.ls_token(&[]).start();
    server.wait_for_exchanges(1);
    let waiter = sandbox.ls_token(&[]).env("LABEL_STUDIO_API_KEY", &good).start();
    waiter.wait_until_it_waits();
    gate.open();
    holder.wait().fails(77);
    assert_eq!(waiter.wait().quiet().token(), server.issued()[0]);
}

#[test]
fn a_server_out_of_reach_is_given_a_respite_and_then_asked_again() {
    const RESPITE: Duration = Duration::from_secs(2);
    let (sandbox, server) = ready();
    loop {
        server.script(REFRESH, [Reply::error(500, "Internal server error")]);
        let (since, before) = (Instant::now(), server.exchanges());
        sandbox.ls_token(&[]).run().fails(69);
        let second = sandbox.ls_token(&[]).run();
        // On a machine that is too busy for that, once more.
        if since.elapsed() < RESPITE {
            second.fails(69).says("asked by: another ls-token");
            assert_eq!(server.exchanges(), before + 1);
            break;
        }
        sleep(RESPITE);
    }
    let before = server.exchanges();
    sleep(RESPITE + Duration::from_millis(100));
    sandbox.ls_token(&[]).run().quiet().token();
    assert_eq!(server.exchanges(), before + 1);
}

#[test]
fn f32_a_lock_file_that_is_no_plain_file_of_ours_is_done_without() {
    let (sandbox, server) = ready();
    sandbox.ls_token(&[]).run().token();
    let lock = sandbox.lock_file();
    let target = sandbox.file("target", "precious", 0o600);
    let make: [(&str, &dyn Fn()); 5] = [
        ("a symbolic link", &|| symlink(&target, &lock).unwrap()),
        ("a link to nowhere", &|| {
            symlink(sandbox.root().join("nowhere"), &lock).unwrap();
        }),
        ("a FIFO", &|| {
            mknodat(CWD, &lock, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        }),
        ("a hard link", &|| fs::hard_link(&target, &lock).unwrap()),
        ("a directory", &|| fs::create_dir(&lock).unwrap()),
    ];
    for (what, make) in make {
        let _ = fs::remove_file(&lock);
        make();
        let before = server.exchanges();
        let done = sandbox.ls_token(&["--refresh"]).run();
        assert_eq!(done.quiet().within(Duration::from_secs(5)).token(), server.issued()[before], "{what}");
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious", "{what} was written through");
        assert!(!sandbox.root().join("nowhere").exists(), "{what} was created through");
    }
}

#[test]
fn a_damaged_lock_file_does_no_harm() {
    let (sandbox, server) = ready();
    sandbox.ls_token(&[]).run().token();
    let lock = sandbox.lock_file();
    let noise: Vec<u8> = (0..20_000).map(|_| fastrand::u8(..)).collect();
    for content in [b"".as_slice(), b"ls-token-lock 1 0000000000000000\nfailed 69\n", &noise] {
        fs::write(&lock, content).unwrap();
        sandbox.ls_token(&["--refresh"]).run().quiet().token();
    }
    assert_eq!(server.exchanges(), 4);
}
