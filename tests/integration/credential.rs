//! `ls-token credential`: git's protocol on stdin and stdout, told by what it answers. `git` has the real git.

mod git;
mod malformed;
mod matching;

use std::time::Duration;

use serde_json::json;

use crate::record::age;
use crate::sandbox::{Call, Done, Sandbox, ready};
use crate::server::{PROJECTS, REFRESH, Reply, Server, claims_of, now_seconds};

/// Prepares an operation on a request.
fn operation<'a>(sandbox: &'a Sandbox, name: &str, request: impl AsRef<[u8]>) -> Call<'a> {
    sandbox.ls_token(&["credential", name]).stdin(request)
}

/// Asks for a credential.
fn get(sandbox: &Sandbox, request: impl AsRef<[u8]>) -> Done {
    operation(sandbox, "get", request).run()
}

/// Returns the beginning of a request for that server, to which more lines can be added.
fn request_for(server: &Server) -> String {
    format!("protocol=http\nhost={}\n", server.address())
}

/// Asserts that nothing was answered, and nothing was wrong.
#[track_caller]
fn assert_silent(done: &Done, what: &str) {
    let seen = (done.code, done.stdout.as_str(), done.stderr.as_str());
    assert_eq!(seen, (Some(0), "", ""), "{what}");
}

/// Returns the values of an answer that must have these names, in this order, and an empty line behind them.
#[track_caller]
fn values<const COUNT: usize>(done: &Done, names: [&str; COUNT]) -> [String; COUNT] {
    assert_eq!(done.quiet().code, Some(0), "{done:?}");
    let body = done.stdout.strip_suffix("\n\n").expect("an empty line at the end");
    let lines: Vec<(&str, &str)> = body.split('\n').map(|line| line.split_once('=').unwrap()).collect();
    assert_eq!(lines.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names, "{body}");
    let values: Vec<String> = lines.into_iter().map(|(_, value)| value.to_owned()).collect();
    values.try_into().unwrap()
}

/// The answer to a git that takes other than basic authentication.
const WITH_AUTHTYPE: [&str; 5] = ["capability[]", "authtype", "credential", "ephemeral", "password_expiry_utc"];

/// The answer to any other.
const WITHOUT: [&str; 3] = ["username", "password", "password_expiry_utc"];

#[test]
fn capability_says_what_it_can_and_needs_no_settings() {
    let sandbox = Sandbox::new();
    sandbox.settings("this is no TOML");
    let done = operation(&sandbox, "capability", "").run();
    assert_eq!(done.quiet().stdout, "version 0\ncapability authtype\n");
}

#[test]
fn a_git_that_knows_authtype_gets_a_bearer_token_that_it_is_not_to_keep() {
    let (sandbox, server) = ready();
    let request = format!("capability[]=authtype\ncapability[]=state\n{}\n", request_for(&server));
    let [capability, kind, token, ephemeral, expiry] = values(&get(&sandbox, &request), WITH_AUTHTYPE);
    assert_eq!((capability.as_str(), kind.as_str(), ephemeral.as_str()), ("authtype", "Bearer", "1"));
    assert_eq!(vec![token], server.issued());
    let left = expiry.parse::<i64>().unwrap() - now_seconds();
    assert!((290..=300).contains(&left), "{left} s");
}

#[test]
fn any_other_gets_a_user_name_and_the_token_as_its_password() {
    let (sandbox, server) = ready();
    let [user, token, expiry] = values(&get(&sandbox, request_for(&server) + "\n"), WITHOUT);
    assert_eq!((user.as_str(), vec![token]), ("token", server.issued()));
    let left = expiry.parse::<i64>().unwrap() - now_seconds();
    assert!((290..=300).contains(&left), "{left} s");
}

#[test]
fn the_user_name_that_is_asked_for_is_answered() {
    let (sandbox, server) = ready();
    for (given, wanted) in [
        ("username=someone\n", "someone"),
        ("username=a=b c\u{e9}\n", "a=b c\u{e9}"),
        ("username=\n", "token"),
        ("username=first\nusername=last\n", "last"),
    ] {
        let [user, ..] = values(&get(&sandbox, request_for(&server) + given + "\n"), WITHOUT);
        assert_eq!(user, wanted);
    }
    assert_eq!(server.exchanges(), 1);
}

#[test]
fn authtype_is_used_only_where_it_is_announced_and_not_taken_back() {
    let (sandbox, server) = ready();
    let form = |lines: &str| {
        let done = get(&sandbox, format!("{lines}{}\n", request_for(&server)));
        if done.stdout.starts_with("capability[]=authtype\nauthtype=Bearer\n") { "bearer" } else { "basic" }
    };
    for lines in [
        "capability[]=authtype\n",
        "capability[]=\ncapability[]=authtype\n",
        "capability[]=state\ncapability[]=authtype\n",
        "capability[]=authtype\ncapability[]=state\n",
    ] {
        assert_eq!(form(lines), "bearer", "{lines}");
    }
    for lines in [
        "",
        "capability[]=state\n",
        "capability[]=authtype\ncapability[]=\n",
        "capability[]=AuthType\n",
        "capability=authtype\n",
        "authtype=Bearer\n",
    ] {
        assert_eq!(form(lines), "basic", "{lines}");
    }
}

