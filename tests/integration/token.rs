//! The straight line: a token is exchanged once, cached, and printed in the form that is wanted.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::login::{config, login, stored};
use crate::record::age;
use crate::sandbox::{Sandbox, need, read, ready};
use crate::server::{PROJECTS, REFRESH, Server, Setup, WHOAMI, claims_of, now};

#[test]
fn a_token_is_exchanged_once_and_then_comes_from_the_cache() {
    let (sandbox, server) = ready();
    let first = sandbox.ls_token(&[]).run();
    assert_eq!(vec![first.quiet().token()], server.issued());
    let second = sandbox.ls_token(&[]).run();
    assert_eq!(second.quiet().token(), first.token());
    assert_eq!(server.exchanges(), 1);
}

#[test]
fn the_exchange_is_one_plain_post_with_the_token_in_its_body() {
    let (sandbox, server) = ready();
    sandbox.ls_token(&[]).run().token();
    let [request] = &server.requests()[..] else { panic!("one request") };
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", REFRESH));
    assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), json!({"refresh": server.pat()}));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("host"), Some(server.address().to_string().as_str()));
    assert!(request.header("user-agent").unwrap().starts_with("ls-token/"));
    for (name, value) in &request.headers {
        assert!(!value.contains(server.pat()), "the personal access token is in the header {name}");
    }
    assert_eq!((request.header("authorization"), request.header("cookie")), (None, None));
}

#[test]
fn a_base_path_is_kept() {
    let sandbox = Sandbox::new();
    let server = Setup { base: "/label-studio".into(), ..Setup::default() }.start();
    sandbox.use_env(&server);
    sandbox.ls_token(&[]).run().token();
    assert_eq!(server.requests()[0].target, "/label-studio/api/token/refresh/");
    sandbox.ls_token(&["--refresh"]).env("LABEL_STUDIO_URL", format!("{}/", server.url())).run().token();
    assert_eq!(server.requests()[1].target, "/label-studio/api/token/refresh/");
    sandbox.ls_token(&["verify"]).run().quiet().prints("/label-studio,");
    assert_eq!(server.count("GET", WHOAMI), 1);
    // Saved by a login, too.
    let sandbox = Sandbox::new();
    assert_eq!(login(&sandbox, &server, server.pat(), &[]).run().code, Some(0));
    stored(&sandbox);
    assert!(read(&config(&sandbox)).contains("/label-studio\"\n"));
    sandbox.ls_token(&[]).run().quiet().token();
}

#[test]
fn the_token_is_printed_in_four_forms() {
    let (sandbox, server) = ready();
    let token = sandbox.ls_token(&["--format", "token"]).run().token();
    let header = sandbox.ls_token(&["--format", "header"]).run();
    assert_eq!(header.quiet().line(), format!("Authorization: Bearer {token}"));
    let curl = sandbox.ls_token(&["--format=curl"]).run();
    assert_eq!(curl.quiet().line(), format!("header = \"Authorization: Bearer {token}\""));
    let object = sandbox.ls_token(&["--format", "json"]).run();
    let object: Value = serde_json::from_str(object.quiet().line()).unwrap();
    assert_eq!(object["token"], json!(token));
    assert_eq!(object["token_type"], json!("Bearer"));
    assert_eq!(object["url"], json!(server.url()));
    assert_eq!(object["profile"], json!("environment"));
    let left = object["expires_in"].as_u64().unwrap();
    assert!((290..=300).contains(&left), "{object}");
    let time = |name: &str| {
        let text = object[name].as_str().unwrap();
        assert!(text.ends_with('Z') && text.len() == 20, "not RFC 3339 in UTC and whole seconds: {text}");
        humantime::parse_rfc3339(text).unwrap()
    };
    assert_eq!(time("expires_at").duration_since(time("obtained_at")).unwrap(), Duration::from_secs(300));
    assert_eq!(object.as_object().unwrap().len(), 7, "{object}");
    assert_eq!(server.exchanges(), 1);
}

#[test]
fn curl_takes_the_header_and_the_configuration() {
    need("curl");
    let (sandbox, server) = ready();
    let url = format!("{}{PROJECTS}", server.url());
    for script in [
        r#"curl -qsS --fail-with-body -H "Authorization: Bearer $("$LS_TOKEN")" "$1""#,
        r#"curl -qsS --fail-with-body -H "$("$LS_TOKEN" --format header)" "$1""#,
        r#""$LS_TOKEN" --format curl | curl -qsS --fail-with-body -K - "$1""#,
    ] {
        let done = sandbox.shell(script).arg("sh").arg(&url).run();
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{script}");
        assert_eq!(serde_json::from_str::<Value>(&done.stdout).unwrap()["count"], json!(0), "{script}");
    }
    assert_eq!((server.exchanges(), server.count("GET", PROJECTS)), (1, 3));
}

#[test]
fn every_server_and_source_has_a_token_of_its_own() {
    let sandbox = Sandbox::new();
    let (one, two) = (Server::start(), Server::start());
    let (first, second) = (sandbox.file("one.pat", one.pat(), 0o600), sandbox.file("two.pat", two.pat(), 0o600));
    let third = sandbox.file("three.pat", one.new_pat(), 0o600);
    let profile = |name: &str, server: &Server, file: &std::path::Path| {
        format!("[profiles.{name}]\nurl = \"{}\"\npat = \"file:{}\"\n", server.url(), file.display())
    };
    sandbox
        .settings(&(profile("one", &one, &first) + &profile("two", &two, &second) + &profile("three", &one, &third)));
    for _ in 0..2 {
        let tokens = ["one", "two", "three"].map(|name| sandbox.ls_token(&["--profile", name]).run().token());
        assert_eq!([&tokens[0], &tokens[2]], [&one.issued()[0], &one.issued()[1]]);
        assert_eq!(vec![tokens[1].clone()], two.issued());
    }
    assert_eq!((one.exchanges(), two.exchanges(), sandbox.cache_files().len()), (2, 1, 3));
}

