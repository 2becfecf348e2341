//! 500 at once, hot and cold, with a server that is well and one that is not: it is asked once, or nearly.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::sandbox::{Done, Running, Sandbox};
use crate::server::{Gate, REFRESH, Reply, Server, claims_of, now};

/// How many a stampede has.
const MANY: usize = 500;

/// Starts many at once, lets what holds them up go on as soon as all of them wait, and waits for all.
fn stampede(sandbox: &Sandbox, arguments: &[&str], go_on: impl FnOnce()) -> Vec<Done> {
    let running: Vec<Running> = (0..MANY).map(|_| sandbox.ls_token(arguments).start()).collect();
    running.iter().for_each(Running::wait_until_it_waits);
    go_on();
    running.into_iter().map(Running::wait).collect()
}

/// Returns how many different tokens were printed; all must have succeeded.
pub(crate) fn different_tokens(done: &[Done]) -> usize {
    let mut tokens: Vec<String> = done.iter().map(|done| done.quiet().token()).collect();
    tokens.sort();
    tokens.dedup();
    tokens.len()
}

/// A sandbox with a profile whose token a command prints; the command notes each of its runs in `source.calls`, and waits
/// while there is a file `hold`. The time limit is longer than 500 processes need to start on a busy machine.
fn with_command(sandbox: &Sandbox, server: &Server) {
    sandbox.file("pat", server.pat(), 0o600);
    let script = r#"echo once >>"$here/source.calls"; while [ -e "$here/hold" ]; do sleep 0.1; done; cat "$here/pat""#;
    sandbox.command("give", script);
    sandbox.use_source(server, "cmd:give", "timeout = 300");
}

#[test]
fn f22_500_on_a_cold_cache_make_one_exchange_and_run_the_source_once() {
    let (sandbox, server, gate) = (Sandbox::alone(), Server::start(), Gate::default());
    with_command(&sandbox, &server);
    server.always(REFRESH, Reply::Usual.when(&gate));
    let done = stampede(&sandbox, &[], || gate.open());
    assert_eq!((done.len(), different_tokens(&done), server.exchanges()), (MANY, 1, 1));
    assert_eq!(sandbox.lines("source.calls"), ["once"]);
}

#[test]
fn f25_500_that_refresh_at_once_make_one_exchange_or_two() {
    let (sandbox, server, gate) = (Sandbox::alone(), Server::start(), Gate::default());
    with_command(&sandbox, &server);
    let old = sandbox.ls_token(&[]).run().token();
    // The first has begun before most of the others have: those need a second one, which is for all of them.
    server.script(REFRESH, [Reply::Usual.when(&gate)]);
    let done = stampede(&sandbox, &["--refresh"], || gate.open());
    let exchanges = server.exchanges() - 1;
    assert!((1..=2).contains(&exchanges), "{exchanges} exchanges");
    assert_eq!((different_tokens(&done), sandbox.lines("source.calls").len()), (exchanges, exchanges + 1));
    assert!(done.iter().all(|done| done.token() != old), "an old token was printed");
}

#[test]
fn f24_500_with_a_server_that_answers_500_ask_it_three_times_at_most() {
    let (sandbox, server, gate) = (Sandbox::alone(), Server::start(), Gate::default());
    with_command(&sandbox, &server);
    server.always(REFRESH, Reply::error(500, "Internal server error").when(&gate));
    let done = stampede(&sandbox, &[], || gate.open());
    for done in &done {
        done.fails(69).says("the server failed internally (status 500)").says("server: ").says("hint: ");
    }
    assert_eq!(server.exchanges(), 1, "the failure of the one is that of all who waited for it");
    assert_eq!(sandbox.lines("source.calls").len(), server.exchanges());
    assert_eq!(done.iter().filter(|done| done.stderr.contains("asked by: another ls-token")).count(), MANY - 1);
}

#[test]
fn f24_500_with_a_server_that_is_down_end_soon_and_run_the_source_three_times_at_most() {
    let (sandbox, server) = (Sandbox::alone(), Server::start().expect_no_calls());
    with_command(&sandbox, &server);
    drop(server);
    let hold = sandbox.file("hold", "", 0o600);
    for done in stampede(&sandbox, &[], || fs::remove_file(hold).unwrap()) {
        done.fails(69).says("cannot connect to ");
    }
    assert_eq!(sandbox.lines("source.calls").len(), 1, "the failure of the one is that of all who waited for it");
}

#[test]
fn f23_workers_in_a_loop_over_expiries_never_see_an_expired_token() {
    // The margin of such a token is a second, and for so long its age may be off: `iat` is in whole seconds.
    const LIFE: i64 = 2;
    const USE: u64 = 1;
    let (sandbox, server) = (Sandbox::alone(), Server::with_life(LIFE));
    sandbox.use_env(&server);
    let (since, calls) = (Instant::now(), AtomicUsize::new(0));
    thread::scope(|scope| {
        let work = || {
            while server.exchanges() < 11 || calls.load(Ordering::Relaxed) < 1000 {
                let before = now();
                let token = sandbox.ls_token(&[]).run().quiet().token();
                let expires = claims_of(&token)["exp"].as_f64().unwrap();
                assert!(expires > before, "expired {} s before it was asked for", before - expires);
                calls.fetch_add(1, Ordering::Relaxed);
            }
        };
        for _ in 0..50 {
            scope.spawn(work);
        }
    });
    // The last one may just have been needed.
    let most = since.elapsed().as_secs() / USE + 1;
    assert!(server.exchanges() as u64 <= most, "{} exchanges for {calls:?} calls", server.exchanges());
}
