//! The lines of the user's `.curlrc` that go on working, and where it is looked for.

use std::fs;

use super::kit::{CURLRC, asked, assert_own_tokens, curl, starts, with_server};

#[test]
fn harmless_lines_mean_what_they_mean_to_curl() {
    let (sandbox, server) = with_server();
    let request = |lines: &str| {
        sandbox.file(CURLRC, lines, 0o600);
        let done = curl(&sandbox, &["-sS", "/x"]).run();
        assert!(!done.stderr.contains("ls-token"), "{lines:?}: {done:?}");
        (asked(&server).last().unwrap().clone(), done)
    };
    for (line, agent) in [
        ("user-agent = \"curlrc/1 (x)\"", "curlrc/1 (x)"),
        ("user-agent=curlrc/2", "curlrc/2"),
        ("user-agent: curlrc/3 and no more", "curlrc/3"),
        ("user-agent curlrc/4", "curlrc/4"),
        ("user-agent : = curlrc/5", "curlrc/5"),
        ("--user-agent \"curlrc/6\" # note", "curlrc/6"),
        ("-A curlrc/7", "curlrc/7"),
        ("-A \"a \\\"quoted\\\" \\\\ one\"", "a \"quoted\" \\ one"),
        ("# note\n\n   \n/ note\n* note\n  user-agent = \"curlrc/8\"  \r\n", "curlrc/8"),
        ("user-agent = \"first\"\nuser-agent = \"second\"", "second"),
    ] {
        assert_eq!(request(line).0.header("user-agent"), Some(agent), "{line:?}");
    }
    assert_eq!(request("header = \"X-Test: one two\"").0.header("x-test"), Some("one two"));
    assert_eq!(request("-H \"X-Test: 3\"\nheader: \"X-Other;\"").0.header("x-other"), Some(""));
    assert_eq!(request("header = \"Accept:\"").0.header("accept"), None);
    assert_eq!(request("referer = http://example.com/").0.header("referer"), Some("http://example.com/"));
    assert_eq!(request("cookie = \"a=b\"").0.header("cookie"), Some("a=b"));
    assert!(request("compressed").0.header("accept-encoding").is_some());
    assert_eq!(request("request = PATCH").0.method, "PATCH");
    assert_eq!(request("data = \"x=\\\"1\\\"\\n\"").0.text(), "x=\"1\"\n");
    assert_eq!(request("data-binary = \"a\\tb\\rc\\vd\"").0.text(), "a\tb\rc\x0bd");
    assert_eq!(request("range = 0-9").0.header("range"), Some("bytes=0-9"));
    assert_eq!(request("write-out = \"%{http_code}!\\n\"\noutput = \"/dev/null\"").1.stdout, "404!\n");
    assert_eq!(
        request("fail\nmax-time = 20\nconnect-timeout 5\nretry-delay=1\nipv4\nno-keepalive\ngloboff").1.code,
        Some(22)
    );
    assert_own_tokens(&server);
}

#[test]
fn the_first_curlrc_there_is_counts_and_for_the_first_part_alone() {
    let (sandbox, server) = with_server();
    let agent = || asked(&server).last().unwrap().header("user-agent").unwrap().to_owned();
    let places = ["home of someone/.config/curlrc", CURLRC, "xdg/.curlrc", "xdg/curlrc", "curl home/.curlrc"];
    for (number, place) in places.iter().enumerate() {
        sandbox.file(place, format!("user-agent = \"{place}\"\n"), 0o600);
        if number == 2 {
            sandbox.set("XDG_CONFIG_HOME", sandbox.root().join("xdg"));
            sandbox.set("LS_TOKEN_CONFIG", sandbox.home().join(".config/ls-token/config.toml"));
        }
        if number == 4 {
            sandbox.set("CURL_HOME", sandbox.root().join("curl home"));
        }
        assert_eq!(curl(&sandbox, &["-s", "/x"]).run().quiet().code, Some(0));
        assert_eq!(agent(), *place);
    }
    curl(&sandbox, &["-s", "/x", "--next", "-s", "/y"]).run().quiet();
    assert!(agent().starts_with("curl/"));
    assert_eq!(asked(&server)[places.len()].header("user-agent"), Some("curl home/.curlrc"));
    assert_own_tokens(&server);
}

