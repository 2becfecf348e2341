//! The proxy as a party of its own: named by its variable and without its login, read as the real curl reads it, and never
//! gone around. Real proxies: tinyproxy, microsocks, and socat before one for TLS.

use std::fs;
use std::net::{SocketAddr, TcpListener};

use super::{HOST, Proxy, behind_a_proxy};
use crate::certificates::listen;
use crate::curl::kit::real_curl;
use crate::sandbox::{Call, Running, Sandbox, need, need_from};
use crate::server::{PROJECTS, REFRESH, Reply, Server};
use crate::settings::profile;
use crate::tls::Authority;

const VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// A sandbox with a profile for a server on this machine, which is there without a proxy as well.
fn beside_a_proxy() -> (Sandbox, Server) {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let server = authority.server(&["127.0.0.1"]).expect_anything();
    let file = authority.file(&sandbox);
    sandbox.settings(&profile(&sandbox, "test", &server, &format!("ca_file = \"{}\"\ntimeout = 5", file.display())));
    sandbox.command("curl", &format!("exec {} \"$@\"", real_curl().display()));
    (sandbox, server)
}

fn with<'a>(call: Call<'a>, variables: &[(&str, String)]) -> Call<'a> {
    variables.iter().fold(call, |call, (name, value)| call.env(name, value))
}

/// Returns an address that nobody listens at.
fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn f66_what_goes_wrong_with_a_proxy_is_said_of_the_proxy_and_its_variable() {
    for variable in VARIABLES {
        let (sandbox, server) = behind_a_proxy();
        let _server = server.expect_no_calls();
        let down = closed();
        let done = sandbox.ls_token(&["-v"]).env(variable, format!("http://someone:proxy-password@{down}")).run();
        done.fails(69).says("ls-token: cannot connect to the proxy: Connection refused").says("; tried 3 times");
        done.says(&format!("  proxy: http://{down} ({variable})\n"))
            .says(&format!("check {variable}, and that the proxy"));
        done.says(&format!("add {HOST} to no_proxy"))
            .does_not_say("proxy-password")
            .does_not_say("connect to https://");
    }
    let login = "http://someone:proxy-password@";
    for (answer, login, what, heads) in [
        ("407 Proxy Authentication Required", "http://", "the proxy wants a login (407)", 1),
        ("407 Proxy Authentication Required", login, "the proxy rejects its login (407)", 1),
        ("403 Forbidden", login, "the proxy makes no connection to label.example.test:443; tried 3 times", 3),
        ("503 Service Unavailable", "", "the proxy makes no connection to label.example.test:443; tried 3 times", 3),
    ] {
        let (sandbox, server) = behind_a_proxy();
        let _server = server.expect_no_calls();
        let proxy = Proxy::start(Err(answer));
        let done = sandbox.ls_token(&["-v"]).env("https_proxy", format!("{login}{}", proxy.address)).run();
        done.fails(69).says(what).says(&format!("  proxy: http://{} (https_proxy)\n", proxy.address)).says("  hint: ");
        done.does_not_say("proxy-password");
        assert_eq!(proxy.heads().len(), heads, "{answer}");
    }
    let (sandbox, server) = behind_a_proxy();
    let _server = server.expect_no_calls();
    let done = sandbox.ls_token(&[]).env("https_proxy", "proxy.invalid:3128").run();
    done.fails(69).says("cannot connect to the proxy: ").says("  proxy: http://proxy.invalid:3128 (https_proxy)");
    // What listens there is no proxy.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = mute.local_addr().unwrap();
    let hanging_up = std::thread::spawn(move || mute.incoming().take(3).for_each(drop));
    let sandbox = Sandbox::new();
    sandbox.settings(&format!("[profiles.a]\nurl = \"https://{HOST}\"\npat = \"env:LABEL_STUDIO_API_KEY\""));
    let pat = Server::start().expect_no_calls();
    let call = sandbox.ls_token(&[]).env("LABEL_STUDIO_API_KEY", pat.pat()).env("https_proxy", address.to_string());
    call.run().fails(69).says("cannot connect to the proxy: ").says("  proxy: ");
    hanging_up.join().unwrap();
}

#[test]
fn f66_what_goes_wrong_behind_a_proxy_is_said_of_the_server() {
    let (sandbox, server) = behind_a_proxy();
    let server = server.expect_anything();
    let proxy = Proxy::start(Ok(server.address()));
    sandbox.file("authority.pem", Authority::new().pem, 0o644);
    let done = sandbox.ls_token(&[]).env("https_proxy", proxy.address.to_string()).run();
    done.fails(69).says(&format!("no trusted connection to {HOST}: its certificate is signed by no CA in ca_file"));
    done.says(&format!("  proxy: http://{} (https_proxy)\n", proxy.address));
    assert_eq!((proxy.heads().len(), server.exchanges()), (1, 0));
}

