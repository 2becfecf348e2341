//! A login that fails saves nothing, sends nothing to the wrong place, and says what to do.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use serde_json::json;

use super::{assert_nothing_saved, config, login, stored, stored_token};
use crate::sandbox::{Call, Done, LS_TOKEN, Sandbox, need, read, wait_until};
use crate::server::{REFRESH, Reply, Server, jwt, now_seconds, remember_pat};

/// Whose a token is.
const WHOAMI: &str = "/api/current-user/whoami";

/// Runs ls-token where there is no terminal.
fn without_terminal(sandbox: &Sandbox, arguments: &[&str]) -> Done {
    need("setsid");
    let call = sandbox.program("setsid", &["--wait", LS_TOKEN]);
    arguments.iter().fold(call, Call::arg).run()
}

#[test]
fn what_is_missing_where_nobody_can_be_asked_is_named() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    without_terminal(&sandbox, &["login"])
        .fails(2)
        .says("no URL was given, and stdin is not a terminal")
        .says("ls-token login https://");
    without_terminal(&sandbox, &["login", &server.url()])
        .fails(2)
        .says("no terminal to ask for the personal access token")
        .says("--with-token")
        .says("--source");
    without_terminal(&sandbox, &["login", "--with-token"])
        .fails(2)
        .says("no URL was given, and stdin is not a terminal");
    assert_nothing_saved(&sandbox);
}

#[test]
fn a_bad_url_is_refused() {
    let sandbox = Sandbox::new();
    for url in ["ftp://h", "https://", "https://h h", "https://h\\@evil", "", "h:99999", "https://h/../x"] {
        let done = sandbox.ls_token(&["login", url, "--with-token"]).stdin("x").run();
        done.fails(2);
    }
    let done = sandbox.ls_token(&["login", "https://someone:sesame@h", "--with-token"]).stdin("x").run();
    done.fails(2).says("user info").does_not_say("sesame");
    assert_nothing_saved(&sandbox);
}

#[test]
fn two_servers_are_one_too_many() {
    let sandbox = Sandbox::new();
    sandbox
        .ls_token(&["login", "https://a", "--url", "https://b", "--with-token"])
        .stdin("x")
        .run()
        .fails(2)
        .says("different servers");
}

#[test]
fn f13_a_token_as_an_argument_is_refused_and_not_repeated() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let (url, pat) = (server.url(), server.pat().to_owned());
    let legacy = format!("{:032x}{:08x}", fastrand::u128(..), fastrand::u32(..));
    remember_pat(&legacy);
    for arguments in [
        vec![pat.as_str()],
        vec![legacy.as_str()],
        vec![url.as_str(), "--source", &pat],
        vec![url.as_str(), "--source", &legacy],
        vec![url.as_str(), "--source", &format!("env:{pat}")],
        vec![url.as_str(), "--source", &format!("cmd:echo {pat}")],
        vec![url.as_str(), "--profile", &pat],
        vec![url.as_str(), "--ca-file", &pat],
        vec!["--url", &format!("https://x:{pat}@h")],
        vec![&format!("{url}/{pat}")],
        vec![url.as_str(), &pat],
        vec![url.as_str(), "--with-token", &pat],
        vec![url.as_str(), &format!("--with-token={pat}")],
        vec![url.as_str(), &format!("--token={pat}")],
        vec![url.as_str(), "--store", &pat],
    ] {
        let done = arguments.iter().fold(sandbox.ls_token(&["login"]), Call::arg).run();
        done.fails(2);
    }
    let done = sandbox.ls_token(&["login", &pat]).run();
    done.says("a token is among the arguments").says("hint: revoke it and create a new one; run `ls-token login URL`");
    let done = sandbox.ls_token(&["login", "--token", &pat]).run();
    done.says("hint: every process can see a token among the arguments: revoke it");
    let done = sandbox.ls_token(&[&format!("--tokn={pat}")]).run();
    done.fails(2).says("hint: every process can see a token among the arguments").does_not_say("tip:");
    assert_nothing_saved(&sandbox);
}

