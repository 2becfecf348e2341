//! The user's `.curlrc`: what is harmless goes on working, what would take the token along is ignored with a warning.

use std::fs;

use super::kit::{
    CURLRC, Stranger, asked, assert_no_token, assert_own_tokens, curl, real_curl, targets, values, with_server,
};
use crate::sandbox::{LS_TOKEN, need};
use crate::server::{PROJECTS, Reply};

/// Lines that would take the token elsewhere, show it, or disturb it. `$E`, `$e` are a stranger's URL, host and port.
#[rustfmt::skip]
const HARMFUL: &[&str] = &[
    "url = $E/", "url=$E/", "url: $E/", "url $E/", "url\t=\t\"$E/\"", "--url $E/", "--url=$E/", "--url\t\"$E/\"", "  url = $E/", "url\u{a0}$E/",
    "URL = $E/", "--URL $E/", "ur = $E/", "\"url\" = $E/", "url = \"$E/\" # no", "url=\"$E/\"url=$E/", "\u{feff}url = $E/", "next", "--next", "-:", ":",
    "connect-to = ::$e", "connect-to = \"::$e\"", "--connect-to ::$e", "connect-t = ::$e", "resolve = *:80:127.0.0.2", "--resolve=*:80:127.0.0.2",
    "unix-socket = /tmp/x", "abstract-unix-socket = x", "request-target = $E/", "proto-default = ftp", "ipfs-gateway = $E/", "alt-svc = f",
    "hsts = f", "doh-url = $E/", "doh-insecure", "dns-servers = 127.0.0.2", "haproxy-clientip = 1.2.3.4",
    "proxy = $E", "proxy: $e", "-x $E", "-x$E", "--proxy $E", "--proxy=$E", "preproxy = socks5://$e", "proxy1.0 = $e", "socks4 = $e", "socks4a = $e",
    "socks5 = $e", "socks5-hostname = $e", "proxytunnel", "-p", "proxy-header = \"X: y\"", "noproxy = \"\"", "noproxy",
    "header = \"Host: $e\"", "header = \"host : $e\"", "-H \"Host: $e\"", "header = \"Authorization: Bearer x\"", "header = \"authorization;\"",
    "header: \"AUTHORIZATION: x\"", "-H \"Authorization: x\"", "--header \"Authorization:\"", "header = \"\\Authorization: x\"", "header = Authorization:x",
    "header = \"X-Api-Key: x\"", "header = @f", "header = \"@f\"", "header = \" folded: x\"", "header = \"\\tfolded: x\"",
    "header = \"X: y\\r\\nHost: $e\"", "header = \"X: y\\nAuthorization: z\"", "user-agent = \"x\\r\\n\\r\\nGET $E/ HTTP/1.1\\r\\nX: y\"",
    "referer = \"x\\ny\"", "cookie = \"a=b\\vc\"", "request = \"GET $E/ HTTP/1.1\"", "request = \"GET\\r\\n\"", "-X \"GET /\"",
    "libcurl = -", "libcurl = out.c", "trace = \"a\\nb\"", "stderr = \"a\\tb\"",
    "location-trusted", "--location-trusted", "--location-t", "LOCATION-TRUSTED", "Location-Trusted", "insecure", "-k",
    "user = a:b", "-u a:b", "oauth2-bearer = x", "netrc", "-n", "netrc-file = f", "netrc-optional", "anyauth", "basic", "digest", "negotiate", "ntlm",
    "ntlm-wb", "aws-sigv4 = aws:amz", "delegation = always", "tlsuser = x", "tlspassword = x", "tlsauthtype = SRP",
    "cacert = f", "cacert: f", "--cacert f", "--cacert=f", "capath = /tmp", "--capath=/tmp", "ca-native", "--ca-native",
    "ssl-sessions = f", "tls-earlydata", "ciphers = NULL", "tls13-ciphers = x", "sigalgs = x", "tlsv1", "-1", "tlsv1.0", "tlsv1.1", "tls-max = 1.0",
    "--tls-max=1.1", "sslv2", "-2", "sslv3", "-3", "ssl-allow-beast", "false-start", "egd-file = f", "random-file = f", "ech = grease",
    "engine = dynamic", "haproxy-protocol",
    "request = TRACE", "request = trace", "request: Trace", "-X TRACE", "-XTRACE", "--request=trace", "--request \"TRACE\"", "request = TRACK",
    "config = f", "-K f", "--config=f", "variable = X=$E", "variable = %HOME", "expand-url = {{X}}", "expand-header = {{X}}", "--expand-silent",
    "nonsense", "--nonsense x", "-", "--", "- url $E", "=", "= $E/", "-sk", "no-url = $E/", "user-agent = \"never ends", "\\url = $E/", "url\\ = $E/",
];

