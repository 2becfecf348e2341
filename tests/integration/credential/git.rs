//! The real git, which finds the program by its helper's name: what `git credential` makes of its answers, and what a
//! server gets to see of them. `authtype` came with git 2.46; an older git says nothing of it and logs in with a password.

use std::fs;
use std::os::unix::fs::symlink;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::sandbox::{Call, Done, LS_TOKEN, Sandbox, need};
use crate::server::{Reply, Server, Setup};

/// The helper, as it is installed beside the program.
const HELPER: &str = env!("CARGO_BIN_EXE_git-credential-ls-token");

/// What git asks of a repository first.
const REFS: &str = "/some/repository.git/info/refs";

/// The commit that the repository has.
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A sandbox for git, whose server's credentials come from ls-token: with `helper` as it is written into git's settings.
fn with_helper(helper: &str) -> (Sandbox, Server) {
    need("git");
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_file(&server, "");
    symlink(HELPER, sandbox.bin().join("git-credential-ls-token")).unwrap();
    let settings = format!("[credential \"{}\"]\n\thelper = {helper}\n", server.origin());
    sandbox.set("GIT_CONFIG_GLOBAL", sandbox.file("gitconfig", settings, 0o600));
    sandbox.set("GIT_CONFIG_NOSYSTEM", "1");
    sandbox.set("GIT_TERMINAL_PROMPT", "0");
    (sandbox, server)
}

/// Prepares a run of `git credential`.
fn git_credential<'a>(sandbox: &'a Sandbox, action: &str, request: &str) -> Call<'a> {
    sandbox.program("git", &["credential", action]).stdin(request)
}

/// Returns the values that an answer of `git credential` has for a name.
fn value<'a>(done: &'a Done, name: &str) -> Option<&'a str> {
    assert_eq!(done.code, Some(0), "{done:?}");
    done.stdout.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

/// Returns whether this git knows `authtype`: it is 2.46 or newer.
fn knows_authtype(sandbox: &Sandbox) -> bool {
    let done = sandbox.program("git", &["version"]).run();
    let version = done.line().strip_prefix("git version ").unwrap();
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap(), numbers.next().unwrap()) >= (2, 46)
}

/// Writes a line as git's protocol has it: its length in front, in four hexadecimal digits.
fn packet(line: &str) -> String {
    format!("{:04x}{line}", line.len() + 4)
}

/// Answers with the references of a repository that has one commit (gitprotocol-http(5)).
fn references() -> Reply {
    let body = packet("# service=git-upload-pack\n")
        + "0000"
        + &packet(&format!("{COMMIT} HEAD\0agent=git/stand-in\n"))
        + &packet(&format!("{COMMIT} refs/heads/main\n"))
        + "0000";
    Reply::body(200, "application/x-git-upload-pack-advertisement", body)
}

/// Answers that the request has no good token.
fn unauthorized() -> Reply {
    Reply::error(401, "Authentication credentials were not provided.").with("WWW-Authenticate", "Bearer realm=\"x\"")
}

/// Answers that the request has no good password.
fn no_password() -> Reply {
    Reply::error(401, "Authentication credentials were not provided.").with("WWW-Authenticate", "Basic realm=\"x\"")
}

/// Lists the references of the server's repository.
fn ls_remote(sandbox: &Sandbox, server: &Server) -> Done {
    let url = format!("{}/some/repository.git", server.origin());
    sandbox.program("git", &["ls-remote", &url]).run()
}

/// Returns the `Authorization` of each request for the repository.
fn authorizations(server: &Server) -> Vec<Option<String>> {
    let requests = server.requests().into_iter().filter(|request| request.path() == REFS);
    requests.map(|request| request.header("authorization").map(str::to_owned)).collect()
}

/// Returns what is sent for a token as the password of `user`.
fn basic(user: &str, token: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{token}")))
}

#[test]
fn git_credential_fill_gets_the_token() {
    let (sandbox, server) = with_helper("ls-token");
    let request = format!("protocol=http\nhost={}\n\n", server.address());
    let done = git_credential(&sandbox, "fill", &request).run();
    assert_eq!(value(done.quiet(), "password"), Some(server.issued()[0].as_str()));
    assert_eq!((value(&done, "username"), value(&done, "authtype")), (Some("token"), None));
    let done = git_credential(&sandbox, "fill", &format!("capability[]=authtype\n{request}")).run();
    if knows_authtype(&sandbox) {
        assert_eq!(value(done.quiet(), "credential"), Some(server.issued()[0].as_str()));
        assert_eq!((value(&done, "authtype"), value(&done, "ephemeral")), (Some("Bearer"), Some("1")));
        assert_eq!((value(&done, "username"), value(&done, "password")), (None, None));
    } else {
        assert_eq!(value(done.quiet(), "password"), Some(server.issued()[0].as_str()));
    }
    assert_eq!(server.exchanges(), 1);
}

