//! All that a command can do instead of printing a personal access token.

use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::{Done, LS_TOKEN, Sandbox, need, wait_until};
use crate::server::{Server, jwt};

/// Runs ls-token with a command as its source, which never gives the token.
fn run_with(script: &str) -> Done {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.command("give", script);
    sandbox.use_source(&server, "cmd:give", "");
    let done = sandbox.ls_token(&[]).run();
    assert!(sandbox.cache_files().is_empty());
    done
}

#[test]
fn f19_a_daemon_that_holds_stdout_is_not_waited_for() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.file("pat", server.pat(), 0o600);
    sandbox.command("give", r#"sleep 1000 & echo $! >"$here/daemon"; cat "$here/pat""#);
    sandbox.use_source(&server, "cmd:give", "");
    let done = sandbox.ls_token(&[]).run();
    let daemon = sandbox.lines("daemon")[0].parse().unwrap();
    kill_process(Pid::from_raw(daemon).unwrap(), Signal::KILL).expect("the daemon was left running");
    done.quiet().token();
}

#[test]
fn f20_a_command_that_fails_is_named_with_its_status_and_last_line() {
    let done = run_with("echo one >&2; echo 'the vault is sealed' >&2; echo >&2; exit 3");
    done.fails(77).says("ls-token: `give` failed with exit status 3: the vault is sealed\n");
    assert!(done.stderr.starts_with("one\n"), "{}", done.stderr);
    done.says("source: cmd:give").says("hint: run that command by hand");
    run_with("exit 3").fails(77).says("`give` failed with exit status 3\n");
}

#[test]
fn f20_a_command_that_prints_nothing_is_named_with_its_last_line() {
    run_with("exit 0").fails(77).says("`give` printed nothing\n");
    run_with("echo; echo; echo 'no such secret' >&2").fails(77).says("`give` printed nothing: no such secret");
}

#[test]
fn f20_a_command_that_dies_of_a_signal_is_named_with_it() {
    // As Ctrl-C does it, where the command is the first of both to end.
    let done = run_with("kill -INT $$");
    assert_eq!((done.signal, done.stdout.as_str()), (Some(Signal::INT.as_raw()), ""), "{done:?}");
    run_with("kill -SEGV $$").fails(77).says("`give` was ended by signal 11");
    run_with("echo token; kill -KILL $$").fails(77).says("`give` was ended by signal 9");
}

#[test]
fn f20_a_command_that_is_missing_or_cannot_be_executed_is_named() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.use_source(&server, "cmd:no-such-command x", "");
    sandbox.ls_token(&[]).run().fails(77).says("the program no-such-command is not in PATH");
    sandbox.file("bin/plain", "#!/bin/sh\necho x\n", 0o600);
    sandbox.use_source(&server, "cmd:plain x", "");
    sandbox.ls_token(&[]).run().fails(77).says("the program plain is not in PATH");
    for (path, why) in
        [("/no/such/command", "does not exist"), ("/etc/passwd", "is not executable"), ("/etc", "is not executable")]
    {
        sandbox.use_source(&server, &format!("cmd:{path}"), "");
        sandbox.ls_token(&[]).run().fails(77).says(&format!("the program {path} {why}"));
    }
    sandbox.file("bin/broken", "#!/no/such/interpreter\n", 0o700);
    sandbox.use_source(&server, "cmd:broken", "");
    sandbox.ls_token(&[]).run().fails(77).says("cannot run `broken`: ");
}

#[test]
fn f20_ten_megabytes_are_not_taken_for_a_token() {
    for endless in ["tr '\\0' x </dev/zero", "while :; do echo eyJ; done"] {
        run_with(endless).fails(77).says("`give` printed more than 64 KiB, which is no token");
    }
}

#[test]
fn f20_ten_megabytes_of_complaints_are_bounded() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.file("pat", server.pat(), 0o600);
    let script = r#"head -c 10000000 /dev/zero | tr '\0' '!' >&2; echo >&2; echo done >&2; cat "$here/pat""#;
    sandbox.command("give", script);
    sandbox.use_source(&server, "cmd:give", "");
    let done = sandbox.ls_token(&[]).run();
    done.token();
    assert!(done.stderr.len() < 100_000, "{} bytes of stderr were passed on", done.stderr.len());
    sandbox.command("give", &format!("{script}; exit 1"));
    let done = sandbox.ls_token(&["--refresh"]).run();
    done.fails(77).says("`give` failed with exit status 1: done");
    assert!(done.stderr.len() < 100_000, "{} bytes of stderr were passed on", done.stderr.len());
}

#[test]
fn f20_a_command_that_reads_stdin_gets_nothing_and_leaves_ours_alone() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.file("pat", server.pat(), 0o600);
    sandbox.command("give", r#"wc -c >"$here/count"; cat "$here/pat""#);
    sandbox.use_source(&server, "cmd:give", "");
    let done = sandbox.shell(r#""$LS_TOKEN" && cat >&2"#).stdin("what the user typed").run();
    done.says("what the user typed").token();
    assert_eq!(sandbox.lines("count")[0].trim(), "0");
}

#[test]
fn f20_a_prompt_is_seen_while_the_command_runs() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.file("pat", server.pat(), 0o600);
    let script =
        r#"printf 'Touch the key: ' >&2; while [ ! -e "$here/touched" ]; do sleep 0.05; done; cat "$here/pat""#;
    sandbox.command("give", script);
    sandbox.use_source(&server, "cmd:give", "");
    let running = sandbox.ls_token(&[]).start();
    wait_until("the prompt is shown", || running.stderr_so_far() == "Touch the key: ");
    sandbox.file("touched", "", 0o600);
    running.wait().token();
}

