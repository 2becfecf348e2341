//! `ls-token status`: what is cached and until when, for people and for programs, with nothing asked and nothing touched.

mod offline;
mod table;
mod trouble;

use std::time::Duration;

use serde_json::{Value, json};

use crate::record::{Record, age};
use crate::sandbox::Sandbox;
use crate::server::{Server, now_seconds};

/// Runs `status` and returns its lines, as names and values, after asserting that it succeeded in silence.
#[track_caller]
fn status(sandbox: &Sandbox, arguments: &[&str]) -> Vec<(String, String)> {
    let done = sandbox.ls_token(&[&["status"], arguments].concat()).run();
    assert_eq!(done.quiet().code, Some(0), "{done:?}");
    let lines = done.stdout.lines().map(|line| {
        let (name, value) = line.split_once("  ").unwrap_or_else(|| panic!("no gap in {line}"));
        (name.to_owned(), value.trim_start().to_owned())
    });
    lines.collect()
}

/// Returns one value of `status`.
#[track_caller]
fn value(sandbox: &Sandbox, name: &str) -> String {
    let lines = status(sandbox, &[]);
    let line = lines.iter().find(|(has, _)| has == name);
    line.unwrap_or_else(|| panic!("no {name} in {lines:?}")).1.clone()
}

/// Runs `status --json` and returns its object.
#[track_caller]
fn as_json(sandbox: &Sandbox) -> Value {
    let done = sandbox.ls_token(&["status", "--json"]).run();
    serde_json::from_str(done.quiet().line()).unwrap()
}

/// A sandbox with one profile, `test`, of which a token is cached.
fn cached() -> (Sandbox, Server) {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_file(&server, "");
    sandbox.ls_token(&[]).run().token();
    (sandbox, server)
}

/// Changes a value of the cache file.
fn change(sandbox: &Sandbox, name: &str, value: &str) {
    let mut record = Record::read(&sandbox.cache_file());
    record.set(name, value);
    record.write();
}

#[test]
fn it_says_what_there_is_to_know_of_the_profile() {
    let (sandbox, server) = cached();
    let lines = status(&sandbox, &[]);
    let names: Vec<&str> = lines.iter().map(|(name, _)| name.as_str()).collect();
    let wanted = ["profile", "server", "source", "token", "personal access token", "settings", "cache"];
    assert_eq!(names, wanted);
    let pat = sandbox.home().join("label studio.pat");
    let settings = sandbox.home().join(".config/ls-token/config.toml");
    assert_eq!(lines[0].1, "test");
    assert_eq!(lines[1].1, server.url());
    assert_eq!(lines[2].1, format!("file:{}", pat.display()));
    assert_eq!(lines[5].1, settings.display().to_string());
    assert_eq!(lines[6].1, sandbox.cache_file().display().to_string());
    let done = sandbox.ls_token(&["status"]).run();
    let columns: Vec<usize> =
        done.stdout.lines().zip(&lines).map(|(line, (_, value))| line.len() - value.len()).collect();
    assert!(columns.iter().all(|column| *column == columns[0]), "{}", done.stdout);
    assert!(!done.stdout.contains('\x1b'), "colour");
    assert!(!done.stdout.contains(&server.issued()[0]), "the token itself");
}

#[test]
fn the_token_has_a_countdown() {
    let (sandbox, _server) = cached();
    let token = || value(&sandbox, "token");
    assert!(token().starts_with("valid for 4 min 5") || token() == "valid for 5 min 0 s", "{}", token());
    age(&sandbox.cache_file(), Duration::from_secs(200));
    assert!(token().starts_with("valid for 1 min 3") || token().starts_with("valid for 1 min 40"), "{}", token());
    age(&sandbox.cache_file(), Duration::from_secs(80));
    let due = token();
    let seconds = due.strip_prefix("valid for ").and_then(|rest| rest.strip_suffix(" s; the next call gets a new one"));
    assert!((5..=20).contains(&seconds.unwrap().parse::<u32>().unwrap()), "{due}");
    age(&sandbox.cache_file(), Duration::from_secs(30));
    assert_eq!(token(), "expired");
    change(&sandbox, "life", "86400000");
    assert!(token().starts_with("valid for 23 h 5"), "{}", token());
}