#[test]
fn git_asks_elsewhere_for_another_host() {
    let (sandbox, server) = with_helper("ls-token");
    sandbox.ls_token(&[]).run().token();
    // For all hosts, as a careless user may have it.
    let settings = "[credential]\n\thelper = ls-token\n\thelper = \"!echo username=a; echo password=b;:\"\n";
    sandbox.file("gitconfig", settings, 0o600);
    let done = git_credential(&sandbox, "fill", "url=https://label.example.com/\n\n").run();
    assert_eq!((value(done.quiet(), "username"), value(&done, "password")), (Some("a"), Some("b")));
    assert_eq!(server.exchanges(), 1);
}

#[test]
fn git_credential_approve_and_reject_reach_the_cache() {
    let (sandbox, server) = with_helper("ls-token");
    let request = format!("protocol=http\nhost={}\n\n", server.address());
    let fill = |lines: &str| git_credential(&sandbox, "fill", &format!("{lines}{request}")).run();
    let first = fill("");
    for action in ["approve", "reject"] {
        let other = first.stdout.replace(value(&first, "password").unwrap(), "another");
        let done = git_credential(&sandbox, action, &other).run();
        assert_eq!((done.quiet().code, done.stdout.as_str()), (Some(0), ""), "{action}");
    }
    let done = git_credential(&sandbox, "approve", &first.stdout).run();
    assert_eq!((done.quiet().code, done.stdout.as_str()), (Some(0), ""));
    assert_eq!(fill("").stdout, first.stdout, "it is still good");
    git_credential(&sandbox, "reject", &first.stdout).run().quiet();
    assert!(sandbox.cache_files().is_empty(), "the rejected token is still there");
    let second = fill("capability[]=authtype\n");
    assert_eq!(server.exchanges(), 2);
    git_credential(&sandbox, "approve", &second.stdout).run().quiet();
    git_credential(&sandbox, "reject", &second.stdout).run().quiet();
    assert!(sandbox.cache_files().is_empty(), "the rejected token is still there");
}

#[test]
fn git_logs_in_with_the_bearer_token_where_it_can() {
    let (sandbox, server) = with_helper("ls-token");
    server.script(REFS, [unauthorized(), references()]);
    let done = ls_remote(&sandbox, &server);
    let token = &server.issued()[0];
    if knows_authtype(&sandbox) {
        assert_eq!(done.quiet().stdout, format!("{COMMIT}\tHEAD\n{COMMIT}\trefs/heads/main\n"));
        assert_eq!(authorizations(&server), [None, Some(format!("Bearer {token}"))]);
    } else {
        // The curl in it has a password, and no use for it where only a bearer token is asked for.
        assert_eq!(authorizations(&server), [None, None]);
    }
}

#[test]
fn git_logs_in_with_a_password_where_authtype_is_not_announced() {
    // This is how an older git speaks to it, also where the git that is here is a newer one.
    let old = r#""!f() { grep -v '^capability' | \"$LS_TOKEN\" credential \"$1\"; }; f""#;
    let (sandbox, server) = with_helper(old);
    server.script(REFS, [no_password(), references()]);
    let done = ls_remote(&sandbox, &server);
    assert_eq!(done.quiet().stdout, format!("{COMMIT}\tHEAD\n{COMMIT}\trefs/heads/main\n"));
    assert_eq!(authorizations(&server), [None, Some(basic("token", &server.issued()[0]))]);
}

#[test]
fn a_token_that_the_server_rejects_is_not_used_again() {
    let (sandbox, server) = with_helper("ls-token");
    // 403 is no question of who one is: git does not ask again.
    server.script(REFS, [no_password(), no_password()]);
    let done = ls_remote(&sandbox, &server);
    assert_eq!((done.code, done.stdout.as_str()), (Some(128), ""), "{done:?}");
    assert!(sandbox.cache_files().is_empty(), "the rejected token is still there");
    server.script(REFS, [no_password(), references()]);
    assert_eq!(ls_remote(&sandbox, &server).quiet().code, Some(0));
    let seen = authorizations(&server);
    assert_eq!((seen.len(), server.exchanges()), (4, 2));
    assert_ne!(seen[1], seen[3]);
}

