//! https: curl trusts whom the profile trusts, nobody on the way sees the token, and proxies see a CONNECT.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::kit::{
    CURLRC, Stranger, asked, assert_own_tokens, assert_refused, curl, impostor, profile, real_curl, secure_server,
    starts, watch, with_secure_server, words,
};
use crate::proxy::Proxy;
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
fn f51_curl_trusts_no_ca_file_that_someone_else_may_have_written() {
    let (sandbox, server, file) = with_secure_server();
    curl(&sandbox, &["-sS", PROJECTS]).run().quiet();
    let before = server.connections();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).unwrap();
    let done = curl(&sandbox, &["-sS", PROJECTS]).run();
    done.fails(78).says("ca_file: other users can write to the file; run chmod go-w ");
    assert_eq!(server.connections(), before, "a cached token is not sent either");
}

#[test]
fn f41_the_directory_of_cas_that_curl_was_built_with_does_not_count_beside_ca_file() {
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
    let directory = sandbox.root().join("authorities").display().to_string();
    let rehash = sandbox.program("/usr/bin/openssl", &["rehash", &directory]);
    assert_eq!(rehash.run().code, Some(0));
    sandbox.file(CURLRC, format!("capath = \"{directory}\"\n"), 0o600);
    // The token of the bad server is there from the time when its authority was trusted.
    let text = profile(&sandbox, "good", &good, &more) + &profile(&sandbox, "bad", &bad, "ca_file = \"OTHER\"");
    sandbox.settings(&text.replace("OTHER", &format!("{directory}/other.pem")));
    sandbox.ls_token(&["--profile", "bad"]).run().token();
    sandbox.settings(&text.replace("ca_file = \"OTHER\"", &more));
    let url = |server: &Server| format!("{}{PROJECTS}", server.url());
    assert_eq!(curl(&sandbox, &["-sSf", &url(&good)]).run().code, Some(0));
    let done = curl(&sandbox, &["-sSf", &url(&bad)]).run();
    assert!(asked(&bad).is_empty(), "curl trusted a CA that ca_file does not name: {done:?}");
    assert_eq!(done.code, Some(60), "{done:?}");
}

