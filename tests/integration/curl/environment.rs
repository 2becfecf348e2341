//! Variables that curl reads: none of them takes the token elsewhere, and what they hold stays where it belongs.

use super::kit::{Stranger, asked, assert_own_tokens, curl, targets, with_server};
use crate::server::PROJECTS;

#[test]
fn f07_no_variable_sends_a_plain_http_request_through_a_proxy() {
    let ((sandbox, server), stranger) = (with_server(), Stranger::start());
    let (url, socks) = (stranger.url(), format!("socks5h://{}", stranger.host()));
    let names = ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy", "https_proxy", "HTTPS_PROXY"];
    for value in [url.as_str(), socks.as_str(), &stranger.host()] {
        for name in names {
            let done = curl(&sandbox, &["-sS", "-m", "5", PROJECTS]).env(name, value).run();
            assert_eq!(done.code, Some(0), "{name}={value}: {done:?}");
        }
        let mut call = curl(&sandbox, &["-sS", "-m", "5", "--next", PROJECTS][..3])
            .arg(PROJECTS)
            .arg("--next")
            .arg("-s")
            .arg(PROJECTS);
        for name in names {
            call = call.env(name, value);
        }
        let done = call.env("no_proxy", "nothing.example").env("NO_PROXY", "nothing.example").run();
        assert_eq!(done.code, Some(0), "all of them as {value}: {done:?}");
    }
    assert_own_tokens(&server);
    assert_eq!(asked(&server).len(), 3 * (names.len() + 2));
    stranger.assert_alone("a proxy variable");
}

#[test]
fn f06_a_curl_home_full_of_traps_takes_the_token_nowhere() {
    let ((sandbox, server), stranger) = (with_server(), Stranger::start());
    let trap = format!("url = {}\nconnect-to = ::{}\nproxy = {0}\nlocation-trusted\n", stranger.url(), stranger.host());
    for place in ["trap/.curlrc", "trap/curlrc", "trap/_curlrc", "trap/.config/curlrc"] {
        sandbox.file(place, &trap, 0o600);
    }
    let trap = sandbox.root().join("trap");
    let settings = sandbox.home().join(".config/ls-token/config.toml");
    for name in ["CURL_HOME", "XDG_CONFIG_HOME"] {
        for line in [&["-sS", PROJECTS][..], &["-q", "-sS", PROJECTS]] {
            let done = curl(&sandbox, line).env(name, &trap).env("LS_TOKEN_CONFIG", &settings).run();
            assert_eq!(done.code, Some(0), "{name}: {done:?}");
        }
    }
    // One in the current directory is nobody's, also where a variable names that (f51).
    for place in ["work/.curlrc", "work/curlrc", "work/.config/curlrc"] {
        sandbox.file(place, "user-agent = \"of the current directory\"\n", 0o600);
    }
    curl(&sandbox, &["-sS", PROJECTS]).run().quiet();
    for (name, value) in [("CURL_HOME", "."), ("CURL_HOME", ""), ("XDG_CONFIG_HOME", "."), ("XDG_CONFIG_HOME", "./")] {
        curl(&sandbox, &["-sS", PROJECTS]).env(name, value).env("LS_TOKEN_CONFIG", &settings).run().quiet();
    }
    assert_eq!(targets(&server), [PROJECTS; 9]);
    for request in asked(&server).iter().skip(4) {
        assert!(request.header("user-agent").unwrap().starts_with("curl/"), "{request:?}");
    }
    assert_own_tokens(&server);
    stranger.assert_alone("a trap");
}
