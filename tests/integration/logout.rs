//! `ls-token logout`: what ls-token stored is forgotten, what the user keeps is left, and a revoked token is proven dead.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::process::Signal;

use crate::login::failing::{close, injected, open, refusal};
use crate::login::{config, interrupt_rotation, login, rescued, stored, stored_token};
use crate::sandbox::{Done, Sandbox, read};
use crate::server::{Gate, REFRESH, Reply, Request, Server};

/// Revokes a personal access token.
const BLACKLIST: &str = "/api/token/blacklist/";

/// Makes a sandbox with somebody logged in.
fn logged_in() -> (Sandbox, Server) {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let done = login(&sandbox, &server, server.pat(), &["--profile", "lab"]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    (sandbox, server)
}

/// Asserts that everything is as it was after the login.
#[track_caller]
fn assert_logged_in(sandbox: &Sandbox, server: &Server) {
    assert_eq!(stored_token(sandbox), server.pat());
    assert!(read(&config(sandbox)).contains("[profiles.lab]"));
    assert_eq!(sandbox.cache_files().len(), 1);
}

#[test]
fn everything_that_login_saved_is_forgotten_but_the_token_stays_good() {
    let (sandbox, server) = logged_in();
    sandbox.ls_token(&[]).run().quiet().token();
    sandbox.ls_token(&["--refresh"]).run().quiet().token();
    let lock = sandbox.lock_file();
    let done = sandbox.ls_token(&["logout"]).run();
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""), "{done:?}");
    done.says(&format!("logged out of {}: profile lab was removed from ", server.url()))
        .says("deleted from ls-token's store; it stays valid until it is revoked");
    assert_eq!((read(&config(&sandbox)).as_str(), stored(&sandbox).len(), sandbox.cache_files().len()), ("", 0, 0));
    assert!(lock.exists(), "a lock file stays: another process may hold it");
    assert_eq!(server.count("POST", BLACKLIST), 0);
    sandbox.ls_token(&[]).run().fails(78).says("no Label Studio server is set");
    sandbox.ls_token(&["logout"]).run().fails(78).says("no Label Studio server is set");
}

const COPY_DELETED: &str = "a copy of a personal access token was deleted";

/// Lists the files beside a file that begin as the temporary ones do.
fn copies(beside: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(beside).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(".ls-token-new-")).collect()
}

#[test]
fn f49_no_copy_that_a_killed_login_left_survives_a_logout_or_the_next_login() {
    let store = ".local/share/ls-token";
    let mut found = 0;
    for next in [&["logout"][..], &["logout", "--all"], &["login"]] {
        for call in ["fsync", "/^rename", "fchmod"] {
            for number in 1.. {
                let (sandbox, server) = logged_in();
                let (store, other) = (sandbox.home().join(store), server.new_pat());
                let done = injected(&sandbox, &server, &other, &format!("inject={call}:signal=KILL:when={number}"));
                stored(&sandbox);
                if done.code == Some(0) {
                    break;
                }
                assert_eq!(done.signal, Some(Signal::KILL.as_raw()), "{done:?}");
                let left = copies(&store);
                found += left.len();
                let done = if next == ["login"] {
                    login(&sandbox, &server, &server.new_pat(), &[]).run()
                } else {
                    let done = sandbox.ls_token(next).run();
                    assert_eq!(done.stderr.contains(COPY_DELETED), !left.is_empty(), "{done:?}");
                    done
                };
                assert_eq!(done.code, Some(0), "{done:?}");
                assert!(copies(&store).is_empty(), "{next:?} after {call} {number}");
            }
        }
    }
    assert!(found >= 6, "{found} copies were left");
    // The first login was killed: no profile leads to the copy.
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let done = injected(&sandbox, &server, server.pat(), "inject=/^rename:signal=KILL:when=1");
    assert_eq!((done.signal, copies(&sandbox.home().join(store)).len()), (Some(Signal::KILL.as_raw()), 1));
    stored(&sandbox);
    let done = sandbox.ls_token(&["logout", "--all"]).run();
    assert_eq!(done.code, Some(0));
    done.says(COPY_DELETED);
    assert_eq!(copies(&sandbox.home().join(store)).len(), 0);
}

