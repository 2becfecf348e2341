//! Signals, and kills at each step's boundary: the new token is in its place, or it is kept and the next run finishes.

use std::collections::HashMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread;

use rustix::process::Signal;

use super::{is_in_place, rescue_files, with_file};
use crate::login::interrupt_rotation;
use crate::sandbox::{Call, Done, LS_TOKEN, Sandbox, need, read, wait_until};
use crate::server::{Gate, REFRESH, ROTATE, Reply, Server, redacted};

#[test]
fn f43_a_signal_while_the_server_is_asked_is_put_off_until_the_token_is_saved() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (sandbox, server, file) = with_file();
        let gate = Gate::default();
        server.script(ROTATE, [Reply::Usual.when(&gate)]);
        let running = sandbox.ls_token(&["rotate"]).start();
        server.wait_for(ROTATE, 1);
        running.send(signal);
        gate.open();
        let done = running.wait();
        assert_eq!(done.signal, Some(signal.as_raw()), "{done:?}");
        assert!(done.stdout.starts_with("rotated: "), "{done:?}");
        done.says("finishing until the new token is saved; another signal stops at once");
        is_in_place(&sandbox, &server, &file);
    }
}

#[test]
fn f43_a_second_signal_ends_it_and_says_where_the_token_is_kept() {
    let (sandbox, server, file) = with_file();
    server.script(REFRESH, [Reply::Usual, Reply::Silence]);
    let gate = Gate::default();
    server.script(ROTATE, [Reply::Usual.when(&gate)]);
    let running = sandbox.ls_token(&["rotate"]).start();
    server.wait_for(ROTATE, 1);
    running.send(Signal::INT);
    gate.open();
    server.wait_for_exchanges(2);
    running.send(Signal::INT);
    let done = running.wait();
    done.dies_of(Signal::INT)
        .says("the new personal access token is kept in ")
        .says("`ls-token rotate --profile test` saves it in file:");
    assert_eq!(rescue_files(&sandbox).len(), 1);
    sandbox
        .ls_token(&["--refresh"])
        .run()
        .fails(77)
        .says("Token is blacklisted")
        .says("rescued: ")
        .says("`ls-token rotate --profile test` saves it");
    sandbox
        .ls_token(&["rotate"])
        .run()
        .quiet()
        .prints("finished an interrupted rotation, without asking for another token: ");
    assert_eq!(server.count("POST", ROTATE), 1);
    is_in_place(&sandbox, &server, &file);
}

#[test]
fn a_token_that_was_changed_since_is_not_replaced_by_the_rescued_one() {
    let (sandbox, server, file) = with_file();
    interrupt_rotation(&sandbox, &server);
    let by_hand = server.new_pat();
    fs::write(&file, &by_hand).unwrap();
    sandbox
        .ls_token(&["rotate"])
        .run()
        .fails(78)
        .says("the source has another one than the one that was rotated")
        .says("rescued: ")
        .says("hint: two tokens exist; to rotate the source");
    assert_eq!(read(&file), by_hand);
    let rescued = rescue_files(&sandbox).remove(0);
    fs::remove_file(rescued).unwrap();
    sandbox.ls_token(&["rotate"]).run().quiet().prints("rotated: ");
    assert!(!server.good_pats().contains(&by_hand));
}

#[test]
fn a_rescued_token_is_not_saved_where_nobody_can_tell_what_is_there() {
    let (sandbox, server, _file) = with_file();
    interrupt_rotation(&sandbox, &server);
    // The same profile, whose token has moved to 1Password meanwhile.
    sandbox.use_source(&server, "op://Vault/Item/field", "");
    sandbox.file("token", server.new_pat(), 0o600);
    let op = r#"echo "$1 $2" >>"$here/calls"
[ "$1" = read ] || { printf '{"id":"a","category":"API_CREDENTIAL","fields":[{"id":"field","label":"field","value":"%s"}]}' "$(cat "$here/token")"; exit; }
"#;
    sandbox.command("op", &format!("{op}exit 1"));
    sandbox
        .ls_token(&["rotate"])
        .run()
        .fails(77)
        .says("`op` failed with exit status 1")
        .says("rescued: ")
        .says("the new token is kept in that file");
    sandbox.command("op", &format!("{op}echo >\"$here/asked\"; exec sleep 30"));
    let running = sandbox.ls_token(&["rotate"]).start();
    wait_until("op is asked", || sandbox.root().join("asked").exists());
    running.send(Signal::INT);
    running.wait().dies_of(Signal::INT);
    let calls = sandbox.lines("calls");
    assert!(!calls.iter().any(|call| call == "item edit"), "{calls:?}");
    assert_eq!(rescue_files(&sandbox).len(), 1);
}