#[test]
fn f66_a_prescribed_proxy_that_cannot_be_used_is_refused_and_never_gone_around() {
    let (sandbox, server) = beside_a_proxy();
    sandbox.ls_token(&[]).run().token();
    let before = server.connections();
    let listener = closed();
    for value in [
        "socks5://someone:proxy-password@127.0.0.1:1",
        "socks5h://127.0.0.1:1",
        "SOCKS4a://127.0.0.1:1",
        "nonsense nonsense",
        "http://",
        "://",
        "ftp://someone:proxy-password@127.0.0.1",
        "\"http://127.0.0.1:1\"",
        "'127.0.0.1:1'",
        " http://127.0.0.1:1",
        "http://127.0.0.1:1 ",
        "http://someone:proxy-password@[",
        "http://someone:proxy-password@127.0.0.1:x",
        "http://someone:proxy/password@127.0.0.1:1",
        "http://some@one:proxy-password@127.0.0.1:1",
        "http://127.0.0.1:99999",
        "http://1.2.3:1",
        "http://some\\one:proxy-password@127.0.0.1:1",
        "http://127.0.0.1:0",
        "http://p\u{e9}:1",
    ] {
        for variable in VARIABLES {
            let done = sandbox.ls_token(&["--no-cache"]).env(variable, value).run();
            done.fails(78)
                .says(&format!("cannot use the proxy that {variable} names: it "))
                .says(&format!("({variable})"));
            done.says(&format!("hint: write {variable}=http://HOST:PORT")).does_not_say("proxy-password");
        }
        let done = sandbox.ls_token(&["curl", "-sS", PROJECTS]).env("https_proxy", value).run();
        done.fails(78).says("cannot use the proxy that https_proxy names").does_not_say("proxy-password");
        // curl by itself goes nowhere either.
        let curl =
            sandbox.program(real_curl(), &["-q", "-sS", "-k", "-m", "5", &server.url()]).env("https_proxy", value);
        assert_ne!(curl.run().code, Some(0), "{value}");
    }
    let odd = sandbox.ls_token(&["--no-cache"]).env("https_proxy", format!("http://{listener}\u{1b}[31m")).run();
    odd.fails(78).does_not_say("\u{1b}");
    assert_eq!(server.connections(), before, "a request went directly");
    assert_eq!(sandbox.ls_token(&["--no-cache"]).env("https_proxy", "").run().code, Some(0), "an empty one is none");
}

#[test]
fn f66_the_variables_are_read_in_curls_order() {
    let (sandbox, server) = beside_a_proxy();
    sandbox.ls_token(&[]).run().token();
    let proxies: Vec<Proxy> = (0..4).map(|_| Proxy::start(Ok(server.address()))).collect();
    let of = |letter: &str| match "ABCD".find(letter) {
        Some(number) if !letter.is_empty() => proxies[number].address.to_string(),
        _ => letter.to_owned(),
    };
    for (line, used) in [
        ("https_proxy=A", "A"),
        ("https_proxy=A HTTPS_PROXY=B all_proxy=C ALL_PROXY=D", "A"),
        ("HTTPS_PROXY=B all_proxy=C ALL_PROXY=D", "B"),
        ("all_proxy=C ALL_PROXY=D", "C"),
        ("ALL_PROXY=D", "D"),
        ("https_proxy= HTTPS_PROXY=B", "B"),
        ("https_proxy= HTTPS_PROXY= all_proxy= ALL_PROXY=D", "D"),
        ("http_proxy=A HTTP_PROXY=B", ""),
        ("https_proxy=A no_proxy=127.0.0.1", ""),
        ("https_proxy=A NO_PROXY=127.0.0.1", ""),
        ("https_proxy=A no_proxy= NO_PROXY=127.0.0.1", ""),
        ("https_proxy=A no_proxy=x NO_PROXY=127.0.0.1", "A"),
        ("https_proxy=A no_proxy=*", ""),
        ("https_proxy=A no_proxy=*,x", "A"),
        ("https_proxy=A no_proxy=x,127.0.0.1", ""),
        ("https_proxy=A no_proxy=127.0.0.0/8", ""),
        ("https_proxy=A no_proxy=128.0.0.0/8", "A"),
        ("https_proxy=A no_proxy=localhost", "A"),
        ("https_proxy=A REQUEST_METHOD=GET", "A"),
    ] {
        let variables: Vec<_> = line.split(' ').map(|pair| pair.split_once('=').unwrap()).collect();
        let variables: Vec<_> = variables.into_iter().map(|(name, value)| (name, of(value))).collect();
        let url = server.url();
        for call in [
            sandbox.ls_token(&["--no-cache"]),
            sandbox.ls_token(&["curl", "-sSf", PROJECTS]),
            sandbox.program(real_curl(), &["-q", "-sS", "-k", &url]),
        ] {
            let before: Vec<_> = proxies.iter().map(|proxy| proxy.heads().len()).collect();
            let done = with(call, &variables).run();
            assert_eq!(done.code, Some(0), "{line}: {done:?}");
            let asked = proxies.iter().zip(before).map(|(proxy, before)| proxy.heads().len() > before);
            let asked: String =
                "ABCD".chars().zip(asked).filter_map(|(letter, asked)| asked.then_some(letter)).collect();
            assert_eq!(asked, used, "{line}");
        }
    }
}

