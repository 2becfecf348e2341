//! Containers: a home directory of root's, another uid, volumes that are everybody's, files that are mounted.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;

use rustix::process::{geteuid, getuid};

use crate::sandbox::{Done, Sandbox, need, ready};
use crate::server::Server;

/// A uid that nothing else here runs as, as `OpenShift` gives them; its group is root's.
const UID: u32 = 1_000_650_001;

/// Runs ls-token as that user where the tests are root's, else as the one that they are.
fn run(sandbox: &Sandbox, arguments: &str) -> Done {
    need("setpriv");
    let become_user = if geteuid().is_root() {
        // By its descriptor, as the user may not look into the directories that the program is in.
        format!("exec setpriv --reuid={UID} --regid=0 --clear-groups /proc/self/fd/9")
    } else {
        "exec \"$LS_TOKEN\"".to_owned()
    };
    sandbox.shell(&format!("exec 9<\"$LS_TOKEN\"; {become_user} {arguments}")).run()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Makes a directory of that mode, which is root's where the tests are, and HOME from now on.
fn home_of_mode(sandbox: &Sandbox, name: &str, mode: u32) {
    let home = sandbox.directory(name);
    set_mode(sandbox.root(), 0o755);
    set_mode(&home, mode);
    sandbox.set("HOME", home);
}

/// Returns the user that `run` runs as.
fn user() -> u32 {
    if geteuid().is_root() { UID } else { getuid().as_raw() }
}

#[test]
fn f77_a_home_of_roots_that_the_group_may_write_has_the_cache() {
    let (sandbox, server) = ready();
    home_of_mode(&sandbox, "home", 0o775);
    let token = run(&sandbox, "").quiet().token();
    assert_eq!((run(&sandbox, "").quiet().token(), server.exchanges()), (token, 1));
    let about = sandbox.root().join("home/.cache/ls-token").metadata().unwrap();
    assert_eq!((about.mode() & 0o777, about.uid()), (0o700, user()));
}

#[test]
fn f77_where_there_is_no_home_the_cache_is_below_a_directory_that_is_everybodys() {
    let (sandbox, server) = ready();
    let shared = sandbox.directory("shared");
    // A sticky directory counts as everybody's if it is root's.
    set_mode(&shared, if geteuid().is_root() { 0o1777 } else { 0o700 });
    sandbox.set("TMPDIR", &shared);
    let cache = shared.join(format!("ls-token-{}", user()));
    home_of_mode(&sandbox, "closed", 0o555);
    let mut homes = vec![sandbox.root().join("closed"), sandbox.root().join("closed/none"), "/proc/none".into()];
    if geteuid().is_root() {
        // Of a user who has none in /etc/passwd either.
        homes.push("relative".into());
    }
    for home in &homes {
        sandbox.set("HOME", home);
        let before = server.exchanges();
        let token = run(&sandbox, "--refresh").quiet().token();
        assert_eq!((run(&sandbox, "").quiet().token(), server.exchanges()), (token, before + 1), "{home:?}");
        assert_eq!(cache.metadata().unwrap().mode() & 0o777, 0o700);
    }
    // What is cached there goes like any other.
    let cached = || fs::read_dir(&cache).unwrap().flatten().filter(|file| file.path().extension().is_none()).count();
    assert_eq!(cached(), 1);
    run(&sandbox, "logout --all");
    assert_eq!(cached(), 0);
}

#[test]
fn f77_an_empty_volume_that_is_everybodys_is_no_place_for_a_cache() {
    let (sandbox, server) = ready();
    home_of_mode(&sandbox, "volume", 0o777);
    let shared = sandbox.directory("shared");
    sandbox.set("TMPDIR", &shared);
    // Neither without the sticky bit, nor a place that somebody has taken before.
    set_mode(&shared, 0o777);
    if !geteuid().is_root() {
        // To its owner such a directory can be told apart by its mode alone.
        let done = run(&sandbox, "");
        done.token();
        assert!(done.stderr.is_empty() || done.stderr.contains("hint: chmod o-w "), "{done:?}");
        let _ = fs::remove_dir_all(format!("/dev/shm/ls-token-{}", user()));
        return;
    }
    let done = run(&sandbox, "");
    assert!(done.stderr.is_empty() || done.stderr.contains("LS_TOKEN_CACHE_DIR") && !done.stderr.contains("chmod"));
    // Where there is one, memory that everybody may write to has it.
    let _ = fs::remove_dir_all(format!("/dev/shm/ls-token-{UID}"));
    assert!(!sandbox.root().join("volume/.cache").exists() && fs::read_dir(&shared).unwrap().next().is_none());
    set_mode(&shared, 0o1777);
    let squatted = sandbox.directory(&format!("shared/ls-token-{UID}"));
    chown(&squatted, Some(65_534), None).unwrap();
    run(&sandbox, "").token();
    assert!(fs::read_dir(&squatted).unwrap().next().is_none());
    chown(&squatted, Some(UID), None).unwrap();
    let before = server.exchanges();
    let token = run(&sandbox, "--refresh").quiet().token();
    assert_eq!((run(&sandbox, "").quiet().token(), server.exchanges()), (token, before + 1));
}

#[test]
fn f77_a_secret_that_its_reader_cannot_change_has_a_hint_that_can_be_followed() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_anything());
    let secret = sandbox.file("secret", server.pat(), 0o444);
    let settings = |pat: &str| {
        let text = format!("[profiles.a]\nurl = \"{}\"\npat = {pat:?}\n", server.url());
        sandbox.set("LS_TOKEN_CONFIG", sandbox.file("settings.toml", text, 0o644));
    };
    home_of_mode(&sandbox, "home", 0o775);
    settings(&format!("file:{}", secret.display()));
    if !geteuid().is_root() {
        run(&sandbox, "").fails(77).says("is open to others (mode 0444)").says("hint: chmod 600 ");
        return;
    }
    let done = run(&sandbox, "");
    done.fails(77).says("is open to others (mode 0444)").says("uid and mode: 0400").does_not_say("chmod 600");
    settings(done.stderr.split("`pat = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap());
    run(&sandbox, "").quiet().token();
    settings(&format!("file:{}", secret.display()));
    set_mode(&secret, 0o600);
    run(&sandbox, "").fails(77).says("Permission denied").says("uid and mode: 0400").does_not_say("chmod 600");
    chown(&secret, Some(65_534), None).unwrap();
    set_mode(&secret, 0o444);
    run(&sandbox, "").fails(77).says("belongs to another user (uid 65534)").does_not_say("hint: chown");
}

#[test]
fn f77_a_secret_on_a_read_only_mount_has_a_hint_that_can_be_followed() {
    need("unshare");
    // Only root may mount; another user is root in a namespace of its own, where the kernel allows that.
    let namespaces = if geteuid().is_root() { "-m" } else { "-rm" };
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let (mount, pat) = (sandbox.directory("mount"), sandbox.pat_file(server.pat()));
    sandbox.use_source(&server, &format!("file:{}/pat", mount.display()), "");
    let script = r#"mount -t tmpfs tmpfs "$1" && cp "$2" "$1/pat" && chmod 444 "$1/pat" && mount -o remount,bind,ro "$1" && exec "$LS_TOKEN""#;
    let call = sandbox.program("unshare", &[namespaces, "sh", "-c", script, "sh"]).arg(&mount).arg(&pat);
    call.run().fails(77).says("is open to others (mode 0444)").says("uid and mode: 0400").does_not_say("hint: chmod");
}

#[test]
fn f77_settings_of_another_user_are_refused_with_what_this_user_can_do() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    home_of_mode(&sandbox, "home", 0o775);
    let text = format!("[profiles.a]\nurl = \"{}\"\npat = \"env:NOT_SET\"\n", server.url());
    let file = sandbox.file("settings.toml", text, 0o666);
    sandbox.set("LS_TOKEN_CONFIG", &file);
    if !geteuid().is_root() {
        run(&sandbox, "").fails(78).says("other users can write to the file; run chmod go-w ");
        return;
    }
    run(&sandbox, "").fails(78).says("use a copy of your own, or run sudo chmod go-w ");
    sandbox.ls_token(&[]).run().fails(78).says("other users can write to the file; run chmod go-w ");
    set_mode(&file, 0o644);
    chown(&file, Some(65_534), None).unwrap();
    run(&sandbox, "").fails(78).says("(uid 65534); use a copy of your own, or run sudo chown 1000650001 ");
    sandbox.ls_token(&[]).run().fails(78).says("(uid 65534); run chown 0 ");
}
