//! The way to the server: TLS, proxies, limits of time and size, and plain words for what goes wrong on it. Nothing is
//! followed and nothing is kept; what an answer means is for others to say.

use std::error::Error as StdError;
use std::io;
use std::iter::successors;
use std::pin::pin;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use rustix::io::Errno;
use rustls::crypto::ring::default_provider;
use serde_json::json;
use tokio::runtime::Builder;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::proxy::Proxy;
use super::resolver::Resolver;
use super::tls;
use crate::error::{Error, Fact, Kind, Result};
use crate::settings::Profile;
use crate::system::{Spinner, TICK, check_signals, lack, process};
use crate::types::{Secret, tenths, untrusted};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// Whether another try may do better.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    Never,
    Soon,
    /// After the pause that the server asked for, in seconds.
    After(u32),
    /// If there is time left for a connection: else the try would end before it can say which stage failed.
    WithTimeToConnect,
}

pub(crate) struct TransportError {
    pub(crate) error: Error,
    pub(crate) retry: Retry,
    /// Whether the server may have got the request all the same.
    pub(crate) maybe_sent: bool,
}

impl From<TransportError> for Error {
    fn from(failure: TransportError) -> Self {
        failure.error
    }
}

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body, or its beginning where it is too long.
    pub(crate) body: Vec<u8>,
    pub(crate) too_long: bool,
}

impl Response {
    /// Returns a header's text, or nothing.
    pub(crate) fn header(&self, name: HeaderName) -> String {
        self.headers.get(name).map_or_else(String::new, |value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    }
}

/// Does work that asks a server, on this thread, with a spinner on a terminal; a signal ends it only where
/// `heeds_signals`, and stays pending otherwise.
pub(crate) fn follow<T>(profile: &Profile, work: impl Future<Output = Result<T>>, heeds_signals: bool) -> Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        let what = "cannot set up the network";
        lack(what, &error).unwrap_or_else(|| Error::new(Kind::Io, format!("{what}: {error}")))
    })?;
    let mut spinner = Spinner::begin(profile.server.origin.to_string());
    let result = runtime.block_on(async {
        let mut work = pin!(work);
        loop {
            match timeout(TICK, work.as_mut()).await {
                Ok(result) => return result,
                Err(_) if heeds_signals => spinner.tick()?,
                Err(_) => spinner.draw(),
            }
        }
    });
    // A thread may be stuck in the resolver: it is not waited for.
    runtime.shutdown_background();
    if heeds_signals {
        // One that came in since the last tick ends it as well.
        check_signals()?;
    }
    result
}

/// Makes a request with a personal access token as the only field of its body.
pub(super) fn post(client: &Client, profile: &Profile, path: &str, pat: &Secret) -> RequestBuilder {
    let body = Zeroizing::new(json!({ "refresh": pat.expose() }).to_string());
    let request = client.post(profile.server.join(path)).header(CONTENT_TYPE, "application/json");
    request.body(body.as_bytes().to_vec())
}

/// Sends a request and reads the answer, no more of its body than what is asked for could have.
pub(crate) async fn send(request: RequestBuilder, profile: &Profile) -> Result<Response, TransportError> {
    let answer = async {
        let mut response = request.header(ACCEPT, "application/json").send().await?;
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        let mut answer = Response { status, headers, body: Vec::new(), too_long: false };
        while let Some(piece) = response.chunk().await? {
            answer.body.extend_from_slice(&piece);
            if answer.body.len() > MAX_RESPONSE_BYTES {
                answer.too_long = true;
                break;
            }
        }
        Ok(answer)
    };
    answer.await.map_err(|error| explain(&error, profile))
}

