//! stdout is one whole token or nothing, the status says which, and nothing else leaks.

use std::fs;

use rustix::process::Signal;

use crate::sandbox::{LS_TOKEN, Sandbox, need, read, ready};
use crate::server::{REFRESH, Reply, Server};

#[test]
fn f11_a_closed_stdout_is_status_74_with_and_without_a_cached_token() {
    let (sandbox, _server) = ready();
    sandbox.shell(r#"exec "$LS_TOKEN" >&-"#).run().fails(74).says("standard output").does_not_say("panicked");
    sandbox.ls_token(&[]).run().token();
    for format in ["token", "header", "curl", "json"] {
        let done = sandbox.shell(r#"exec "$LS_TOKEN" --format "$1" >&-"#).arg("sh").arg(format).run();
        done.fails(74).says("standard output").does_not_say("panicked");
    }
}

#[test]
fn f11_a_closed_stdout_is_found_out_before_anything_is_asked() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.use_file(&server, "");
    sandbox.shell("\"$LS_TOKEN\" --refresh >&-").run().fails(74).says("standard output is closed");
}

#[test]
fn f11_a_closed_stdout_lets_no_file_take_the_token() {
    let (sandbox, _server) = ready();
    for closed in [">&-", "<&- >&-", "<&- >&- 2>&-", "2>&-", "<&-", "<&- 2>&-"] {
        let done = sandbox.shell(&format!("\"$LS_TOKEN\" --refresh {closed}")).run();
        assert_eq!(
            done.code,
            Some(if closed.contains(">&- ") || closed.ends_with(" >&-") || closed == ">&-" { 74 } else { 0 }),
            "{closed}"
        );
    }
    let token = sandbox.ls_token(&[]).run().token();
    for file in [sandbox.lock_file(), sandbox.cache_file()] {
        let text = read(&file);
        assert!(text.starts_with("ls-token-"), "{} holds {}", file.display(), text.replace(&token, "[token]"));
    }
}

#[test]
fn f11_a_full_stdout_is_status_74() {
    let (sandbox, _server) = ready();
    for _ in 0..2 {
        let done = sandbox.shell(r#"exec "$LS_TOKEN" >/dev/full"#).run();
        done.fails(74).says("cannot write to standard output").does_not_say("panicked");
    }
}

#[test]
fn f11_a_broken_pipe_is_a_quiet_end_by_sigpipe() {
    let (sandbox, _server) = ready();
    // The reader is gone before the token is there: at the end of `sleep`, nobody has the pipe's other end any more. The
    // same where SIGPIPE is ignored, as in children of Python's.
    for trap in ["", "trap '' PIPE; "] {
        let script = format!(
            r#"{trap}mkfifo ../gone; {{ echo >../gone; "$LS_TOKEN" --refresh; echo "status $?" >&2; }} | {{ exec <&-; read -r _ <../gone; }}"#
        );
        let done = sandbox.shell(&script).run();
        assert_eq!(done.stderr, "status 141\n");
        fs::remove_file(sandbox.root().join("gone")).unwrap();
    }
}

#[test]
fn f11_a_stderr_that_is_closed_or_full_changes_no_status() {
    let (sandbox, server) = ready();
    for broken in ["2>&-", "2>/dev/full"] {
        let done = sandbox.shell(&format!("exec \"$LS_TOKEN\" -v --refresh {broken}")).run();
        assert_eq!(done.token(), *server.issued().last().unwrap());
        let failing = sandbox.shell(&format!("exec \"$LS_TOKEN\" -v --profile none {broken}")).run();
        assert_eq!((failing.code, failing.stdout.as_str()), (Some(78), ""), "{broken}");
    }
}

#[test]
fn nothing_but_the_token_is_on_stdout_and_v_tells_the_steps_on_stderr() {
    let (sandbox, server) = ready();
    let done = sandbox.ls_token(&["-v"]).run();
    assert_eq!(done.token(), server.issued()[0]);
    done.says("settings: profile environment for http://127.0.0.1:").says("cache: no usable token");
    done.says("source: reading env:LABEL_STUDIO_API_KEY").says("exchange: asking ").says("valid for 300 s");
    assert!(done.stderr.lines().all(|line| line.starts_with("ls-token: ")), "{}", done.stderr);
    let hit = sandbox.ls_token(&["--verbose"]).run();
    assert_eq!((hit.token(), hit.stderr.lines().count()), (server.issued()[0].clone(), 2), "{}", hit.stderr);
    hit.says("settings: profile environment")
        .says("ls-token: cache: a token that is valid for 29")
        .says(" more seconds");
}

#[test]
fn an_error_has_three_parts_in_lower_case_and_nothing_on_stdout() {
    let (sandbox, server) = ready();
    server.always(REFRESH, Reply::error(401, "Token is invalid"));
    for arguments in [&[][..], &["--profile", "none"], &["--format", "xml"], &["--no-such-option"]] {
        let done = sandbox.ls_token(arguments).run();
        assert!(done.code.is_some_and(|code| [2, 77, 78].contains(&code)) && done.stdout.is_empty(), "{done:?}");
        let first = done.stderr.lines().next().unwrap();
        assert!(first.starts_with("ls-token: ") && !first.ends_with('.'), "{first}");
    }
    let done = sandbox.ls_token(&[]).run();
    let lines: Vec<&str> = done.stderr.lines().collect();
    assert_eq!(lines[0], "ls-token: Label Studio rejected the personal access token: Token is invalid");
    assert_eq!(lines[1], format!("  server: {}", server.url()));
    let named = |line: &&str| line.starts_with("  ") && line.contains(": ");
    assert!(lines[1..].iter().all(named), "{}", done.stderr);
    let last = lines.last().unwrap();
    assert!(last.starts_with("  hint: ") && !last.ends_with('.'), "{last}");
}

#[test]
fn help_and_version_go_to_stdout_and_need_no_settings() {
    let sandbox = Sandbox::new();
    for arguments in [&["--help"][..], &["-h"], &["--version"], &["-V"]] {
        let done = sandbox.ls_token(arguments).run();
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(done.stdout.contains("ls-token"), "{arguments:?}");
    }
}

#[test]
fn f15_no_step_tells_a_secret_however_it_ends() {
    let (sandbox, server) = ready();
    // Each run is searched by the sandbox.
    for reply in [
        Reply::Usual,
        Reply::error(401, "Token is invalid"),
        Reply::error(500, "Trouble"),
        Reply::body(200, "text/html", "<html>"),
        Reply::redirect(307, "https://evil.example/"),
        Reply::raw(Vec::new()),
    ] {
        server.always(REFRESH, reply);
        for format in ["token", "header", "curl", "json"] {
            sandbox.ls_token(&["-v", "--no-cache", "--format", format]).run();
        }
    }
    assert!(server.exchanges() >= 24);
}

#[test]
fn f17_no_core_file_is_written_and_the_process_is_not_dumpable() {
    need("strace");
    let (sandbox, server) = ready();
    server.always(REFRESH, Reply::Silence);
    for signal in [Signal::ABORT, Signal::SEGV] {
        let before = server.exchanges();
        let running = sandbox.shell(r#"ulimit -c unlimited 2>/dev/null; exec "$LS_TOKEN""#).start();
        server.wait_for_exchanges(before + 1);
        running.send(signal);
        assert!(!running.wait().dies_of(signal).dumped, "{signal:?}");
    }
    assert_eq!(std::fs::read_dir(sandbox.work()).unwrap().count(), 0, "a core file");
    server.always(REFRESH, Reply::Usual);
    let trace = sandbox.root().join("trace");
    sandbox.program("strace", &["-o"]).arg(&trace).arg(LS_TOKEN).run().token();
    let trace = read(&trace);
    let place = |what: &str| trace.lines().position(|line| line.contains(what));
    let hardened = place("prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE)").expect("not dumpable");
    assert!(hardened < place("socket(").expect("an exchange"), "{trace}");
}

#[test]
fn f54_what_settings_variables_and_paths_are_made_of_reaches_no_terminal_raw() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_anything());
    let odd = "\u{1b}[31m\u{7}red\nls-token: forged\u{202e}\u{200b}\r";
    let directory = sandbox.root().join(odd);
    fs::create_dir(&directory).unwrap();
    let settings = |pat: &str| {
        let text = format!(
            "[profiles.test]\nurl = \"{}\"\npat = \"{pat}\"\n[profiles.two]\nurl = \"https://h\"\npat = \"{pat}\"\n",
            server.url()
        );
        fs::write(directory.join("settings.toml"), text).unwrap();
    };
    sandbox.set("LS_TOKEN_CONFIG", directory.join("settings.toml"));
    sandbox.set("LS_TOKEN_PROFILE", "test");
    sandbox.set("LS_TOKEN_CACHE_DIR", directory.join("cache"));
    let mut shown = 0;
    for pat in [
        "file:/no/\\u202E\\u200Bsuch",
        "cmd:false \\u001B[31m \\u202E",
        "env:NAME",
        "cmd:\\u202Efalse",
        "odd\\u001B:\\u202E",
    ] {
        settings(pat);
        for words in [
            &["-v"][..],
            &["status"],
            &["status", "--all"],
            &["doctor"],
            &["verify"],
            &["rotate"],
            &["exec", "true"],
            &["curl", "-v", "/x"],
            &["--profile", odd],
            &["--url", odd],
            &["curl", odd],
            &["exec", odd],
            &["login", "--profile", odd, "https://h"],
            &["logout"],
        ] {
            let done = sandbox.ls_token(words).run();
            for text in [&done.stdout, &done.stderr] {
                let is_raw = |c: char| c != '\n' && c.is_control() || matches!(c, '\u{202e}' | '\u{200b}');
                assert!(!text.contains(is_raw), "{pat} {words:?}: {text:?}");
                assert!(!text.lines().any(|line| line.starts_with("ls-token: forged")), "{words:?}: {text:?}");
                shown += text.matches("\\u{1b}").count() + text.matches("\\u{202e}").count();
            }
        }
    }
    assert!(shown > 40, "{shown}: they are shown, escaped");
}