#[test]
fn f06_a_ca_in_curlrc_does_not_give_the_token_to_whoever_is_on_the_way() {
    // `insecure` is ignored there; a CA that nobody else trusts, with a proxy, comes to the same.
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

/// A proxy that answers for every server itself, with certificates of a CA of its own, as a company's does.
struct Interceptor {
    /// What it sends to whoever trusts its CA.
    behind: Server,
    proxy: Proxy,
    /// The file with its CA.
    ca: PathBuf,
    /// A directory with that file, as `--capath` wants it.
    directory: PathBuf,
}

impl Interceptor {
    fn start(sandbox: &Sandbox) -> Self {
        need("openssl");
        let authority = Authority::new();
        let behind = secure_server(&authority);
        let proxy = Proxy::start(Ok(behind.address()));
        let ca = sandbox.file("interceptor/ca.pem", &authority.pem, 0o644);
        let directory = ca.parent().unwrap().to_owned();
        let rehash = sandbox.program("/usr/bin/openssl", &["rehash", &directory.display().to_string()]);
        assert_eq!(rehash.run().code, Some(0));
        Self { behind, proxy, ca, directory }
    }

    /// Puts its files and its address into a line.
    fn fill(&self, line: &str) -> String {
        let (ca, directory) = (self.ca.display().to_string(), self.directory.display().to_string());
        line.replace("$F", &ca).replace("$D", &directory).replace("$P", &format!("http://{}", self.proxy.address))
    }

    /// Asserts that nobody sent it a request.
    #[track_caller]
    fn assert_nothing_read(&self, what: &str) {
        assert!(asked(&self.behind).is_empty(), "the interceptor read a request with {what}");
    }
}

#[test]
fn f45_an_intercepting_proxy_reads_what_curl_sends_to_whoever_trusts_its_ca() {
    // What the tests below keep from happening to a token.
    let (sandbox, server, _) = with_secure_server();
    let server = server.expect_no_calls();
    let interceptor = Interceptor::start(&sandbox);
    for option in ["--cacert '$F'", "--capath '$D'"] {
        let line = format!("-sSf -x $P {option} -H 'Authorization: Bearer made-up' {}/x", server.url());
        let line = words(&interceptor.fill(&line));
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        sandbox.program(real_curl(), &line).run();
    }
    let heard = asked(&interceptor.behind);
    assert_eq!(heard.len(), 2);
    assert!(heard.iter().all(|request| request.header("authorization") == Some("Bearer made-up")), "{heard:?}");
}

#[test]
fn f45_no_option_for_cas_gives_the_token_to_an_intercepting_proxy() {
    let (sandbox, server, _) = with_secure_server();
    let interceptor = Interceptor::start(&sandbox);
    sandbox.ls_token(&[]).run().token();
    for row in [
        "--cacert '$F' -x $P /x",
        "--cacert='$F' -x $P /x",
        "-x $P /x --cacert '$F'",
        "-x$P --cacert='$F' /x",
        "--proxy=$P --capath '$D' /x",
        "-x $P --capath='$D' /x",
        "-x $P --ca-native /x",
        "-x $P --ca-native --cacert='$F' --capath='$D' /x",
        "-x $P /x --next -x $P --cacert '$F' /y",
        "--socks5 127.0.0.1:1 --cacert '$F' /x",
    ] {
        let line = words(&interceptor.fill(row));
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        let done = curl(&sandbox, &line).run();
        assert_refused(&sandbox, &done, 2, row);
        done.says("is refused: it chooses which CAs to trust with the token");
        done.says("hint: put the CA into the profile as `ca_file`");
    }
    // The proxy alone is the user's choice: curl does not trust its certificate.
    for proxy in [&["-x"][..], &["--proxy"]] {
        let done = curl(&sandbox, &[proxy, &[&interceptor.fill("$P"), "-sS", "/x"]].concat()).run();
        assert_eq!(done.code, Some(60), "{done:?}");
    }
    let heads = interceptor.proxy.heads();
    let connect = format!("CONNECT {} HTTP/1.1\r\n", server.address());
    assert!(heads.len() == 2 && heads.iter().all(|head| head.starts_with(&connect)), "{heads:?}");
    interceptor.assert_nothing_read("an option");
    assert!(asked(&server).is_empty());
}

#[test]
fn f45_no_line_of_curlrc_for_cas_gives_the_token_to_an_intercepting_proxy() {
    let (sandbox, server, _) = with_secure_server();
    let interceptor = Interceptor::start(&sandbox);
    sandbox.ls_token(&[]).run().token();
    let rows = [
        "cacert = \"$F\"",
        "cacert: \"$F\"",
        "cacert=\"$F\"",
        "--cacert \"$F\"",
        "capath = \"$D\"",
        "--capath \"$D\"",
        "ca-native",
        "--ca-native",
    ];
    for (number, row) in rows.iter().enumerate() {
        sandbox.file(CURLRC, interceptor.fill(&format!("proxy = $P\n{row}\n")), 0o600);
        let done = curl(&sandbox, &["-sS", "/x"]).run();
        assert_eq!(done.code, Some(60), "{row}: {done:?}");
        done.says("warning: ignored: curl's --ca").says(".curlrc, line 2) is refused: it chooses which CAs");
        let done = curl(&sandbox, &["-sS", "/x"]).env("https_proxy", interceptor.fill("$P")).run();
        assert_eq!(done.code, Some(60), "{row}: {done:?}");
        assert_eq!((starts(&sandbox), interceptor.proxy.heads().len()), (2 * number + 2, 2 * number + 2), "{row}");
    }
    // A CA for the proxy's own certificate is no CA for the server's.
    sandbox.file(CURLRC, interceptor.fill("proxy = $P\nproxy-cacert = \"$F\"\nproxy-capath = \"$D\"\n"), 0o600);
    let done = curl(&sandbox, &["-sS", "/x"]).run();
    assert_eq!(done.does_not_say("ls-token").code, Some(60), "{done:?}");
    interceptor.assert_nothing_read(".curlrc");
    assert!(asked(&server).is_empty());
}

#[test]
fn f45_one_verdict_holds_on_the_command_line_and_in_curlrc() {
    let (sandbox, server, _) = with_secure_server();
    sandbox.ls_token(&[]).run().token();
    for (option, value) in
        [("cacert", "f"), ("insecure", ""), ("ciphers", "NULL"), ("request", "TRACE"), ("user", "a:b")]
    {
        let row = format!("--{option} {value}");
        let line: Vec<&str> = ["-q", "-sS", "/x"].into_iter().chain(row.split_whitespace()).collect();
        let on_the_line = curl(&sandbox, &line).run();
        let on_the_line = on_the_line.fails(2).stderr.split_once(" is refused: ").unwrap().1.to_owned();
        let (why, hint) = on_the_line.trim_end().split_once("\n  hint: ").unwrap();
        sandbox.file(CURLRC, format!("{row}\n"), 0o600);
        let done = curl(&sandbox, &["-sS", "-o", "/dev/null", "/x"]).run();
        assert_eq!(done.says(why).says(hint).code, Some(0), "{row}: {done:?}");
    }
    assert_eq!(asked(&server).len(), 5);
    assert_own_tokens(&server);
}
