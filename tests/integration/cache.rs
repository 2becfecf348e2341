//! The cache: private, checked when read, overwritten when it is not to be trusted, and never in the way of a token.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::record::Record;
use crate::sandbox::{Sandbox, need, read, ready};
use crate::server::{Gate, REFRESH, Reply, Server};

/// A sandbox whose environment names a server, and which has a token of it in its cache.
pub(crate) fn filled() -> (Sandbox, Server, String) {
    let (sandbox, server) = ready();
    let token = sandbox.ls_token(&[]).run().quiet().token();
    (sandbox, server, token)
}

/// Returns the mode of a file, without its kind.
pub(crate) fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

/// Asserts that the cache file as it is now is a miss, that it is overwritten with a new token, and that this is a hit.
pub(crate) fn assert_mended(sandbox: &Sandbox, server: &Server, name: &Path, what: &str) {
    let before = server.exchanges();
    let new = sandbox.ls_token(&[]).run();
    assert_eq!(new.stderr, "", "{what}");
    assert_eq!(server.exchanges(), before + 1, "{what} was no miss");
    let kind = fs::symlink_metadata(name).unwrap();
    assert!(
        kind.is_file() && kind.mode() & 0o7777 == 0o600 && kind.nlink() == 1,
        "{what} was not overwritten: {kind:?}"
    );
    assert_eq!(sandbox.ls_token(&[]).run().token(), new.token(), "{what}");
    assert_eq!(server.exchanges(), before + 1, "{what} was not overwritten");
}

#[test]
fn f26_a_hit_takes_no_lock_starts_nothing_and_touches_no_network() {
    need("strace");
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.one_password("op://Development/Label Studio PAT/credential", server.pat());
    sandbox.use_source(&server, "op://Development/Label Studio PAT/credential", "");
    let trace = sandbox.root().join("trace");
    let run = || {
        let done = sandbox.program("strace", &["-f", "-o"]).arg(&trace).arg(env!("CARGO_BIN_EXE_ls-token")).run();
        (done.token(), read(&trace))
    };
    let calls = ["socket(", "connect(", "flock(", "clone", "fork(", "execve("];
    let is_of = |line: &str, call: &str| {
        let words = line.split_once(' ').map_or("", |(_pid, words)| words);
        words.trim_start().starts_with(call)
    };
    let counts = |trace: &str| calls.map(|call| trace.lines().filter(|line| is_of(line, call)).count());
    let (token, miss) = run();
    assert!(
        counts(&miss).iter().take(4).all(|count| *count > 0),
        "the miss shows what to look for: {:?}",
        counts(&miss)
    );
    let (same, hit) = run();
    assert_eq!((token, counts(&hit)), (same, [0, 0, 0, 0, 0, 1]), "{hit}");
}

#[test]
fn f26_a_hit_needs_neither_theserver_nor_the_source() {
    let sandbox = Sandbox::new();
    let server = Server::start();
    sandbox.one_password("op://Development/Label Studio PAT/credential", server.pat());
    sandbox.use_source(&server, "op://Development/Label Studio PAT/credential", "");
    let token = sandbox.ls_token(&[]).run().token();
    fs::remove_file(sandbox.bin().join("op")).unwrap();
    drop(server);
    assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), token);
}

#[test]
fn f30_a_damaged_file_is_a_miss_and_is_overwritten() {
    let (sandbox, server, _) = filled();
    let name = sandbox.cache_file();
    let whole = fs::read(&name).unwrap();
    let mut damaged: Vec<(String, Vec<u8>)> = vec![
        ("an empty file".into(), Vec::new()),
        ("noise".into(), (0..2000).map(|_| fastrand::u8(..)).collect()),
        ("a file with more at its end".into(), [whole.as_slice(), b"x"].concat()),
        ("a file twice".into(), [whole.as_slice(), &whole].concat()),
        (
            "a file without its first line".into(),
            whole.split(|byte| *byte == b'\n').skip(1).collect::<Vec<_>>().join(&b'\n'),
        ),
    ];
    // The unit tests try each byte and each bit; here a sample goes all the way.
    for cut in (0..whole.len()).step_by(23) {
        damaged.push((format!("a file cut at {cut}"), whole[..cut].to_vec()));
    }
    for bit in (0..whole.len() * 8).step_by(101) {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if !bytes.eq_ignore_ascii_case(&whole) {
            damaged.push((format!("a file with bit {bit} flipped"), bytes));
        }
    }
    assert!(damaged.len() > 50, "{} damaged files", damaged.len());
    for (what, bytes) in damaged {
        fs::write(&name, bytes).unwrap();
        assert_mended(&sandbox, &server, &name, &what);
    }
}