#[test]
fn f06_each_harmful_line_is_ignored_with_a_warning_that_names_it() {
    let ((sandbox, server), stranger) = (with_server(), Stranger::start());
    assert!(HARMFUL.len() > 100);
    for (number, row) in HARMFUL.iter().enumerate() {
        let line = row.replace("$E", &stranger.url()).replace("$e", &stranger.host());
        sandbox.file(CURLRC, format!("# a note\n{line}\n"), 0o600);
        sandbox.file("home of someone/f", format!("url = {}\n", stranger.url()), 0o600);
        let done = curl(&sandbox, &["-sS", "-m", "10", PROJECTS]).run();
        assert_eq!(done.code, Some(0), "{line:?}: {done:?}");
        assert!(
            done.stderr.starts_with("ls-token: warning: ignored: ") && done.stderr.contains(".curlrc, line 2)"),
            "{line:?}: {done:?}"
        );
        assert!(done.stdout.starts_with('{') && done.stdout.ends_with('}'), "{line:?}: {done:?}");
        let asked = asked(&server);
        assert_eq!(asked.len(), number + 1, "{line:?}: {:?}", asked.last());
        let request = asked.last().unwrap();
        assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", PROJECTS), "{line:?}");
        assert_eq!(request.header("host"), Some(server.address().to_string().as_str()), "{line:?}");
        assert!(values(request, "x-api-key").is_empty() && values(request, "x").is_empty(), "{line:?}");
    }
    assert_own_tokens(&server);
    stranger.assert_alone("a .curlrc");
    let written = fs::read_dir(sandbox.work()).unwrap().count();
    assert_eq!(written, 0, "a line of .curlrc wrote a file");
}

#[test]
fn f06_all_harmful_lines_at_once_are_ignored_too() {
    let ((sandbox, server), stranger) = (with_server(), Stranger::start());
    let text = HARMFUL.join("\n").replace("$E", &stranger.url()).replace("$e", &stranger.host());
    sandbox.file(CURLRC, format!("{text}\nuser-agent = \"still read\"\n"), 0o600);
    let done = curl(&sandbox, &["-sS", "-m", "10", "-L", PROJECTS]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.stderr.lines().count(), HARMFUL.len(), "{done:?}");
    assert_eq!(asked(&server)[0].header("user-agent"), Some("still read"));
    assert_own_tokens(&server);
    stranger.assert_alone("a .curlrc");
}

#[test]
fn f06_location_works_where_location_trusted_stands_beside_it() {
    let ((sandbox, server), stranger) = (with_server(), Stranger::start());
    server.always("/here", Reply::redirect(302, "/there"));
    server.always("/away", Reply::redirect(302, &format!("{}/caught", stranger.url())));
    sandbox.file(CURLRC, "location-trusted\nlocation\nsilent\n", 0o600);
    curl(&sandbox, &["/here"]).run().says("gives the token to every server");
    assert_eq!(targets(&server), ["/here", "/there"]);
    let done = curl(&sandbox, &["/away"]).run();
    assert_eq!(done.stdout, "stranger\n");
    assert!(stranger.assert_no_token("-L in .curlrc").starts_with("GET /caught"));
    assert_own_tokens(&server);
    // curl by itself gives it away.
    let url = format!("{}/away", server.url());
    let plain = sandbox.program(real_curl(), &["-H", "Authorization: Bearer made-up", &url]);
    assert_eq!(plain.run().stdout, "stranger\n");
    assert!(stranger.heard().join("\n").contains("Authorization: Bearer made-up"));
}

