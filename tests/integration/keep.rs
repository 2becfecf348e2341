//! `keep`: the personal access token that a program gave stays in the kernel's keyring for a while: there and nowhere else,
//! for this user in this session and nobody else, and no longer than was said. These tests use the kernel's own keyrings.

use std::cell::Cell;
use std::time::Duration;

use rustix::process::{Signal, geteuid};
use serde_json::{Value, json};

use crate::record::age;
use crate::sandbox::{Call, Done, LS_TOKEN, Running, Sandbox, need, need_from, read, wait_until};
use crate::server::{REFRESH, Reply, Server};

/// Where 1Password has the token.
const ITEM: &str = "op://Development/Label Studio PAT/credential";

/// What keyctl(1) says before it runs a program in a session.
const JOINED: &str = "Joined session keyring: ";

/// A session with a keyring of its own, which lasts until this is dropped.
struct Session<'a> {
    sandbox: &'a Sandbox,
    name: String,
    /// A process of the session, so that it goes on between two calls.
    _holder: Running,
}

impl<'a> Session<'a> {
    /// Begins one; `None`, after a look at what happens then, where the kernel has no keyrings for these tests.
    fn begin(sandbox: &'a Sandbox, number: u32) -> Option<Self> {
        need_from("keyctl", "keyutils");
        if sandbox.program("keyctl", &["show", "@us"]).run().code != Some(0) {
            assert_not_kept(sandbox, &sandbox.ls_token(&["-v", "--refresh"]).run(), "as in most containers");
            return None;
        }
        let name = format!("{} {number}", sandbox.root().file_name().unwrap().display());
        // Only a keyring that may be searched for by its owner is joined by its name.
        let hold = "keyctl setperm @s 0x3f3f0000 && echo held >&2 && exec sleep 600";
        let holder = sandbox.program("keyctl", &["session", &name, "sh", "-c", hold]).start();
        wait_until("the session begins", || holder.stderr_so_far().ends_with("held\n"));
        Some(Self { sandbox, name, _holder: holder })
    }

    /// Prepares a run of a program in the session.
    fn program(&self, program: &str, arguments: &[&str]) -> Call<'a> {
        let all = [&["session", &self.name, program], arguments].concat();
        self.sandbox.program("keyctl", &all)
    }

    /// Runs ls-token in the session.
    fn run(&self, arguments: &[&str]) -> Done {
        without_keyctls_word(self.program(LS_TOKEN, arguments).run())
    }

    /// Gets a token by an exchange, and returns what `-v` said.
    #[track_caller]
    fn refresh(&self) -> String {
        let done = self.run(&["-v", "--refresh"]);
        done.token();
        done.stderr
    }

    /// Lists the lines of `/proc/keys` that are of this program's keys in the session's keyring.
    fn keys(&self) -> Vec<String> {
        let seen = self.program("sh", &["-c", "keyctl rlist @s; cat /proc/keys"]).run().stdout;
        let (own, all) = seen.split_once('\n').unwrap();
        let own: Vec<&str> = own.split(' ').collect();
        let is_there = |line: &&str| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            own.contains(&number(line).as_str()) && !columns[1].contains(['i', 'R']) && columns[3] != "expd"
        };
        all.lines().filter(|line| line.contains(" ls-token:")).filter(is_there).map(str::to_owned).collect()
    }

    /// Returns the number of the only key.
    #[track_caller]
    fn key(&self) -> String {
        let keys = self.keys();
        assert_eq!(keys.len(), 1, "one key: {keys:?}");
        number(&keys[0])
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.run(&["status", "--json"]).stdout).unwrap()
    }
}

/// Returns the number of the key of a line of `/proc/keys`, as keyctl(1) takes it.
fn number(line: &str) -> String {
    u32::from_str_radix(line.split(' ').next().unwrap(), 16).unwrap().to_string()
}

fn without_keyctls_word(mut done: Done) -> Done {
    let (word, rest) = done.stderr.split_once('\n').expect("keyctl's word");
    assert!(word.starts_with(JOINED), "{word}");
    done.stderr = rest.to_owned();
    done
}

/// Asserts that a run printed a token and said why it did not keep the other.
#[track_caller]
fn assert_not_kept(sandbox: &Sandbox, done: &Done, why: &str) {
    done.token();
    done.says("source: reading ").says("keep: the personal access token does not stay in memory: ").says(why);
    assert!(!sandbox.lines("op.calls").is_empty());
}

