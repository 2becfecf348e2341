//! What a process may not have: threads, processes, files of a size, a core file.

use std::fs;
use std::os::unix::fs::chown;
use std::process::id;

use rustix::process::geteuid;

use crate::sandbox::{Call, Done, Sandbox, need, read, ready};
use crate::server::{Server, jwt};

/// Prepares a run of ls-token that may have no further thread or process. The limit does not count for root, and is one
/// for all processes of a user: here root becomes one who has none.
fn alone<'a>(sandbox: &'a Sandbox, arguments: &[&str]) -> Call<'a> {
    need("prlimit");
    need("setpriv");
    let mut become_another = String::new();
    if geteuid().is_root() {
        let user = 20_000 + id() % 40_000;
        for directory in [sandbox.root().to_owned(), sandbox.home(), sandbox.bin(), sandbox.work()] {
            chown(directory, Some(user), Some(user)).unwrap();
        }
        become_another = format!("setpriv --reuid={user} --regid={user} --clear-groups");
    }
    // By its descriptor, as others may not look into the directories that the program is in.
    let script = format!(r#"exec 9<"$LS_TOKEN"; exec prlimit --nproc=1 {become_another} /proc/self/fd/9 "$@""#);
    arguments.iter().fold(sandbox.program("/bin/sh", &["-c", &script, "-"]), Call::arg)
}

#[test]
fn f63_where_no_thread_can_be_had_that_is_said() {
    let sandbox = Sandbox::new();
    sandbox.set("LABEL_STUDIO_URL", "https://label.invalid");
    sandbox.set("LABEL_STUDIO_API_KEY", jwt(&serde_json::json!({"token_type": "refresh"})));
    for arguments in [&[][..], &["--no-cache"], &["curl", "/api/x"], &["verify"], &["doctor"], &["logout", "--revoke"]]
    {
        let done = alone(&sandbox, arguments).run();
        assert_eq!(done.code, Some(74), "{arguments:?}: {done:?}");
        let all = format!("{}{}", done.stdout, done.stderr);
        assert!(all.contains("no thread for the lookup: Resource temporarily unavailable"), "{arguments:?}: {all}");
        assert!(all.contains("ulimit -u") && !all.contains("panicked"), "{all}");
    }
}

#[test]
fn f63_an_address_needs_no_thread() {
    let (sandbox, server) = ready();
    alone(&sandbox, &["--no-cache"]).run().quiet().token();
    let by_name = format!("http://localhost:{}", server.port());
    alone(&sandbox, &["--no-cache"]).env("LABEL_STUDIO_URL", by_name).run().quiet().token();
}

#[test]
fn f63_where_no_process_can_be_had_that_is_said() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.command("give", "exit 1");
    sandbox.use_source(&server, "cmd:give", "");
    let settings = read(&sandbox.home().join(".config/ls-token/config.toml"));
    // Whoever it is, the settings are root's or one's own.
    sandbox.set("LS_TOKEN_CONFIG", sandbox.file("settings.toml", settings, 0o644));
    let done = alone(&sandbox, &["--no-cache"]).run();
    done.fails(74).says("cannot run `give`: Resource temporarily unavailable").says("ulimit -u");
}

/// Runs ls-token with a limit on the bytes of the files that it writes; its output goes through pipes. Its status is in
/// the file `status`.
fn with_small_files(sandbox: &Sandbox, bytes: u32, arguments: &[&str], stdin: &str) -> Done {
    need("prlimit");
    let limited = format!(r#"prlimit --fsize={bytes} "$LS_TOKEN" "$@""#);
    let script = format!("{{ {{ {limited}; echo $? >../status; }} 2>&1 >&4 | cat >&2; }} 4>&1 | cat");
    let call = sandbox.program("/bin/sh", &["-c", &script, "-"]).stdin(stdin);
    arguments.iter().fold(call, Call::arg).run()
}

#[test]
fn f63_a_limit_on_files_costs_a_warning_and_not_the_token() {
    for bytes in [0, 1, 100, 300] {
        let (sandbox, server) = ready();
        for call in 1..=2 {
            let done = with_small_files(&sandbox, bytes, &[], "");
            assert_eq!(done.token(), server.issued()[call - 1]);
            done.says("ls-token: warning: the token is not cached: cannot write the cache: File too large");
            assert_eq!((sandbox.lines("status"), done.stderr.lines().count()), (vec!["0".into()], 1), "{done:?}");
        }
        assert_eq!(sandbox.cache_files().len(), 0);
        let token = sandbox.ls_token(&[]).run().quiet().token();
        let done = with_small_files(&sandbox, bytes, &[], "");
        assert_eq!(done.quiet().token(), token);
    }
}

#[test]
fn f63_a_limit_on_files_is_found_out_before_anything_is_asked() {
    for bytes in [0, 1, 512, 60_000] {
        let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
        let url = server.url();
        let file = sandbox.use_file(&server, "");
        let settings = sandbox.home().join(".config/ls-token/config.toml");
        let before = (read(&settings), read(&file));
        for arguments in [
            &["login", &url, "--with-token"][..],
            &["login", &url, "--source", "file:~/label studio.pat"],
            &["rotate"],
            &["rotate", "--output", "new"],
        ] {
            let done = with_small_files(&sandbox, bytes, arguments, server.pat());
            done.says(&format!("may only write files of up to {bytes} bytes, so nothing is written"));
            done.says("hint: raise that limit: ulimit -f unlimited");
            assert_eq!((sandbox.lines("status"), done.stdout.as_str()), (vec!["74".into()], ""));
        }
        assert_eq!((read(&settings), read(&file)), before);
    }
}

#[test]
fn f55_curl_has_the_limit_that_counts_where_cores_are_piped_to_a_program() {
    let (sandbox, _server) = ready();
    sandbox.command("curl", r#"cat /proc/$$/limits >"$here/limits""#);
    for arguments in [&["curl", "/api/x"][..], &["curl", "--version"]] {
        sandbox.ls_token(arguments).run().quiet();
        let limits = sandbox.lines("limits");
        let row = limits.iter().find(|line| line.starts_with("Max core file size")).unwrap();
        let (soft, hard) = (row.split_whitespace().nth(4).unwrap(), row.split_whitespace().nth(5).unwrap());
        // Nobody may have more than the hard limit, whoever set that.
        assert_eq!(soft, if hard == "0" { "0" } else { "1" }, "{row}");
        fs::remove_file(sandbox.root().join("limits")).unwrap();
    }
}