#[test]
fn f66_no_proxy_means_the_hosts_that_it_means_to_curl() {
    let (sandbox, server) = behind_a_proxy();
    let _server = server.expect_no_calls();
    let proxy = Proxy::start(Err("407 Proxy Authentication Required"));
    let asked = |call: Call, list: &str| {
        let before = proxy.heads().len();
        let done = call.env("https_proxy", proxy.address.to_string()).env("no_proxy", list).run();
        assert_ne!(done.code, Some(0), "{list}: {done:?}");
        proxy.heads().len() > before
    };
    let mut seen = [false; 2];
    for list in [
        HOST,
        "example.test",
        ".example.test",
        "LABEL.Example.TEST",
        "test",
        "label.example.test.",
        "*",
        "a, example.test",
        "a example.test",
        "a,b,,test",
        "",
        ",",
        ".",
        "*.example.test",
        "*,a",
        "bel.example.test",
        "x.label.example.test",
        "label",
        "label.example.test:443",
        "http://label.example.test",
        "127.0.0.1",
        "0.0.0.0/0",
        "label.example.test/8",
    ] {
        let by_exchange = asked(sandbox.ls_token(&["--no-cache"]), list);
        let url = format!("https://{HOST}/");
        let by_curl = asked(sandbox.program(real_curl(), &["-q", "-sS", "-m", "5", &url]), list);
        assert_eq!(by_exchange, by_curl, "no_proxy={list}");
        seen[usize::from(by_curl)] = true;
    }
    assert_eq!(seen, [true; 2]);
}

#[test]
fn f66_an_address_may_be_short_and_a_login_may_have_any_character() {
    let (sandbox, server) = beside_a_proxy();
    let proxy = Proxy::start(Ok(server.address()));
    let address = proxy.address.to_string();
    let odd = (b'!'..=b'~').map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    for value in [
        address.clone(),
        format!("http://{address}"),
        format!("HTTP://{address}/"),
        format!("http://{address}/path?query"),
        format!("someone@{address}"),
        format!("someone:@{address}"),
        format!("someone:pass:word@{address}"),
        format!("http://some%40one:{odd}@{address}"),
        format!("http://someone:!$&'()*+,;=-._~%@{address}"),
        format!("http://someone:\"<>^|`{{}}[]@{address}"),
    ] {
        let done = sandbox.ls_token(&["--no-cache"]).env("https_proxy", &value).run();
        assert_eq!(done.code, Some(0), "{value}: {done:?}");
        let url = server.url();
        let curl = sandbox.program(real_curl(), &["-q", "-sS", "-k", &url]).env("https_proxy", &value).run();
        assert_eq!(curl.code, Some(0), "{value}: {curl:?}");
        let login = |head: &String| {
            let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("proxy-authorization"))?;
            Some(line.split_once(' ').unwrap().1.to_owned())
        };
        let logins: Vec<_> = proxy.heads().iter().rev().take(2).map(login).collect();
        assert_eq!(logins[0], logins[1], "{value}");
        assert_eq!(logins[0].is_some(), value.contains('@'), "{value}");
    }
    // Without a port it is curl's own, 1080, and for https 443: nobody is there.
    for (value, shown) in [("127.0.0.7", "http://127.0.0.7:1080"), ("https://127.0.0.7", "https://127.0.0.7")] {
        let done = sandbox.ls_token(&["--no-cache"]).env("https_proxy", value).run();
        done.fails(69).says(&format!("  proxy: {shown} (https_proxy)\n"));
    }
    if let Ok(listener) = TcpListener::bind("[::1]:0") {
        let address = listener.local_addr().unwrap();
        drop(listener);
        let done = sandbox.ls_token(&["--no-cache"]).env("https_proxy", format!("http://{address}")).run();
        done.fails(69).says(&format!("  proxy: http://{address} (https_proxy)\n")).says("Connection refused");
    }
}