#[test]
fn a_rescue_file_that_says_something_else_is_left_alone() {
    let (sandbox, server, file) = with_file();
    interrupt_rotation(&sandbox, &server);
    let rescued = rescue_files(&sandbox).remove(0);
    let text = read(&rescued);
    fs::write(&rescued, text.replacen("pat ", "pit ", 1)).unwrap();
    sandbox.ls_token(&["rotate"]).run().fails(74).says("the rescue file of a rotation is damaged");
    fs::write(&rescued, text).unwrap();
    fs::set_permissions(&rescued, Permissions::from_mode(0o640)).unwrap();
    let done = sandbox.ls_token(&["rotate"]).run();
    done.fails(74).says("the rescue file of a rotation is not a private file of yours");
    fs::set_permissions(&rescued, Permissions::from_mode(0o600)).unwrap();
    sandbox.ls_token(&["rotate"]).run().quiet().prints("finished ");
    is_in_place(&sandbox, &server, &file);
}

#[test]
fn f43_a_signal_before_the_server_is_asked_changes_nothing() {
    let (sandbox, server, file) = with_file();
    server.script(REFRESH, [Reply::Silence]);
    let running = sandbox.ls_token(&["rotate"]).start();
    server.wait_for_exchanges(1);
    running.send(Signal::INT);
    running.wait().dies_of(Signal::INT).quiet();
    assert_eq!(server.count("POST", ROTATE), 0);
    assert_eq!(read(&file).trim_end(), server.pat());
    assert!(rescue_files(&sandbox).is_empty());
}

#[test]
fn f27_a_command_that_hangs_while_it_saves_costs_no_token_when_all_is_killed() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.file("token", server.pat(), 0o600);
    sandbox.command(
        "op",
        r#"case "$1 $2" in
"read --no-newline") printf %s "$(cat "$here/token")" ;;
"item get") printf '{"id":"abc","category":"API_CREDENTIAL","fields":[{"id":"credential","value":"%s"}]}' "$(cat "$here/token")" ;;
"item edit") if [ -e "$here/hang" ]; then echo $$ >"$here/own"; exec sleep 1000; fi
    sed 's/.*"value":"\([^"]*\)".*/\1/' >"$here/token.new" && mv "$here/token.new" "$here/token"; echo '{}' ;;
esac"#,
    );
    sandbox.use_source(&server, "op://Vault/Item/credential", "");
    let hang = sandbox.file("hang", "", 0o600);
    let running = sandbox.ls_token(&["rotate"]).start();
    wait_until("op hangs", || !sandbox.lines("own").is_empty());
    running.send(Signal::KILL);
    running.wait().dies_of(Signal::KILL);
    let own = sandbox.lines("own")[0].parse().unwrap();
    let own = rustix::process::Pid::from_raw(own).unwrap();
    rustix::process::kill_process(own, Signal::KILL).unwrap();
    fs::remove_file(hang).unwrap();
    assert_eq!(rescue_files(&sandbox).len(), 1);
    sandbox.ls_token(&["rotate"]).run().prints("finished an interrupted rotation");
    let saved = sandbox.lines("token").remove(0);
    assert_eq!(server.good_pats(), [saved]);
    assert!(rescue_files(&sandbox).is_empty());
}

/// A system call of a run: its name, its number among those of that name, and its arguments.
pub(super) type Numbered = (String, usize, String);

/// Lists the system calls of a rotation that concern the sandbox's files or the server.
pub(super) fn calls_of_a_rotation(sandbox: &Sandbox) -> Vec<Numbered> {
    let trace = sandbox.root().join("trace");
    strace(sandbox, &trace, &["-s", "200"]).quiet().line();
    let root = sandbox.home().display().to_string();
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut calls = Vec::new();
    for line in read(&trace).lines() {
        let call = line.split_once(' ').map(|(_, call)| call.trim_start());
        let Some((name, arguments)) = call.and_then(|call| call.split_once('(')) else {
            continue;
        };
        let number = counts.entry(name.to_owned()).or_insert(0);
        *number += 1;
        if arguments.contains(&root) || is_of_the_network(arguments) {
            calls.push((name.to_owned(), *number, arguments.to_owned()));
        }
    }
    calls
}

/// Returns whether a call is about a connection.
pub(super) fn is_of_the_network(arguments: &str) -> bool {
    arguments.contains("<socket:") || arguments.contains("<TCP:")
}

/// How often it is tried to hit a call that is meant.
pub(super) const TRIES: usize = 5;

/// Rotates under strace.
fn strace(sandbox: &Sandbox, trace: &Path, options: &[&str]) -> Done {
    let call = sandbox.program("strace", &["-f", "-y", "-e", "inject=prctl:retval=0", "-o"]).arg(trace);
    options.iter().fold(call, Call::arg).arg(LS_TOKEN).arg("rotate").run()
}