#[test]
fn f49_a_copy_beside_the_users_own_file_goes_too_and_others_stay() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let target = sandbox.use_file(&server, "");
    let link = target.with_file_name("link");
    symlink(&target, &link).unwrap();
    sandbox.settings(&read(&config(&sandbox)).replace(&target.display().to_string(), &link.display().to_string()));
    let name = target.file_name().unwrap().to_string_lossy().into_owned();
    let copy = target.with_file_name(format!(".ls-token-new-{name}-AbCdEf"));
    let other = target.with_file_name(".ls-token-new-another-AbCdEf");
    for path in [&copy, &other] {
        fs::write(path, "x").unwrap();
    }
    let done = sandbox.ls_token(&["logout"]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    done.says("stays where you keep it: file:").says(COPY_DELETED);
    assert_eq!((copy.exists(), other.exists(), read(&target).trim_end()), (false, true, server.pat()));
}

#[test]
fn what_the_user_keeps_elsewhere_is_left_there() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let file = sandbox.use_file(&server, "");
    let comments = format!("# head\n\n{}\n# end\n", read(&config(&sandbox)).trim_end());
    sandbox.settings(&comments);
    sandbox.ls_token(&[]).run().quiet().token();
    let done = sandbox.ls_token(&["logout", "--url", &server.url()]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    done.says("the personal access token stays where you keep it: file:").does_not_say("deleted");
    assert_eq!(read(&file).trim_end(), server.pat());
    assert_eq!(read(&config(&sandbox)), "# head\n\n# end\n");
    assert!(sandbox.cache_files().is_empty());
}

#[test]
fn the_default_moves_to_the_only_one_left() {
    let (sandbox, server) = logged_in();
    let other = Server::start();
    assert_eq!(login(&sandbox, &other, other.pat(), &["--profile", "two"]).run().code, Some(0));
    let url = other.url();
    assert_eq!(sandbox.ls_token(&["logout", "--profile", "lab"]).run().code, Some(0));
    assert_eq!(
        read(&config(&sandbox)),
        format!("default = \"two\"\n\n[profiles.two]\nurl = \"{url}\"\npat = \"stored\"\n")
    );
    assert_eq!(stored_token(&sandbox), other.pat());
    assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), other.issued()[0]);
    drop(server);
}

#[test]
fn all_profiles_are_forgotten_at_once() {
    let (sandbox, _server) = logged_in();
    let other = Server::start();
    assert_eq!(login(&sandbox, &other, other.pat(), &["--profile", "two"]).run().code, Some(0));
    let done = sandbox
        .ls_token(&["logout", "--all", "--revoke"])
        .env("LABEL_STUDIO_URL", "https://h")
        .env("LABEL_STUDIO_API_KEY", "x")
        .run();
    // The environment's token is none, so it cannot be revoked; the others are all the same.
    done.fails(77).says("does not look like a personal access token");
    assert_eq!((read(&config(&sandbox)).as_str(), stored(&sandbox).len(), sandbox.cache_files().len()), ("", 0, 0));
    let done = sandbox
        .ls_token(&["logout", "--all"])
        .env("LABEL_STUDIO_URL", "https://h")
        .env("LABEL_STUDIO_API_KEY", "x")
        .run();
    assert_eq!(done.code, Some(0), "{done:?}");
    done.says("to remove it: unset LABEL_STUDIO_URL LABEL_STUDIO_API_KEY");
    assert_eq!(sandbox.ls_token(&["logout", "--all"]).run().says("there is no profile to log out of").code, Some(0));
    sandbox
        .ls_token(&["logout", "--all", "--profile", "x"])
        .run()
        .fails(2)
        .says("--all cannot be combined with --profile or --url");
}

#[test]
fn the_environments_profile_is_the_shells_to_forget() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_env(&server);
    sandbox.ls_token(&[]).run().quiet().token();
    let done = sandbox.ls_token(&["logout"]).run();
    done.fails(78)
        .says("the profile comes from the environment; only its cached token was removed")
        .says("hint: unset LABEL_STUDIO_URL LABEL_STUDIO_API_KEY");
    assert!(sandbox.cache_files().is_empty());
}

