//! The places for a token that are not ls-token's own: the system's keyring, with a real Secret Service on a bus of its own,
//! 1Password, `pass`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::login::{assert_nothing_saved, config, login, stored, stored_token};
use crate::sandbox::{Sandbox, need_from, read, wait_until};
use crate::server::Server;

/// A Secret Service of this sandbox, on a bus of its own.
struct Keyring {
    /// The bus, whose end is the end of all that is on it.
    bus: Child,
    /// The service.
    daemon: Child,
}

impl Keyring {
    /// Starts both; the keyring is unlocked where a password is given.
    fn start(sandbox: &Sandbox, password: Option<&str>) -> Self {
        need_from("dbus-daemon", "dbus");
        need_from("gnome-keyring-daemon", "gnome-keyring");
        need_from("secret-tool", "libsecret-tools");
        let socket = sandbox.root().join("bus");
        // A configuration of its own: no service is started but the one below.
        let configuration = sandbox.file(
            "bus.conf",
            format!(
                "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
                 <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
                socket.display().to_string().replace(' ', "%20")
            ),
            0o600,
        );
        let address = format!("unix:path={}", socket.display().to_string().replace(' ', "%20"));
        sandbox.set("DBUS_SESSION_BUS_ADDRESS", &address);
        sandbox.set("XDG_RUNTIME_DIR", sandbox.directory("runtime"));
        let quiet = |command: &mut Command| {
            command
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("HOME", sandbox.home())
                .env("XDG_RUNTIME_DIR", sandbox.root().join("runtime"))
                .env("DBUS_SESSION_BUS_ADDRESS", &address)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
        };
        let mut command = Command::new("dbus-daemon");
        quiet(&mut command);
        command.args(["--nofork", "--nopidfile", "--config-file"]).arg(configuration).stdin(Stdio::null());
        let bus = command.spawn().expect("dbus-daemon");
        wait_until("the bus is there", || socket.exists());
        let mut command = Command::new("gnome-keyring-daemon");
        quiet(&mut command);
        command.args(["--foreground", "--components=secrets"]);
        if password.is_some() {
            command.arg("--unlock");
        }
        command.stdin(Stdio::piped());
        let mut daemon = command.spawn().expect("gnome-keyring-daemon");
        let mut stdin = daemon.stdin.take().expect("a pipe");
        std::io::Write::write_all(&mut stdin, password.unwrap_or_default().as_bytes()).expect("a password");
        drop(stdin);
        let keyring = Self { bus, daemon };
        wait_until("the keyring answers", || {
            let done = sandbox.program("secret-tool", &["lookup", "no", "such"]).run();
            done.stderr.is_empty()
        });
        keyring
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        for child in [&mut self.daemon, &mut self.bus] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Reads a profile's entry of the keyring.
fn entry(sandbox: &Sandbox, server: &Server, profile: &str) -> Option<String> {
    let url = server.url();
    // Not by a run of the sandbox, which must not print a token.
    let output = Command::new("secret-tool")
        .args(["lookup", "service", "ls-token", "url", &url, "profile", profile])
        .env(
            "DBUS_SESSION_BUS_ADDRESS",
            format!("unix:path={}", sandbox.root().join("bus").display().to_string().replace(' ', "%20")),
        )
        .output()
        .unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_real_keyring_keeps_the_token() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let _keyring = Keyring::start(&sandbox, Some("sesame"));
    let more = ["--profile", "lab", "--store", "keyring"];
    let done = login(&sandbox, &server, server.pat(), &more).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    done.says("the personal access token is in the keyring");
    let trial = sandbox.program("secret-tool", &["search", "service", "ls-token-trial"]).run();
    assert_eq!((trial.code, trial.stdout.as_str()), (Some(0), ""), "the trial is removed");
    assert_eq!(entry(&sandbox, &server, "lab").as_deref(), Some(server.pat()));
    assert!(stored(&sandbox).is_empty(), "no file has it");
    assert!(read(&config(&sandbox)).contains("pat = \"keyring\"\n"));
    assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), server.issued()[0]);
    sandbox.ls_token(&["--refresh"]).run().quiet().token();
    // Another token, without a word of where: it stays in the keyring.
    let other = server.new_pat();
    assert_eq!(login(&sandbox, &server, &other, &[]).run().code, Some(0));
    assert_eq!(entry(&sandbox, &server, "lab").as_deref(), Some(other.as_str()));
    assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), server.issued()[2], "f34");
    let done = sandbox.ls_token(&["logout"]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    done.says("deleted from the keyring");
    assert_eq!(entry(&sandbox, &server, "lab"), None);
}