#[test]
fn f09_what_is_no_personal_access_token_is_named_before_anything_is_sent() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let access = jwt(&json!({"token_type": "access", "exp": now_seconds() + 300, "iat": now_seconds()}));
    let expired = jwt(&json!({"token_type": "refresh", "exp": 1_000_000_000, "iat": 900_000_000}));
    let (cut, _) = server.pat().rsplit_once('.').unwrap();
    for (given, said) in [
        ("", "is empty"),
        ("0123456789012345678901234567890123456789", "a legacy token"),
        (access.as_str(), "an access token, not a personal access token"),
        (expired.as_str(), "expired at 2001-"),
        (cut, "is incomplete"),
        ("sesame", "does not look like a personal access token"),
        (&format!("{0}\n{0}", server.pat()), "more than one word"),
        (&"x".repeat(100_000), "longer than 16 KiB"),
        ("\u{1b}[31m", "characters that no token has"),
    ] {
        login(&sandbox, &server, given, &[]).run().fails(77).says(said);
    }
    assert_nothing_saved(&sandbox);
}

#[test]
fn what_the_server_does_not_take_is_not_saved() {
    for (path, reply, status, said) in [
        (REFRESH, Reply::error(401, "Token is blacklisted"), 77, "Token is blacklisted"),
        (REFRESH, Reply::body(200, "text/html", "<!DOCTYPE html>"), 76, "an HTML page"),
        (REFRESH, Reply::error(500, "x"), 69, "failed internally"),
        (REFRESH, Reply::redirect(307, "http://127.0.0.1:9/"), 76, "redirects"),
        (WHOAMI, Reply::error(401, "no"), 77, "rejected the access token"),
        (WHOAMI, Reply::error(403, "no"), 77, "(403 Forbidden)"),
        (WHOAMI, Reply::body(200, "text/html", "<!DOCTYPE html>"), 76, "an HTML page"),
    ] {
        let (sandbox, server) = (Sandbox::new(), Server::start());
        server.always(path, reply);
        let done = login(&sandbox, &server, server.pat(), &[]).run();
        done.fails(status).says(said).says("nothing was saved").says(&server.url());
        assert_nothing_saved(&sandbox);
    }
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let url = server.url();
    drop(server.expect_anything());
    let pat = jwt(&json!({"token_type": "refresh", "exp": now_seconds() + 300}));
    let done = sandbox.ls_token(&["login", &url, "--with-token"]).stdin(pat).run();
    done.fails(69).says("cannot connect");
    assert_nothing_saved(&sandbox);
}

#[test]
fn f10_a_name_from_the_server_is_escaped() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    server.always(WHOAMI, Reply::json(200, &json!({"id": 1, "email": "\u{1b}[2J\u{202e}a@b"})));
    let done = login(&sandbox, &server, server.pat(), &[]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    done.says("\\u{1b}[2J\\u{202e}a@b").does_not_say("\u{1b}");
    stored(&sandbox);
}

#[test]
fn a_source_that_gives_nothing_is_not_saved() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let url = server.url();
    for (source, status, said) in [
        ("op://A/B/c", 77, "the program op is not in PATH"),
        ("env:NONE", 77, "the variable NONE is not set"),
        ("file:~/none", 77, "No such file"),
        ("file:none", 78, "depends on the current directory"),
        ("cmd:false", 77, "`false` failed with exit status 1"),
        ("stored", 77, "No such file"),
        ("somewhere", 78, "is not a known source"),
    ] {
        let done = sandbox.ls_token(&["login", &url, "--source", source]).run();
        done.fails(status).says(said).does_not_say("config.toml");
    }
    for more in [["--store", "file"], ["--with-token", "-v"]] {
        let done = more.iter().fold(sandbox.ls_token(&["login", &url, "--source", "env:X"]), Call::arg).run();
        done.fails(2).says("cannot be used with");
    }
    assert_nothing_saved(&sandbox);
}

#[test]
fn a_profile_is_named_by_its_host() {
    let sandbox = Sandbox::new();
    for (url, name) in [
        ("https://label.example.com", "label"),
        ("https://www.label-studio.example.com/x", "label-studio"),
        ("http://localhost:8080", "localhost"),
        ("http://127.0.0.1:8080", "127-0-0-1"),
        ("http://[::1]:8080", "1"),
        ("https://environment.example.com", "label-studio"),
        ("https://-.example.com", "label-studio"),
    ] {
        sandbox.settings(&format!("[profiles.{name}]\nurl = 'https://other.example.com'\npat = 'env:A'\n"));
        let done = sandbox.ls_token(&["login", url, "--with-token"]).stdin("x").run();
        done.fails(2).says(&format!("profile {name} already exists, for https://other.example.com"));
    }
}