/// tinyproxy, which wants a login.
fn tinyproxy(sandbox: &Sandbox, more: &str) -> (Running, u16) {
    need_from("tinyproxy", "tinyproxy-bin");
    listen(|port| {
        let file = sandbox.file(
            "tinyproxy.conf",
            format!("Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nBasicAuth someone proxy-password\n{more}\n"),
            0o600,
        );
        sandbox.program("/usr/bin/tinyproxy", &["-d", "-c", &file.display().to_string()]).start()
    })
}

#[test]
fn f66_tinyproxy_is_used_with_its_login_alone() {
    let (sandbox, server) = beside_a_proxy();
    let (_running, port) = tinyproxy(&sandbox, "");
    let through = |login: &str| {
        let proxy = format!("http://{login}127.0.0.1:{port}");
        sandbox.ls_token(&["--no-cache"]).env("https_proxy", proxy).run()
    };
    assert!(server.has_issued(&through("someone:proxy-password@").token()));
    assert!(server.has_issued(&through("someone:%70roxy%2Dpassword@").token()));
    let exchanges = server.exchanges();
    through("")
        .fails(69)
        .says("the proxy wants a login (407)")
        .says("write https_proxy=http://NAME:PASSWORD@HOST:PORT");
    // tinyproxy answers 401 to a wrong one, which is no answer of a proxy's.
    let done = through("someone:wrong@");
    done.fails(69).says("the proxy makes no connection to 127.0.0.1:").says("check its login").does_not_say("wrong@");
    assert_eq!(server.exchanges(), exchanges);
    let (_running, port) = tinyproxy(&sandbox, "ConnectPort 1");
    let proxy = format!("http://someone:proxy-password@127.0.0.1:{port}");
    let done = sandbox.ls_token(&["--no-cache"]).env("https_proxy", proxy).run();
    done.fails(69).says("the proxy makes no connection to 127.0.0.1:").does_not_say("proxy-password");
}

#[test]
fn f66_a_proxy_that_speaks_tls_is_judged_by_the_same_cas() {
    need("socat");
    let (sandbox, server) = beside_a_proxy();
    sandbox.ls_token(&[]).run().token();
    let proxy = Proxy::start(Ok(server.address()));
    let made = sandbox.shell("cd .. && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -addext subjectAltName=IP:127.0.0.1 -keyout socat.key -out socat.pem 2>&1");
    assert_eq!(made.run().code, Some(0));
    let (_running, port) = listen(|port| {
        let listener =
            format!("OPENSSL-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,cert=../socat.pem,key=../socat.key,verify=0");
        sandbox.program("/usr/bin/socat", &[&listener, &format!("TCP:{}", proxy.address)]).start()
    });
    let address = format!("https://127.0.0.1:{port}");
    let done = sandbox.ls_token(&["--no-cache"]).env("https_proxy", &address).run();
    done.fails(69).says("no trusted connection to 127.0.0.1: its certificate is a CA's own (CA:TRUE)");
    done.says(&format!("  proxy: {address} (https_proxy)")).says("openssl s_client ");
    let both = fs::read_to_string(sandbox.root().join("authority.pem")).unwrap()
        + &fs::read_to_string(sandbox.root().join("socat.pem")).unwrap();
    sandbox.file("authority.pem", both, 0o644);
    assert_eq!(sandbox.ls_token(&["--no-cache"]).env("https_proxy", &address).run().code, Some(0));
    let done = sandbox.ls_token(&["curl", "-sSf", PROJECTS]).env("https_proxy", &address).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(proxy.heads().len(), 2, "both went through it");
    // One that speaks none is named, too.
    let plain = format!("https://{}", Proxy::start(Err("403 Forbidden")).address);
    let done = sandbox.ls_token(&["--no-cache"]).env("https_proxy", &plain).run();
    done.fails(69).says("cannot connect to the proxy: ").says(&format!("  proxy: {plain} (https_proxy)"));
}

