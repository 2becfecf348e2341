//! `ls-token rotate`: the personal access token is swapped, the new one is saved where the old one was, and none is lost,
//! whatever happens in between.

mod disk;
mod interrupted;
mod lost;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::login::{login, stored};
use crate::sandbox::{Running, Sandbox, read, ready};
use crate::server::{Gate, REFRESH, ROTATE, Reply, Server};

/// Returns the rescue files that there are.
fn rescue_files(sandbox: &Sandbox) -> Vec<PathBuf> {
    let directory = sandbox.home().join(".local/share/ls-token");
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ending| ending == "rescue")).collect()
}

/// A sandbox whose profile `test` has its token in a file, and that file.
fn with_file() -> (Sandbox, Server, PathBuf) {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let file = sandbox.use_file(&server, "");
    (sandbox, server, file)
}

/// Asserts that the file has the one personal access token that is good, and that it works from a cold start.
#[track_caller]
fn is_in_place(sandbox: &Sandbox, server: &Server, file: &Path) {
    let saved = read(file);
    assert_eq!(server.good_pats(), [saved.trim_end().to_owned()]);
    assert_ne!(saved.trim_end(), server.pat());
    assert!(rescue_files(sandbox).is_empty(), "nothing is left over");
    sandbox.ls_token(&["--refresh"]).run().quiet().token();
}

/// Returns the body of the only request for a rotation.
fn rotation(server: &Server) -> Value {
    let requests = server.requests();
    let mut asked = requests.iter().filter(|request| request.path() == ROTATE);
    let body = asked.next().expect("a rotation").text();
    assert!(asked.next().is_none(), "one rotation");
    serde_json::from_str(&body).unwrap()
}

#[test]
fn the_new_token_is_where_the_old_one_was() {
    let (sandbox, server, file) = with_file();
    let done = sandbox.ls_token(&["rotate"]).run();
    done.quiet().prints(&format!(
        "rotated: the personal access token for {} is saved in file:{}, and the old one is revoked\n",
        server.url(),
        file.display()
    ));
    assert_eq!(rotation(&server), json!({"refresh": server.pat()}));
    is_in_place(&sandbox, &server, &file);
    let about = fs::metadata(&file).unwrap();
    assert_eq!(about.mode() & 0o777, 0o600);
}

#[test]
fn f40_a_new_token_that_is_said_to_be_created_is_taken() {
    let (sandbox, server, file) = with_file();
    server.always(ROTATE, Reply::Under(201));
    sandbox.ls_token(&["rotate"]).run().quiet().prints("rotated: ");
    is_in_place(&sandbox, &server, &file);
}

#[test]
fn the_new_token_is_proved_by_an_exchange_whose_access_token_is_cached() {
    let (sandbox, server, _) = with_file();
    let before = sandbox.ls_token(&[]).run().token();
    sandbox.ls_token(&["rotate"]).run().quiet().line();
    assert_eq!(server.exchanges(), 3, "cached, to log in, to prove the new one");
    let after = sandbox.ls_token(&[]).run().quiet().token();
    assert_eq!(server.exchanges(), 3, "from the cache");
    assert_ne!(after, before);
    assert_eq!(after, server.issued()[2]);
}

#[test]
fn f33_what_a_killed_rotation_left_beside_the_file_is_swept_after_ten_minutes() {
    let (sandbox, _server, file) = with_file();
    let aged = |name: &str, minutes: u64| {
        let path = file.with_file_name(name);
        let file = fs::File::create(&path).unwrap();
        let then = SystemTime::now() - Duration::from_secs(60 * minutes);
        file.set_modified(then).unwrap();
        path
    };
    let (old, young) = (aged(".ls-token-new-old", 11), aged(".ls-token-new-young", 9));
    assert_eq!(sandbox.ls_token(&["rotate"]).run().quiet().code, Some(0));
    assert_eq!((old.exists(), young.exists()), (false, true));
}

#[test]
fn a_stored_token_is_replaced() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_source(&server, "stored", "");
    let missing = sandbox.ls_token(&[]).run();
    missing.fails(77);
    let path = missing.stderr.lines().find_map(|line| line.trim().strip_prefix("file: "));
    let path = PathBuf::from(path.unwrap());
    let below = path.strip_prefix(sandbox.root()).unwrap().to_owned();
    sandbox.file(below.to_str().unwrap(), server.pat(), 0o600);
    fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    sandbox.ls_token(&["rotate"]).run().quiet().prints(&format!("is saved in {}, and the old one", path.display()));
    is_in_place(&sandbox, &server, &path);
}