pub(crate) fn client(profile: &Profile) -> Result<Client> {
    // Fails only when a provider is there already.
    let _ = default_provider().install_default();
    let origin = &profile.server.origin;
    let hint = "install the CA certificates (Debian's package is ca-certificates), or name a file of them with SSL_CERT_FILE; if that is empty, unset it";
    let fault = |error| Error::new(Kind::Settings, format!("cannot set up TLS: {}", chain(&error))).hint(hint);
    let mut builder = Client::builder()
        .user_agent(concat!("ls-token/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .dns_resolver(Resolver)
        .retry(reqwest::retry::never())
        .https_only(origin.secure)
        .connect_timeout(connect_timeout(profile));
    builder = match Proxy::of(profile)? {
        None => builder.no_proxy(),
        Some(proxy) => builder.proxy(reqwest::Proxy::https(proxy.url.expose()).map_err(fault)?),
    };
    if !origin.secure {
        // No certificate is needed, so none of the platform's is read.
        builder = builder.tls_certs_only([]);
    } else if let Some(trusted) = tls::configuration(profile)? {
        builder = builder.tls_backend_preconfigured(trusted);
    }
    builder.build().map_err(fault)
}

/// Returns how long a connection may take: always less than the whole, so that the stage that failed can be told.
pub(super) fn connect_timeout(profile: &Profile) -> Duration {
    CONNECT_TIMEOUT.min(profile.timeout * 4 / 5)
}

/// Says what went wrong on the way, and whether it may go away by itself.
fn explain(error: &reqwest::Error, profile: &Profile) -> TransportError {
    let origin = &profile.server.origin;
    let host = &origin.host;
    let causes = causes(error);
    let connected = !error.is_connect();
    let proxy = Proxy::of(profile).ok().flatten();
    let failed = |error: Error, retry| {
        let error = proxy.iter().fold(error, |error, proxy| error.with(Fact::Proxy, proxy));
        TransportError { error, retry, maybe_sent: connected }
    };
    // What hyper-util's tunnel through a proxy says, which has no other form.
    let tunnel = causes.iter().find_map(|cause| cause.to_string().strip_prefix("tunnel error: ").map(str::to_owned));
    let tunnel = proxy.as_ref().zip(tunnel.as_deref());
    if let Some(refusal) = causes.iter().find_map(|cause| find(*cause)) {
        let party = tunnel.map_or(origin, |(proxy, _)| &proxy.origin);
        return failed(tls::explain(refusal, profile, party), Retry::Never);
    }
    let system = causes.iter().find_map(|cause| cause.downcast_ref::<io::Error>());
    let is_lookup = causes.iter().any(|cause| cause.to_string().starts_with("dns error"));
    // The resolver reports a name that it had no descriptor to ask for as one that does not exist.
    let no_file = (is_lookup && !process::can_open_files()).then(|| io::Error::from(Errno::MFILE));
    let own = no_file.as_ref().or(system);
    if let Some(error) = own.and_then(|error| lack(&format!("cannot connect to {origin}"), error)) {
        return failed(error, Retry::Never);
    }
    let kind = if system.is_some_and(is_of_this_process) { Kind::Offline } else { Kind::Unreachable };
    let reason = untrusted(&causes.last().map_or_else(String::new, ToString::to_string));
    if let Some((proxy, tunnel)) = tunnel {
        let (error, may_recover) = proxy.explain(tunnel, &reason, origin);
        return failed(Error { kind, ..error }, if may_recover { Retry::Soon } else { Retry::Never });
    }
    let way = "check that the server is up, and whether a proxy or VPN is needed";
    let (what, hint, retry) = if error.is_timeout() && connected {
        let what = format!("{host} did not answer within {} s", profile.timeout.as_secs());
        (
            what,
            "the server may be overloaded; a longer `timeout` in a profile of this server allows it more time",
            Retry::Never,
        )
    } else if error.is_timeout() {
        let limit = tenths(connect_timeout(profile));
        (format!("no connection to {host} within {limit} s"), way, Retry::WithTimeToConnect)
    } else if is_lookup {
        let what = format!("the name {host} was not found: {reason}");
        (what, "check the host name and the network", Retry::Soon)
    } else if connected {
        let what = format!("the connection to {host} broke off: {reason}");
        (what, "try again; if it persists, see the log of the server and of any proxy in front of it", Retry::Soon)
    } else {
        (format!("cannot connect to {origin}: {reason}"), way, Retry::Soon)
    };
    failed(Error::new(kind, what).hint(hint), retry)
}

/// Returns whether a failure says nothing of the server, as this process has no network, or not that one.
fn is_of_this_process(error: &io::Error) -> bool {
    use Errno as No;
    let unreachable = [No::NETUNREACH, No::NETDOWN, No::HOSTUNREACH, No::ADDRNOTAVAIL, No::ACCESS, No::PERM];
    Errno::from_io_error(error).is_some_and(|errno| unreachable.contains(&errno))
}

/// Lists an error and what is behind it, the outermost first.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> Vec<&'a (dyn StdError + 'static)> {
    successors(Some(error), |&cause| cause.source()).collect()
}

/// Finds an error of a type in a cause: itself, or inside an I/O error, or inside one in there.
fn find<'a, T: StdError + 'static>(cause: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let inside = || find(cause.downcast_ref::<io::Error>()?.get_ref()?);
    cause.downcast_ref().or_else(inside)
}

/// Returns an error and its causes as one line.
fn chain(error: &(dyn StdError + 'static)) -> String {
    untrusted(&causes(error).iter().map(ToString::to_string).collect::<Vec<_>>().join(": "))
}
