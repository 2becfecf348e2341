//! Disks that fail or are full, at each call that a rotation makes: the old token stays good, or the new one is kept.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use std::thread;

use super::interrupted::{Numbered, TRIES, calls_of_a_rotation, is_of_the_network, rotate_with};
use super::{rescue_files, with_file};
use crate::sandbox::{need, read};
use crate::server::ROTATE;

#[test]
fn f31_no_token_is_lost_whatever_call_fails() {
    need("strace");
    let (sandbox, _server, _file) = with_file();
    let mut calls = calls_of_a_rotation(&sandbox);
    fs::remove_file(sandbox.root().join("trace")).unwrap();
    calls.retain(|(_, _, arguments)| !is_of_the_network(arguments));
    let counts = thread::scope(|scope| {
        let errors = ["ENOSPC", "EIO", "EACCES"].map(|error| scope.spawn(|| fail_each(&calls, error)));
        errors.map(|error| error.join().unwrap())
    });
    let sum = |count: fn(&Counts) -> usize| counts.iter().map(count).sum::<usize>();
    let (tried, refused, kept) = (sum(|counts| counts.tried), sum(|counts| counts.refused), sum(|counts| counts.kept));
    assert!(tried > 90, "only {tried} failures were tried");
    assert!(refused >= 10 && kept >= 3, "{refused} were refused before anything happened, {kept} kept the new token");
}

/// What came of the failures.
#[derive(Debug, Default)]
struct Counts {
    /// How many came about.
    tried: usize,
    /// After how many nothing was asked of the server.
    refused: usize,
    /// After how many the new token was in a rescue file.
    kept: usize,
}

/// Has each of the calls fail once with that error, in a sandbox of its own.
fn fail_each(calls: &[Numbered], error: &str) -> Counts {
    let (sandbox, server, file) = with_file();
    let root = sandbox.root().display().to_string();
    let mut counts = Counts::default();
    for (name, number, _) in calls {
        let case = format!("{name}:error={error}:when={number}");
        let attempt = || {
            let before = server.good_pats().remove(0);
            fs::write(&file, &before).unwrap();
            let asked = server.count("POST", ROTATE);
            let (done, hit) = rotate_with(&sandbox, name, &format!("error={error}:when={number}"));
            // The network's calls are not the same in number every time, nor are those that wake the runtime: what failed
            // is another call than was meant then, or none. No disk fails so.
            hit.is_some_and(|hit| hit.contains(&root)).then_some((before, asked, done))
        };
        let Some((before, asked, done)) = (0..TRIES).find_map(|_| attempt()) else { continue };
        let saved = read(&file).trim_end().to_owned();
        let good = server.good_pats();
        if done.code == Some(0) {
            assert_eq!(good, [saved], "{case}: {done:?}");
        } else if server.count("POST", ROTATE) == asked {
            assert_eq!((good, saved), (vec![before.clone()], before), "{case}: {done:?}");
            counts.refused += 1;
        } else {
            // The server has swapped it: the new one is kept, and is brought to its place by the next run.
            assert_eq!(rescue_files(&sandbox).len(), 1, "{case}: {done:?}");
            done.says("rescued: ").says("the new token is kept in that file");
            sandbox.ls_token(&["rotate"]).run().prints("finished an interrupted rotation");
            assert_eq!(good, [read(&file).trim_end()], "{case}");
            counts.kept += 1;
        }
        counts.tried += 1;
    }
    counts
}

#[test]
fn f32_a_directory_for_the_rescue_that_others_could_exchange_is_noticed_before_the_server_is_asked() {
    let (sandbox, server, _file) = with_file();
    let _server = server.expect_no_calls();
    let open = sandbox.root().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    let done = sandbox.ls_token(&["rotate"]).env("XDG_DATA_HOME", open.join("data")).run();
    done.fails(74).says(&open.display().to_string());
}

#[test]
fn a_full_disk_is_noticed_before_the_server_is_asked() {
    need("strace");
    let (sandbox, server, file) = with_file();
    let calls = calls_of_a_rotation(&sandbox);
    fs::remove_file(sandbox.root().join("trace")).unwrap();
    let reserve = calls.iter().find(|(name, _, arguments)| name == "pwrite64" && arguments.contains(".rescue>"));
    let (_, number, _) = reserve.expect("the room is made");
    let before = server.count("POST", ROTATE);
    let saved = read(&file);
    let (done, _) = rotate_with(&sandbox, "pwrite64", &format!("error=ENOSPC:when={number}"));
    done.fails(74)
        .says("cannot make a rescue file for the new token: No space left on device")
        .says("nothing was asked of the server");
    assert_eq!((server.count("POST", ROTATE), read(&file)), (before, saved));
    assert!(rescue_files(&sandbox).is_empty());
}