#[test]
fn f30_records_that_are_whole_but_not_ours_are_misses() {
    let (sandbox, server, _) = filled();
    let name = sandbox.cache_file();
    let zeros = "0".repeat(64);
    for (what, line, value) in [
        ("a newer format", "format", "ls-token-cache 2"),
        ("another program's format", "format", "something 1"),
        ("a token of another server", "server", "https://evil.example"),
        ("a token of another personal access token", "stamp", &zeros),
        ("a life that is no number", "life", "long"),
        ("a negative life", "life", "-1"),
        ("a life beyond every number", "life", "99999999999999999999999"),
        ("a time that is no number", "obtained", "now now here"),
    ] {
        let mut record = Record::read(&name);
        if line == "format" {
            record.set_format(value);
        } else {
            record.set(line, value);
        }
        record.write();
        assert_mended(&sandbox, &server, &name, what);
    }
}

#[test]
fn f30_a_file_of_a_gigabyte_is_a_miss() {
    let (sandbox, server, _) = filled();
    let name = sandbox.cache_file();
    File::options().write(true).open(&name).unwrap().set_len(1 << 30).unwrap();
    assert_mended(&sandbox, &server, &name, "a gigabyte");
}

#[test]
fn f30_a_directory_in_its_place_goes_when_it_is_empty_and_is_left_alone_otherwise() {
    let (sandbox, server, _) = filled();
    let name = sandbox.cache_file();
    fs::remove_file(&name).unwrap();
    fs::create_dir(&name).unwrap();
    assert_mended(&sandbox, &server, &name, "an empty directory");
    fs::remove_file(&name).unwrap();
    fs::create_dir(&name).unwrap();
    fs::write(name.join("a file of someone's"), "x").unwrap();
    let done = sandbox.ls_token(&[]).run();
    assert_eq!(done.says("warning: the token is not cached").token(), server.issued()[2]);
    assert_eq!(read(&name.join("a file of someone's")), "x");
}

#[test]
fn f31_a_cache_that_cannot_be_written_costs_a_warning_and_no_token() {
    let (sandbox, server) = ready();
    let file = sandbox.file("a file", "", 0o600);
    for place in [file.join("below"), file.clone(), "/proc/self/no such directory".into(), "/dev/null".into()] {
        let done = sandbox.ls_token(&[]).env("LS_TOKEN_CACHE_DIR", &place).run();
        assert_eq!(done.token(), *server.issued().last().unwrap(), "{place:?}");
        assert_eq!(done.stderr.lines().count(), 1, "{place:?}: {}", done.stderr);
        done.says("ls-token: warning: the token is not cached").says(&place.to_string_lossy());
    }
    assert_eq!(server.exchanges(), 4);
}

#[test]
fn the_cache_is_in_memory_where_the_user_has_a_directory_there() {
    let (sandbox, server) = ready();
    let (runtime, named) = (sandbox.root().join("run"), sandbox.root().join("named"));
    fs::create_dir(&runtime).unwrap();
    sandbox.ls_token(&[]).env("XDG_RUNTIME_DIR", &runtime).run().quiet().token();
    assert_eq!(mode(&runtime.join("ls-token")), 0o700);
    assert!(!sandbox.cache().exists());
    let elsewhere = sandbox.ls_token(&[]).env("XDG_RUNTIME_DIR", &runtime).env("LS_TOKEN_CACHE_DIR", &named);
    elsewhere.run().quiet().token();
    assert_eq!(fs::read_dir(&named).unwrap().count(), 2);
    assert_eq!(server.exchanges(), 2);
}

