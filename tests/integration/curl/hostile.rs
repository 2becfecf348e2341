//! Hostile addresses and command lines: each reaches the profile's own server, with its own token and nothing else, or
//! curl is not started and no token is asked for.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use super::kit::{
    CURLRC, Stranger, asked, assert_own_tokens, assert_refused, curl, profile, starts, targets, watch, words,
};
use super::rows::{FOREIGN, HARMLESS, REFUSED};
use crate::sandbox::Sandbox;
use crate::server::{Server, Setup};

/// Puts the addresses of a server and a stranger into a row of a table.
fn fill(row: &str, server: &Server, stranger: &Stranger) -> String {
    let (url, port) = (server.url(), server.port().to_string());
    row.replace("$A", &url)
        .replace("$a", server.origin().trim_start_matches("http://"))
        .replace("$p", &port)
        .replace("$E", &stranger.url())
        .replace("$e", &stranger.host())
        .replace("$q", &stranger.port().to_string())
}

/// Asserts that none of these command lines starts curl, asks for a token or calls anyone.
fn assert_all_refused(base: &str, lines: impl Fn(&Server, &Stranger) -> Vec<Vec<String>>) {
    let (sandbox, stranger) = (Sandbox::new(), Stranger::start());
    watch(&sandbox);
    let server = Setup { base: base.to_owned(), ..Setup::default() }.start().expect_no_calls();
    sandbox.settings(&profile(&sandbox, "test", &server, ""));
    sandbox.file("work/f", "url = x\n", 0o600);
    let lines = lines(&server, &stranger);
    assert!(!lines.is_empty());
    for line in lines {
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        let done = curl(&sandbox, &line).run();
        assert_refused(&sandbox, &done, 2, &format!("{line:?}"));
    }
    stranger.assert_alone("a refused command line");
}

/// Asserts that these command lines reach their targets, with one token of the server's own each, and nobody else.
fn assert_all_reach(base: &str, rows: &[(&str, &[&str])]) {
    let (sandbox, stranger) = (Sandbox::new(), Stranger::start());
    watch(&sandbox);
    let server = Setup { base: base.to_owned(), ..Setup::default() }.start();
    sandbox.settings(&profile(&sandbox, "test", &server, ""));
    let mut before = 0;
    for (row, wanted) in rows {
        let line = words(&fill(row, &server, &stranger));
        let line: Vec<&str> = ["-sS", "-m", "20"].into_iter().chain(line.iter().map(String::as_str)).collect();
        // `-q` counts only where it is first.
        let line = if row.starts_with("-q") || row.starts_with("--disable") { &line[3..] } else { &line[..] };
        let done = curl(&sandbox, line).run();
        assert_eq!(done.code, Some(0), "{line:?}: {done:?}");
        let wanted: Vec<String> = wanted.iter().map(|target| fill(target, &server, &stranger)).collect();
        let now = targets(&server);
        assert_eq!(now[before..], wanted, "the targets of {line:?}");
        before = now.len();
    }
    assert_eq!(starts(&sandbox), rows.len());
    assert_own_tokens(&server);
    for request in asked(&server) {
        let host = request.header("host").unwrap_or_default();
        assert_eq!(format!("http://{host}"), server.origin());
    }
    stranger.assert_alone("a harmless command line");
}

#[test]
fn f05_two_hundred_hostile_addresses_do_not_start_curl() {
    assert!(FOREIGN.len() > 200, "only {} addresses", FOREIGN.len());
    assert_all_refused("", |server, stranger| {
        let rows = FOREIGN.iter();
        rows.map(|row| vec![fill(row, server, stranger)]).collect()
    });
}

#[test]
fn f05_a_hostile_address_is_refused_as_a_value_of_url_and_beside_a_good_one_too() {
    assert_all_refused("", |server, stranger| {
        let rows = FOREIGN.iter().step_by(3);
        rows.flat_map(|row| {
            let bad = fill(row, server, stranger);
            [vec![format!("--url={bad}")], vec!["/api/projects/".into(), "--url".into(), bad]]
        })
        .collect()
    });
}

#[test]
fn f05_two_hundred_hostile_command_lines_do_not_start_curl() {
    assert!(REFUSED.len() > 180, "only {} command lines", REFUSED.len());
    assert_all_refused("", |server, stranger| REFUSED.iter().map(|row| words(&fill(row, server, stranger))).collect());
}

#[test]
fn f05_a_hundred_command_lines_that_look_hostile_reach_the_profiles_server_alone() {
    assert!(HARMLESS.len() >= 90, "only {} command lines", HARMLESS.len());
    assert_all_reach("", HARMLESS);
}

#[test]
fn f05_an_address_that_is_not_utf_8_is_refused() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    watch(&sandbox);
    sandbox.settings(&profile(&sandbox, "test", &server, ""));
    for bytes in
        [&b"/\xff"[..], b"/\xc0\xae\xc0\xae/x", b"\xffhttp://127.0.0.1/", b"-\xff", b"--\xffurl", b"--silent\xff"]
    {
        let done = curl(&sandbox, &["/x"]).arg(OsStr::from_bytes(bytes)).run();
        assert_refused(&sandbox, &done, 2, &format!("{bytes:?}"));
    }
}