#[test]
fn a_name_that_is_taken_or_reserved_is_refused() {
    let (sandbox, server, other) =
        (Sandbox::new(), Server::start().expect_no_calls(), Server::start().expect_no_calls());
    let before = format!("[profiles.127-0-0-1]\nurl = '{}'\npat = 'env:A'\n", other.url());
    sandbox.settings(&before);
    login(&sandbox, &server, server.pat(), &[])
        .run()
        .fails(2)
        .says("profile 127-0-0-1 already exists")
        .says("--profile NAME");
    login(&sandbox, &server, server.pat(), &["--profile", "127-0-0-1"])
        .run()
        .fails(2)
        .says(&other.url())
        .says("ls-token logout");
    login(&sandbox, &server, server.pat(), &["--profile", "environment"]).run().fails(2).says("environment");
    login(&sandbox, &server, server.pat(), &["--profile=-x"]).run().fails(2);
    login(&sandbox, &server, server.pat(), &["--profile", "a\u{1b}b"]).run().fails(78).says("profile name");
    assert_eq!(read(&config(&sandbox)), before);
    let twice = format!("{before}[profiles.x]\nurl = '{}'\npat = 'env:A'\n", other.url());
    sandbox.settings(&twice);
    login(&sandbox, &other, other.pat(), &[]).run().fails(2).says("several profiles are for").says("--profile");
}

#[test]
fn settings_with_a_fault_are_not_touched() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    for (text, said) in [
        ("[profiles.a\n", "not TOML"),
        ("defualt = 'a'\n", "unknown key"),
        ("[profiles.a]\nurl = 'https://h'\n", "has no pat"),
        ("default = 'b'\n", "is not in the file"),
        ("default = 'b'\n[profiles.a]\nurl = 'https://h'\npat = 'env:A'\n", "hint: name one of: a"),
        ("[profiles.a]\ntimeout = '15'\n", "hint: write timeout = 15, without quotes"),
        ("[profiles.a]\nallow_http = 1\n", "hint: write allow_http = true, without quotes"),
        ("[profiles.a]\nurl = 1\n", "hint: write it in quotes: url = "),
        ("\u{0}", "not TOML"),
    ] {
        sandbox.settings(text);
        let done = login(&sandbox, &server, server.pat(), &[]).run();
        done.fails(78).says(said).says("config.toml, line ");
        assert_eq!(read(&config(&sandbox)), text);
    }
    let file = sandbox.settings("");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    login(&sandbox, &server, server.pat(), &[])
        .run()
        .fails(78)
        .says("other users can write to the file; run chmod go-w ");
    fs::remove_file(&file).unwrap();
    symlink("/nowhere/at all", &file).unwrap();
    let done = login(&sandbox, &server, server.pat(), &[]).run();
    done.fails(74).says("cannot follow the symbolic link of the settings: No such file").says("config.toml");
    assert!(file.is_symlink() && stored(&sandbox).is_empty());
}

/// Makes it impossible to write into a directory: for root, who may do everything, by giving it to somebody else.
pub(crate) fn close(directory: &Path) {
    if geteuid().is_root() {
        chown(directory, Some(65_534), None).unwrap();
    } else {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o500)).unwrap();
    }
}

/// Lets it be written into again, or removed.
pub(crate) fn open(directory: &Path) {
    if geteuid().is_root() {
        chown(directory, Some(0), None).unwrap();
    } else {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).unwrap();
    }
}

/// What `close` makes of a write.
pub(crate) fn refusal() -> &'static str {
    if geteuid().is_root() { "the directory belongs to another user" } else { "Permission denied" }
}

