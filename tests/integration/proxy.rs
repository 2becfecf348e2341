//! Proxies: one for an https server sees a CONNECT and nothing of the token; this machine's own servers need none.

mod party;

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::sandbox::{Sandbox, ready};
use crate::server::{Server, Setup};
use crate::tls::Authority;

/// The host that the proxy knows, and nobody else.
const HOST: &str = "label.example.test";

/// A proxy that keeps the head of each request.
pub(crate) struct Proxy {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The heads that it was sent.
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Starts one that leads every CONNECT to the target, or refuses it with a status line where there is none.
    pub(crate) fn start(target: Result<SocketAddr, &'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heads);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                thread::spawn(move || serve(stream, target, &kept));
            }
        });
        Self { address, heads }
    }

    /// Returns the heads that it was sent.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// Serves one connection.
fn serve(
    mut stream: TcpStream,
    target: Result<SocketAddr, &'static str>,
    heads: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 0 && !head.ends_with("\r\n\r\n") {}
    heads.lock().unwrap().push(head);
    match target {
        Err(status) => {
            stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes())
        }
        Ok(address) => {
            let mut out = TcpStream::connect(address)?;
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
            let mut back = out.try_clone()?;
            let mut to_client = stream.try_clone()?;
            let other_way = thread::spawn(move || {
                let _ = io::copy(&mut back, &mut to_client);
                let _ = to_client.shutdown(Shutdown::Write);
            });
            let _ = io::copy(&mut reader, &mut out);
            let _ = out.shutdown(Shutdown::Write);
            let _ = other_way.join();
            Ok(())
        }
    }
}

/// A sandbox with a profile for a server that only the proxy leads to.
fn behind_a_proxy() -> (Sandbox, Server) {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let server = Setup { tls: Some(authority.configuration(&[HOST], 2090)), ..Setup::default() }.start();
    let (pat, ca_file) = (sandbox.pat_file(server.pat()), authority.file(&sandbox));
    sandbox.settings(&format!(
        "[profiles.test]\nurl = \"https://{HOST}\"\npat = \"file:{}\"\nca_file = \"{}\"\ntimeout = 5\n",
        pat.display(),
        ca_file.display()
    ));
    (sandbox, server)
}

#[test]
fn f07_a_proxy_for_an_https_server_sees_a_connect_and_no_token() {
    for variable in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        let (sandbox, server) = behind_a_proxy();
        let proxy = Proxy::start(Ok(server.address()));
        let address = format!("http://someone:proxy-password@{}", proxy.address);
        let done = sandbox.ls_token(&["-v"]).env(variable, address).run();
        assert_eq!(done.does_not_say("proxy-password").token(), server.issued()[0], "{variable}");
        let [head] = &proxy.heads()[..] else { panic!("one request by {variable}: {:?}", proxy.heads()) };
        assert!(head.starts_with(&format!("CONNECT {HOST}:443 HTTP/1.1\r\n")), "{head}");
        // someone:proxy-password, in base64.
        assert!(head.to_ascii_lowercase().contains("proxy-authorization: basic"), "{head}");
        assert!(!head.contains(server.pat()) && !head.contains("api/token"), "{head}");
    }
}

#[test]
fn f07_a_proxy_that_refuses_is_named_without_its_password() {
    for status in ["407 Proxy Authentication Required", "502 Bad Gateway", "403 Forbidden", "200"] {
        let (sandbox, server) = behind_a_proxy();
        let server = server.expect_no_calls();
        let proxy = Proxy::start(Err(status));
        let address = format!("http://someone:proxy-password@{}", proxy.address);
        let done = sandbox.ls_token(&["-v"]).env("https_proxy", &address).run();
        done.fails(69).says("hint: ").does_not_say("proxy-password").within(Duration::from_secs(6));
        assert!(
            proxy.heads().iter().all(|head| head.starts_with("CONNECT ") && !head.contains(server.pat())),
            "{status}"
        );
        assert!(!proxy.heads().is_empty(), "{status}: the proxy was not asked");
    }
}

#[test]
fn f07_a_proxy_that_is_not_there_is_named_without_its_password() {
    let (sandbox, server) = behind_a_proxy();
    let _server = server.expect_no_calls();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let done = sandbox.ls_token(&["-v"]).env("https_proxy", format!("http://someone:proxy-password@{closed}")).run();
    done.fails(69).says("hint: ").says("proxy").does_not_say("proxy-password");
    for odd in ["nonsense nonsense", "http://", "socks9://x", "http://someone:proxy-password@[", "://"] {
        let done = sandbox.ls_token(&["-v"]).env("https_proxy", odd).run();
        assert!(done.code.is_some_and(|code| code != 0), "{odd}: {done:?}");
        done.does_not_say("proxy-password").within(Duration::from_secs(6));
    }
}

#[test]
fn f07_no_proxy_is_honoured() {
    let (sandbox, server) = behind_a_proxy();
    let _server = server.expect_no_calls();
    let proxy = Proxy::start(Err("502 Bad Gateway"));
    for exception in [HOST, "example.test", ".example.test", "*"] {
        let call = sandbox.ls_token(&[]).env("https_proxy", format!("http://{}", proxy.address));
        call.env("no_proxy", exception).run().fails(69);
        assert_eq!(proxy.heads(), Vec::<String>::new(), "no_proxy={exception}");
    }
}

#[test]
fn f07_this_machines_own_servers_are_never_asked_for_through_a_proxy() {
    let (sandbox, server) = ready();
    let proxy = Proxy::start(Err("502 Bad Gateway"));
    for variable in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        sandbox.set(variable, format!("http://{}", proxy.address));
    }
    for url in [server.url(), format!("http://localhost:{}", server.port())] {
        sandbox.ls_token(&["--refresh"]).env("LABEL_STUDIO_URL", url).run().quiet().token();
    }
    assert_eq!((proxy.heads(), server.exchanges()), (Vec::new(), 2));
}