/// Rotates from a cold start, as it was when the calls were counted, and has something happen at a system call. Returns
/// what came of it, and what strace tells of that call, if it came to it.
pub(super) fn rotate_with(sandbox: &Sandbox, name: &str, what: &str) -> (Done, Option<String>) {
    for directory in [".cache", ".local"].map(|name| sandbox.home().join(name)) {
        let _ = fs::remove_dir_all(directory);
    }
    let trace = sandbox.root().join("trace");
    let (filter, inject) = (format!("trace={name},prctl"), format!("inject={name}:{what}"));
    let options = ["-s", "200", "-e", &filter, "-e", &inject];
    let done = strace(sandbox, &trace, &options);
    let text = read(&trace);
    // Its arguments may hold tokens.
    fs::remove_file(&trace).unwrap();
    let call = format!(" {name}(");
    // A call at which a program is killed does not return.
    let hit = |line: &&str| line.contains(&call) && (line.ends_with("(INJECTED)") || line.ends_with("= ?"));
    (done, text.lines().find(hit).map(str::to_owned))
}

#[test]
fn f27_a_kill_at_any_call_loses_no_token_that_has_reached_this_machine() {
    need("strace");
    let (sandbox, _server, _file) = with_file();
    let calls = calls_of_a_rotation(&sandbox);
    // Its arguments hold tokens.
    fs::remove_file(sandbox.root().join("trace")).unwrap();
    for needed in ["pwrite64", "fsync", "rename", "unlink", "flock", "recvfrom"] {
        let there = calls.iter().any(|(name, ..)| name.starts_with(needed));
        assert!(there, "{needed} is not among {calls:?}");
    }
    let counts: Vec<Counts> = thread::scope(|scope| {
        let parts: Vec<_> =
            calls.chunks(calls.len().div_ceil(3)).map(|part| scope.spawn(|| kill_at_each(part))).collect();
        parts.into_iter().map(|part| part.join().unwrap()).collect()
    });
    let sum = |count: fn(&Counts) -> usize| counts.iter().map(count).sum::<usize>();
    let (killed, finished, lost) =
        (sum(|counts| counts.killed), sum(|counts| counts.finished), sum(|counts| counts.lost));
    assert!(killed > 40, "only {killed} of {} were killed", calls.len());
    assert!(finished >= 3, "{finished} were finished by the next run");
    assert!(lost <= 6, "{lost} of {killed} were lost");
}

/// What came of the kills.
#[derive(Debug, Default)]
struct Counts {
    /// How many came about.
    killed: usize,
    /// How many rotations the next run finished.
    finished: usize,
    /// How many new tokens were lost before they were written down.
    lost: usize,
}

/// Kills a rotation at each of the calls, in a sandbox of its own.
fn kill_at_each(calls: &[Numbered]) -> Counts {
    let (sandbox, server, file) = with_file();
    let root = sandbox.home().display().to_string();
    let mut counts = Counts::default();
    for (name, number, arguments) in calls {
        // The network's calls are not the same in number every time, nor are those that wake the runtime: on a busy
        // machine another call than was meant may be hit, or none.
        for _ in 0..TRIES {
            let before = server.good_pats().remove(0);
            fs::write(&file, &before).unwrap();
            let (done, hit) = rotate_with(&sandbox, name, &format!("signal=KILL:when={number}"));
            let hit = hit.unwrap_or_default();
            let is_hit = hit.contains(&root);
            if done.signal == Some(9) {
                counts.killed += usize::from(is_hit || is_of_the_network(arguments));
                let is_kept = !rescue_files(&sandbox).is_empty();
                let next = sandbox.ls_token(&["rotate"]).run();
                if next.code == Some(77) {
                    // The only moment: the server has swapped the token, and what it answers is not yet written down.
                    next.says("the new token was lost with its answer");
                    let is_first_write = name == "pwrite64" && hit.contains("\\npat ");
                    assert!(!is_hit || is_first_write, "{name} {number}: {}", redacted(&hit));
                    assert_ne!(server.good_pats()[0], before);
                    counts.lost += 1;
                } else {
                    assert_eq!(next.code, Some(0), "{name} {number}: {next:?}");
                    let saved = read(&file);
                    assert_eq!(server.good_pats(), [saved.trim_end()], "{name} {number}: {next:?}");
                    counts.finished += usize::from(is_kept && next.stdout.starts_with("finished"));
                }
                assert!(rescue_files(&sandbox).is_empty(), "{name} {number}");
                sweep(&file);
            } else {
                assert_eq!(done.code, Some(0), "{name} {number}: {done:?}");
            }
            if is_hit || is_of_the_network(arguments) {
                break;
            }
        }
    }
    counts
}

/// Removes what a killed run leaves of a file that was to take the token file's place.
fn sweep(file: &Path) {
    for entry in fs::read_dir(file.parent().unwrap()).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with(".ls-token-new-") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
}
