//! `ls-token status` where something is wrong: it says what, and does no harm.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::{as_json, cached, change, value};
use crate::record::Record;
use crate::sandbox::{Sandbox, ready};
use crate::server::Server;

#[test]
fn f30_a_cache_file_that_is_not_to_be_used_is_told_apart_from_none() {
    let (sandbox, _server) = cached();
    let file = sandbox.cache_file();
    let whole = fs::read(&file).unwrap();
    let not_used = "none: the cache file is damaged, not private, or belongs to another personal access token";
    for damage in [&b""[..], &whole[..whole.len() / 2], b"\0\xff noise", b"ls-token-cache 9 0000000000000000\n"] {
        fs::write(&file, damage).unwrap();
        assert_eq!(value(&sandbox, "token"), not_used);
        assert_eq!(as_json(&sandbox)["cached"], json!(false));
        assert_eq!(fs::read(&file).unwrap(), damage, "status changed it");
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(value(&sandbox, "token"), not_used, "a directory in its place");
    fs::remove_dir(&file).unwrap();
    assert_eq!(value(&sandbox, "token"), "none");
}

#[test]
fn f34_another_personal_access_token_in_the_source_is_a_cache_of_nothing() {
    let (sandbox, server) = cached();
    sandbox.pat_file(&server.new_pat());
    assert!(value(&sandbox, "token").starts_with("none: "), "the token of the other one");
    fs::remove_file(sandbox.home().join("label studio.pat")).unwrap();
    assert!(value(&sandbox, "source").ends_with("label studio.pat (empty)"));
    sandbox.use_source(&server, "env:NO_SUCH_PAT", "");
    assert_eq!(value(&sandbox, "source"), "env:NO_SUCH_PAT (empty)");
}

#[test]
fn f37_a_life_without_end_or_a_moment_out_of_this_world_does_no_harm() {
    let (sandbox, _server) = cached();
    let host = Record::read(&sandbox.cache_file()).get("obtained").rsplit_once(' ').unwrap().1.to_owned();
    for (obtained, life) in [
        ("1000 1000", "18446744073709551615"),
        ("0 0", "253402300800000"),
        ("-9223372036854775808 0", "300000"),
        ("9223372036854775807 9223372036854775807", "300000"),
        ("-1 -1", "9223372036854775807"),
    ] {
        change(&sandbox, "obtained", &format!("{obtained} {host}"));
        change(&sandbox, "life", life);
        let object = as_json(&sandbox);
        let expires = &object["expires_at"];
        assert!(expires.is_null() || expires.as_str().unwrap().len() == 20, "{object}");
        value(&sandbox, "token");
    }
}

#[test]
fn why_nothing_is_cached_is_told() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.use_file(&server, "");
    let directory = sandbox.cache();
    fs::create_dir_all(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    let cache = value(&sandbox, "cache");
    let shown = directory.display();
    assert_eq!(
        cache,
        format!("none: the cache directory is open to others, so it is not used ({shown}); hint: chmod 700 '{shown}'")
    );
    let object = as_json(&sandbox);
    assert_eq!((&object["cache"], &object["cache_problem"]), (&json!(null), &json!(cache.strip_prefix("none: "))));
    for (named, why) in [("relative", "depends on the current directory"), ("/etc/passwd", "is not a directory")] {
        let call = sandbox.ls_token(&["status"]);
        let done = call.env("LS_TOKEN_CACHE_DIR", named).run();
        let line = done.quiet().stdout.lines().last().unwrap().to_owned();
        assert!(line.starts_with("cache  ") && line.contains("none: ") && line.contains(why), "{named}: {line}");
    }
}

#[test]
fn without_a_profile_it_fails_as_the_token_would() {
    let sandbox = Sandbox::new();
    for arguments in
        [&["status"][..], &["status", "--json"], &["status", "--profile", "x"], &["status", "--url", "https://h"]]
    {
        sandbox.ls_token(arguments).run().fails(78);
    }
    sandbox.ls_token(&["status"]).run().says("no Label Studio server is set");
    sandbox.settings("[profiles.a]\nurl = 5\n");
    sandbox.ls_token(&["status", "--all"]).run().fails(78).says("line 2");
}

#[test]
fn the_environments_pair_needs_no_settings_here_either() {
    let (sandbox, _server) = ready();
    sandbox.settings("this is no TOML");
    sandbox.ls_token(&[]).run().token();
    assert!(value(&sandbox, "token").starts_with("valid for "));
}