#[test]
fn a_min_ttl_of_the_profile_makes_a_token_due() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_file(&server, "min_ttl = 200");
    sandbox.ls_token(&[]).run().token();
    age(&sandbox.cache_file(), Duration::from_secs(110));
    assert!(value(&sandbox, "token").ends_with("; the next call gets a new one"));
    let before = server.exchanges();
    sandbox.ls_token(&[]).run().token();
    assert_eq!(server.exchanges(), before + 1, "and so it does");
}

#[test]
fn nothing_cached_is_none() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.use_env(&server);
    let lines = status(&sandbox, &[]);
    assert_eq!((lines[0].1.as_str(), lines[2].1.as_str()), ("environment", "env:LABEL_STUDIO_API_KEY"));
    assert_eq!((lines[3].1.as_str(), lines[4].1.as_str()), ("none", "expiry unknown until first use"));
    assert!(lines[5].1.ends_with(".config/ls-token/config.toml (does not exist)"), "{lines:?}");
    assert!(lines[6].1.starts_with(sandbox.cache().to_str().unwrap()), "{lines:?}");
}

#[test]
fn the_expiry_of_the_personal_access_token_is_told_once_it_is_known() {
    let (sandbox, _server) = cached();
    let pat = |seconds: String| {
        change(&sandbox, "pat-expires", &seconds);
        value(&sandbox, "personal access token")
    };
    let lifelong = value(&sandbox, "personal access token");
    assert!(lifelong.starts_with("expires at 22") && lifelong.ends_with(" days"), "200 years: {lifelong}");
    let now = now_seconds();
    let soon = pat((now + 10 * 86_400 + 60).to_string());
    assert!(soon.starts_with("expires at 20") && soon.ends_with("Z, in 10 days"), "{soon}");
    let today = pat((now + 5 * 3600 + 60).to_string());
    assert!(today.ends_with("Z, in 5 h"), "{today}");
    let over = pat((now - 60).to_string());
    assert!(over.starts_with("expired at 20") && over.ends_with('Z'), "{over}");
    assert_eq!(pat("0".into()), "does not say when it expires");
    for far in [253_402_300_800, 1 << 53, u64::MAX / 2, u64::MAX] {
        assert_eq!(pat(far.to_string()), "expires after the year 9999");
        assert_eq!(as_json(&sandbox)["pat_expires_at"], json!(null));
    }
    assert!(pat("253402300799".into()).starts_with("expires at 9999-12-31T23:59:59Z, in "));
}

#[test]
fn json_has_these_fields_of_these_types() {
    let (sandbox, server) = cached();
    let object = as_json(&sandbox);
    let rfc3339 = |name: &str| {
        let text = object[name].as_str().unwrap();
        assert!(text.ends_with('Z') && text.len() == 20, "not RFC 3339 in UTC and whole seconds: {text}");
        humantime::parse_rfc3339(text).unwrap();
        text
    };
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "cache",
            "cache_problem",
            "cached",
            "expires_at",
            "expires_in",
            "kept_until",
            "pat_expires_at",
            "profile",
            "settings",
            "source",
            "url"
        ]
    );
    assert_eq!((&object["profile"], &object["url"]), (&json!("test"), &json!(server.url())));
    assert!(object["source"].as_str().unwrap().starts_with("file:/"));
    assert_eq!((&object["cached"], &object["cache_problem"]), (&json!(true), &json!(null)));
    assert!((290..=300).contains(&object["expires_in"].as_u64().unwrap()), "{object}");
    assert_eq!(object["cache"], json!(sandbox.cache_file()));
    assert_eq!(object["settings"], json!(sandbox.home().join(".config/ls-token/config.toml")));
    let token = sandbox.ls_token(&["--format", "json"]).run();
    let token: Value = serde_json::from_str(token.line()).unwrap();
    assert_eq!(rfc3339("expires_at"), token["expires_at"], "the same as of the token");
    assert!(rfc3339("pat_expires_at").starts_with("22"));
    age(&sandbox.cache_file(), Duration::from_secs(301));
    let expired = as_json(&sandbox);
    assert_eq!(
        (&expired["cached"], &expired["expires_at"], &expired["expires_in"]),
        (&json!(false), &json!(null), &json!(null))
    );
    assert!(expired["pat_expires_at"].is_string(), "still known");
}