#[test]
fn f33_what_killed_processes_left_is_swept_after_ten_minutes() {
    let (sandbox, _server) = ready();
    sandbox.ls_token(&[]).run().token();
    let aged = |name: &str, minutes: u64| {
        let path = sandbox.cache().join(name);
        let file = File::create(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(60 * minutes)).unwrap();
        path
    };
    let (old, young, other) = (aged(".ls-token-new-old", 11), aged(".ls-token-new-young", 9), aged("notes", 11));
    sandbox.ls_token(&["--refresh"]).run().quiet().token();
    assert_eq!((old.exists(), young.exists(), other.exists()), (false, true, true));
}

#[test]
fn f34_a_changed_variable_is_not_served_the_others_token() {
    let (sandbox, server, first) = filled();
    let second_pat = server.new_pat();
    let second = sandbox.ls_token(&[]).env("LABEL_STUDIO_API_KEY", &second_pat).run().token();
    assert_ne!(first, second);
    assert_eq!(server.requests()[1].text(), format!("{{\"refresh\":\"{second_pat}\"}}"));
    assert_ne!(sandbox.ls_token(&[]).run().token(), second);
    let gone = sandbox.ls_token(&[]).env("LABEL_STUDIO_API_KEY", "").run();
    gone.fails(78);
    assert_eq!(server.exchanges(), 3);
}

#[test]
fn f34_a_changed_file_is_not_served_the_others_token() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let file = sandbox.use_file(&server, "");
    let first = sandbox.ls_token(&[]).run().token();
    assert_eq!(sandbox.ls_token(&[]).run().token(), first);
    // Of the same length, and with the old time put back.
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    sandbox.pat_file(&server.new_pat());
    File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
    let second = sandbox.ls_token(&[]).run().token();
    assert_ne!(first, second);
    assert_eq!(sandbox.ls_token(&[]).run().token(), second);
    fs::remove_file(&file).unwrap();
    sandbox.ls_token(&[]).run().fails(77).says("cannot read the personal access token");
    assert_eq!(server.exchanges(), 2);
}

#[test]
fn a_cache_that_is_removed_during_an_exchange_is_made_anew() {
    let (sandbox, server, _) = filled();
    let gate = Gate::default();
    server.script(REFRESH, [Reply::Usual.when(&gate)]);
    let running = sandbox.ls_token(&["--refresh"]).start();
    server.wait_for_exchanges(2);
    fs::remove_dir_all(sandbox.cache()).unwrap();
    gate.open();
    let token = running.wait().quiet().token();
    assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), token);
    assert_eq!(server.exchanges(), 2);
}

#[test]
fn a_home_whose_name_is_not_utf_8_has_a_cache() {
    let (sandbox, _server) = ready();
    let home = sandbox.root().join(OsStr::from_bytes(b"home \xff\xfe of someone"));
    fs::create_dir(&home).unwrap();
    sandbox.set("HOME", &home);
    let token = sandbox.ls_token(&[]).run().quiet().token();
    assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), token);
    assert!(home.join(".cache/ls-token").is_dir());
}

#[test]
fn without_a_home_there_is_a_token_and_a_warning_at_most() {
    let (sandbox, server) = ready();
    sandbox.set("HOME", sandbox.root().join("no such home"));
    sandbox.ls_token(&[]).run().quiet().token();
    sandbox.set("HOME", "/proc/no such home");
    let done = sandbox.ls_token(&[]).run();
    done.token();
    // Whom the system lets make no directory there is given another one; root is let, and then none can be made.
    assert!(done.stderr.lines().all(|line| line.starts_with("ls-token: warning: the token is not cached")), "{done:?}");
    assert_eq!(server.exchanges(), 2);
}
