//! https: curl trusts whom the profile trusts, nobody on the way sees the token, and proxies see a CONNECT.

use super::kit::{
    CURLRC, Stranger, asked, assert_own_tokens, curl, impostor, profile, secure_server, watch, with_secure_server,
};
use crate::sandbox::{Sandbox, need};
use crate::server::{PROJECTS, Server};
use crate::tls::Authority;

#[test]
fn f41_curl_trusts_the_profiles_ca_file_and_a_server_it_did_not_sign_gets_no_token() {
    let (sandbox, server, _) = with_secure_server();
    let done = curl(&sandbox, &["-sSf", PROJECTS]).run();
    assert_eq!(done.quiet().code, Some(0), "{done:?}");
    assert_own_tokens(&server);
    // The token is still in the cache when somebody else answers at the same address.
    let impostor = impostor(server, &Authority::new());
    let done = curl(&sandbox, &["-sSf", PROJECTS]).run();
    assert_eq!(done.code, Some(60), "{done:?}");
    assert!(impostor.requests().is_empty());
}

#[test]
fn f41_the_folder_of_authorities_that_curl_was_built_with_does_not_count_beside_ca_file() {
    let (sandbox, server, file) = with_secure_server();
    sandbox.command("curl", "cat \"$3\" >\"$here/config\"");
    assert_eq!(curl(&sandbox, &["/x"]).run().code, Some(0));
    let config = sandbox.lines("config");
    assert!(config.contains(&format!("cacert = \"{}\"", file.display())), "{config:?}");
    assert!(
        config.iter().any(|line| line.starts_with("capath = ")),
        "Debian's curl trusts all of /etc/ssl/certs beside --cacert: {config:?}"
    );
    assert_eq!(server.exchanges(), 1);
}

#[test]
fn f41_a_capath_in_curlrc_does_not_count_beside_ca_file() {
    need("openssl");
    let (sandbox, authority, other) = (Sandbox::new(), Authority::new(), Authority::new());
    watch(&sandbox);
    let (good, bad) = (secure_server(&authority), secure_server(&other));
    let more = format!("ca_file = \"{}\"", authority.file(&sandbox).display());
    sandbox.file("authorities/other.pem", &other.pem, 0o644);
    let folder = sandbox.root().join("authorities").display().to_string();
    let rehash = sandbox.program("/usr/bin/openssl", &["rehash", &folder]);
    assert_eq!(rehash.run().code, Some(0));
    sandbox.file(CURLRC, format!("capath = \"{folder}\"\n"), 0o600);
    // The token of the bad server is there from the time when its authority was trusted.
    let text = profile(&sandbox, "good", &good, &more) + &profile(&sandbox, "bad", &bad, "ca_file = \"OTHER\"");
    sandbox.settings(&text.replace("OTHER", &format!("{folder}/other.pem")));
    sandbox.ls_token(&["--profile", "bad"]).run().token();
    sandbox.settings(&text.replace("ca_file = \"OTHER\"", &more));
    let url = |server: &Server| format!("{}{PROJECTS}", server.url());
    assert_eq!(curl(&sandbox, &["-sSf", &url(&good)]).run().code, Some(0));
    let done = curl(&sandbox, &["-sSf", &url(&bad)]).run();
    assert!(asked(&bad).is_empty(), "curl trusted an authority that ca_file does not name: {done:?}");
    assert_eq!(done.code, Some(60), "{done:?}");
}

#[test]
fn f06_an_authority_in_curlrc_does_not_give_the_token_to_whoever_is_on_the_way() {
    // `insecure` is passed over there; an authority that nobody else trusts, with a proxy, comes to the same.
    let (sandbox, authority, other) = (Sandbox::new(), Authority::new(), Authority::new());
    watch(&sandbox);
    let server = secure_server(&authority);
    // As if the platform trusted it.
    sandbox.set("SSL_CERT_FILE", authority.file(&sandbox));
    sandbox.settings(&profile(&sandbox, "test", &server, ""));
    let done = curl(&sandbox, &["-sSf", PROJECTS]).run();
    assert_eq!(done.quiet().code, Some(0), "{done:?}");
    let impostor = impostor(server, &other);
    let file = sandbox.file("other.pem", &other.pem, 0o644);
    sandbox.file(CURLRC, format!("cacert = \"{}\"\n", file.display()), 0o600);
    let done = curl(&sandbox, &["-sSf", PROJECTS]).run();
    assert!(asked(&impostor).is_empty(), "the impostor got the token: {done:?}");
}

#[test]
fn f07_a_proxy_for_https_sees_a_connect_without_the_token() {
    let ((sandbox, server, _), stranger) = (with_secure_server(), Stranger::start());
    sandbox.ls_token(&[]).run().token();
    let proxy = format!("http://name:proxypass@{}", stranger.host());
    let by_option = curl(&sandbox, &["-sS", "-m", "5", "-x", &proxy, PROJECTS]).run();
    let by_variable = curl(&sandbox, &["-sS", "-m", "5", PROJECTS]).env("https_proxy", &proxy).run();
    let lines = format!("proxy = \"{proxy}\"\nproxy-header = \"X-Test: y\"\n");
    sandbox.file(CURLRC, lines, 0o600);
    let by_curlrc = curl(&sandbox, &["-sS", "-m", "5", PROJECTS]).run();
    for done in [by_option, by_variable, by_curlrc] {
        assert!(done.code != Some(0) && !done.stderr.contains("proxypass"), "{done:?}");
    }
    let heard = stranger.assert_no_token("a proxy");
    let connect = format!("CONNECT {} HTTP/1.1\r\n", server.address());
    assert_eq!(heard.matches(&connect).count(), 3, "{heard}");
    assert!(heard.contains("X-Test: y"), "{heard}");
    assert!(asked(&server).is_empty());
}

#[test]
fn f15_sslkeylogfile_does_not_make_curl_write_the_keys_of_the_connection() {
    let (sandbox, server, file) = with_secure_server();
    let keys = sandbox.root().join("keys");
    let done = curl(&sandbox, &["-sSf", PROJECTS]).env("SSLKEYLOGFILE", &keys).run();
    assert_eq!(done.quiet().code, Some(0), "{done:?}");
    assert!(!keys.exists());
    // curl by itself would have.
    let url = format!("{}/health", server.url());
    let plain = sandbox.program(sandbox.bin().join("curl"), &["-sS", "--cacert", &file.display().to_string(), &url]);
    assert_eq!(plain.env("SSLKEYLOGFILE", &keys).run().code, Some(0));
    assert!(keys.exists());
}
