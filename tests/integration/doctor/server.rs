//! The way to the server, its clock, and what it says of the tokens.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use super::{check, doctor, fails_with, finds, healthy};
use crate::sandbox::{Sandbox, wait_until};
use crate::server::{REFRESH, Reply, Server, Setup, WHOAMI, html_page};
use crate::tls::Authority;

/// What tells the version.
const VERSION: &str = "/api/version";

#[test]
fn f42_a_server_that_is_not_there_is_a_failure_and_the_rest_is_looked_at() {
    let (sandbox, server) = healthy();
    // The port of a listener that is gone.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = server.expect_no_calls();
    sandbox.settings(&format!(
        "[profiles.a]\nurl = 'http://127.0.0.1:{port}'\npat = 'file:{}'\n",
        sandbox.home().join("label studio.pat").display()
    ));
    let done = doctor(&sandbox);
    done.within(Duration::from_secs(4));
    fails_with(&done, 69, "connection");
    finds(&done, "FAIL", "connection", &["cannot connect to http://127.0.0.1:", "Connection refused"]);
    for name in ["version", "clock", "exchange", "user"] {
        finds(&done, "skipped", name, &["needs the connection"]);
    }
    finds(&done, "ok", "pat", &[]);
    finds(&done, "ok", "cache", &[]);
    drop(server);
}

#[test]
fn f38_a_silent_server_holds_it_up_for_less_than_ten_seconds() {
    let three = [VERSION, REFRESH, WHOAMI];
    let silent = three.map(|path| (vec![path], Reply::Silence));
    // Each of these would do by itself; all of them do not.
    let slow = (three.to_vec(), Reply::Usual.after(Duration::from_millis(3500)));
    thread::scope(|scope| {
        for (paths, reply) in silent.into_iter().chain([slow]) {
            scope.spawn(move || {
                let (sandbox, server) = healthy();
                for path in paths {
                    server.always(path, reply.clone());
                }
                let done = doctor(&sandbox);
                done.within(Duration::from_secs(10));
                assert_eq!(done.code, Some(69), "{done:?}");
            });
        }
    });
}

#[test]
fn f43_a_signal_ends_it() {
    let (sandbox, server) = healthy();
    server.always(VERSION, Reply::Silence);
    let running = sandbox.ls_token(&["doctor"]).start();
    wait_until("the server is asked", || server.count("GET", VERSION) > 0);
    running.send(Signal::INT);
    let done = running.wait();
    assert_eq!(done.ends_within(Duration::from_secs(1)).signal, Some(Signal::INT.as_raw()), "{done:?}");
}

#[test]
fn f42_a_name_that_is_not_found_is_said_twice_over() {
    let (sandbox, server) = healthy();
    let server = server.expect_no_calls();
    sandbox.settings(&format!(
        "[profiles.a]\nurl = 'https://nowhere.invalid'\npat = 'file:{}'\n",
        sandbox.home().join("label studio.pat").display()
    ));
    let done = doctor(&sandbox);
    done.within(Duration::from_secs(10));
    fails_with(&done, 69, "connection");
    finds(&done, "warn", "address", &["the name nowhere.invalid was not found"]);
    drop(server);
}

#[test]
fn f41_an_unknown_authority_is_a_failure_that_names_ca_file() {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let server = Setup { tls: Some(authority.configuration(&["127.0.0.1"], 2090)), ..Setup::default() }.start();
    sandbox.use_file(&server, "");
    let done = doctor(&sandbox);
    fails_with(&done, 69, "connection");
    finds(&done, "FAIL", "connection", &["signed by an unknown CA", "ca_file"]);
    sandbox.use_file(&server, &format!("ca_file = \"{}\"", authority.file(&sandbox).display()));
    finds(&doctor(&sandbox), "ok", "connection", &["with a certificate that is trusted by the profile's ca_file"]);
}

#[test]
fn a_revoked_token_is_a_failure_of_the_exchange() {
    let (sandbox, server) = healthy();
    server.revoke(server.pat());
    let done = doctor(&sandbox);
    fails_with(&done, 77, "exchange");
    finds(&done, "FAIL", "exchange", &["Token is blacklisted", "do: it was revoked or rotated"]);
    finds(&done, "skipped", "user", &["needs an access token"]);
}

#[test]
fn personal_access_tokens_that_the_organization_forbids_are_named() {
    let (sandbox, server) = healthy();
    server.allow_pats(false);
    let done = doctor(&sandbox);
    fails_with(&done, 77, "user");
    finds(&done, "ok", "exchange", &[]);
    finds(&done, "FAIL", "user", &["rejected the access token", "Organization > Access Token Settings"]);
}

