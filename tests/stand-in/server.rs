//! A stand-in for Label Studio on loopback, which answers in the words recorded of Label Studio 1.21.0, or in those that
//! a test gives it. It makes its tokens up as it runs, knows which of them are good, and keeps what it was asked.
//!
//! A server that nobody called makes its test fail, unless that test says `expect_no_calls`: otherwise a test whose
//! subject went elsewhere would pass.
#![allow(dead_code, unused_imports, reason = "the program and the tests each use a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod canary;
mod label_studio;
mod reply;
mod tokens;
mod wire;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use serde_json::{Map, Value};

pub(crate) use canary::Canaries;
use label_studio::State;
pub(crate) use reply::{Answer, Gate, Reply, envelope, field_envelope, html_page};
pub(crate) use tokens::{
    access_token_in, claims_of, every_access_token, jwt, now, now_seconds, pat_in, redacted, remember_pat,
};
pub(crate) use wire::Request;
use wire::{Shared, accept};

/// The exchange.
pub(crate) const REFRESH: &str = "/api/token/refresh/";

/// Whose a token is.
pub(crate) const WHOAMI: &str = "/api/current-user/whoami";

/// Swaps a personal access token.
pub(crate) const ROTATE: &str = "/api/token/rotate/";

/// Revokes a personal access token.
pub(crate) const BLACKLIST: &str = "/api/token/blacklist/";

/// The list of projects, which needs an access token.
pub(crate) const PROJECTS: &str = "/api/projects/";

/// How long a test waits for something that should happen at once.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes a lock, also of a thread that panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a server is to be started.
#[derive(Default)]
pub(crate) struct Setup {
    /// With TLS, where there is a configuration.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// The path that Label Studio lives under: `/label-studio`.
    pub(crate) base: String,
    /// The port; 0 lets the system choose.
    pub(crate) port: u16,
    /// On `[::1]` instead of 127.0.0.1.
    pub on_ipv6: bool,
}

impl Setup {
    /// Starts the server.
    pub(crate) fn start(self) -> Server {
        let host: IpAddr = if self.on_ipv6 { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() };
        let listener = TcpListener::bind((host, self.port))
            .unwrap_or_else(|error| panic!("cannot listen on {host}:{}: {error}", self.port));
        let address = listener.local_addr().expect("an address");
        let mut state = State::new();
        let pat = state.add_pat();
        let secure = self.tls.is_some();
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            base: self.base,
            connections: AtomicUsize::new(0),
            sent: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &of_thread, self.tls.as_ref()));
        Server { shared, address, secure, pat, calls_expected: Some(true) }
    }
}

/// A running stand-in for Label Studio.
pub(crate) struct Server {
    /// What it shares with its threads.
    shared: Arc<Shared>,
    /// Where it listens.
    address: SocketAddr,
    /// Whether it speaks TLS.
    secure: bool,
    /// Its first personal access token.
    pat: String,
    /// Whether it must, or must not, have been called in the end.
    calls_expected: Option<bool>,
}

impl Server {
    /// Starts one on 127.0.0.1, without TLS, on a port that the system chooses.
    pub(crate) fn start() -> Self {
        Setup::default().start()
    }

    /// Starts one that gives out access tokens of that life, in seconds.
    pub(crate) fn with_life(seconds: i64) -> Self {
        let server = Self::start();
        server.set_life(seconds);
        server
    }

    /// Says that this server must not be called: not even a connection.
    pub(crate) fn expect_no_calls(mut self) -> Self {
        self.calls_expected = Some(false);
        self
    }

    /// Says that it does not matter whether this server is called.
    pub(crate) fn expect_anything(mut self) -> Self {
        self.calls_expected = None;
        self
    }

