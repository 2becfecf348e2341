//! Lives and clocks: no dead token, no endless refresh, whatever the clocks and the claims say.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::record::{Record, age};
use crate::sandbox::Sandbox;
use crate::server::{Server, now_seconds};

/// A sandbox whose environment names a server that gives out tokens of that life, in seconds.
fn with_life(seconds: i64) -> (Sandbox, Server) {
    let (sandbox, server) = (Sandbox::new(), Server::with_life(seconds));
    sandbox.use_env(&server);
    (sandbox, server)
}

#[test]
fn f37_a_short_life_has_a_short_margin() {
    for (life, still_good, too_old) in [(5, 3, 5), (60, 47, 49), (300, 269, 271), (3600, 3569, 3571)] {
        let (sandbox, server) = with_life(life);
        let token = sandbox.ls_token(&[]).run().token();
        age(&sandbox.cache_file(), Duration::from_secs(still_good));
        assert_eq!(sandbox.ls_token(&[]).run().token(), token, "a token of {life} s, {still_good} s old");
        age(&sandbox.cache_file(), Duration::from_secs(too_old - still_good));
        assert_ne!(sandbox.ls_token(&[]).run().token(), token, "a token of {life} s, {too_old} s old");
        assert_eq!(server.exchanges(), 2);
    }
}

#[test]
fn f37_a_life_of_one_second_gives_a_token_at_every_call() {
    let (sandbox, server) = with_life(1);
    for _ in 0..5 {
        sandbox.ls_token(&[]).run().quiet().token();
    }
    assert!(server.exchanges() <= 5, "{} exchanges", server.exchanges());
}

/// Changes a claim; `Null` takes it away.
fn set(claims: &mut Map<String, Value>, name: &str, value: &Value) {
    if value.is_null() {
        claims.remove(name);
    } else {
        claims.insert(name.to_owned(), value.clone());
    }
}

#[test]
fn f37_a_life_that_cannot_be_told_is_printed_once_and_not_cached() {
    let issued = now_seconds();
    let huge: Value = serde_json::from_str("1e300").unwrap();
    for (name, value) in [
        ("exp", Value::Null),
        ("iat", Value::Null),
        ("exp", json!(issued - 1000)),
        ("exp", json!(issued)),
        ("exp", json!(-5)),
        ("iat", json!(-5)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(9_007_199_254_740_994_u64)),
        ("exp", huge),
        ("exp", json!("tomorrow")),
        ("exp", json!([])),
        ("iat", json!({})),
        ("iat", json!(true)),
    ] {
        let (sandbox, server) = with_life(300);
        let changed = value.clone();
        server.set_claims(move |claims| {
            set(claims, "iat", &json!(issued));
            set(claims, name, &changed);
        });
        for call in 1..=2 {
            let done = sandbox.ls_token(&[]).run();
            assert_eq!(done.says("warning: ").says("not cached").token(), server.issued()[call - 1], "{name}: {value}");
            assert_eq!(server.exchanges(), call, "{name}: {value}");
        }
        assert!(sandbox.cache_files().is_empty(), "{name}: {value}");
        let object = sandbox.ls_token(&["--format", "json"]).run();
        let object: Value = serde_json::from_str(object.line()).unwrap();
        assert_eq!((&object["expires_at"], &object["expires_in"]), (&Value::Null, &Value::Null), "{name}: {value}");
    }
}

#[test]
fn f37_a_life_that_can_be_told_is_cached_also_in_fractions_and_beyond_32_bits() {
    for (issued, expires) in [
        (json!(100.5), json!(400.75)),
        (json!(0), json!(300)),
        (json!(now_seconds()), json!(now_seconds() + 73_000 * 86_400)),
        (json!(now_seconds()), json!(9_007_199_254_740_991_u64)),
    ] {
        let (sandbox, server) = with_life(300);
        let (iat, exp) = (issued.clone(), expires.clone());
        server.set_claims(move |claims| {
            set(claims, "iat", &iat);
            set(claims, "exp", &exp);
        });
        let token = sandbox.ls_token(&[]).run().quiet().token();
        assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), token, "{issued} to {expires}");
        assert_eq!(server.exchanges(), 1, "{issued} to {expires}");
        age(&sandbox.cache_file(), Duration::from_secs(86_400));
        assert_ne!(sandbox.ls_token(&[]).run().token(), token, "kept for over a day: {issued} to {expires}");
    }
}

#[test]
fn f35_a_clock_that_differs_from_the_servers_does_no_harm() {
    const HOUR: i64 = 3600;
    const TEN_YEARS: i64 = 10 * 365 * 24 * HOUR;
    for ahead in [-TEN_YEARS, -HOUR, -50, 50, HOUR, TEN_YEARS] {
        let (sandbox, server) = with_life(300);
        server.set_clock_ahead(ahead);
        let token = sandbox.ls_token(&[]).run().quiet().token();
        assert_eq!(sandbox.ls_token(&[]).run().token(), token, "{ahead} s ahead");
        age(&sandbox.cache_file(), Duration::from_secs(280));
        assert_ne!(sandbox.ls_token(&[]).run().token(), token, "{ahead} s ahead");
        assert_eq!(server.exchanges(), 2, "{ahead} s ahead");
    }
}

#[test]
fn f36_a_clock_that_was_set_makes_a_miss_rather_than_a_dead_token() {
    for (wall, boot, what) in [
        (-3600, 0, "the wall clock was set back: the token comes from the future"),
        (3600, 0, "the wall clock was set forward"),
        (0, 3600, "the machine was suspended, or its wall clock set back since"),
        (0, -1_000_000_000, "the machine was booted since"),
    ] {
        let (sandbox, server) = with_life(300);
        let token = sandbox.ls_token(&[]).run().token();
        let mut record = Record::read(&sandbox.cache_file());
        record.shift(wall, boot);
        record.write();
        assert_ne!(sandbox.ls_token(&[]).run().token(), token, "{what}");
        assert_eq!(server.exchanges(), 2, "{what}");
    }
}

#[test]
fn f36_a_cache_of_another_machine_is_judged_by_the_wall_clock() {
    let (sandbox, server) = with_life(300);
    let token = sandbox.ls_token(&[]).run().token();
    let mut record = Record::read(&sandbox.cache_file());
    record.shift(0, -1_000_000_000);
    let obtained = record.get("obtained").to_owned();
    record.set("obtained", &format!("{obtained}-elsewhere"));
    record.write();
    assert_eq!(sandbox.ls_token(&[]).run().token(), token);
    age(&sandbox.cache_file(), Duration::from_secs(280));
    assert_ne!(sandbox.ls_token(&[]).run().token(), token);
    assert_eq!(server.exchanges(), 2);
}