#[test]
fn something_other_than_label_studio_is_a_warning() {
    for (reply, says) in [
        (Reply::body(200, "text/html", "<html>Log in"), "status 200 and an HTML page"),
        (Reply::body(404, "text/html", html_page()), "status 404 and an HTML page"),
        (Reply::redirect(302, "https://login.example.com/"), "status 302"),
        (Reply::json(200, &json!({"release": 5})), "status 200 and other JSON"),
    ] {
        let (sandbox, server) = healthy();
        server.always(VERSION, reply);
        let done = doctor(&sandbox);
        assert_eq!(done.code, Some(0), "{done:?}");
        finds(&done, "warn", "version", &[says, "which is not Label Studio's answer"]);
    }
}

#[test]
fn f10_a_version_that_a_terminal_would_obey_is_escaped() {
    let (sandbox, server) = healthy();
    server.always(VERSION, Reply::json(200, &json!({"release": "1\u{1b}[2J\n2"})));
    finds(&doctor(&sandbox), "ok", "version", &["Label Studio 1\\u{1b}[2J\\n2"]);
}

#[test]
fn f35_the_clocks_are_compared() {
    let at = |seconds: i64| {
        let at =
            std::time::UNIX_EPOCH + Duration::from_secs(u64::try_from(crate::server::now_seconds() + seconds).unwrap());
        let text = humantime::format_rfc3339_seconds(at).to_string();
        // 2026-11-23T22:12:13Z → Mon, 23 Nov 2026 22:12:13 GMT; the day of the week is not looked at.
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let month = months[text[5..7].parse::<usize>().unwrap() - 1];
        format!("Mon, {} {month} {} {} GMT", &text[8..10], &text[..4], &text[11..19])
    };
    let (sandbox, server) = healthy();
    let version = || Reply::json(200, &json!({"release": "1.21.0"}));
    finds(&doctor(&sandbox), "ok", "clock", &["does not tell its time"]);
    server.always(VERSION, version().with("Date", &at(0)));
    finds(&doctor(&sandbox), "ok", "clock", &["the server's"]);
    for (ahead, says) in [(120, " s behind the server's"), (-3600, " s ahead of the server's")] {
        server.always(VERSION, version().with("Date", &at(ahead)));
        let done = doctor(&sandbox);
        assert_eq!(done.code, Some(0), "no failure: tokens work all the same");
        finds(&done, "warn", "clock", &[says, "work all the same", "do: set the clock"]);
    }
    server.always(VERSION, version().with("Date", "yesterday"));
    finds(&doctor(&sandbox), "ok", "clock", &["does not tell its time"]);
}

#[test]
fn f37_a_token_that_does_not_say_how_long_it_is_good_is_a_warning() {
    let (sandbox, server) = healthy();
    server.set_claims(|claims| _ = claims.remove("exp"));
    finds(&doctor(&sandbox), "warn", "exchange", &["does not say how long it is valid"]);
}

#[test]
fn plain_http_to_another_machine_is_a_warning() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    // A network for documentation (RFC 5737): nothing is there, and nothing answers.
    sandbox.settings("[profiles.a]\nurl = 'http://192.0.2.1:9'\npat = 'env:NOT_SET'\nallow_http = true\n");
    let done = doctor(&sandbox);
    done.within(Duration::from_secs(10));
    assert_eq!(done.code, Some(77), "the source is what fails first: {done:?}");
    assert!(check(&done, "connection").starts_with("FAIL"), "{done:?}");
    drop(server);
}

#[test]
fn f65_the_cas_of_the_exchange_are_compared_with_those_of_other_programs() {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let server = authority.server(&["127.0.0.1"]);
    let file = authority.file(&sandbox).display().to_string();
    sandbox.use_file(&server, "");
    let with = |variables: &[(&str, &str)]| {
        let call = variables.iter().fold(sandbox.ls_token(&["doctor"]), |call, (name, value)| call.env(name, value));
        call.run()
    };
    finds(&with(&[]), "ok", "authorities", &["the system's"]);
    finds(&with(&[("SSL_CERT_FILE", &file)]), "ok", "authorities", &["those of SSL_CERT_FILE", "authority.pem"]);
    finds(&with(&[("SSL_CERT_FILE", &file)]), "ok", "connection", &["trusted by SSL_CERT_FILE"]);
    for name in ["CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"] {
        let done = with(&[(name, &file)]);
        finds(
            &done,
            "warn",
            "authorities",
            &["the system's; ", name, "authority.pem counts for what exec runs, but not"],
        );
        finds(&with(&[(name, "/x"), ("SSL_CERT_FILE", &file)]), "ok", "authorities", &["also for what exec runs"]);
    }
    finds(
        &with(&[("SSL_CERT_FILE", "/nowhere")]),
        "warn",
        "authorities",
        &["cannot use the certificates of SSL_CERT_FILE"],
    );
    sandbox.use_file(&server, &format!("ca_file = \"{file}\""));
    finds(&with(&[("CURL_CA_BUNDLE", "/x")]), "ok", "authorities", &["those of ca_file, also for what exec runs"]);
    let (plain, _server) = healthy();
    finds(&doctor(&plain), "ok", "authorities", &["none are needed for plain http"]);
}