/// A sandbox whose profile `test` has its token in 1Password.
fn with_1password(more: &str) -> (Sandbox, Server) {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.one_password(ITEM, server.pat());
    sandbox.use_source(&server, ITEM, more);
    (sandbox, server)
}

/// Puts another token into 1Password.
fn replace(sandbox: &Sandbox, pat: &str) {
    sandbox.one_password(ITEM, pat);
}

/// Returns how often 1Password was asked.
fn asked(sandbox: &Sandbox) -> usize {
    sandbox.lines("op.calls").len()
}

#[test]
fn over_an_hour_1password_is_asked_once_and_not_thirteen_times() {
    for (keep, times) in [("keep = 3600", 1), ("", 13)] {
        let (sandbox, server) = with_1password(keep);
        let Some(session) = Session::begin(&sandbox, 0) else { return };
        // A request every five minutes, the first at once and the last after an hour.
        for request in 0..13 {
            if request > 0 {
                age(&sandbox.cache_file(), Duration::from_secs(300));
            }
            session.run(&[]).quiet().token();
        }
        assert_eq!((asked(&sandbox), server.exchanges()), (times, 13), "{keep:?}");
    }
}

#[test]
fn f29_neither_another_session_nor_another_user_in_this_one_can_read_it() {
    let (sandbox, server) = with_1password("keep = 3600");
    let Some(session) = Session::begin(&sandbox, 0) else { return };
    session.refresh();
    let (id, line) = (session.key(), session.keys().remove(0));
    // Compared where it is: what is printed is searched for it.
    let script = r#"[ "$(keyctl print "$1")" = "$2" ] && echo same"#;
    let compared = |call: Call| call.arg(script).arg("sh").arg(&id).arg(server.pat()).run().stdout;
    assert_eq!(compared(session.program("sh", &["-c"])), "same\n", "only the token is in it");
    let other = Session::begin(&sandbox, 1).unwrap();
    assert_eq!((compared(other.program("sh", &["-c"])).as_str(), other.keys().len()), ("", 0));
    for change in [["link", &id, "@s"], ["setperm", &id, "0x3f3f0000"], ["timeout", &id, "0"]] {
        let done = other.program("keyctl", &change).run();
        done.says("Permission denied");
        assert_eq!(done.code, Some(1), "{change:?}");
    }
    assert!(other.refresh().contains("source: reading"), "it has to ask for itself");
    if geteuid().is_root() {
        need("setpriv");
        let become_user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let nobody = |words: &[&str]| session.program("setpriv", &[&become_user, words].concat());
        assert_eq!(compared(nobody(&["sh", "-c"])), "");
        nobody(&["keyctl", "print", &id]).run().says("Permission denied");
        assert!(!nobody(&["cat", "/proc/keys"]).run().stdout.contains(" ls-token:"));
    }
    // Whoever lists the keys learns nothing of where the token is from, and it has an end.
    let columns: Vec<&str> = line.split_whitespace().collect();
    assert!(columns[3] != "perm" && columns[4] == "33080000", "{line}");
    let hidden = ["Label", "credential", "127.0.0.1", "localhost", "test", ITEM];
    assert!(hidden.iter().all(|text| !line.contains(text)), "{line}");
}