#[test]
fn refresh_gets_a_new_token_and_leaves_it_to_the_next_call() {
    let (sandbox, server) = ready();
    let old = sandbox.ls_token(&[]).run().token();
    let new = sandbox.ls_token(&["--refresh"]).run().token();
    assert_ne!(old, new);
    assert_eq!(sandbox.ls_token(&[]).run().token(), new);
    assert_eq!(server.exchanges(), 2);
}

#[test]
fn no_cache_neither_reads_nor_writes_it() {
    let (sandbox, server) = ready();
    sandbox.ls_token(&["--no-cache"]).run().quiet().token();
    assert!(!sandbox.home().join(".cache").exists(), "a cache was made");
    let cached = sandbox.ls_token(&[]).run().token();
    let other = sandbox.ls_token(&["--no-cache"]).run().token();
    assert_ne!(cached, other);
    assert_eq!(sandbox.ls_token(&[]).run().token(), cached);
    assert_eq!(server.exchanges(), 3);
}

#[test]
fn a_token_is_used_until_thirty_seconds_before_its_end() {
    let (sandbox, server) = ready();
    let token = sandbox.ls_token(&[]).run().token();
    age(&sandbox.cache_file(), Duration::from_secs(260));
    assert_eq!(sandbox.ls_token(&[]).run().token(), token);
    age(&sandbox.cache_file(), Duration::from_secs(11));
    assert_ne!(sandbox.ls_token(&[]).run().token(), token);
    assert_eq!(server.exchanges(), 2);
}

#[test]
fn min_ttl_asks_for_more_of_a_token_and_the_flag_beats_the_profile() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_file(&server, "min_ttl = 200");
    let token = sandbox.ls_token(&[]).run().token();
    age(&sandbox.cache_file(), Duration::from_secs(90));
    assert_eq!(sandbox.ls_token(&[]).run().token(), token, "210 s left");
    age(&sandbox.cache_file(), Duration::from_secs(20));
    assert_eq!(sandbox.ls_token(&["--min-ttl", "100"]).run().token(), token, "190 s left");
    assert_ne!(sandbox.ls_token(&[]).run().token(), token, "190 s left");
    assert_ne!(sandbox.ls_token(&["--min-ttl=290"]).run().token(), token);
    assert_eq!(server.exchanges(), 2);
}

#[test]
fn a_min_ttl_that_no_token_reaches_still_gives_one() {
    let (sandbox, server) = ready();
    let done = sandbox.ls_token(&["--min-ttl", "86400"]).run();
    done.says("warning: the token is valid for 29")
        .says(" s, less than the min_ttl of 86400 s that was asked for")
        .token();
    sandbox.ls_token(&["--min-ttl", "86401"]).run().fails(2).says("86400");
    assert_eq!(server.exchanges(), 1);
}

#[test]
fn f62_a_token_with_less_left_than_was_asked_for_is_never_given_without_a_word() {
    let wanted = |sandbox: &Sandbox, min_ttl: &str| {
        let done = sandbox.ls_token(&["--min-ttl", min_ttl]).run();
        let token = done.token();
        let left = claims_of(&token)["exp"].as_f64().unwrap() - now();
        let is_said = done.stderr.contains(&format!("less than the min_ttl of {min_ttl} s that was asked for"));
        // Its times are whole seconds.
        assert!(is_said || left + 1.0 >= min_ttl.parse().unwrap(), "{left} s left of {min_ttl} s, and no word");
        is_said
    };
    let (sandbox, _server) = ready();
    for min_ttl in ["600", "600", "300", "300", "86400", "301"] {
        assert!(wanted(&sandbox, min_ttl), "{min_ttl}");
    }
    for min_ttl in ["0", "200"] {
        assert!(!wanted(&sandbox, min_ttl), "{min_ttl}");
    }
    for min_ttl in ["290", "299", "298"] {
        wanted(&sandbox, min_ttl);
    }
    let (sandbox, server) = (Sandbox::new(), Server::with_life(5));
    sandbox.use_file(&server, "min_ttl = 60");
    for _ in 0..3 {
        sandbox.ls_token(&[]).run().says("less than the min_ttl of 60 s").token();
        sandbox.ls_token(&["--no-cache"]).run().says("less than the min_ttl of 60 s").token();
    }
}

#[test]
fn an_expiry_is_crossed_with_a_token_that_is_good_on_both_sides() {
    let (sandbox, server) = (Sandbox::new(), Server::with_life(2));
    sandbox.use_env(&server);
    let old = sandbox.ls_token(&[]).run().token();
    while server.expiry(&old).unwrap() > now() {
        sleep(Duration::from_millis(50));
    }
    sleep(Duration::from_secs(1));
    let before = now();
    let new = sandbox.ls_token(&[]).run().token();
    assert_ne!(old, new);
    assert!(server.expiry(&new).unwrap() > before, "the new one is as dead as the old one");
}

#[test]
fn two_stored_tokens_of_one_server_are_cached_side_by_side() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    for (name, pat) in [("one", server.pat().to_owned()), ("two", server.new_pat())] {
        let done = login(&sandbox, &server, &pat, &["--profile", name]).run();
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    stored(&sandbox);
    let token = |name: &str| sandbox.ls_token(&["--profile", name]).run().quiet().token();
    let (one, two) = (token("one"), token("two"));
    assert_ne!(one, two);
    for _ in 0..3 {
        assert_eq!((token("one"), token("two")), (one.clone(), two.clone()));
    }
    assert_eq!(server.exchanges(), 2, "those of the logins");
}
