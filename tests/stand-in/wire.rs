//! HTTP/1.1 as far as the program and curl speak it, and a few ways to break it.

use std::collections::VecDeque;
use std::fmt::{self, Debug, Formatter};
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::label_studio::State;
use super::reply::Reply;
use super::{lock, redacted};

/// What a server has been asked.
#[derive(Clone)]
pub(crate) struct Request {
    /// `GET`, `POST`.
    pub(crate) method: String,
    /// Path and query, as they came.
    pub(crate) target: String,
    /// Names in lower case, and values.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, unpacked where it came in chunks.
    pub(crate) body: Vec<u8>,
    /// When it had come in whole.
    pub(crate) at: Instant,
}

impl Request {
    /// Returns the value of a header, whose name is given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(has, _)| has == name).map(|(_, value)| value.as_str())
    }

    /// Returns the body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the path without its query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

impl Debug for Request {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {}", redacted(value)));
        let headers: Vec<_> = headers.collect();
        write!(out, "{} {} {headers:?} {:?}", self.method, redacted(&self.target), redacted(&self.body))
    }
}

/// What the threads of a server share.
pub(super) struct Shared {
    /// What changes.
    pub(super) state: Mutex<State>,
    /// The path that Label Studio lives under, without a slash at its end.
    pub(super) base: String,
    /// How many connections were made.
    pub(super) connections: AtomicUsize,
    /// How many bytes were written.
    pub(super) sent: AtomicU64,
    /// Whether it is over.
    pub(super) stop: AtomicBool,
}

/// Takes connections and gives each a thread.
pub(super) fn accept(listener: &TcpListener, shared: &Arc<Shared>, tls: Option<&Arc<ServerConfig>>) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let (shared, tls) = (Arc::clone(shared), tls.cloned());
        let thread = thread::Builder::new().stack_size(256 * 1024);
        let _ = thread.spawn(move || {
            let _ = stream.set_nodelay(true);
            let Ok(socket) = stream.try_clone() else {
                return;
            };
            // A client that went away is no failure of the server.
            let _ = match tls {
                None => serve(Counted { stream, shared: &shared }, &socket, &shared),
                Some(config) => match ServerConnection::new(config) {
                    Ok(connection) => {
                        let tls = StreamOwned::new(connection, stream);
                        serve(Counted { stream: tls, shared: &shared }, &socket, &shared)
                    }
                    Err(error) => panic!("no TLS: {error}"),
                },
            };
        });
    }
}

/// A stream of which the bytes written are counted.
struct Counted<'a, S> {
    /// The stream.
    stream: S,
    /// Where they are counted.
    shared: &'a Shared,
}

impl<S: Read> Read for Counted<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl<S: Write> Write for Counted<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.stream.write(bytes)?;
        self.shared.sent.fetch_add(count as u64, Ordering::SeqCst);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Answers the requests of one connection.
fn serve(stream: impl Read + Write, socket: &TcpStream, shared: &Shared) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let Some(request) = read_request(&mut stream)? else {
            return Ok(());
        };
        let path = request.path().strip_prefix(shared.base.as_str()).unwrap_or_default().to_owned();
        let close = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let reply = {
            let mut state = lock(&shared.state);
            state.requests.push(request.clone());
            let scripted = state.scripts.get_mut(&path).and_then(VecDeque::pop_front);
            scripted.or_else(|| state.always.get(&path).cloned()).unwrap_or(Reply::Usual)
        };
        if !answer(&mut stream, socket, shared, &request, &path, reply)? || close {
            stream.get_mut().flush()?;
            let _ = socket.shutdown(std::net::Shutdown::Write);
            // Waits for the client's end, so that an early close does not reset what was just sent.
            let _ = socket.set_read_timeout(Some(Duration::from_secs(2)));
            let _ = io::copy(&mut stream, &mut io::sink());
            return Ok(());
        }
    }
}

