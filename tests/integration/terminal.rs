//! What runs on a terminal: a command may ask there, it ends with all that it started, and a terminal that takes no output
//! holds nobody up.

use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::{Freeze, Sandbox, Terminal, need, wait_until};
use crate::server::{Gate, REFRESH, Reply, Server};
use crate::signals::is_alive;

/// A script that asks something after ls-token, whose process id it writes down.
const SCRIPT: &str =
    r#"sh -c 'echo $$ >../own; exec "$LS_TOKEN"'; echo "status $?"; read -r answer; echo "it was $answer.""#;

/// Commands that start a process which reads from the terminal, and write down its id.
const READERS: [(&str, &str); 5] = [
    ("a child", r#"cat </dev/tty >"$here/eaten" & echo $! >"$here/child"; wait"#),
    ("an orphan", r#"(cat </dev/tty >"$here/eaten" & echo $! >"$here/child"); sleep 1000"#),
    ("deaf", r#"(trap '' INT TERM HUP; while :; do read -r _; done </dev/tty) & echo $! >"$here/child"; wait"#),
    ("breeding", r#"(trap '' TERM; while :; do sleep 0.01; done) & echo $! >"$here/child"; trap '' TERM; wait; wait"#),
    (
        "of an interactive shell",
        r#"bash --norc -ic 'sh -c "echo \$\$ >\"$1/child\"; exec cat </dev/tty >\"$1/eaten\""; :' - "$here""#,
    ),
];

/// A sandbox whose source is that command, and a server that is not to be called.
fn with_source(script: &str) -> (Sandbox, Server) {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.command("give", script);
    sandbox.use_source(&server, "cmd:give", "");
    (sandbox, server)
}

/// Waits until the file has a process id, and returns that.
fn id_in(sandbox: &Sandbox, file: &str) -> String {
    wait_until("there is a process", || !sandbox.lines(file).is_empty());
    sandbox.lines(file).remove(0)
}

fn send(id: &str, signal: Signal) {
    kill_process(Pid::from_raw(id.parse().unwrap()).unwrap(), signal).unwrap();
}

/// Answers the script's question, and asserts that the script gets the answer.
fn answer(mut terminal: Terminal) {
    terminal.type_line("mine");
    terminal.wait_for("it was mine.\n");
    assert_eq!(terminal.wait().0, Some(0));
}

#[test]
fn f59_on_a_terminal_a_signal_ends_everything_that_the_source_started() {
    need("bash");
    for (what, script) in READERS {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            let (sandbox, _server) = with_source(script);
            let mut terminal = sandbox.shell(SCRIPT).on_terminal();
            let child = id_in(&sandbox, "child");
            send(&id_in(&sandbox, "own"), signal);
            terminal.wait_for(&format!("status {}\n", 128 + signal.as_raw()));
            assert!(!is_alive(&child), "{what} lives on after {signal:?}");
            answer(terminal);
        }
    }
}

#[test]
fn f59_on_a_terminal_the_time_limit_ends_everything_that_a_command_started() {
    let sandbox = Sandbox::new();
    sandbox.command("curl", &format!("stty -echo </dev/tty\n{}", READERS[1].1));
    // curl's version has the shortest time limit.
    let script = SCRIPT.replace(r#""$LS_TOKEN""#, r#""$LS_TOKEN" doctor"#);
    let mut terminal = sandbox.shell(&script).on_terminal();
    let child = id_in(&sandbox, "child");
    terminal.wait_for("`curl` took longer than 3 s");
    assert!(!is_alive(&child));
    terminal.wait_for("status ");
    answer(terminal);
}

#[test]
fn f59_what_the_source_did_not_start_is_left_alone() {
    need("setsid");
    for signal in [Signal::INT, Signal::TERM] {
        let script = r#"setsid sh -c 'echo $$ >"$1/daemon"; exec sleep 1000' - "$here" &
while [ ! -s "$here/daemon" ]; do sleep 0.01; done; sleep 1000 & echo $! >"$here/child"; wait"#;
        let (sandbox, _server) = with_source(script);
        let script = SCRIPT.replace("exec ", "sleep 1000 & echo $! >>../kept; (sleep 1000 & echo $! >>../kept); exec ");
        let script = format!("sleep 1000 & echo $! >>../kept; {script}");
        let mut terminal = sandbox.shell(&script).on_terminal();
        let child = id_in(&sandbox, "child");
        send(&id_in(&sandbox, "own"), signal);
        terminal.wait_for(&format!("status {}\n", 128 + signal.as_raw()));
        // It is asked to end, and not waited for once it is an orphan.
        wait_until("the source's child ends", || !is_alive(&child));
        let kept = [sandbox.lines("kept"), sandbox.lines("daemon")].concat();
        assert_eq!(kept.len(), 4);
        for id in &kept {
            assert!(is_alive(id), "{id} of {kept:?}");
            send(id, Signal::KILL);
        }
        answer(terminal);
    }
}

#[test]
fn f59_a_source_may_ask_on_the_terminal_and_leave_a_daemon() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.file("pat", server.pat(), 0o600);
    let ask = r#"stty -echo </dev/tty; printf 'PIN: ' >/dev/tty; read -r pin </dev/tty; stty echo </dev/tty; [ "$pin" = 1234 ]"#;
    sandbox.command("give", &format!(r#"sleep 1000 & echo $! >"$here/child"; {ask} && cat "$here/pat""#));
    sandbox.use_source(&server, "cmd:give", "");
    let mut terminal = sandbox.shell(&SCRIPT.replace(r#""$LS_TOKEN""#, r#""$LS_TOKEN" >../out"#)).on_terminal();
    terminal.wait_for("PIN: ");
    terminal.wait_for_hiding();
    terminal.type_line("1234");
    terminal.wait_for("status 0\n");
    let child = id_in(&sandbox, "child");
    assert!(is_alive(&child), "the daemon was left running");
    send(&child, Signal::KILL);
    assert_eq!(sandbox.lines("out"), server.issued());
    answer(terminal);
}

#[test]
fn f59_what_exec_runs_gets_no_children_that_are_not_its_own() {
    let (sandbox, server) = with_source(r#"cat "$here/pat""#);
    sandbox.file("pat", server.pat(), 0o600);
    let script = r#""$LS_TOKEN" exec sh -c '
        (sleep 1000 & echo $! >../child)
        cut -d " " -f 4 "/proc/$(cat ../child)/stat" >../parent
        echo $$ >../own'"#;
    assert_eq!(sandbox.shell(script).on_terminal().wait().0, Some(0));
    send(&id_in(&sandbox, "child"), Signal::KILL);
    assert_ne!(id_in(&sandbox, "parent"), id_in(&sandbox, "own"), "an orphan was adopted");
}

const FREEZES: [Freeze; 3] = [Freeze::Keys, Freeze::Flow, Freeze::Full];

/// Starts a script on a terminal that takes no output.
fn frozen(sandbox: &Sandbox, script: &str, how: Freeze) -> Terminal {
    let script = format!("echo >../ready; while [ ! -e ../go ]; do sleep 0.01; done; {script}");
    let mut terminal = sandbox.shell(&script).on_terminal();
    wait_until("the script runs", || sandbox.root().join("ready").exists());
    terminal.freeze(how);
    sandbox.file("go", "", 0o600);
    terminal
}

#[test]
fn f58_the_time_limit_holds_on_a_terminal_that_takes_no_output() {
    for how in FREEZES {
        let (sandbox, server) = (Sandbox::new(), Server::start());
        // The spinner is drawn before.
        sandbox.use_file(&server, "timeout = 2");
        server.script(REFRESH, [Reply::Silence]);
        let mut terminal = frozen(&sandbox, r#"exec "$LS_TOKEN""#, how);
        server.wait_for_exchanges(1);
        // Another waits for the lock meanwhile, and not in vain.
        sandbox.ls_token(&[]).run().fails(69).says("asked by: another ls-token");
        terminal.thaw(how);
        terminal.wait_for("127.0.0.1 did not answer within 2 s");
        assert_eq!(terminal.wait().0, Some(69), "{how:?}");
    }
}

#[test]
fn f58_a_signal_is_answered_on_a_terminal_that_takes_no_output() {
    for (step, how, signal) in [
        ("source", Freeze::Keys, Signal::TERM),
        ("source", Freeze::Full, Signal::INT),
        ("lock", Freeze::Flow, Signal::HUP),
        ("exchange", Freeze::Full, Signal::TERM),
        ("print", Freeze::Keys, Signal::TERM),
        ("print", Freeze::Full, Signal::HUP),
        ("end", Freeze::Keys, Signal::TERM),
        ("end", Freeze::Full, Signal::HUP),
    ] {
        let (sandbox, gate) = (Sandbox::new(), Gate::default());
        let server = if step == "source" { Server::start().expect_no_calls() } else { Server::start() };
        server.always(REFRESH, if step == "end" { Reply::error(401, "no") } else { Reply::Usual.when(&gate) });
        if step == "print" {
            gate.open();
        }
        let give = if step == "source" { r#"echo >"$here/runs"; exec sleep 1000"# } else { r#"cat "$here/pat""# };
        sandbox.command("give", give);
        sandbox.file("pat", server.pat(), 0o600);
        sandbox.use_source(&server, "cmd:give", "");
        let holder = (step == "lock").then(|| sandbox.ls_token(&[]).start());
        if holder.is_some() {
            server.wait_for_exchanges(1);
        }
        // The shell itself would say «Terminated», and wait.
        let script = r#"exec 3>&2 2>/dev/null; sh -c 'echo $$ >../own; exec "$LS_TOKEN" -v 2>&3'; exit $?"#;
        let mut terminal = frozen(&sandbox, script, how);
        match step {
            "source" => wait_until("the source runs", || sandbox.root().join("runs").exists()),
            "print" => wait_until("there is a token", || !sandbox.cache_files().is_empty()),
            "exchange" | "end" => server.wait_for_exchanges(1),
            _ => {}
        }
        // By then the spinner would be drawn.
        sleep(Duration::from_millis(1200));
        send(&id_in(&sandbox, "own"), signal);
        terminal.wait_in_the_dark();
        terminal.thaw(how);
        assert_eq!(terminal.wait().0, Some(128 + signal.as_raw()), "{step} {how:?}");
        gate.open();
        if let Some(holder) = holder {
            holder.wait().token();
        }
    }
}

#[test]
fn f58_the_lock_is_free_and_nothing_is_lost_where_a_terminal_takes_no_output() {
    for how in FREEZES {
        let (sandbox, server) = (Sandbox::new(), Server::start());
        // More than a terminal takes.
        let script =
            r#"i=0; while [ $i -lt 2000 ]; do echo "line $i of many" >&2; i=$((i + 1)); done; cat "$here/pat""#;
        sandbox.command("give", script);
        sandbox.file("pat", server.pat(), 0o600);
        sandbox.use_source(&server, "cmd:give", "min_ttl = 3000");
        let mut terminal = frozen(&sandbox, r#""$LS_TOKEN" -v >../out; echo "status $?""#, how);
        wait_until("the token is printed", || !sandbox.lines("out").is_empty());
        assert_eq!(sandbox.lines("out"), server.issued());
        sandbox.ls_token(&["--min-ttl", "1"]).run().quiet().token();
        assert_eq!(server.exchanges(), 1, "it is cached");
        terminal.thaw(how);
        for text in ["source: reading", "line 1999 of many\n", "exchange: asking", "warning: the token is valid for "] {
            terminal.wait_for(text);
        }
        terminal.wait_for("status 0\n");
        terminal.wait();
    }
}
