//! A failure is shared with those who ask the same question of the same server by the same way, and with nobody else.

use std::fs;

use crate::sandbox::{Done, LS_TOKEN, Sandbox, need, ready, wait_until};
use crate::server::{Gate, REFRESH, Reply, Server};

/// Lets one call fail at the server while another waits for it, and returns how the other ends.
fn while_one_fails((sandbox, server): (&Sandbox, &Server), differently: &[(&str, &str)], arguments: &[&str]) -> Done {
    sandbox.cache_files().iter().for_each(|file| fs::remove_file(file).unwrap());
    let (gate, before) = (Gate::default(), server.exchanges());
    server.script(REFRESH, [Reply::error(500, "Internal server error").when(&gate)]);
    let holder = sandbox.ls_token(&["--refresh"]).start();
    server.wait_for_exchanges(before + 1);
    let call = differently.iter().fold(sandbox.ls_token(arguments), |call, (name, value)| call.env(name, value));
    let waiter = call.start();
    waiter.wait_until_it_waits();
    gate.open();
    holder.wait().fails(69).says("the server failed internally").does_not_say("asked by");
    waiter.wait()
}

#[test]
fn f57_another_way_to_the_server_does_not_share_a_failure() {
    let (sandbox, server) = ready();
    let both = (&sandbox, &server);
    while_one_fails(both, &[], &[]).fails(69).says("asked by: another ls-token");
    // What only the shell's prompt or a loop changes is the same question.
    while_one_fails(both, &[("SHLVL", "3"), ("PWD", "/")], &["--refresh"]).fails(69).says("asked by: another ls-token");
    for (name, value) in [
        ("https_proxy", "http://127.0.0.1:1"),
        ("ALL_PROXY", "http://127.0.0.1:1"),
        ("no_proxy", "elsewhere.example"),
        ("SSL_CERT_FILE", "/etc/ssl/other.pem"),
        ("SSL_CERT_DIR", "/etc/ssl/others"),
    ] {
        while_one_fails(both, &[(name, value)], &[]).quiet().token();
    }
}

#[test]
fn f57_another_ca_file_or_timeout_does_not_share_a_failure() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let pat = sandbox.use_file(&server, "");
    let ca_file = sandbox.file("ca.pem", "", 0o600);
    let keys = ["timeout = 16".to_owned(), format!("ca_file = {ca_file:?}")];
    for (number, key) in keys.iter().enumerate() {
        let text = format!("[profiles.test]\nurl = \"{}\"\npat = \"file:{}\"\n{key}\n", server.url(), pat.display());
        let other = sandbox.file(&format!("other{number}.toml"), text, 0o600);
        let other = [("LS_TOKEN_CONFIG", other.to_str().unwrap())];
        while_one_fails((&sandbox, &server), &other, &[]).quiet().token();
    }
    // The lock is one all the same.
    sandbox.lock_file();
}

#[test]
fn f57_a_command_with_another_environment_does_not_share_a_failure() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.file("pat", server.pat(), 0o600);
    sandbox.command("give", r#"[ "$BW_SESSION" = open ] || { echo locked >&2; while [ -e "$here/hold" ]; do sleep 0.1; done; exit 1; }; cat "$here/pat""#);
    sandbox.use_source(&server, "cmd:give", "");
    let hold = sandbox.file("hold", "", 0o600);
    let holder = sandbox.ls_token(&[]).start();
    wait_until("the command runs", || holder.stderr_so_far().contains("locked"));
    let other = sandbox.ls_token(&[]).env("BW_SESSION", "open").start();
    other.wait_until_it_waits();
    fs::remove_file(hold).unwrap();
    holder.wait().fails(77).says("locked");
    other.wait().quiet().token();
}

#[test]
fn f57_a_refresh_does_not_take_a_failure_from_before_it_began() {
    let (sandbox, server) = ready();
    server.script(REFRESH, [Reply::error(500, "Internal server error")]);
    sandbox.ls_token(&[]).run().fails(69);
    sandbox.ls_token(&["--refresh"]).run().quiet().token();
    assert_eq!(server.exchanges(), 2);
}

#[test]
fn f57_a_failure_of_one_process_alone_is_not_shared() {
    need("strace");
    let (sandbox, server) = ready();
    for (call, errno, status) in [
        ("connect", "ENETUNREACH", 69),
        ("connect", "EHOSTUNREACH", 69),
        ("connect", "ENETDOWN", 69),
        ("connect", "EADDRNOTAVAIL", 69),
        ("connect", "EACCES", 69),
        ("connect", "EPERM", 69),
        ("socket", "EMFILE", 74),
        ("socket", "ENFILE", 74),
        ("socket", "ENOBUFS", 74),
        ("epoll_create1", "EMFILE", 74),
    ] {
        let before = server.exchanges();
        let inject = format!("inject={call}:error={errno}");
        let options = ["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject, LS_TOKEN];
        let failed = sandbox.program("strace", &options).arg("--refresh").run();
        failed.fails(status);
        assert_eq!(server.exchanges(), before, "{call} {errno}");
        sandbox.ls_token(&["--min-ttl", "299"]).run().quiet().token();
        assert_eq!(server.exchanges(), before + 1, "{call} {errno}");
        fs::remove_file(sandbox.cache_file()).unwrap();
    }
}

#[test]
fn f57_a_name_that_cannot_be_looked_up_for_lack_of_descriptors_is_no_fault_of_the_name() {
    let (sandbox, server) = ready();
    let url = server.url().replace("127.0.0.1", "localhost");
    let mut refused = 0;
    for files in 4..16 {
        let script = format!("ulimit -n {files}; exec \"$LS_TOKEN\"");
        let done = sandbox.shell(&script).env("LABEL_STUDIO_URL", &url).run();
        if done.code != Some(0) {
            refused += 1;
            assert!(!done.stderr.contains("check the host name"), "{files}: {}", done.stderr);
        }
    }
    assert!(refused > 2, "no limit was reached");
    sandbox.ls_token(&[]).env("LABEL_STUDIO_URL", &url).run().quiet().token();
}

#[test]
fn f57_a_command_in_another_directory_does_not_share_a_failure() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.file("work/there/pat", server.pat(), 0o600);
    sandbox.command(
        "give",
        "[ -f pat ] && exec cat pat; echo missing >&2; while [ -e \"$here/hold\" ]; do sleep 0.1; done; exit 1",
    );
    sandbox.use_source(&server, "cmd:give", "");
    let hold = sandbox.file("hold", "", 0o600);
    let holder = sandbox.ls_token(&[]).start();
    wait_until("the command runs", || holder.stderr_so_far().contains("missing"));
    let other = sandbox.shell("cd there && exec \"$LS_TOKEN\"").start();
    other.wait_until_it_waits();
    fs::remove_file(hold).unwrap();
    holder.wait().fails(77).says("missing");
    other.wait().quiet().token();
}