/// Answers one request; returns whether the connection goes on.
fn answer(
    stream: &mut BufReader<impl Read + Write>,
    socket: &TcpStream,
    shared: &Shared,
    request: &Request,
    path: &str,
    reply: Reply,
) -> io::Result<bool> {
    let out = stream.get_mut();
    match reply {
        Reply::Usual => {
            let usual = lock(&shared.state).usual(request, path);
            return answer(stream, socket, shared, request, path, Reply::Answer(usual));
        }
        Reply::Under(status) => {
            let usual = lock(&shared.state).usual(request, path).under(status);
            return answer(stream, socket, shared, request, path, Reply::Answer(usual));
        }
        Reply::Answer(answer) => {
            out.write_all(&answer.to_bytes(request.method == "HEAD"))?;
            out.flush()?;
            return Ok(true);
        }
        Reply::Raw(bytes) => out.write_all(&bytes.0)?,
        Reply::Reset(bytes) => {
            out.write_all(&bytes.0)?;
            out.flush()?;
            thread::sleep(Duration::from_millis(30));
            return Err(reset(socket));
        }
        Reply::Silence => {
            // Until the client goes, but no longer than any test: a thread is not to stay for ever.
            let _ = socket.set_read_timeout(Some(Duration::from_secs(120)));
            let _ = io::copy(stream, &mut io::sink());
        }
        Reply::Slowly(bytes, pause) => {
            for byte in bytes.0 {
                out.write_all(&[byte])?;
                out.flush()?;
                thread::sleep(pause);
            }
        }
        Reply::EndlessHeaders => {
            out.write_all(b"HTTP/1.1 200 OK\r\n")?;
            while !shared.stop.load(Ordering::SeqCst) {
                out.write_all(format!("X-Header-{}: {}\r\n", fastrand::u32(..), "x".repeat(1000)).as_bytes())?;
            }
        }
        Reply::EndlessBody => {
            out.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10000000000\r\n\r\n{\"access\": \"")?;
            while !shared.stop.load(Ordering::SeqCst) {
                out.write_all(&[b'x'; 4096])?;
            }
        }
        Reply::Lost(reply) => {
            lock(&shared.state).usual(request, path);
            return answer(stream, socket, shared, request, path, *reply);
        }
        Reply::When(gate, reply) => {
            gate.pass();
            return answer(stream, socket, shared, request, path, *reply);
        }
        Reply::After(pause, reply) => {
            thread::sleep(pause);
            return answer(stream, socket, shared, request, path, *reply);
        }
    }
    Ok(false)
}

/// Closes a connection so that the kernel resets it: with `SO_LINGER` at 0 (socket(7)).
fn reset(socket: &TcpStream) -> io::Error {
    match rustix::net::sockopt::set_socket_linger(socket, Some(Duration::ZERO)) {
        Ok(()) => io::ErrorKind::ConnectionReset.into(),
        Err(error) => panic!("SO_LINGER: {error}"),
    }
}

/// Reads a request; `None` at the end of the connection.
fn read_request(stream: &mut BufReader<impl Read + Write>) -> io::Result<Option<Request>> {
    // The record type of a TLS handshake: someone speaks https to an http port. Real servers complain in http.
    const TLS_HANDSHAKE: u8 = 0x16;
    if stream.fill_buf()?.first() == Some(&TLS_HANDSHAKE) {
        stream.get_mut().write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
        return Ok(None);
    }
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { method, target, headers, body: Vec::new(), at: Instant::now() };
    if request.header("expect").is_some() {
        stream.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        stream.get_mut().flush()?;
    }
    if request.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        request.body = read_chunks(stream)?;
    } else if let Some(length) = request.header("content-length").and_then(|value| value.parse().ok()) {
        request.body = vec![0; length];
        stream.read_exact(&mut request.body)?;
    }
    request.at = Instant::now();
    Ok(Some(request))
}

/// Reads a body in chunks (RFC 9112, section 7.1).
fn read_chunks(stream: &mut BufReader<impl Read>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
        if size == 0 {
            stream.read_line(&mut String::new())?;
            return Ok(body);
        }
        stream.take(size).read_to_end(&mut body)?;
        stream.read_line(&mut String::new())?;
    }
}
