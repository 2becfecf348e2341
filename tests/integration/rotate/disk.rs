//! Disks that fail or are full, at each call that a rotation makes: the old token stays good, or the new one is kept.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::interrupted::{calls_of_a_rotation, is_of_the_network, strace};
use super::{rescue_files, with_file};
use crate::sandbox::{need, read};
use crate::server::ROTATE;

#[test]
fn f31_no_token_is_lost_whatever_call_fails() {
    need("strace");
    let (sandbox, server, file) = with_file();
    let calls = calls_of_a_rotation(&sandbox);
    let trace = sandbox.root().join("trace");
    let (mut tried, mut refused, mut kept) = (0, 0, 0);
    for (name, number, arguments) in calls {
        if is_of_the_network(&arguments) {
            continue;
        }
        for error in ["ENOSPC", "EIO", "EACCES"] {
            let case = format!("inject={name}:error={error}:when={number}");
            // Cold, as it was when the calls were counted.
            for folder in [".cache", ".local"].map(|name| sandbox.home().join(name)) {
                let _ = fs::remove_dir_all(folder);
            }
            let before = server.good_pats().remove(0);
            fs::write(&file, &before).unwrap();
            let asked = server.count("POST", ROTATE);
            let done = strace(&sandbox, &trace, &case);
            fs::remove_file(&trace).unwrap();
            let saved = read(&file).trim_end().to_owned();
            let good = server.good_pats();
            if done.code == Some(0) {
                assert_eq!(good, [saved], "{case}: {done:?}");
            } else if server.count("POST", ROTATE) == asked {
                assert_eq!((good, saved), (vec![before.clone()], before), "{case}: {done:?}");
                refused += 1;
            } else {
                // The server has swapped it: the new one is kept, and is brought to its place by the next run.
                assert_eq!(rescue_files(&sandbox).len(), 1, "{case}: {done:?}");
                done.says("rescued: ").says("the new token is kept in that file");
                sandbox.ls_token(&["rotate"]).run().prints("finished an interrupted rotation");
                assert_eq!(good, [read(&file).trim_end()], "{case}");
                kept += 1;
            }
            tried += 1;
        }
    }
    assert!(tried > 90, "only {tried} failures were tried");
    assert!(refused >= 10 && kept >= 3, "{refused} were refused before anything happened, {kept} kept the new token");
}

#[test]
fn f32_a_folder_for_the_rescue_that_others_could_exchange_is_noticed_before_the_server_is_asked() {
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
    let trace = sandbox.root().join("trace");
    fs::remove_file(&trace).unwrap();
    let reserve = calls.iter().find(|(name, _, arguments)| name == "pwrite64" && arguments.contains(".rescue>"));
    let (_, number, _) = reserve.expect("the room is made");
    for folder in [".cache", ".local"].map(|name| sandbox.home().join(name)) {
        fs::remove_dir_all(folder).unwrap();
    }
    let before = server.count("POST", ROTATE);
    let saved = read(&file);
    let done = strace(&sandbox, &trace, &format!("inject=pwrite64:error=ENOSPC:when={number}"));
    fs::remove_file(&trace).unwrap();
    done.fails(74)
        .says("cannot make a rescue file for the new token: No space left on device")
        .says("nothing was asked of the server");
    assert_eq!((server.count("POST", ROTATE), read(&file)), (before, saved));
    assert!(rescue_files(&sandbox).is_empty());
}