#[test]
fn f76_settings_that_cannot_be_written_are_found_out_before_the_token_is_asked_for() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let (file, above) = (config(&sandbox), sandbox.home().join(".config"));
    let directory = file.parent().unwrap();
    let case = |status: i32, said: &str| {
        // No token is read: there is none.
        let done = sandbox.ls_token(&["login", &server.url(), "--with-token"]).stdin("").run();
        done.fails(status).says(said).says("  file: ").says("/.config");
        let done = sandbox.ls_token(&["login", &server.url(), "--source", "cmd:touch ../read"]).run();
        done.fails(status).says(said);
        let (code, screen) = sandbox.ls_token(&["login", &server.url()]).on_terminal().wait();
        assert!(code == Some(status) && screen.contains(said) && !screen.contains("paste it here"), "{screen}");
        assert!(!sandbox.root().join("read").exists() && stored(&sandbox).is_empty());
    };
    fs::create_dir_all(directory).unwrap();
    symlink("/nowhere/at all", &file).unwrap();
    case(74, "cannot follow the symbolic link of the settings: No such file");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    case(78, "cannot read the settings: Is a directory");
    fs::remove_dir(&file).unwrap();
    close(directory);
    case(74, refusal());
    open(directory);
    fs::remove_dir(directory).unwrap();
    close(&above);
    case(74, refusal());
    open(&above);
    assert_eq!(fs::read_dir(&above).unwrap().count(), 0, "nothing is left there");
    symlink("/nowhere", directory).unwrap();
    case(74, "cannot write the settings: No such file");
    fs::remove_file(directory).unwrap();
    fs::write(directory, "").unwrap();
    case(78, "cannot read the settings: Not a directory");
}

#[test]
fn f76_the_lines_to_write_by_hand_are_shown_and_then_the_token_can_be_saved() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let old = "[profiles.a]\nurl = 'https://a'\npat = 'env:A'\n";
    let file = sandbox.settings(old);
    let directory = file.parent().unwrap();
    close(directory);
    let done = login(&sandbox, &server, server.pat(), &["--profile", "new one"]).run();
    done.fails(74).says(refusal()).says("login: nothing was saved").says("write these lines by hand, and log in again");
    let lines = done.stderr.lines().filter_map(|line| line.strip_prefix("  line: "));
    let lines: String = lines.map(|line| line.to_owned() + "\n").collect();
    let url = server.url();
    let wanted = format!("default = \"a\"\n[profiles.\"new one\"]\nurl = \"{url}\"\npat = \"stored\"\n");
    assert_eq!((lines.as_str(), read(&file).as_str(), server.connections()), (wanted.as_str(), old, 0));
    open(directory);
    let by_hand = lines.replacen('\n', &format!("\n{old}"), 1);
    sandbox.settings(&by_hand);
    close(directory);
    let done = login(&sandbox, &server, server.pat(), &["--profile", "new one"]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!((read(&file), stored_token(&sandbox).as_str()), (by_hand, server.pat()));
    open(directory);
}

#[test]
fn f76_settings_in_a_form_that_is_not_changed_are_named_with_the_line_to_write() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let old = "profiles = { a = { url = 'https://a', pat = 'env:A' } } # mine\n";
    let file = sandbox.settings(old);
    let done = login(&sandbox, &server, server.pat(), &["--profile", "b"]).run();
    done.fails(78)
        .says("the settings are written in a form that ls-token does not change")
        .says(&format!("file: {}", file.display()))
        .says("line: default = \"a\"\n")
        .says(&format!("line: b = {{ url = \"{}\", pat = \"stored\" }}\n", server.url()))
        .says("login: nothing was saved")
        .says("hint: write these lines by hand, and log in again");
    assert_eq!((read(&file).as_str(), stored(&sandbox).len()), (old, 0));
}

#[test]
fn f76_a_full_disk_and_a_file_system_for_reading_only_are_found_out_before_the_server_is_asked() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let file = sandbox.settings("# mine\n");
    for (inject, said) in [
        ("inject=fsync:error=ENOSPC:when=1", "No space left on device"),
        ("inject=/^f?access:error=EROFS", "cannot write the settings: Read-only file system"),
    ] {
        let done = injected(&sandbox, &server, server.pat(), inject);
        done.fails(74).says(said).says("line: [profiles.127-0-0-1]").says("login: nothing was saved");
        assert_eq!((read(&file).as_str(), stored(&sandbox).len()), ("# mine\n", 0));
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing is left beside the settings");
    }
}

