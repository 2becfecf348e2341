//! What has the name of one of its commands, the program `lscurl` and links: for everything that runs programs by name.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::sandbox::{LS_TOKEN, Sandbox, need, ready};
use crate::server::{PROJECTS, Server};

/// The program that is installed beside `ls-token`.
const LSCURL: &str = env!("CARGO_BIN_EXE_lscurl");

/// Makes a link of that name in a directory with a space in its name.
fn link(sandbox: &Sandbox, name: &str) -> PathBuf {
    let directory = sandbox.root().join("links of someone");
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join(name);
    symlink(LS_TOKEN, &path).unwrap();
    path
}

#[test]
fn lscurl_is_ls_token_curl() {
    need("curl");
    let (sandbox, server) = ready();
    for lscurl in [PathBuf::from(LSCURL), link(&sandbox, "lscurl")] {
        let done = sandbox.program(&lscurl, &["-sS", "--fail-with-body", PROJECTS]).run();
        assert_eq!(done.quiet().code, Some(0), "{done:?}");
        assert!(done.stdout.contains("\"count\""), "{done:?}");
        // What looks like an option or a command of ls-token's is curl's.
        for words in
            [&["--version"][..], &["--help"], &["-V"], &["--help", "all"], &["--refresh"], &["status"], &["--"], &[]]
        {
            let by_link = sandbox.program(&lscurl, words).run();
            let by_name = sandbox.ls_token(&[&["curl"], words].concat()).run();
            let seen = |done: &crate::sandbox::Done| (done.code, done.stdout.clone(), done.stderr.clone());
            assert_eq!(seen(&by_link), seen(&by_name), "{words:?}");
        }
        let version = sandbox.program(&lscurl, &["--version"]).run();
        assert!(version.stdout.starts_with("curl 7.") || version.stdout.starts_with("curl 8."), "{version:?}");
        sandbox.program(&lscurl, &[]).run().fails(2).says("there is no address");
    }
    assert_eq!(server.count("GET", PROJECTS), 2);
}

#[test]
fn lscurl_says_what_it_adds_and_refuses_before_curl_says_the_rest() {
    need("curl");
    let sandbox = Sandbox::new();
    let by_curl = sandbox.program("curl", &["--help"]).run().stdout;
    for word in ["--help", "-h"] {
        let done = sandbox.program(LSCURL, &[word]).run();
        let own = done.quiet().stdout.strip_suffix(&by_curl).expect("curl's own help at the end");
        assert!(own.contains("lscurl /api/projects/") && own.contains("LS_TOKEN_PROFILE"), "{own}");
        let words: Vec<&str> = own.split_whitespace().collect();
        assert!(["--location-trusted", "--insecure", "-k", "-u"].iter().all(|option| words.contains(option)), "{own}");
        assert!(!words.contains(&"--location") && own.lines().all(|line| line.len() < 90), "{own}");
    }
}

#[test]
fn lscurl_runs_the_ls_token_beside_it_and_no_other() {
    let (sandbox, _server) = (Sandbox::new(), Server::start().expect_no_calls());
    let alone = sandbox.file("bin/lscurl", fs::read(LSCURL).unwrap(), 0o755);
    let elsewhere = sandbox.directory("elsewhere");
    sandbox.file("elsewhere/ls-token", "#!/bin/sh\necho another >&2\n", 0o755);
    sandbox.file("work/ls-token", "#!/bin/sh\necho another >&2\n", 0o755);
    let path = format!("{}:/usr/bin:/bin", elsewhere.display());
    let call = |name: &Path| sandbox.program(name, &[PROJECTS]).env("PATH", &path).run();
    let done = call(&alone);
    done.fails(127).says("lscurl cannot run the ls-token beside it: No such file").does_not_say("another\n");
    // A link leads to where the program is, and not to what is beside the link.
    symlink(LSCURL, elsewhere.join("lscurl")).unwrap();
    call(&elsewhere.join("lscurl")).fails(78).does_not_say("another\n");
}

#[test]
fn lscurl_is_found_in_path_by_programs_that_run_programs() {
    need("curl");
    let (sandbox, server) = ready();
    symlink(LSCURL, sandbox.bin().join("lscurl")).unwrap();
    let script = format!(
        "printf '%s\\n' {PROJECTS} {PROJECTS} | xargs -n 1 lscurl -sS -o /dev/null
nohup lscurl -sS -o /dev/null {PROJECTS} && env lscurl -sS -o /dev/null {PROJECTS}"
    );
    let done = sandbox.shell(&script).run();
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""), "{done:?}");
    assert_eq!((server.count("GET", PROJECTS), server.exchanges()), (4, 1));
}

#[test]
fn git_credential_ls_token_is_ls_token_credential() {
    let (sandbox, server) = ready();
    let helper = link(&sandbox, "git-credential-ls-token");
    let done = sandbox.program(&helper, &["capability"]).run();
    assert_eq!(done.quiet().stdout, "version 0\ncapability authtype\n");
    let request = format!("protocol=http\nhost={}\n\n", server.address());
    let done = sandbox.program(&helper, &["get"]).stdin(&request).run();
    assert!(done.quiet().stdout.starts_with("username=token\npassword="), "{done:?}");
    let done = sandbox.program(&helper, &["--profile", "none", "get"]).stdin(&request).run();
    done.fails(78).says("there is no profile none");
    // It says how it is to be called, by a name that is there.
    let usage = "Usage: ls-token credential [OPTIONS] <OPERATION>";
    let help = sandbox.program(&helper, &["--help"]).run();
    assert!(help.quiet().stdout.contains(usage), "{help:?}");
    sandbox.program(&helper, &[]).run().fails(2).says("Usage: ls-token credential");
    sandbox.program(&helper, &["--nonsense"]).run().fails(2).says(usage);
    let version = sandbox.program(&helper, &["--version"]).run();
    assert_eq!(version.quiet().line(), concat!("ls-token-credential ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn any_other_name_is_ls_token_itself() {
    let sandbox = Sandbox::new();
    for name in [
        "ls-token",
        "token of mine",
        "LSCURL",
        "lscurl.old",
        "curl",
        "credential",
        "-lscurl",
        "git-credential-ls-token2",
    ] {
        let done = sandbox.program(link(&sandbox, name), &["--version"]).run();
        assert_eq!(done.quiet().line(), concat!("ls-token ", env!("CARGO_PKG_VERSION")), "{name}");
    }
}

#[test]
fn the_name_it_is_called_by_may_be_anything() {
    let (sandbox, _server) = (Sandbox::new(), Server::start().expect_no_calls());
    let script = r#"exec -a "$0" "$LS_TOKEN" --version"#;
    for (name, shown) in [
        ("", "ls-token "),
        ("/", "ls-token "),
        ("..", "ls-token "),
        ("lscurl/", "curl "),
        ("lscurl", "curl "),
        ("/no such/directory/lscurl", "curl "),
        ("./lscurl", "curl "),
        ("lscurl ", "ls-token "),
        ("x lscurl", "ls-token "),
    ] {
        let done = sandbox.program("bash", &["-c", script, name]).run();
        assert!(done.quiet().stdout.starts_with(shown), "{name:?}: {done:?}");
    }
}