#[test]
fn a_token_is_revoked_and_proven_dead_before_it_is_forgotten() {
    let (sandbox, server) = logged_in();
    let done = sandbox.ls_token(&["logout", "--revoke"]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    done.says("the personal access token is revoked")
        .says("deleted from ls-token's store")
        .does_not_say("stays valid until it is revoked");
    let requests = server.requests();
    let paths: Vec<&str> = requests.iter().map(Request::path).rev().take(3).collect();
    assert_eq!(paths, [REFRESH, BLACKLIST, REFRESH]);
    assert_eq!((read(&config(&sandbox)).as_str(), stored(&sandbox).len()), ("", 0));
}

#[test]
fn a_token_that_is_dead_already_is_fine() {
    let (sandbox, server) = logged_in();
    server.revoke(server.pat());
    let done = sandbox.ls_token(&["logout", "--revoke"]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    done.says("is already invalid");
    assert_eq!(server.count("POST", BLACKLIST), 0);
    assert!(stored(&sandbox).is_empty());
}

#[test]
fn a_server_that_revokes_nothing_is_not_believed() {
    let not_found = Reply::json(404, &serde_json::json!({"detail": "Token is invalid or already blacklisted."}));
    for (reply, status, said) in [
        (not_found, 76, "the server did not revoke the personal access token, but still accepts it"),
        (
            Reply::body(204, "", ""),
            76,
            "the server said that it revoked the personal access token, but still accepts it",
        ),
        (Reply::error(403, "no"), 77, "(403 Forbidden)"),
        (Reply::error(500, "no"), 69, "failed internally"),
        (Reply::body(404, "text/html", "<!DOCTYPE html>"), 76, "no revocation endpoint (404)"),
    ] {
        let (sandbox, server) = logged_in();
        server.always(BLACKLIST, reply);
        let done = sandbox.ls_token(&["logout", "--revoke"]).run();
        done.fails(status).says(said).says("nothing was removed");
        done.says(&format!("hint: delete it at {}/user/account/personal-access-token", server.url()));
        assert_logged_in(&sandbox, &server);
    }
}

#[test]
fn a_refusal_by_something_before_label_studio_is_no_proof_that_the_token_is_dead() {
    let (sandbox, server) = logged_in();
    for (reply, status) in [
        (Reply::body(400, "text/html", "<h1>Bad Request</h1>"), 76),
        (Reply::body(401, "text/html", "<h1>Log in</h1>"), 77),
        (Reply::json(401, &serde_json::json!({"message": "no API key"})), 77),
        (Reply::error(401, "Invalid API key"), 77),
        (Reply::error(401, "The session has expired"), 77),
        (Reply::body(401, "", ""), 77),
    ] {
        server.always(REFRESH, reply);
        sandbox.ls_token(&["logout", "--revoke"]).run().fails(status).says("nothing was removed");
        assert_logged_in(&sandbox, &server);
    }
}

#[test]
fn what_cannot_be_asked_is_not_forgotten() {
    let (sandbox, server) = logged_in();
    for (path, count) in [(REFRESH, 1), (REFRESH, 2)] {
        let replies = (1..count).map(|_| Reply::Usual).chain([Reply::error(500, "no")]);
        server.script(path, replies);
        server.script(BLACKLIST, [Reply::error(404, "x")]);
        let done = sandbox.ls_token(&["logout", "--revoke"]).run();
        done.fails(69).says("nothing was removed");
        assert_logged_in(&sandbox, &server);
    }
    // An exchange that is forbidden does not prove the token dead.
    server.always(REFRESH, Reply::error(403, "no"));
    sandbox.ls_token(&["logout", "--revoke"]).run().fails(77).says("nothing was removed");
    assert_logged_in(&sandbox, &server);
    let url = server.url();
    drop(server);
    let done = sandbox.ls_token(&["logout", "--revoke"]).run();
    done.fails(69).says(&url).says("nothing was removed");
    assert!(read(&config(&sandbox)).contains("[profiles.lab]") && stored(&sandbox).len() == 1);
}

#[test]
fn settings_that_cannot_be_changed_keep_the_token() {
    let (sandbox, server) = logged_in();
    let good = read(&config(&sandbox));
    sandbox.settings(&good.replace("url", "uurl"));
    sandbox.ls_token(&["logout"]).run().fails(78).says("unknown key");
    sandbox.settings(&good);
    crate::sandbox::need("strace");
    let done = sandbox
        .program(
            "strace",
            &["-f", "-e", "inject=prctl:retval=0", "-e", "inject=fsync:error=ENOSPC:when=1", "-o", "/dev/null"],
        )
        .arg(crate::sandbox::LS_TOKEN)
        .arg("logout")
        .run();
    done.fails(74).says("No space left on device");
    assert_logged_in(&sandbox, &server);
}

#[test]
fn f76_settings_that_cannot_be_changed_are_found_out_before_the_token_is_revoked() {
    let (sandbox, server) = logged_in();
    let file = config(&sandbox);
    let (good, directory) = (read(&file), file.parent().unwrap());
    let exchanges = server.exchanges();
    let keeps_everything = |text: &str| {
        assert_eq!((read(&file).as_str(), stored_token(&sandbox).as_str()), (text, server.pat()));
        assert_eq!((server.count("POST", BLACKLIST), server.exchanges()), (0, exchanges));
    };
    close(directory);
    let done = sandbox.ls_token(&["logout", "--revoke"]).run();
    done.fails(74).says(refusal()).says("logout: nothing was removed").says("remove these lines by hand");
    let lines = done.stderr.lines().filter_map(|line| line.strip_prefix("  line: "));
    let lines: String = lines.map(|line| line.to_owned() + "\n").collect();
    assert_eq!(good.replace("\n\n", "\n"), lines);
    keeps_everything(&good);
    open(directory);
    let url = server.url();
    let inline = format!(
        "profiles = {{ lab = {{ url = '{url}', pat = 'stored' }}, b = {{ url = 'https://b', pat = 'env:B' }} }}\n"
    );
    sandbox.settings(&inline);
    let done = sandbox.ls_token(&["logout", "--revoke", "--profile", "lab"]).run();
    done.fails(78)
        .says("the settings are written in a form that ls-token does not change")
        .says(&format!("line: lab = {{ url = '{url}', pat = 'stored' }}\n"))
        .says("logout: nothing was removed")
        .says("hint: remove these lines by hand");
    keeps_everything(&inline);
    crate::sandbox::need("strace");
    sandbox.settings(&good);
    let inject = ["-f", "-e", "inject=prctl:retval=0", "-e", "inject=fsync:error=ENOSPC:when=1", "-o", "/dev/null"];
    let done = sandbox.program("strace", &inject).arg(crate::sandbox::LS_TOKEN).arg("logout").arg("--revoke").run();
    done.fails(74).says("No space left on device").says("logout: nothing was removed");
    keeps_everything(&good);
}

#[test]
fn a_stored_token_that_is_gone_already_is_no_obstacle() {
    let (sandbox, _server) = logged_in();
    fs::remove_file(&stored(&sandbox)[0]).unwrap();
    let done = sandbox.ls_token(&["logout"]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    done.does_not_say("deleted");
    assert_eq!(read(&config(&sandbox)), "");
}

#[test]
fn an_interrupted_rotation_has_to_be_finished_first() {
    let (sandbox, server) = logged_in();
    interrupt_rotation(&sandbox, &server);
    for more in [&[][..], &["--revoke"]] {
        let done = more.iter().fold(sandbox.ls_token(&["logout"]), crate::sandbox::Call::arg).run();
        done.fails(78)
            .says("an interrupted rotation left a newer")
            .says("hint: finish it first: ls-token rotate --profile lab");
        assert!(read(&config(&sandbox)).contains("[profiles.lab]") && rescued(&sandbox).len() == 1);
    }
    assert_eq!(sandbox.ls_token(&["rotate"]).run().code, Some(0));
    assert_eq!(sandbox.ls_token(&["logout", "--revoke"]).run().code, Some(0));
    assert!(server.good_pats().is_empty() && stored(&sandbox).is_empty() && rescued(&sandbox).is_empty());
}

#[test]
fn f43_a_signal_ends_it_before_the_next_profile_is_forgotten() {
    let (sandbox, server) = logged_in();
    assert_eq!(login(&sandbox, &server, server.pat(), &["--profile", "two"]).run().code, Some(0));
    let before = read(&config(&sandbox));
    server.always(REFRESH, Reply::Silence);
    let running = sandbox.ls_token(&["logout", "--all", "--revoke"]).start();
    server.wait_for_exchanges(3);
    running.send(Signal::INT);
    running.wait().dies_of(Signal::INT);
    assert_eq!((read(&config(&sandbox)), stored(&sandbox).len()), (before, 2));
}

/// Stops others at the end of a scope.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn the_failure_of_another_process_is_none_of_a_login_or_logout() {
    let (sandbox, server) = logged_in();
    let broken = || {
        let file = stored(&sandbox).remove(0);
        fs::remove_file(file).unwrap();
    };
    for command in ["login", "logout"] {
        broken();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        sandbox.ls_token(&["--refresh"]).run();
                    }
                });
            }
            // Also where an assertion fails: the others would go on for ever.
            let _stop = StopAtEnd(&stop);
            for _ in 0..8 {
                let done = if command == "login" {
                    log_in_again(&sandbox, &server)
                } else {
                    sandbox.ls_token(&["logout"]).run()
                };
                assert_eq!(done.code, Some(0), "{done:?}");
                if command == "logout" {
                    assert_eq!(log_in_again(&sandbox, &server).code, Some(0));
                }
                broken();
            }
        });
        assert_eq!(log_in_again(&sandbox, &server).code, Some(0));
    }
}