#[test]
fn a_place_that_cannot_be_written_is_found_out_before_anything_is_asked() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.set("XDG_DATA_HOME", sandbox.root().join("data"));
    let data = sandbox.root().join("data/ls-token");
    sandbox.file("data/ls-token", "not a directory", 0o600);
    login(&sandbox, &server, server.pat(), &[]).run().fails(74).says("is not a directory").says("data/ls-token");
    fs::remove_file(&data).unwrap();
    fs::create_dir(&data).unwrap();
    for open in [0o770, 0o750, 0o701] {
        fs::set_permissions(&data, fs::Permissions::from_mode(open)).unwrap();
        login(&sandbox, &server, server.pat(), &[]).run().fails(74).says("open to others").says("hint: chmod 700 ");
    }
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(data.parent().unwrap(), fs::Permissions::from_mode(0o777)).unwrap();
    login(&sandbox, &server, server.pat(), &[]).run().fails(74).says("everybody may write to").says("hint: chmod o-w ");
    sandbox.set("XDG_DATA_HOME", "/proc/1");
    login(&sandbox, &server, server.pat(), &[]).run().fails(74);
    assert!(!config(&sandbox).exists());
}

#[test]
fn f50_root_with_the_home_of_another_user_leaves_nothing_there() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    // As `sudo --preserve-env=HOME`; to anybody but root, what belongs to root is another user's.
    let home = if geteuid().is_root() {
        chown(sandbox.home(), Some(65_534), None).unwrap();
        sandbox.home()
    } else {
        "/usr".into()
    };
    let entries = || fs::read_dir(&home).unwrap().count();
    let before = entries();
    sandbox.set("HOME", &home);
    let done = login(&sandbox, &server, server.pat(), &[]).run();
    done.fails(74).says("cannot write the settings: ");
    let pair = |words: &[&str]| {
        let call = sandbox.ls_token(words).env("LABEL_STUDIO_URL", server.url());
        call.env("LABEL_STUDIO_API_KEY", server.pat()).run()
    };
    pair(&[]).token();
    pair(&["--refresh"]).token();
    assert_eq!(entries(), before);
    if geteuid().is_root() {
        chown(sandbox.home(), Some(0), None).unwrap();
    }
}

#[test]
fn a_directory_of_another_user_holds_no_token() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    // Only root can give a directory away; to anybody else, what lies in /usr is another user's.
    let data = sandbox.root().join("theirs");
    fs::create_dir_all(data.join("ls-token")).unwrap();
    fs::set_permissions(data.join("ls-token"), fs::Permissions::from_mode(0o700)).unwrap();
    if geteuid().is_root() {
        for (directory, said) in
            [(data.join("ls-token"), "belongs to another user"), (data.clone(), "belongs to another user")]
        {
            chown(&directory, Some(65_534), None).unwrap();
            sandbox.set("XDG_DATA_HOME", &data);
            login(&sandbox, &server, server.pat(), &[]).run().fails(74).says(said);
            chown(&directory, Some(0), None).unwrap();
        }
        let link = sandbox.root().join("link");
        symlink(&data, &link).unwrap();
        std::os::unix::fs::lchown(&link, Some(65_534), None).unwrap();
        sandbox.set("XDG_DATA_HOME", &link);
        login(&sandbox, &server, server.pat(), &[]).run().fails(74).says("belongs to another user");
    } else {
        sandbox.set("XDG_DATA_HOME", "/usr/lib");
        login(&sandbox, &server, server.pat(), &[]).run().fails(74);
    }
}

#[test]
fn settings_that_cannot_be_written_leave_the_token_as_it_was() {
    // That nothing can be written to /proc, root finds out last, and anybody else first.
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_anything());
    sandbox.set("LS_TOKEN_CONFIG", "/proc/ls-token/config.toml");
    login(&sandbox, &server, server.pat(), &[]).run().fails(74).says("the settings: ").says("file: /proc/ls-token");
    assert!(stored(&sandbox).is_empty());
}

/// Runs a login under strace, which makes a system call fail.
pub(crate) fn injected(sandbox: &Sandbox, server: &Server, pat: &str, inject: &str) -> Done {
    need("strace");
    let call =
        sandbox.program("strace", &["-f", "-e", "inject=prctl:retval=0", "-e", inject, "-o", "/dev/null", LS_TOKEN]);
    call.arg("login").arg(server.url()).arg("--with-token").stdin(pat).run()
}