#[test]
fn two_profiles_of_a_server_have_an_entry_each_and_moving_to_a_file_deletes_one() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let _keyring = Keyring::start(&sandbox, Some("sesame"));
    let other = server.new_pat();
    assert_eq!(login(&sandbox, &server, server.pat(), &["--profile", "one", "--store", "keyring"]).run().code, Some(0));
    assert_eq!(login(&sandbox, &server, &other, &["--profile", "two", "--store", "keyring"]).run().code, Some(0));
    let of = |name| entry(&sandbox, &server, name);
    assert_eq!((of("one").as_deref(), of("two").as_deref()), (Some(server.pat()), Some(other.as_str())));
    let tokens =
        [["--profile", "one"], ["--profile", "two"]].map(|which| sandbox.ls_token(&which).run().quiet().token());
    assert_eq!(tokens.to_vec(), server.issued(), "each has its own");
    assert_eq!(login(&sandbox, &server, &other, &["--profile", "two", "--store", "file"]).run().code, Some(0));
    assert_eq!((of("two"), stored_token(&sandbox).as_str()), (None, other.as_str()));
    // What is there already can be named as the source.
    let done = sandbox.ls_token(&["login", "--profile", "one", "--source", "keyring"]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
}

#[test]
fn f47_a_locked_keyring_is_not_an_empty_one() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    {
        let _keyring = Keyring::start(&sandbox, Some("sesame"));
        assert_eq!(login(&sandbox, &server, server.pat(), &["--store", "keyring"]).run().code, Some(0));
    }
    fs::remove_file(sandbox.root().join("bus")).unwrap();
    let _keyring = Keyring::start(&sandbox, None);
    let done = sandbox.ls_token(&["--refresh"]).run();
    done.fails(77)
        .says("source: keyring")
        .says("the keyring is locked, and has the token")
        .within(Duration::from_secs(40));
    let before = read(&config(&sandbox));
    let (other, calls) = (server.new_pat(), server.issued().len());
    // The entry that is there, and one that is not: the server is not asked, and no file takes the keyring's place.
    for more in [&["--store", "keyring"][..], &["--store", "keyring", "--profile", "new"]] {
        let done = login(&sandbox, &server, &other, more).run();
        done.fails(77).says("hint: unlock the keyring").says("nothing was saved").within(Duration::from_secs(80));
    }
    // What would forget where the token is, or make another.
    for words in [&["logout"][..], &["logout", "--revoke"], &["rotate"], &["exec", "true"]] {
        sandbox.ls_token(words).run().fails(77).says("the keyring is locked, and has the token");
    }
    let doctor = sandbox.ls_token(&["doctor"]).run();
    assert!(doctor.stdout.contains("the keyring is locked") && !doctor.stdout.contains("put one in"), "{doctor:?}");
    assert_eq!(server.issued().len(), calls);
    assert!(stored(&sandbox).is_empty() && read(&config(&sandbox)) == before);
}

#[test]
fn a_keyring_that_is_not_there_is_an_error_with_a_way_out() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
    let done = login(&sandbox, &server, server.pat(), &["--store", "keyring"]).run();
    done.fails(77)
        .says("the keyring could not be used: `secret-tool` failed")
        .says("hint: unlock the keyring of this session")
        .says("--store file");
    assert_nothing_saved(&sandbox);
    sandbox.set("PATH", sandbox.bin());
    let done = login(&sandbox, &server, server.pat(), &["--store", "keyring"]).run();
    done.fails(77).says("secret-tool is not in PATH").says("libsecret-tools");
    assert_nothing_saved(&sandbox);
}

#[test]
fn a_keyring_that_never_answers_holds_nobody_for_ever() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.command("secret-tool", "echo $$ >>\"$here/asked\"; exec sleep 600");
    let done = login(&sandbox, &server, server.pat(), &["--store", "keyring"]).run();
    done.fails(77)
        .says("the keyring does not answer: `secret-tool` took longer than 30 s")
        .within(Duration::from_secs(35));
    assert_eq!(sandbox.lines("asked").len(), 1, "it is asked before anything is done, and not again");
    assert_nothing_saved(&sandbox);
}

#[test]
fn a_keyring_that_forgets_what_it_is_given_is_found_out() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.command("secret-tool", r#"echo "$*" >>"$here/calls"; [ "$1" != store ] && exit 1; cat >/dev/null"#);
    let done = login(&sandbox, &server, server.pat(), &["--store", "keyring"]).run();
    done.fails(77).says("does not return the token").says("nothing was saved");
    assert_nothing_saved(&sandbox);
    let label = sandbox.lines("calls").into_iter().rfind(|call| call.starts_with("store ")).unwrap();
    assert_eq!(
        label,
        format!("store --label=ls-token: {0} (127-0-0-1) service ls-token url {0} profile 127-0-0-1", server.url())
    );
}

#[test]
fn f20_ctrl_c_at_the_keyring_is_an_interruption() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.command("secret-tool", "kill -INT $$");
    sandbox.use_source(&server, "keyring", "");
    let done = sandbox.ls_token(&[]).run();
    assert_eq!((done.signal, done.stdout.as_str()), (Some(Signal::INT.as_raw()), ""), "{done:?}");
}

#[test]
fn a_keyring_entry_that_is_missing_is_named_with_the_way_to_make_one() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.command("secret-tool", "exit 1");
    sandbox.use_source(&server, "keyring", "");
    let done = sandbox.ls_token(&[]).run();
    done.fails(77)
        .says("the keyring has no personal access token of this profile")
        .says("hint: put one in: ls-token login --profile test --store keyring");
}