#[test]
fn f34_what_is_kept_is_of_one_profile_server_and_source() {
    let (sandbox, server) = with_1password("keep = 3600");
    let Some(session) = Session::begin(&sandbox, 0) else { return };
    session.refresh();
    assert!(session.refresh().contains("keep: using"));
    let other = Server::start();
    let command = sandbox.command("give", r#"echo "$*" >>"$here/op.calls"; cat "$here/pat""#);
    let profile = |name: &str, server: &Server, pat: &str, keep: &str| {
        sandbox.settings(&format!("[profiles.{name}]\nurl = \"{}\"\npat = {pat:?}\n{keep}\n", server.url()));
    };
    let give = |words: &str| format!("cmd:{} {words}", shell_words::quote(&command.display().to_string()));
    sandbox.file("pat", server.pat(), 0o600);
    let changes: [(&str, &Server, String, &str); 6] = [
        ("other", &server, ITEM.to_owned(), "keep = 3600"),
        ("test", &server, format!("{ITEM}?attribute=other"), "keep = 3600"),
        ("test", &server, give("a b"), "keep = 3600"),
        ("test", &server, give("'a b'"), "keep = 3600"),
        ("test", &server, ITEM.to_owned(), "keep = 3601"),
        ("test", &other, ITEM.to_owned(), "keep = 3600"),
    ];
    for (name, server, pat, keep) in &changes {
        profile(name, server, pat, keep);
        let before = asked(&sandbox);
        if std::ptr::eq(*server, &raw const other) {
            replace(&sandbox, other.pat());
        }
        sandbox.one_password(pat.strip_prefix("cmd:").map_or(pat, |_| ITEM), server.pat());
        session.refresh();
        assert_eq!(asked(&sandbox), before + 1, "asked anew by {name} {pat} {keep}");
        session.refresh();
        assert_eq!(asked(&sandbox), before + 1, "and kept then: {name} {pat} {keep}");
    }
    // What other settings of the same profile and server had kept is gone since, and not only not looked at.
    assert_eq!(session.keys().len(), 3, "of `other`, of `test`, and of `test` at the other server");
    profile("test", &other, ITEM, "");
    session.refresh();
    assert_eq!((session.keys().len(), session.status()["kept_until"].clone()), (2, json!(null)), "not without `keep`");
}

#[test]
fn f34_a_kept_token_that_is_rejected_is_forgotten_and_the_source_is_asked_in_the_same_call() {
    let refusals: [(&str, Option<Reply>); 3] = [
        ("revoked", None),
        ("refused by the server", Some(Reply::error(403, "You do not have permission"))),
        ("refused by a door in front", Some(Reply::body(403, "text/html", "<html>no</html>"))),
    ];
    for (how, reply) in refusals {
        let (sandbox, server) = with_1password("keep = 3600");
        let Some(session) = Session::begin(&sandbox, 0) else { return };
        session.refresh();
        let old = session.key();
        match reply {
            None => server.revoke(server.pat()),
            Some(reply) => server.script(REFRESH, [reply]),
        }
        let new = server.new_pat();
        replace(&sandbox, &new);
        assert!(session.refresh().contains("keep: it was rejected, so the source is asked"), "{how}");
        assert_eq!((asked(&sandbox), server.exchanges()), (2, 3), "{how}");
        assert!(session.refresh().contains("keep: using"), "{how}: the new one is kept");
        assert!(session.key() != old && asked(&sandbox) == 2, "{how}");
        // Where the source has none either, the old one is gone all the same.
        server.revoke(&new);
        session.run(&["--refresh"]).fails(77).says("hint: ");
        assert!(session.keys().is_empty() && asked(&sandbox) == 3, "{how}");
    }
}

#[test]
fn f34_a_token_that_another_session_got_since_counts_here_too() {
    let (sandbox, server) = with_1password("keep = 3600");
    let Some(session) = Session::begin(&sandbox, 0) else { return };
    let other = Session::begin(&sandbox, 1).unwrap();
    session.refresh();
    let new = server.new_pat();
    replace(&sandbox, &new);
    other.refresh();
    assert!(!session.refresh().contains("keep: using"), "the old one, which is still good");
    assert!(server.requests().last().unwrap().text().contains(&new));
    assert!(session.refresh().contains("keep: using") && other.refresh().contains("keep: using"));
    assert_eq!(asked(&sandbox), 3);
}

#[test]
fn f48_logout_login_and_rotate_forget_it() {
    let (sandbox, server) = with_1password("keep = 3600");
    let Some(session) = Session::begin(&sandbox, 0) else { return };
    let succeeds = |arguments: &[&str], ends: bool| {
        session.refresh();
        assert!(session.keys().len() == 1 && session.status()["kept_until"].is_string());
        let done = session.run(arguments);
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(session.keys().is_empty() && ends != sandbox.root().join("home of someone/.config").exists());
    };
    succeeds(&["rotate"], false);
    assert_ne!(server.good_pats(), [server.pat()], "rotated, by what 1Password gave anew");
    succeeds(&["login", &server.url(), "--profile", "test", "--source", ITEM], false);
    session.refresh();
    let done = session.run(&["logout"]);
    assert!(done.code == Some(0) && session.keys().is_empty(), "{done:?}");
    // A token that no program gives is not kept: the line has to go first.
    sandbox.use_source(&server, ITEM, "keep = 3600");
    let done = session.program(LS_TOKEN, &["login", "--with-token", "--profile", "test"]).stdin(&server.good_pats()[0]);
    done.run().fails(78).says("keep is for a pat that a program gives").says(", line 4").says("nothing was saved");
    // With `keep` gone from the settings, what it kept goes like any other.
    sandbox.use_source(&server, ITEM, "keep = 3600");
    session.refresh();
    sandbox.use_source(&server, ITEM, "");
    assert_eq!(session.keys().len(), 1);
    let done = session.run(&["logout"]);
    assert!(done.code == Some(0) && session.keys().is_empty(), "{done:?}");
}

#[test]
fn status_shows_until_when_and_reads_no_secret_for_that() {
    let (sandbox, server) = with_1password("keep = 3600");
    let Some(session) = Session::begin(&sandbox, 0) else { return };
    let row = || {
        let text = session.run(&["status"]).stdout;
        let row = text.lines().find_map(|line| line.strip_prefix("kept in memory"));
        row.unwrap_or_else(|| panic!("no row in {text}")).trim().to_owned()
    };
    assert_eq!((row().as_str(), &session.status()["kept_until"]), ("no", &json!(null)));
    let said = session.refresh();
    let until = session.status()["kept_until"].as_str().unwrap().to_owned();
    assert_eq!(row(), format!("until {until}"));
    assert!(said.contains("keep: the personal access token stays in memory for 3600 s"), "{said}");
    assert!(
        session.refresh().contains(&format!("keep: using the personal access token that is in memory until {until}"))
    );
    need("strace");
    let trace = sandbox.root().join("trace");
    let strace = session.program("strace", &["-e", "trace=keyctl,add_key,request_key", "-o"]).arg(&trace);
    assert_eq!(strace.arg(LS_TOKEN).arg("status").run().code, Some(0));
    assert!(!read(&trace).contains("key"), "{}", read(&trace));
    // Whoever asks for nothing sees no such row.
    sandbox.use_source(&server, ITEM, "");
    assert!(!session.run(&["status"]).stdout.contains("kept in memory"));
}

#[test]
fn what_is_kept_ends_by_itself() {
    let (sandbox, _server) = with_1password("keep = 60");
    let Some(session) = Session::begin(&sandbox, 0) else { return };
    session.refresh();
    assert_eq!(session.program("keyctl", &["timeout", &session.key(), "1"]).run().code, Some(0));
    wait_until("it ends", || session.keys().is_empty());
    assert_eq!(session.status()["kept_until"], json!(null));
    assert!(!session.refresh().contains("keep: using"));
    assert_eq!(asked(&sandbox), 2);
}

#[test]
fn f27_killed_at_any_step_it_leaves_nothing_without_an_end() {
    need("strace");
    let (sandbox, _server) = with_1password("keep = 3600");
    let Some(session) = Session::begin(&sandbox, 0) else { return };
    let mut steps = 0;
    for (call, most) in [("add_key", 9), ("keyctl", 30)] {
        for step in 1..=most {
            let inject = format!("inject={call}:signal=KILL:when={step}");
            let strace = session.program("strace", &["-o", "/dev/null", "-e", &inject, LS_TOKEN, "--refresh"]).run();
            for line in session.keys() {
                let columns: Vec<&str> = line.split_whitespace().collect();
                assert!(columns[3] != "perm" && columns[4] == "33080000", "killed at {call} {step}: {line}");
            }
            if strace.code == Some(0) {
                break;
            }
            assert_eq!(strace.signal, Some(Signal::KILL.as_raw()), "{strace:?}");
            steps += 1;
            session.run(&[]).token();
            session.program("keyctl", &["clear", "@s"]).run();
        }
    }
    assert!(steps >= 6, "only {steps} steps: the test lost its subject");
}

#[test]
fn where_the_kernel_refuses_the_source_is_asked_and_v_says_why() {
    need("strace");
    let (sandbox, _server) = with_1password("keep = 3600");
    let Some(session) = Session::begin(&sandbox, 0) else { return };
    let closed = "the kernel's keyrings cannot be used here, as in most containers";
    for (fault, why) in [
        ("add_key:error=EDQUOT", "your quota of keys is used up (/proc/key-users)"),
        ("add_key:error=EPERM", closed),
        ("add_key,keyctl:error=ENOSYS", closed),
        ("keyctl:error=EPERM", closed),
        ("keyctl:error=EACCES:when=2+", closed),
        ("add_key:error=ENOMEM", "the kernel does not take it"),
        ("keyctl:error=EIO:when=4+", "the kernel does not take it"),
    ] {
        let inject = format!("inject={fault}");
        let strace = ["-o", "/dev/null", "-e", &inject, LS_TOKEN];
        let refresh = session.program("strace", &[&strace[..], &["-v", "--refresh"]].concat()).run();
        assert_not_kept(&sandbox, &refresh, why);
        assert!(session.keys().is_empty(), "{fault}");
        let quiet = session.program("strace", &[&strace[..], &["--refresh"]].concat()).run();
        without_keyctls_word(quiet).quiet().token();
        let doctor = session.program("strace", &[&strace[..], &["doctor"]].concat()).run().stdout;
        assert!(doctor.contains(&format!("warn     keep         {why}, so {ITEM} is asked for every")), "{doctor}");
    }
    let doctor = session.run(&["doctor"]).stdout;
    assert!(
        doctor.contains("ok       keep         the personal access token stays in this session's keyring for 3600 s")
    );
    assert!(session.keys().is_empty(), "no trial is left");
    // What cannot be read or removed is as good as nothing.
    session.refresh();
    for fault in ["ENOKEY", "EKEYEXPIRED", "EKEYREVOKED", "EACCES"] {
        let inject = format!("inject=keyctl:error={fault}");
        let arguments = ["-o", "/dev/null", "-e", &inject, LS_TOKEN, "--refresh"];
        without_keyctls_word(session.program("strace", &arguments).run()).quiet().token();
    }
}

#[test]
fn a_session_without_a_keyring_of_its_own_or_with_a_revoked_one_asks_the_source() {
    let (sandbox, _server) = with_1password("keep = 3600");
    let Some(session) = Session::begin(&sandbox, 0) else { return };
    // What the kernel gives to a session that has none.
    let shared = format!("_uid_ses.{}", geteuid().as_raw());
    let in_shared = || sandbox.program("keyctl", &["session", &shared, "keyctl", "show"]).run().stdout;
    let before = in_shared();
    for _ in 0..2 {
        let done = sandbox.program("keyctl", &["session", &shared, LS_TOKEN, "-v", "--refresh"]).run();
        assert_not_kept(&sandbox, &done, "this session has no keyring of its own");
    }
    let script = "keyctl revoke @s; exec \"$LS_TOKEN\" -v --refresh";
    let done = sandbox.program("keyctl", &["session", "-", "sh", "-c", script]).run();
    assert_not_kept(&sandbox, &done, "the keyring of this session was revoked when its login ended");
    assert_eq!((asked(&sandbox), session.keys().len()), (3, 0));
    assert!(before.contains("_uid_ses.") && in_shared() == before, "{before}");
}

#[test]
fn exec_uses_it_and_no_cache_leaves_it_alone() {
    let (sandbox, server) = with_1password("keep = 3600");
    let Some(session) = Session::begin(&sandbox, 0) else { return };
    session.run(&["--no-cache"]).quiet().token();
    assert!(session.keys().is_empty(), "it was not to be kept");
    // The program gets no keyring with the token in it: of its process it has none yet.
    let script = r#"[ "$LABEL_STUDIO_API_KEY" = "$1" ] && keyctl describe @p"#;
    for _ in 0..3 {
        let done = session.run(&["exec", "sh", "-c", script, "sh", server.pat()]);
        assert_eq!(done.says("Required key not available").code, Some(1), "{done:?}");
    }
    assert_eq!((asked(&sandbox), server.exchanges()), (2, 1));
    session.refresh();
    assert_eq!(asked(&sandbox), 2, "what exec kept is for others, too");
    session.run(&["--no-cache", "exec", "true"]);
    session.run(&["--no-cache"]).quiet().token();
    assert_eq!((asked(&sandbox), session.keys().len()), (4, 1));
}

#[test]
fn a_command_and_the_systems_keyring_are_asked_less_often_too() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.file("pat", format!("{}\n", server.pat()), 0o600);
    sandbox.command("give", r#"echo once >>"$here/op.calls"; cat "$here/pat""#);
    sandbox.command("secret-tool", r#"echo once >>"$here/op.calls"; cat "$here/pat""#);
    sandbox.use_source(&server, "cmd:give", "keep = 86400");
    let Some(session) = Session::begin(&sandbox, 0) else { return };
    let before = Cell::new(0);
    for pat in ["cmd:give", "keyring"] {
        sandbox.use_source(&server, pat, "keep = 86400");
        for _ in 0..3 {
            session.refresh();
        }
        assert_eq!(asked(&sandbox) - before.replace(asked(&sandbox)), 1, "{pat}");
    }
}