#[test]
fn a_full_disk_at_any_moment_leaves_everything_as_it_was() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let config = sandbox.settings("# mine\n");
    for (call, count) in [("fsync", 3), ("/^rename", 2), ("fchmod", 3)] {
        for number in 1..=count {
            let done = injected(&sandbox, &server, server.pat(), &format!("inject={call}:error=ENOSPC:when={number}"));
            done.fails(74).says("No space left on device");
            assert_eq!((read(&config).as_str(), stored(&sandbox).len()), ("# mine\n", 0), "{call} {number}");
        }
    }
    // The same with a token that was there before.
    assert_eq!(login(&sandbox, &server, server.pat(), &["--profile", "127-0-0-1"]).run().code, Some(0));
    let before = read(&config).replace("# mine\n", "# mine\n# and more\n").replace("pat = \"stored\"", "pat = 'env:X'");
    sandbox.settings(&before);
    let other = server.new_pat();
    injected(&sandbox, &server, &other, "inject=/^rename:error=EROFS:when=2")
        .fails(74)
        .says("Read-only file system")
        .says("nothing was saved");
    assert_eq!((read(&config), stored_token(&sandbox).as_str()), (before, server.pat()));
    let left = fs::read_dir(config.parent().unwrap()).unwrap().count();
    assert_eq!(left, 1, "nothing is left beside the settings");
}

#[test]
fn f27_a_kill_at_any_moment_leaves_the_old_or_the_new() {
    let (mut kills, mut new) = (0, 0);
    for (call, count) in [("fsync", 5), ("/^rename", 2), ("fchmod", 3), ("flock", 1)] {
        for number in 1..=count {
            let (sandbox, server) = (Sandbox::new(), Server::start());
            let file = sandbox.use_file(&server, "# mine");
            let before = read(&config(&sandbox));
            let after = before.replace(&format!("file:{}", file.display()), "stored");
            let inject = format!("inject={call}:signal=KILL:when={number}");
            let other = server.new_pat();
            let done = injected(&sandbox, &server, &other, &inject);
            assert_eq!(done.signal, Some(Signal::KILL.as_raw()), "{inject}: {done:?}");
            stored(&sandbox);
            let now = read(&config(&sandbox));
            assert!(now == before || now == after, "{inject}: {now}");
            new += usize::from(now == after);
            sandbox.ls_token(&["--refresh"]).run().quiet().token();
            let again = login(&sandbox, &server, &other, &[]).run();
            assert_eq!(again.code, Some(0), "no lock is left: {again:?}");
            assert_eq!(read(&config(&sandbox)), after);
            stored(&sandbox);
            kills += 1;
        }
    }
    assert_eq!((kills, new), (11, 1), "one kill comes after the last rename");
}

#[test]
fn f43_a_signal_while_the_token_is_tried_saves_nothing() {
    for (path, signal) in [(REFRESH, Signal::INT), (WHOAMI, Signal::TERM)] {
        let (sandbox, server) = (Sandbox::new(), Server::start());
        server.always(path, Reply::Silence);
        let running = login(&sandbox, &server, server.pat(), &[]).start();
        wait_until("it is tried", || server.requests().iter().any(|request| request.path() == path));
        running.send(signal);
        running.wait().dies_of(signal);
        assert_nothing_saved(&sandbox);
    }
}

#[test]
fn f43_a_signal_ends_the_wait_for_a_token_on_stdin() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let script = format!(
        "sleep 60 | {{ echo $$ >../own; sh -c 'echo $$ >../own; exec \"$LS_TOKEN\" login {} --with-token'; echo \"status $?\" >&2; }}",
        server.url()
    );
    let running = sandbox.shell(&script).start();
    wait_until("it waits for stdin", || {
        let own = sandbox.lines("own").pop().unwrap_or_default();
        fs::read_to_string(format!("/proc/{own}/stat")).is_ok_and(|stat| stat.contains("(ls-token) S "))
    });
    let own = sandbox.lines("own").pop().unwrap().parse().unwrap();
    kill_process(Pid::from_raw(own).unwrap(), Signal::INT).unwrap();
    wait_until("it has ended", || running.stderr_so_far().contains("status 130"));
    assert_nothing_saved(&sandbox);
}

#[test]
fn stdin_that_cannot_be_read_is_an_error() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let script = format!("exec \"$LS_TOKEN\" login {} --with-token <.", server.url());
    sandbox.shell(&script).run().fails(74).says("cannot read standard input: Is a directory");
    let script = format!("exec \"$LS_TOKEN\" login {} --with-token <&-", server.url());
    sandbox.shell(&script).run().fails(77).says("the personal access token is empty");
    assert_nothing_saved(&sandbox);
}