/// Logs in once more.
fn log_in_again(sandbox: &Sandbox, server: &Server) -> Done {
    login(sandbox, server, server.pat(), &["--profile", "lab"]).run()
}

#[test]
fn a_run_that_is_under_way_leaves_no_token_in_the_cache() {
    let (sandbox, server) = logged_in();
    let gate = Gate::default();
    server.script(REFRESH, [Reply::Usual.when(&gate)]);
    let running = sandbox.ls_token(&["--refresh"]).start();
    server.wait_for_exchanges(2);
    let logout = sandbox.ls_token(&["logout"]).start();
    logout.wait_until_it_waits();
    gate.open();
    assert_eq!(logout.wait().code, Some(0));
    running.wait().quiet().token();
    assert!(sandbox.cache_files().is_empty() && stored(&sandbox).is_empty());
}

#[test]
fn f48_the_cached_token_goes_from_every_directory_that_a_session_or_a_cron_job_caches_in() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let runtime = sandbox.directory("runtime");
    let pat = sandbox.pat_file(server.pat());
    let caches = [sandbox.cache(), runtime.join("ls-token")];
    let count = || caches.each_ref().map(|cache| fs::read_dir(cache).into_iter().flatten().flatten().count());
    // In a login session, and as cron and ssh have it; each leaves a token and a lock.
    let session = |arguments: &[&str]| sandbox.ls_token(arguments).env("XDG_RUNTIME_DIR", &runtime).run();
    let cron = |arguments: &[&str]| sandbox.ls_token(arguments).run();
    sandbox.settings(&format!("[profiles.a]\nurl = \"{}\"\npat = \"file:{}\"\n", server.url(), pat.display()));
    session(&[]).quiet().token();
    cron(&[]).quiet().token();
    assert_eq!(count(), [2, 2]);
    session(&["logout"]).says("logged out");
    assert_eq!(count(), [1, 1], "the locks stay");
}

#[test]
fn f48_a_login_as_another_user_leaves_no_cached_token_of_the_former_one() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let runtime = sandbox.directory("runtime");
    // A source that is not looked into on a hit, so that only the login can tell.
    sandbox.command("give", "cat \"$here/given\"");
    sandbox.file("given", server.pat(), 0o600);
    let login = ["login", &server.url(), "--source", "cmd:give"];
    sandbox.ls_token(&login).env("XDG_RUNTIME_DIR", &runtime).run().says("logged in");
    let former = sandbox.ls_token(&[]).run().token();
    sandbox.file("given", server.new_pat(), 0o600);
    sandbox.ls_token(&login).env("XDG_RUNTIME_DIR", &runtime).run().says("logged in");
    assert_ne!(sandbox.ls_token(&[]).run().token(), former, "a cron job goes on as the former user");
}
