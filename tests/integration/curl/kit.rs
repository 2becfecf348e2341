//! What the tests of `ls-token curl` share: the real curl, watched; a stranger that keeps every byte that it is sent.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::sandbox::{Call, Done, Sandbox, wait_until};
use crate::server::{Request, Server, Setup, access_token_in, pat_in, redacted};
pub(super) use crate::settings::profile;
use crate::tls::Authority;

/// Where curl looks for its `.curlrc`.
pub(super) const CURLRC: &str = "home of someone/.curlrc";

/// Returns the curl that is tried.
pub(crate) fn real_curl() -> PathBuf {
    let curl = std::env::var_os("LS_TOKEN_TEST_CURL").map_or_else(|| "/usr/bin/curl".into(), PathBuf::from);
    assert!(curl.exists(), "{} is missing: apt-get install curl", curl.display());
    curl
}

/// Puts the real curl before all others; each of its starts is noted.
pub(super) fn watch(sandbox: &Sandbox) {
    let real = real_curl();
    let real = shell_words::quote(&real.to_string_lossy()).into_owned();
    sandbox.command("curl", &format!("echo started >>\"$here/curl.starts\"\nexec {real} \"$@\""));
}

/// Returns how often curl was started.
pub(super) fn starts(sandbox: &Sandbox) -> usize {
    sandbox.lines("curl.starts").len()
}

/// A sandbox with a watched curl, and a server whose profile is the only one.
pub(super) fn with_server() -> (Sandbox, Server) {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    watch(&sandbox);
    sandbox.settings(&profile(&sandbox, "test", &server, ""));
    (sandbox, server)
}

/// Starts a server that speaks TLS, with a certificate of the authority's.
pub(super) fn secure_server(authority: &Authority) -> Server {
    secure_setup(authority).start()
}

/// Says how such a server is to be started.
fn secure_setup(authority: &Authority) -> Setup {
    Setup { tls: Some(authority.configuration(&["127.0.0.1"], 2090)), ..Setup::default() }
}

/// A sandbox with a watched curl, a server that speaks TLS, whose profile is the only one, and the file with its authority.
pub(super) fn with_secure_server() -> (Sandbox, Server, PathBuf) {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    watch(&sandbox);
    let (server, file) = (secure_server(&authority), authority.file(&sandbox));
    let more = format!("ca_file = \"{}\"", file.display());
    sandbox.settings(&profile(&sandbox, "test", &server, &more));
    (sandbox, server, file)
}

/// Ends a server and starts another at its address, with a certificate of the authority's.
pub(super) fn impostor(server: Server, authority: &Authority) -> Server {
    let port = server.port();
    drop(server);
    wait_until("the port is free", || TcpListener::bind(("127.0.0.1", port)).is_ok());
    Setup { port, ..secure_setup(authority) }.start()
}

/// Prepares `ls-token curl` with these arguments.
pub(super) fn curl<'a>(sandbox: &'a Sandbox, arguments: &[&str]) -> Call<'a> {
    let mut call = sandbox.ls_token(&["curl"]);
    for argument in arguments {
        call = call.arg(argument);
    }
    call
}

/// Splits a line into arguments as a shell would.
pub(super) fn words(line: &str) -> Vec<String> {
    shell_words::split(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// Returns what a server was asked beside exchanges.
pub(super) fn asked(server: &Server) -> Vec<Request> {
    let mut requests = server.requests();
    requests.retain(|request| !request.path().ends_with("/api/token/refresh/"));
    requests
}

/// Returns the targets that a server was asked for beside exchanges.
pub(super) fn targets(server: &Server) -> Vec<String> {
    asked(server).into_iter().map(|request| request.target).collect()
}

/// Returns the values of a header, of which there may be several.
pub(super) fn values<'a>(request: &'a Request, name: &str) -> Vec<&'a str> {
    request.headers.iter().filter(|(has, _)| has == name).map(|(_, value)| value.as_str()).collect()
}

/// Asserts that every request but the exchanges came with a token of this server, once.
#[track_caller]
pub(super) fn assert_own_tokens(server: &Server) {
    let issued = server.issued();
    for request in asked(server) {
        let bearers = values(&request, "authorization");
        let good = match bearers.as_slice() {
            [one] => one.strip_prefix("Bearer ").is_some_and(|token| issued.iter().any(|issued| issued == token)),
            _ => false,
        };
        assert!(good, "not this server's own token, once, in {request:?}");
    }
}

/// Asserts that a text has no access token and no personal access token in it.
#[track_caller]
pub(super) fn assert_no_token(text: &str, whose: &str) {
    let found = access_token_in(text).or_else(|| pat_in(text));
    assert!(found.is_none(), "a token in {whose}: {}", redacted(text));
}

/// Asserts that ls-token refused, with this exit status and a hint, and that neither curl nor anything else was started.
#[track_caller]
pub(super) fn assert_refused(sandbox: &Sandbox, done: &Done, code: i32, what: &str) {
    assert_eq!(starts(sandbox), 0, "curl was started by {what}: {done:?}");
    assert_eq!(done.code, Some(code), "{what}: {done:?}");
    assert_eq!(done.stdout, "", "{what}: {done:?}");
    assert!(done.stderr.starts_with("ls-token: "), "{what}: {done:?}");
}

/// A server that nobody should trust, at 127.0.0.2: it keeps every byte that it is sent, whatever the protocol, and takes
/// every request for a good one.
pub(super) struct Stranger {
    /// Where it listens.
    address: SocketAddr,
    /// What each connection sent, in order.
    heard: Arc<Mutex<Vec<String>>>,
}

/// What a connection of the stranger's own sends, to find out that all those before it have been read.
const MARK: &str = "that was all";

impl Stranger {
    /// Starts one.
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.2:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let text = Self::listen(&mut stream);
                kept.lock().unwrap().push(text);
                let _ =
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nstranger\n");
            }
        });
        Self { address, heard }
    }

    /// Reads what a connection sends, until it pauses.
    fn listen(stream: &mut TcpStream) -> String {
        let _ = stream.set_read_timeout(Some(Duration::from_millis(150)));
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; 65_536]);
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            bytes.extend_from_slice(&buffer[..count]);
            // A request without a body ends here; whoever sends more is waited for.
            let has_body = bytes.windows(8).any(|piece| piece.eq_ignore_ascii_case(b"\ncontent"));
            if bytes.starts_with(MARK.as_bytes()) || (bytes.ends_with(b"\r\n\r\n") && !has_body) {
                break;
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Returns its host and port.
    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    /// Returns its port.
    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns its URL, without a slash at the end.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns everything that it was sent so far, by connection.
    pub(super) fn heard(&self) -> Vec<String> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(MARK.as_bytes()).unwrap();
        let is_mark = |text: &String| text == MARK;
        wait_until("the stranger reads", || self.heard.lock().unwrap().iter().any(is_mark));
        let mut heard = self.heard.lock().unwrap();
        heard.retain(|text| !is_mark(text));
        heard.clone()
    }

    /// Asserts that nobody talked to it.
    #[track_caller]
    pub(super) fn assert_alone(&self, what: &str) {
        let heard = self.heard();
        assert!(heard.is_empty(), "{what} reached the stranger: {}", redacted(heard.join("\n")));
    }

    /// Asserts that somebody talked to it, and that no token was in that; returns what was said.
    #[track_caller]
    pub(super) fn assert_no_token(&self, what: &str) -> String {
        let heard = self.heard().join("\n");
        assert!(!heard.is_empty(), "{what}: the stranger was not called");
        assert_no_token(&heard, &format!("what the stranger heard of {what}"));
        heard
    }
}