#[test]
fn q_in_the_first_place_leaves_curlrc_out_and_elsewhere_it_does_not() {
    let (sandbox, server) = with_server();
    sandbox.file(CURLRC, "user-agent = \"from curlrc\"\nnonsense\n", 0o600);
    for line in [&["-q", "-s", "/x"][..], &["-qs", "/x"], &["--disable", "-s", "/x"]] {
        assert_eq!(curl(&sandbox, line).run().quiet().code, Some(0));
        assert!(asked(&server).last().unwrap().header("user-agent").unwrap().starts_with("curl/"), "{line:?}");
    }
    for line in [&["-s", "-q", "/x"][..], &["-sq", "/x"], &["-s", "/x", "--disable"], &["--no-disable", "-s", "/x"]] {
        curl(&sandbox, line).run().says("warning: ignored");
        assert_eq!(asked(&server).last().unwrap().header("user-agent"), Some("from curlrc"), "{line:?}");
    }
    assert_eq!(starts(&sandbox), 7);
}

#[test]
fn a_curlrc_that_is_too_large_is_refused_and_one_that_cannot_be_read_is_left_out() {
    let (sandbox, server) = with_server();
    sandbox.file(CURLRC, "# note\n".repeat(2_000), 0o600);
    curl(&sandbox, &["-s", "/x"]).run().fails(78).says("larger than 8 KiB").says("hint: go without it: give -q first");
    assert_eq!(starts(&sandbox), 0);
    assert_eq!(curl(&sandbox, &["-q", "-s", "/x"]).run().quiet().code, Some(0));
    sandbox.file(CURLRC, b"# caf\xe9\nreferer = x\n", 0o600);
    assert_eq!(curl(&sandbox, &["-s", "/x"]).run().code, Some(0));
    assert_eq!(asked(&server).last().unwrap().header("referer"), Some("x"));
    fs::remove_file(sandbox.root().join(CURLRC)).unwrap();
    fs::create_dir(sandbox.root().join(CURLRC)).unwrap();
    assert_eq!(curl(&sandbox, &["-s", "/x"]).run().quiet().code, Some(0));
    assert_own_tokens(&server);
}

#[test]
fn f79_the_bytes_of_a_value_stay_what_they_are_in_any_encoding() {
    let (sandbox, server) = with_server();
    // In Latin-1, in UTF-8, and what is neither; a NEL and a no-break space are no blanks to curl.
    let values: [&[u8]; 5] =
        [b"caf\xe9", "café €".as_bytes(), b"\xff\xfe\x80", b"a\xa0b\x85c", "a\u{a0}b\u{85}c".as_bytes()];
    for value in values {
        for (before, behind) in [("data-binary = \"", "\"\n"), ("data-binary = \"", "\"\r\n")] {
            let line = [before.as_bytes(), value, behind.as_bytes()].concat();
            sandbox.file(CURLRC, [b"# \xe9\n", &line[..]].concat(), 0o600);
            let done = curl(&sandbox, &["-sS", "/x"]).run();
            assert!(!done.stderr.contains("ls-token"), "{value:?}: {done:?}");
            assert_eq!(asked(&server).last().unwrap().body, value, "{value:?}");
        }
    }
    for (line, value) in
        [(&b"data-binary=caf\xe9 # \xe8\n"[..], &b"caf\xe9"[..]), (b"-d \xe9\xa0\x85", b"\xe9\xa0\x85")]
    {
        sandbox.file(CURLRC, line, 0o600);
        curl(&sandbox, &["-sS", "/x"]).run();
        assert_eq!(asked(&server).last().unwrap().body, value);
    }
    assert_own_tokens(&server);
}