/// A `pass` of this sandbox, with a key of its own.
struct Pass<'a> {
    /// Where it is.
    sandbox: &'a Sandbox,
    /// The directory of gpg, which is short: the path of a socket has 107 bytes at most.
    directory: TempDir,
}

impl<'a> Pass<'a> {
    /// Puts a token into it.
    fn with(sandbox: &'a Sandbox, name: &str, pat: &str) -> Self {
        need_from("pass", "pass");
        need_from("gpg", "gnupg");
        let directory = tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp").unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        sandbox.set("GNUPGHOME", directory.path());
        sandbox.set("PASSWORD_STORE_DIR", sandbox.home().join("pass"));
        let pass = Self { sandbox, directory };
        let key = "gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-generate-key t@example.com default default never";
        for script in [key, "pass init t@example.com"] {
            let done = sandbox.shell(script).run();
            assert_eq!(done.code, Some(0), "{done:?}");
        }
        let done = sandbox.program("pass", &["insert", "--multiline", name]).stdin(format!("{pat}\n")).run();
        assert_eq!(done.code, Some(0), "{done:?}");
        pass
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        // The agent that gpg left running; its directory goes afterwards.
        let _ = self.sandbox.program("gpgconf", &["--kill", "all"]).run();
        assert!(self.directory.path().exists());
    }
}

#[test]
fn pass_is_a_source() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let _pass = Pass::with(&sandbox, "label studio/pat", server.pat());
    let done = sandbox.ls_token(&["login", &server.url(), "--source", "cmd:pass show 'label studio/pat'"]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    sandbox.ls_token(&["--refresh"]).run().quiet().token();
    let done = sandbox.ls_token(&["logout", "--revoke"]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    done.says("the personal access token is revoked").says("stays where you keep it: cmd:pass");
    let kept = sandbox.home().join("pass/label studio/pat.gpg");
    assert!(kept.exists(), "it is still there");
}

/// Where 1Password has the token.
const ITEM: &str = "op://Development/Label Studio PAT/credential";

#[test]
fn f13_a_new_token_goes_into_1password_by_stdin_and_the_rest_of_the_item_stays() {
    need_from("jq", "jq");
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.one_password(ITEM, server.pat());
    sandbox.use_source(&server, ITEM, "");
    let done = sandbox.ls_token(&["rotate"]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    let vault = sandbox.root().join("vault/op___Development_Label_Studio_PAT_credential");
    let now = read(&vault);
    assert_ne!(now, server.pat());
    sandbox.ls_token(&["--refresh"]).run().quiet().token();
    assert_eq!(server.requests().last().unwrap().text(), format!("{{\"refresh\":\"{now}\"}}"));
    let calls = sandbox.lines("op.calls");
    for call in [
        "item get Label Studio PAT --vault=Development --format json",
        "item edit abcdefghijklmnopqrstuvwxyz --vault=Development --format json",
    ] {
        assert!(calls.contains(&call.to_owned()), "{calls:?}");
    }
}

#[test]
fn an_item_that_cannot_take_the_new_token_is_found_out_before_the_old_one_is_swapped() {
    need_from("jq", "jq");
    for (source, category, said) in [
        (ITEM, "LOGIN", "`op` would lose that item's passkeys"),
        ("op://Development/Other/credential", "PASSWORD", "isn't an item"),
        ("op://Development/Label Studio PAT/password", "PASSWORD", "no such field"),
        ("op://Development/Label Studio PAT/other/credential", "PASSWORD", "no such field"),
        ("op://Development/Label Studio PAT/notesPlain", "PASSWORD", "does not show the token in that field"),
        ("op://Development/Label Studio PAT/credential?attribute=x", "PASSWORD", "cannot be saved by this reference"),
        ("op://Development/-x/credential", "PASSWORD", "cannot be saved by this reference"),
        ("op://Development/credential", "PASSWORD", "the reference is not op://vault/item/field"),
    ] {
        let (sandbox, server) = (Sandbox::new(), Server::start().expect_anything());
        sandbox.one_password(ITEM, server.pat());
        sandbox.file("op.category", category, 0o600);
        sandbox.use_source(&server, source, "");
        let done = sandbox.ls_token(&["rotate"]).run();
        done.says(said).says(&format!("source: {source}"));
        assert_ne!(done.code, Some(0));
        assert_eq!(server.count("POST", "/api/token/rotate/"), 0, "{source}");
        assert!(sandbox.lines("op.calls").iter().all(|call| !call.starts_with("item edit")));
    }
}

#[test]
fn a_rotated_token_goes_back_to_the_keyring() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let _keyring = Keyring::start(&sandbox, Some("sesame"));
    assert_eq!(login(&sandbox, &server, server.pat(), &["--profile", "lab", "--store", "keyring"]).run().code, Some(0));
    let done = sandbox.ls_token(&["rotate"]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    let now = entry(&sandbox, &server, "lab").unwrap();
    assert_ne!(now, server.pat());
    sandbox.ls_token(&["--refresh"]).run().quiet().token();
    assert_eq!(server.requests().last().unwrap().text(), format!("{{\"refresh\":\"{now}\"}}"));
}