    /// Returns its URL, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("{}{}", self.origin(), self.shared.base)
    }

    /// Returns its scheme, host and port.
    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.address)
    }

    /// Returns its port.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns a personal access token that is good here.
    pub(crate) fn pat(&self) -> &str {
        &self.pat
    }

    /// Makes another personal access token that is good here.
    pub(crate) fn new_pat(&self) -> String {
        self.state().add_pat()
    }

    /// Revokes a personal access token.
    pub(crate) fn revoke(&self, pat: &str) {
        self.state().blacklist.insert(pat.to_owned());
    }

    /// Takes an access token that was given out for good no longer, as a server does whose keys were changed.
    pub(crate) fn reject(&self, token: &str) {
        self.state().access.remove(token);
    }

    /// Allows or forbids personal access tokens in the organization: an exchange goes on working then, and nothing else.
    pub(crate) fn allow_pats(&self, allowed: bool) {
        self.state().pats_allowed = allowed;
    }

    /// Returns the personal access tokens that are good, in no order.
    pub(crate) fn good_pats(&self) -> Vec<String> {
        let state = self.state();
        state.pats.difference(&state.blacklist).cloned().collect()
    }

    /// Makes an access token that is good here, as an exchange would.
    pub(crate) fn new_access_token(&self) -> String {
        self.state().new_access_token()
    }

    /// Sets the life of the next access tokens, in seconds.
    pub(crate) fn set_life(&self, seconds: i64) {
        self.state().life = seconds;
    }

    /// Sets the server's clock, in seconds ahead of this machine's.
    pub(crate) fn set_clock_ahead(&self, seconds: i64) {
        self.state().clock_ahead = seconds;
    }

    /// Changes the claims of the next access tokens; what the server thinks of their life stays as it is.
    pub(crate) fn set_claims(&self, change: impl Fn(&mut Map<String, Value>) + Send + 'static) {
        self.state().change = Some(Box::new(change));
    }

    /// Says what to do with the next requests of a path, one after the other; then it is as before again.
    pub(crate) fn script(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        self.state().scripts.entry(path.to_owned()).or_default().extend(replies);
    }

    /// Says what to do with every request of a path that no script is for.
    pub(crate) fn always(&self, path: &str, reply: Reply) {
        self.state().always.insert(path.to_owned(), reply);
    }

    /// Answers every exchange that much later.
    pub(crate) fn delay(&self, pause: Duration) {
        self.always(REFRESH, Reply::Usual.after(pause));
    }

    /// Returns what it was asked so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    /// Returns how often a path was asked for by a method.
    pub(crate) fn count(&self, method: &str, path: &str) -> usize {
        let path = format!("{}{path}", self.shared.base);
        self.state().requests.iter().filter(|request| request.method == method && request.path() == path).count()
    }

    /// Returns how many exchanges it was asked for.
    pub(crate) fn exchanges(&self) -> usize {
        self.count("POST", REFRESH)
    }

    /// Returns how many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Returns how many bytes it has got rid of.
    pub(crate) fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }

    /// Returns the access tokens that it gave out, in order.
    pub(crate) fn issued(&self) -> Vec<String> {
        self.state().issued.clone()
    }

    /// Returns whether it gave out an access token.
    pub(crate) fn has_issued(&self, token: &str) -> bool {
        self.expiry(token).is_some()
    }

    /// Returns the projects that were created.
    pub(crate) fn projects(&self) -> Vec<Value> {
        self.state().projects.clone()
    }

    /// Returns when an access token of this server expires, in seconds since 1970.
    pub(crate) fn expiry(&self, token: &str) -> Option<f64> {
        self.state().access.get(token).copied()
    }

    /// Waits until it has been asked for so many exchanges.
    pub(crate) fn wait_for_exchanges(&self, count: usize) {
        self.wait_for(REFRESH, count);
    }

    /// Waits until so many requests with POST have come for a path.
    pub(crate) fn wait_for(&self, path: &str, count: usize) {
        let since = Instant::now();
        while self.count("POST", path) < count {
            assert!(since.elapsed() < PATIENCE, "{} of {count} requests for {path}", self.count("POST", path));
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Returns what changes, locked.
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let calls = self.connections();
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts, so that the port is free.
        let _ = TcpStream::connect(self.address);
        if thread::panicking() {
            return;
        }
        match self.calls_expected {
            Some(true) => assert!(calls > 0, "the stand-in at {} was never called", self.url()),
            Some(false) => assert!(calls == 0, "the stand-in at {} was called: {:?}", self.url(), self.requests()),
            None => {}
        }
    }
}