#[test]
fn f06_a_nul_in_curlrc_does_not_swallow_the_lines_that_follow() {
    // curl reads lines as C strings: what follows a NUL, the end of the line too, is lost, and the next line is joined.
    let ((sandbox, server), stranger) = (with_server(), Stranger::start());
    for line in [
        &b"data = \"a\0b\"\n"[..],
        b"write-out = \"\0\"\n",
        b"form-string = a=\0\n",
        b"user-agent = \"a\0b\"\n",
        b"silent\0\n",
    ] {
        sandbox.file(CURLRC, line, 0o600);
        let done = curl(&sandbox, &["-sS", "-m", "5", "/x"]).env("http_proxy", stranger.url()).run();
        let shown = String::from_utf8_lossy(line).into_owned();
        assert_no_token(&stranger.heard().join("\n"), &format!("what a proxy heard with {shown:?}"));
        assert_eq!(done.code, Some(0), "{shown:?}: {done:?}");
    }
    assert_own_tokens(&server);
}

#[test]
fn f52_no_warning_shows_what_a_mistyped_line_has_as_its_value() {
    let (sandbox, _server) = with_server();
    let lines = [
        "proxyuser=me:hunter2",
        "proxyuser = me:hunter2",
        "proxy-usr: a:hunter2",
        "--proxyuser me:hunter2",
        "--proxyuser=me:hunter2",
        "--proxyuser:me:hunter2",
        "user\"a:hunter2\"",
        "--user'a:hunter2'",
        "http://me:hunter2@proxy:3128",
        "user = \"a:hunter2",
        "-@hunter2",
        "-2hunter2",
        "silent=hunter2\n--silent=hunter2",
        "user = a:hunter2",
        "url = http://a:hunter2@host",
    ];
    sandbox.file(CURLRC, lines.join("\n"), 0o600);
    for call in [curl(&sandbox, &["-sS", "/x"]), sandbox.ls_token(&["-v", "curl", "-sS", "/x"])] {
        let done = call.run();
        assert_eq!(done.does_not_say("hunter2").code, Some(0), "{done:?}");
        done.says("ignored: --proxyuser is no option of curl's").says("ignored: --proxy-usr is no option");
    }
    let done = sandbox.ls_token(&["doctor"]).run();
    assert!(done.stdout.contains("--proxyuser is no option of curl's"), "{done:?}");
    assert!(!done.does_not_say("hunter2").stdout.contains("hunter2"), "{done:?}");
    sandbox.file(CURLRC, "", 0o600);
    for word in ["--proxyuser=me:hunter2", "--proxyuser:hunter2", "-@hunter2", "--user\"hunter2\"", "--silent=hunter2"]
    {
        curl(&sandbox, &["/x", word]).run().fails(2).does_not_say("hunter2");
    }
}

#[test]
fn f06_a_netrc_of_the_user_is_not_used() {
    let ((sandbox, server), stranger) = (with_server(), Stranger::start());
    let netrc = "machine 127.0.0.1 login someone password secret\nmachine 127.0.0.2 login someone password secret\ndefault login x password y\n";
    sandbox.file("home of someone/.netrc", netrc, 0o600);
    server.always("/away", Reply::redirect(302, &format!("{}/caught", stranger.url())));
    let netrc = sandbox.home().join(".netrc");
    let done = curl(&sandbox, &["-sSL", "/away"]).env("NETRC", netrc).run();
    assert_eq!(done.stdout, "stranger\n");
    let heard = stranger.assert_no_token("-L beside .netrc");
    assert!(!heard.to_ascii_lowercase().contains("authorization"), "{heard}");
    assert_own_tokens(&server);
}

#[test]
fn f11_a_warning_that_nobody_reads_does_not_keep_curl_from_running() {
    let (sandbox, _server) = with_server();
    sandbox.file(CURLRC, "insecure\n", 0o644);
    sandbox.ls_token(&[]).run().token();
    need("bash");
    // The reader of stderr has gone before anything is written there.
    let script = format!("exec 2> >(:); wait $!; \"$0\" curl -sSf {PROJECTS} && echo; echo \"status $?\"");
    let done = sandbox.program("bash", &["-c", &script, LS_TOKEN]).run();
    assert!(done.stdout.ends_with("\nstatus 0\n"), "{done:?}");
}