#[test]
fn a_token_that_cannot_be_saved_is_not_swapped() {
    let (sandbox, server) = ready();
    let server = server.expect_no_calls();
    sandbox
        .ls_token(&["rotate"])
        .run()
        .fails(78)
        .says("comes from env:LABEL_STUDIO_API_KEY, which ls-token cannot change")
        .says("or name a file for the new token: ls-token rotate --output FILE");
    drop(server);
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.command("vault", "echo called >>\"$here/calls\"");
    sandbox.use_source(&server, "cmd:vault get", "");
    sandbox
        .ls_token(&["rotate"])
        .run()
        .fails(78)
        .says("comes from cmd:vault, which ls-token cannot change")
        .says("source: cmd:vault")
        .says("profile: test");
    assert!(sandbox.lines("calls").is_empty(), "nothing was even read");
}

#[test]
fn a_file_that_is_missing_or_open_to_others_is_not_swapped() {
    let (sandbox, server, file) = with_file();
    let server = server.expect_no_calls();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    sandbox.ls_token(&["rotate"]).run().fails(77).says("chmod 600");
    fs::remove_file(&file).unwrap();
    sandbox.ls_token(&["rotate"]).run().fails(74).says("find the file");
    drop(server);
}

#[test]
fn with_output_the_new_token_goes_to_a_file_for_its_user_alone() {
    let (sandbox, server) = ready();
    let target = sandbox.file("work/placeholder", "", 0o600).with_file_name("new.pat");
    let done = sandbox.ls_token(&["rotate", "--output", "new.pat"]).run();
    done.quiet()
        .prints("is saved in new.pat, and the old one is revoked\n")
        .prints("  next: save it where env:LABEL_STUDIO_API_KEY finds it, which still has the revoked one\n");
    sandbox.may_hold_a_token(&target);
    assert_eq!(server.good_pats(), [read(&target).trim_end().to_owned()]);
    assert_eq!(fs::metadata(&target).unwrap().mode() & 0o777, 0o600);
    assert!(rescue_files(&sandbox).is_empty());
    sandbox.ls_token(&[]).run().fails(77).says("blacklisted");
}

#[test]
fn the_hint_of_an_interrupted_rotation_names_the_output() {
    let (sandbox, server) = ready();
    server.script(REFRESH, [Reply::Usual, Reply::error(401, "Token is invalid")]);
    sandbox
        .ls_token(&["rotate", "--output", "new pat"])
        .run()
        .fails(77)
        .says("then run `ls-token rotate --output 'new pat'`");
    let target = sandbox.work().join("new pat");
    sandbox.may_hold_a_token(&target);
    sandbox.ls_token(&["rotate", "--output", "new pat"]).run().quiet().prints("finished an interrupted rotation");
    assert_eq!(server.good_pats(), [read(&target).trim_end().to_owned()]);
}

#[test]
fn output_replaces_nothing_and_needs_a_directory() {
    let (sandbox, server) = ready();
    let server = server.expect_no_calls();
    let there = sandbox.file("work/there", "mine", 0o600);
    std::os::unix::fs::symlink("nowhere", sandbox.work().join("link")).unwrap();
    for name in ["there", "link"] {
        sandbox.ls_token(&["rotate", "--output", name]).run().fails(74).says("a file of that name exists already");
    }
    sandbox
        .ls_token(&["rotate", "--output", "no/directory"])
        .run()
        .fails(74)
        .says("cannot create the file for the new token");
    assert_eq!(read(&there), "mine");
    drop(server);
}

#[test]
fn a_token_that_the_server_rejects_is_not_swapped() {
    let (sandbox, server, file) = with_file();
    server.revoke(server.pat());
    sandbox.ls_token(&["rotate"]).run().fails(77).says("Token is blacklisted");
    assert_eq!(server.count("POST", ROTATE), 0);
    assert_eq!(read(&file).trim_end(), server.pat());
    assert!(rescue_files(&sandbox).is_empty());
}

#[test]
fn a_token_in_1password_is_swapped_by_op_with_the_new_one_on_stdin() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let reference = "op://Vault/Label Studio/credential";
    sandbox.file("token", server.pat(), 0o600);
    // `op item get` and `op item edit` as documented, of one item.
    sandbox.command(
        "op",
        r#"echo "$*" >>"$here/op.calls"
case "$1 $2" in
"read --no-newline") printf %s "$(cat "$here/token")" ;;
"item get") printf '{"id":"abc","category":"API_CREDENTIAL","fields":[{"id":"credential","label":"credential","value":"%s"}]}' "$(cat "$here/token")" ;;
"item edit") sed 's/.*"value":"\([^"]*\)".*/\1/' >"$here/token.new" && mv "$here/token.new" "$here/token"; echo '{}' ;;
*) exit 1 ;;
esac"#,
    );
    sandbox.use_source(&server, reference, "");
    sandbox.ls_token(&["rotate"]).run().quiet().prints(&format!("saved in {reference}"));
    assert_eq!(server.good_pats(), [read(&sandbox.root().join("token")).trim_end().to_owned()]);
    let calls = sandbox.lines("op.calls");
    assert!(calls.iter().any(|call| call.starts_with("item edit abc")), "{calls:?}");
    assert!(calls.iter().all(|call| !call.contains("eyJ")), "{calls:?}");
}