#[test]
fn f05_nothing_leads_out_of_a_base_path() {
    let out = [
        "/..",
        "/../",
        "/../x",
        "/../label-studio-evil/x",
        "/../Label-Studio/x",
        "/%2e%2e/x",
        "/.%2e/x",
        "/%2E%2E",
        "/a/../../x",
        "/a/b/../../..",
        "/./../x",
        "/../label%2dstudio/x",
        "$A/../x",
        "$O",
        "$O/",
        "$O/x",
        "$O/label-studi",
        "$O/label-studio-evil/x",
        "$O/label-studio.evil/x",
        "$O/label-studio;x",
        "$O/label-studio%2fx",
        "$O/label-studio%2f../x",
        "$O/Label-Studio/x",
        "$O//label-studio/x",
        "$O/x/label-studio/y",
        "$O/label-studio/../x",
        "$O/label-studio/%2e%2E/x",
        "$O?/label-studio/",
        "$O#/label-studio/",
        "$O/{label-studio,x}/y",
        "$O/[a-z]abel-studio/y",
        "/{..,x}/y",
        "/{.,x}{.,y}/z",
        "/[1-2]/../../x",
        "/{a,b}.json",
        "/%[2-2]e%2e/x",
        "/.{.,x}/y",
        "/..\\x",
        "/{\\..,a}/x",
    ];
    assert_all_refused("/label-studio", |server, stranger| {
        out.iter().map(|row| vec![fill(&row.replace("$O", &server.origin()), server, stranger)]).collect()
    });
    assert_all_reach(
        "/label-studio",
        &[
            ("/", &["/label-studio/"]),
            ("/api/projects/", &["/label-studio/api/projects/"]),
            ("$A", &["/label-studio"]),
            ("$A?x", &["/label-studio?x"]),
            ("$A/x/..", &["/label-studio/"]),
            ("/a/../b", &["/label-studio/b"]),
            ("/?a=../..", &["/label-studio/?a=../.."]),
            ("http://$a/label-studio/x", &["/label-studio/x"]),
            ("http://$a/./x/../label-studio/y", &["/label-studio/y"]),
            ("'/[1-2]'", &["/label-studio/1", "/label-studio/2"]),
            ("'/{a,b}'", &["/label-studio/a", "/label-studio/b"]),
            ("/label-studio/x", &["/label-studio/x"]),
        ],
    );
}

#[test]
fn globs_work_below_a_base_path_that_has_a_dot_in_it() {
    assert_all_reach(
        "/label.studio/v1.0",
        &[
            ("'/[1-2]'", &["/label.studio/v1.0/1", "/label.studio/v1.0/2"]),
            ("'/?{a,b}=.'", &["/label.studio/v1.0/?a=.", "/label.studio/v1.0/?b=."]),
            ("/a.b/c%20d;e", &["/label.studio/v1.0/a.b/c%20d;e"]),
            ("/a%2Fb", &["/label.studio/v1.0/a%2Fb"]),
        ],
    );
}

#[test]
fn f05_an_encoded_slash_does_not_lead_out_of_a_base_path() {
    // nginx decodes `%2f` before it chooses a location, Tomcat takes `..;` for `..`: each sees /x, of another program.
    assert_all_refused("/label-studio", |server, stranger| {
        ["/..%2fx", "/..%2Fx", "/%2e%2e%2fx", "/a/..%2f..%2fx", "/..%5cx", "/..;/x", "/..%252fx", "$A/..%2fx"]
            .iter()
            .map(|row| vec![fill(row, server, stranger)])
            .collect()
    });
}

#[test]
fn f05_the_name_of_an_uploaded_file_does_not_lead_out_of_a_base_path() {
    // curl puts the name of the file behind a URL that ends with a slash, and resolves dots after that.
    let sandbox = Sandbox::new();
    watch(&sandbox);
    let server = Setup { base: "/label-studio".into(), ..Setup::default() }.start();
    sandbox.settings(&profile(&sandbox, "test", &server, ""));
    let url = server.url();
    for row in [
        "-T .. /",
        "-T ../.. $A/",
        "-T{..,..} /",
        "--upload-file=/tmp/.. /",
        "-T .. $A",
        "-T .. '/{,x}'",
        "-T .. '/{x,}'",
        "-T .. '$A{/,/x}'",
        "-T .. '/x?y' /",
        "-T .. '/#x'",
        "-T - -T .. /x /",
    ] {
        let line = words(&row.replace("$A", &url));
        let line: Vec<&str> = ["-sS", "-m", "5"].into_iter().chain(line.iter().map(String::as_str)).collect();
        curl(&sandbox, &line).run();
    }
    sandbox.file(CURLRC, "upload-file = \"..\"\n", 0o600);
    for address in ["/", "/{,x}"] {
        curl(&sandbox, &["-sS", "-m", "5", address]).run();
    }
    let out: Vec<String> = targets(&server).into_iter().filter(|target| !target.starts_with("/label-studio")).collect();
    assert!(out.is_empty(), "the token left the base path for {out:?}");
    // Where the address names the file, it is a plain upload.
    sandbox.file(CURLRC, "", 0o600);
    let done = curl(&sandbox, &["-sS", "-T", "-", "/x"]).stdin("data").run();
    assert_eq!(done.quiet().code, Some(0), "{done:?}");
    assert_eq!(targets(&server).last().unwrap(), "/label-studio/x");
}