#[test]
fn a_good_token_serves_many_calls_of_git() {
    let (sandbox, server) = with_helper("ls-token");
    for _ in 0..3 {
        server.script(REFS, [no_password(), references()]);
        assert_eq!(ls_remote(&sandbox, &server).quiet().code, Some(0));
    }
    assert_eq!(server.exchanges(), 1);
}

#[test]
fn f02_another_server_that_asks_for_a_login_gets_none() {
    let (sandbox, server) = with_helper("ls-token");
    sandbox.ls_token(&[]).run().token();
    let other = Server::start();
    sandbox.file("gitconfig", "[credential]\n\thelper = ls-token\n", 0o600);
    other.script(REFS, [unauthorized()]);
    let done = ls_remote(&sandbox, &other);
    assert_eq!(done.code, Some(128), "{done:?}");
    assert_eq!(authorizations(&other), [None]);
    assert_eq!(server.exchanges(), 1);
}

#[test]
fn options_of_the_helper_are_the_programs() {
    let (sandbox, server) = with_helper("\"ls-token --profile test\"");
    let done = git_credential(&sandbox, "fill", &format!("url={}\n\n", server.origin())).run();
    assert_eq!(value(done.quiet(), "password"), Some(server.issued()[0].as_str()));
    // Without a link, by the words that --help has.
    let (sandbox, server) = with_helper("\"!ls-token credential\"");
    symlink(LS_TOKEN, sandbox.bin().join("ls-token")).unwrap();
    let request = format!("protocol=http\nhost={}\n\n", server.address());
    let done = git_credential(&sandbox, "fill", &request).run();
    assert_eq!(value(done.quiet(), "password"), Some(server.issued()[0].as_str()));
    let help = sandbox.ls_token(&["credential", "--help"]).run().stdout;
    assert!(help.contains("helper '!ls-token credential'\n"), "{help}");
    let (sandbox, server) = with_helper("\"ls-token --profile other\"");
    let done = git_credential(&sandbox, "fill", &format!("url={}\n\n", server.origin())).run();
    assert_eq!(done.code, Some(128));
    done.says("there is no profile other");
    drop(server.expect_anything());
}

#[test]
fn a_server_that_lives_under_a_path_needs_use_http_path() {
    need("git");
    let sandbox = Sandbox::new();
    let server = Setup { base: "/label-studio".into(), ..Setup::default() }.start();
    sandbox.use_file(&server, "");
    symlink(LS_TOKEN, sandbox.bin().join("git-credential-ls-token")).unwrap();
    sandbox.set("GIT_CONFIG_GLOBAL", sandbox.root().join("gitconfig"));
    sandbox.set("GIT_CONFIG_NOSYSTEM", "1");
    sandbox.set("GIT_TERMINAL_PROMPT", "0");
    let fill = |more: &str, path: &str| {
        let helper = format!("[credential]\n\thelper = ls-token\n{more}");
        sandbox.file("gitconfig", helper, 0o600);
        let request = format!("protocol=http\nhost={}\npath={path}\n\n", server.address());
        git_credential(&sandbox, "fill", &request).run()
    };
    let with_path = "\tuseHttpPath = true\n";
    let done = fill(with_path, "label-studio/some/repository.git");
    assert_eq!(value(done.quiet(), "password"), Some(server.issued()[0].as_str()));
    // git fails where nobody answers and it may not ask.
    for (more, path) in [("", "label-studio/x.git"), (with_path, "other/x.git"), (with_path, "label-studio/../x.git")] {
        let done = fill(more, path);
        assert_eq!((done.code, done.stdout.as_str()), (Some(128), ""), "{more} {path}");
        done.says("terminal prompts disabled").does_not_say("ls-token: ");
    }
}

#[test]
fn the_helper_runs_the_program_beside_it_and_no_other() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.use_file(&server, "");
    let alone = sandbox.bin().join("git-credential-ls-token");
    fs::copy(HELPER, &alone).unwrap();
    let elsewhere = sandbox.directory("elsewhere");
    symlink(LS_TOKEN, elsewhere.join("ls-token")).unwrap();
    let request = format!("protocol=http\nhost={}\n\n", server.address());
    let call = sandbox.program(&alone, &["get"]).stdin(request);
    call.env("PATH", &elsewhere)
        .run()
        .fails(127)
        .says("cannot run the ls-token beside it")
        .says("hint: install both in one directory");
}