#[test]
fn two_at_once_swap_one_after_the_other_and_lose_none() {
    let (sandbox, server, file) = with_file();
    let gate = Gate::default();
    server.script(ROTATE, [Reply::Usual.when(&gate)]);
    let first = sandbox.ls_token(&["rotate"]).start();
    server.wait_for(ROTATE, 1);
    let second = sandbox.ls_token(&["rotate"]).start();
    // Another cache directory, as a cron job has: the rotations' own lock counts.
    let third = sandbox.ls_token(&["rotate"]).env("LS_TOKEN_CACHE_DIR", sandbox.root().join("other cache")).start();
    second.wait_until_it_waits();
    third.wait_until_it_waits();
    gate.open();
    for running in [first, second, third] {
        running.wait().quiet().prints("rotated: ");
    }
    assert_eq!(server.count("POST", ROTATE), 3);
    is_in_place(&sandbox, &server, &file);
}

#[test]
fn a_logout_waits_for_a_rotation_and_forgets_its_new_token() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let done = login(&sandbox, &server, server.pat(), &[]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    let gate = Gate::default();
    server.script(ROTATE, [Reply::Usual.when(&gate)]);
    let rotation = sandbox.ls_token(&["rotate"]).start();
    server.wait_for(ROTATE, 1);
    let logout = sandbox.ls_token(&["logout", "--revoke"]).start();
    logout.wait_until_it_waits();
    gate.open();
    rotation.wait().quiet().prints("rotated: ");
    assert_eq!(logout.wait().code, Some(0));
    assert!(
        server.good_pats().is_empty()
            && stored(&sandbox).is_empty()
            && rescue_files(&sandbox).is_empty()
            && sandbox.cache_files().is_empty()
    );
}

#[test]
fn callers_wait_for_a_rotation_instead_of_trying_the_revoked_token() {
    let (sandbox, server, file) = with_file();
    let gate = Gate::default();
    server.script(ROTATE, [Reply::Usual.when(&gate)]);
    let rotation = sandbox.ls_token(&["rotate"]).start();
    server.wait_for(ROTATE, 1);
    let callers: Vec<_> = (0..5).map(|_| sandbox.ls_token(&[]).start()).collect();
    callers.iter().for_each(Running::wait_until_it_waits);
    gate.open();
    rotation.wait().quiet().line();
    let tokens: Vec<String> = callers.into_iter().map(|caller| caller.wait().quiet().token()).collect();
    assert!(tokens.iter().all(|token| *token == server.issued()[1]), "the new one's");
    assert_eq!(server.exchanges(), 2);
    is_in_place(&sandbox, &server, &file);
}

#[test]
fn f22_a_dozen_rotations_among_callers_leave_one_good_token() {
    let (sandbox, server, file) = with_file();
    let rotations: Vec<_> = (0..12).map(|_| sandbox.ls_token(&["rotate"]).start()).collect();
    let callers: Vec<_> = (0..24).map(|_| sandbox.ls_token(&[]).start()).collect();
    for caller in callers {
        let token = caller.wait().quiet().token();
        assert!(server.issued().contains(&token));
    }
    for rotation in rotations {
        rotation.wait().quiet().prints("rotated: ");
    }
    assert_eq!(server.count("POST", ROTATE), 12);
    is_in_place(&sandbox, &server, &file);
}

#[test]
fn f11_a_full_stdout_does_not_make_it_look_as_if_nothing_was_done() {
    let (sandbox, server, file) = with_file();
    let done = sandbox.shell("\"$LS_TOKEN\" rotate >/dev/full").run();
    assert_eq!(done.code, Some(0), "{done:?}");
    done.says("ls-token: rotated: the personal access token for ");
    is_in_place(&sandbox, &server, &file);
}

#[test]
fn verbose_tells_the_steps_and_no_secret() {
    let (sandbox, server, _) = with_file();
    let done = sandbox.ls_token(&["rotate", "-v"]).run();
    for step in [
        "source: reading file:",
        "rotate: asking for a new token",
        "exchange: testing the new token",
        "rotate: saving it in",
    ] {
        done.says(step);
    }
    assert_eq!(server.count("POST", REFRESH), 2);
}

#[test]
fn it_takes_a_profile_and_leaves_the_others_alone() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let (one, two) = (sandbox.file("one", server.pat(), 0o600), sandbox.file("two", server.new_pat(), 0o600));
    let before = read(&one);
    sandbox.settings(&format!(
        "default = 'a'\n[profiles.a]\nurl = '{0}'\npat = 'file:{1}'\n[profiles.b]\nurl = '{0}'\npat = 'file:{2}'\n",
        server.url(),
        one.display(),
        two.display()
    ));
    sandbox.ls_token(&["rotate", "--profile", "b"]).run().quiet().line();
    assert_eq!(read(&one), before);
    assert!(server.good_pats().contains(&read(&two).trim_end().to_owned()));
}
