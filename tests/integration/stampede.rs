//! 500 at once, hot and cold, with a server that is well and one that is not: it is asked once, or nearly.

use std::thread;
use std::time::{Duration, Instant};

use crate::sandbox::{Done, Running, Sandbox};
use crate::server::{REFRESH, Reply, Server, claims_of, now};

/// How many a stampede has.
const MANY: usize = 500;

/// Starts many at once and waits for all.
fn stampede(sandbox: &Sandbox, arguments: &[&str]) -> Vec<Done> {
    let running: Vec<Running> = (0..MANY).map(|_| sandbox.ls_token(arguments).start()).collect();
    running.into_iter().map(Running::wait).collect()
}

/// Returns how many different tokens were printed; all must have succeeded.
pub(crate) fn different_tokens(done: &[Done]) -> usize {
    let mut tokens: Vec<String> = done.iter().map(|done| done.quiet().token()).collect();
    tokens.sort();
    tokens.dedup();
    tokens.len()
}

/// A sandbox with a profile whose token a command prints; the command notes each of its runs in `source.calls`.
fn with_command(sandbox: &Sandbox, server: &Server, more: &str) {
    sandbox.file("pat", server.pat(), 0o600);
    sandbox.command("give", r#"echo once >>"$here/source.calls"; cat "$here/pat""#);
    sandbox.use_source(server, "cmd:give", more);
}

#[test]
fn f22_500_on_a_cold_cache_make_one_exchange_and_run_the_source_once() {
    let (sandbox, server) = (Sandbox::alone(), Server::start());
    with_command(&sandbox, &server, "");
    server.delay(Duration::from_millis(500));
    let done = stampede(&sandbox, &[]);
    assert_eq!((done.len(), different_tokens(&done), server.exchanges()), (MANY, 1, 1));
    assert_eq!(sandbox.lines("source.calls"), ["once"]);
}

#[test]
fn f25_500_that_refresh_at_once_make_one_exchange_or_two() {
    let (sandbox, server) = (Sandbox::alone(), Server::start());
    with_command(&sandbox, &server, "");
    let old = sandbox.ls_token(&[]).run().token();
    server.delay(Duration::from_secs(4));
    let done = stampede(&sandbox, &["--refresh"]);
    let exchanges = server.exchanges() - 1;
    assert!((1..=2).contains(&exchanges), "{exchanges} exchanges");
    assert_eq!((different_tokens(&done), sandbox.lines("source.calls").len()), (exchanges, exchanges + 1));
    assert!(done.iter().all(|done| done.token() != old), "an old token was printed");
}

#[test]
fn f24_500_with_a_server_that_answers_500_ask_it_three_times_at_most() {
    let (sandbox, server) = (Sandbox::alone(), Server::start());
    with_command(&sandbox, &server, "");
    server.always(REFRESH, Reply::error(500, "Internal server error").after(Duration::from_millis(300)));
    let since = Instant::now();
    let done = stampede(&sandbox, &[]);
    assert!(since.elapsed() < Duration::from_secs(45));
    for done in &done {
        done.fails(69).says("the server failed internally (status 500)").says("server: ").says("hint: ");
    }
    assert!((1..=3).contains(&server.exchanges()), "{} exchanges", server.exchanges());
    assert_eq!(sandbox.lines("source.calls").len(), server.exchanges());
    assert!(done.iter().filter(|done| done.stderr.contains("asked by: another ls-token")).count() >= MANY - 3);
}

#[test]
fn f24_500_with_a_server_that_is_down_end_soon_and_run_the_source_three_times_at_most() {
    let (sandbox, server) = (Sandbox::alone(), Server::start().expect_no_calls());
    with_command(&sandbox, &server, "");
    drop(server);
    let since = Instant::now();
    for done in stampede(&sandbox, &[]) {
        done.fails(69).says("cannot connect to ");
    }
    assert!(since.elapsed() < Duration::from_secs(45));
    assert!((1..=3).contains(&sandbox.lines("source.calls").len()));
}

#[test]
fn f23_workers_in_a_loop_over_expiries_never_see_an_expired_token() {
    // The margin of such a token is a second, and for so long its age may be off: `iat` is in whole seconds.
    const LIFE: i64 = 5;
    const RUN: Duration = Duration::from_secs(41);
    let (sandbox, server) = (Sandbox::alone(), Server::with_life(LIFE));
    sandbox.use_env(&server);
    let since = Instant::now();
    let calls: usize = thread::scope(|scope| {
        let work = || {
            let mut calls = 0;
            while since.elapsed() < RUN {
                let before = now();
                let token = sandbox.ls_token(&[]).run().quiet().token();
                let expires = claims_of(&token)["exp"].as_f64().unwrap();
                assert!(expires > before, "expired {} s before it was asked for", before - expires);
                calls += 1;
            }
            calls
        };
        let workers: Vec<_> = (0..50).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    // Four seconds of use each; the last one may just have been needed.
    let most = since.elapsed().as_secs() / 4 + 1;
    assert!(server.exchanges() as u64 <= most, "{} exchanges for {calls} calls", server.exchanges());
    assert!(
        server.exchanges() >= 10 && calls > 1000,
        "{} exchanges, {calls} calls: no test of expiry",
        server.exchanges()
    );
}