#[test]
fn f60_the_last_word_of_a_prompt_is_shown_while_the_command_waits() {
    for prompt in [
        "PIN",
        "Enter your passphrase",
        "Passwort für größe",
        "Weiter",
        "code of label.example.company.internal",
        "a=b",
    ] {
        let (sandbox, server) = (Sandbox::new(), Server::start());
        sandbox.file("pat", server.pat(), 0o600);
        let wait = r#"while [ ! -e "$here/touched" ]; do sleep 0.05; done; printf '%s' "$1" >&2; cat "$here/pat""#;
        sandbox.command("give", &format!("printf '{prompt}' >&2; {wait}"));
        // What comes then is the rest of the same word, or not.
        for rest in ["", "s", "s: ", ": ", "é\n"] {
            let _ = std::fs::remove_file(sandbox.root().join("touched"));
            sandbox.use_source(&server, &format!("cmd:give '{rest}'"), "");
            let running = sandbox.ls_token(&["--no-cache"]).start();
            wait_until("the prompt is shown", || running.stderr_so_far() == prompt);
            sandbox.file("touched", "", 0o600);
            let done = running.wait();
            done.token();
            assert_eq!(done.stderr, format!("{prompt}{rest}"));
        }
    }
}

#[test]
fn f60_what_may_become_a_token_is_not_shown_however_long_it_stands() {
    for length in [1, 10, 19, 20, 39] {
        let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
        sandbox.file("pat", server.pat(), 0o600);
        // The telling part of it, as others are the same in every token.
        let script = format!(
            r#"pat=$(cut -d. -f2 "$here/pat"); printf 'bad: ' >&2; printf '%.{length}s' "$pat" >&2; sleep 0.4
printf '%s' "$pat" | tail -c +{} >&2; sleep 0.4; printf ' it was\n' >&2; exit 1"#,
            length + 1
        );
        sandbox.command("give", &script);
        sandbox.use_source(&server, "cmd:give", "");
        let done = sandbox.ls_token(&[]).run();
        let telling = server.pat().split('.').nth(1).unwrap();
        done.fails(77).says("[redacted] it was\n").does_not_say(&telling[..20]);
    }
}

#[test]
fn f15_a_token_that_a_command_complains_of_in_pieces_is_not_shown() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.file("pat", server.pat(), 0o600);
    let script = r#"pat=$(cat "$here/pat"); printf 'bad: ' >&2
while [ -n "$pat" ]; do printf '%.40s' "$pat" >&2; pat=${pat#????????????????????????????????????????}; [ ${#pat} -ge 40 ] || { printf '%s' "$pat" >&2; break; }; sleep 0.05; done
printf ' it was\n' >&2; exit 1"#;
    sandbox.command("give", script);
    sandbox.use_source(&server, "cmd:give", "");
    sandbox.ls_token(&[]).run().fails(77).says("bad: [redacted] it was").does_not_say(&server.pat()[..40]);
}

#[test]
fn f10_what_a_command_says_is_escaped_and_cut() {
    let done = run_with(r"printf 'a\033[2Jb\033]0;title\007\342\200\256c\rd\n' >&2; exit 1");
    done.fails(77).does_not_say("\x1b").does_not_say("\x07").does_not_say("\u{202e}").does_not_say("\r");
    done.says("`give` failed with exit status 1: a\\u{1b}[2Jb\\u{1b}]0;title\\u{7}\\u{202e}c");
    let done = run_with("i=0; while [ $i -lt 2000 ]; do printf 'words ' >&2; i=$((i + 1)); done; exit 1");
    let line = done.fails(77).stderr.lines().find(|line| line.contains("failed with exit status 1")).unwrap();
    assert!(line.chars().count() < 400 + 12_000 && line.ends_with('…'), "{} characters", line.chars().count());
}

#[test]
fn f20_what_is_not_text_is_not_a_token() {
    run_with(r"printf '\377\376\200'").fails(77).says("the source did not give text");
}

#[test]
fn f13_the_command_sees_neither_the_token_of_the_environment_nor_an_argument_with_it() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.file("pat", server.pat(), 0o600);
    // What it writes down is searched for the token when the sandbox ends.
    let script = r#"tr '\0' '\n' </proc/$$/environ >"$here/environ"; tr '\0' '\n' </proc/$$/cmdline >"$here/cmdline"; cat "$here/pat""#;
    sandbox.command("give", script);
    sandbox.use_source(&server, "cmd:give x", "");
    let done = sandbox
        .ls_token(&["--profile", "test"])
        .env("LABEL_STUDIO_API_KEY", jwt(&serde_json::json!({"token_type": "refresh"})))
        .run();
    done.token();
    assert!(sandbox.lines("environ").iter().any(|line| line.starts_with("HOME=")));
    assert!(sandbox.lines("cmdline").iter().any(|line| line == "x"));
}

#[test]
fn a_parent_that_ignores_sigchld_does_no_harm() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.file("pat", server.pat(), 0o600);
    sandbox.command("give", r#"cat "$here/pat""#);
    sandbox.use_source(&server, "cmd:give", "");
    need("python3");
    let script =
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])";
    sandbox.program("python3", &["-c", script, LS_TOKEN]).run().quiet().token();
}

#[test]
fn a_prompt_in_another_language_is_shown_whole() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.file("pat", server.pat(), 0o600);
    let script = r#"printf 'Kennwort f\303' >&2; sleep 0.2; printf '\274r \342\202' >&2; sleep 0.2; printf '\254: ' >&2; sleep 0.2; cat "$here/pat""#;
    sandbox.command("give", script);
    sandbox.use_source(&server, "cmd:give", "");
    let done = sandbox.ls_token(&[]).run();
    done.token();
    assert_eq!(done.stderr, "Kennwort für €: ");
}