#[test]
fn the_token_is_a_good_one_from_the_cache() {
    let (sandbox, server) = ready();
    let token = sandbox.ls_token(&[]).run().token();
    let [_, password, _] = values(&get(&sandbox, request_for(&server)), WITHOUT);
    assert_eq!(password, token);
    age(&sandbox.cache_file(), Duration::from_secs(290));
    let [_, password, _] = values(&get(&sandbox, request_for(&server)), WITHOUT);
    assert_ne!(password, token, "a token with 10 s left was answered");
    assert_eq!((server.exchanges(), claims_of(&password)["token_type"].clone()), (2, json!("access")));
    let [_, good, _] = values(&get(&sandbox, request_for(&server)), WITHOUT);
    let done = sandbox.shell(&format!("curl -qsSf -H 'Authorization: Bearer '\"$0\" {}{PROJECTS}", server.url()));
    assert_eq!(done.arg(&good).run().code, Some(0));
}

#[test]
fn a_token_that_does_not_say_how_long_it_is_good_is_answered_without_an_expiry() {
    let (sandbox, server) = ready();
    server.set_claims(|claims| {
        claims.remove("exp");
    });
    let done = get(&sandbox, request_for(&server));
    done.says("does not say how long it is valid");
    assert_eq!(done.stdout, format!("username=token\npassword={}\n\n", server.issued()[0]));
}

#[test]
fn without_a_token_there_is_no_answer_but_an_error() {
    let (sandbox, server) = ready();
    server.script(REFRESH, [Reply::error(401, "Token is blacklisted")]);
    get(&sandbox, request_for(&server)).fails(77).says("Token is blacklisted");
    server.always(REFRESH, Reply::body(200, "text/html", "<html>"));
    get(&sandbox, request_for(&server)).fails(76);
}

#[test]
fn erase_forgets_the_token_that_was_rejected_and_no_other() {
    let (sandbox, server) = ready();
    let token = sandbox.ls_token(&[]).run().token();
    let other = server.new_access_token();
    for kept in [
        String::new(),
        "username=token\n".into(),
        "username=token\npassword=\n".into(),
        format!("username=token\npassword={other}\n"),
        format!("password={token} \n"),
        format!("authtype=Bearer\ncredential={other}\n"),
        format!("credential={other}\npassword={token}\n"),
        format!("host=127.0.0.1:1\npassword={token}\n"),
        format!("protocol=https\npassword={token}\n"),
    ] {
        let done = operation(&sandbox, "erase", request_for(&server) + &kept + "\n").run();
        assert_silent(&done, &kept.replace(&token, "TOKEN"));
        assert_eq!(sandbox.ls_token(&[]).run().token(), token, "it was forgotten");
    }
    assert_eq!(server.exchanges(), 1);
    for (number, rejected) in
        ["username=token\npassword=", "capability[]=authtype\nauthtype=Bearer\nephemeral=1\ncredential="]
            .iter()
            .enumerate()
    {
        let token = sandbox.ls_token(&[]).run().token();
        let done = operation(&sandbox, "erase", format!("{}{rejected}{token}\n\n", request_for(&server))).run();
        assert_silent(&done, rejected);
        assert!(sandbox.cache_files().is_empty(), "it is still there");
        assert_ne!(sandbox.ls_token(&[]).run().token(), token);
        assert_eq!(server.exchanges(), number + 2);
    }
    operation(&sandbox, "erase", request_for(&server) + "password=x\n\n").run().quiet();
}

#[test]
fn erase_with_nothing_cached_does_nothing() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.use_env(&server);
    let done = operation(&sandbox, "erase", request_for(&server) + "password=x\n\n").run();
    assert_silent(&done, "nothing is cached");
    assert!(!sandbox.cache().exists(), "a directory was made");
}

#[test]
fn store_and_operations_to_come_are_ignored() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.use_env(&server);
    for name in ["store", "approve", "fill", "GET", "get ", "rotate", "\u{e9}"] {
        for request in [request_for(&server) + "username=a\npassword=b\n\n", String::new(), "\0\r junk".into()] {
            assert_silent(&operation(&sandbox, name, request).run(), name);
        }
    }
    assert!(!sandbox.home().join(".cache").exists(), "something was stored");
    // Whoever writes a long request does not die of a broken pipe.
    let script = r#"{ head -c 900000 /dev/zero; echo "written $?" >&2; } | "$LS_TOKEN" credential store"#;
    sandbox.shell(script).run().says("written 0");
}

#[test]
fn an_operation_is_wanted() {
    let sandbox = Sandbox::new();
    sandbox.ls_token(&["credential"]).run().fails(2).says("<OPERATION>");
    sandbox.ls_token(&["credential", "get", "more"]).run().fails(2);
    sandbox.ls_token(&["credential", "--nonsense", "get"]).run().fails(2);
}