#[test]
fn f66_a_socks_proxy_that_curl_would_use_is_refused_in_words() {
    need("microsocks");
    let (sandbox, server) = beside_a_proxy();
    let (_running, port) =
        listen(|port| sandbox.program("/usr/bin/microsocks", &["-i", "127.0.0.1", "-p", &port.to_string()]).start());
    for scheme in ["socks5", "socks5h"] {
        let address = format!("{scheme}://127.0.0.1:{port}");
        let url = format!("{}/health", server.url());
        let curl = sandbox.program(real_curl(), &["-q", "-sS", "-k", &url]).env("https_proxy", &address).run();
        assert_eq!(curl.code, Some(0), "{curl:?}");
        let done = sandbox.ls_token(&[]).env("all_proxy", &address).run();
        done.fails(78)
            .says("cannot use the proxy that all_proxy names: it is a SOCKS proxy, which ls-token does not support");
        done.says(&format!("  proxy: {address} (all_proxy)")).says("add 127.0.0.1 to no_proxy");
    }
    assert_eq!(server.exchanges(), 0);
}

#[test]
fn f66_doctor_tries_the_proxy_and_says_what_curlrc_has_for_curl_alone() {
    let (sandbox, server) = beside_a_proxy();
    let proxies = |variables: &[(&str, String)]| {
        let done = with(sandbox.ls_token(&["doctor"]), variables).run();
        assert!(!done.stdout.contains("proxy-password"), "{done:?}");
        let line = |name: &str| {
            let start = done.stdout.find(&format!("  {name} ")).unwrap_or_else(|| panic!("no {name}: {done:?}"));
            let start = done.stdout[..start].rfind('\n').unwrap_or(0);
            done.stdout[start..].trim_start().lines().take(2).collect::<Vec<_>>().join("\n")
        };
        (line("connection"), line("proxies"))
    };
    let proxy = Proxy::start(Ok(server.address()));
    let good = format!("http://someone:proxy-password@{}", proxy.address);
    let shown = format!("http://{}", proxy.address);
    let (connection, line) = proxies(&[("https_proxy", good.clone())]);
    assert!(connection.starts_with("ok ") && line.starts_with("ok "), "{connection}\n{line}");
    assert!(line.contains(&format!("https_proxy={shown}; {shown} (https_proxy) leads to the server")), "{line}");
    assert!(!proxy.heads().is_empty());
    let down = closed();
    let (connection, line) = proxies(&[("all_proxy", format!("someone:proxy-password@{down}"))]);
    assert!(connection.starts_with("FAIL ") && connection.contains("cannot connect to the proxy"), "{connection}");
    assert!(
        line.starts_with("warn ") && line.contains(&format!("not reached through http://{down} (all_proxy)")),
        "{line}"
    );
    let wants_login = Proxy::start(Err("407 Proxy Authentication Required"));
    let (connection, _) = proxies(&[("https_proxy", wants_login.address.to_string())]);
    assert!(connection.starts_with("FAIL ") && connection.contains("the proxy wants a login (407)"), "{connection}");
    assert_eq!(wants_login.heads().len(), 1);
    let (connection, line) = proxies(&[("https_proxy", "socks5://someone:proxy-password@127.0.0.1:1".into())]);
    assert!(connection.starts_with("FAIL ") && connection.contains("it is a SOCKS proxy"), "{connection}");
    assert!(line.starts_with("warn ") && line.contains("it is a SOCKS proxy"), "{line}");
    let (_, line) = proxies(&[("https_proxy", good.clone()), ("no_proxy", "127.0.0.1".into())]);
    assert!(line.starts_with("ok ") && line.contains("connect to this server directly"), "{line}");
    let (_, line) = proxies(&[]);
    assert!(line.starts_with("ok ") && line.contains("no variable is set"), "{line}");
    for option in ["proxy = ", "-x ", "-x", "proxy=http://", "socks5-hostname = "] {
        sandbox.file("home of someone/.curlrc", format!("{option}someone:proxy-password@{down}\n"), 0o600);
        let (_, line) = proxies(&[]);
        assert!(line.starts_with("warn ") && line.contains(".curlrc, line 1) is for curl alone"), "{option}: {line}");
        assert!(proxies(&[("https_proxy", good.clone())]).1.starts_with("ok "));
    }
}

#[test]
fn f66_a_login_that_the_server_itself_wants_for_a_proxy_is_no_answer_of_label_studio() {
    let (sandbox, server) = beside_a_proxy();
    server.always(REFRESH, Reply::error(407, "Log in"));
    sandbox.ls_token(&[]).run().fails(69).says("a proxy on the way wants a login (status 407)");
    assert_eq!(server.exchanges(), 1);
}
