//! One server and how to get a token for it.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use crate::error::{Error, Fact, Kind, Result};
use crate::source::{PatStore, Source};
use crate::system::{Console, Environment, KEY_VARIABLE, URL_VARIABLE};
use crate::types::{Server, untrusted};

/// The name of the profile that `LABEL_STUDIO_URL` and `LABEL_STUDIO_API_KEY` make together.
pub(crate) const ENVIRONMENT: &str = "environment";

/// How long an exchange may take where no profile says otherwise.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) server: Server,
    pub(crate) source: Source,
    /// The CA certificates to trust instead of the platform's: a PEM file.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) timeout: Duration,
    /// How much of its lifetime a cached token must have left, where that is set.
    pub(crate) min_ttl: Option<Duration>,
    /// How long a personal access token that a command gave stays in the kernel's keyring, where that is asked for.
    pub(crate) keep: Option<Duration>,
    /// The variables that hold the personal access tokens of all profiles: no program that is run gets them.
    pub(crate) hidden: Rc<[Rc<str>]>,
}

impl Profile {
    /// Returns the place of the personal access token, to read and change it.
    pub(crate) fn pat(&self) -> PatStore<'_> {
        PatStore { source: &self.source, hidden: &self.hidden }
    }

    /// Names this profile in an error, where it has a name of the user's.
    pub(crate) fn with_profile(&self, error: Error) -> Error {
        if self.name == ENVIRONMENT { error } else { error.with(Fact::Profile, &self.name) }
    }

    /// Leaves `LABEL_STUDIO_API_KEY` alone where `LABEL_STUDIO_URL` beside it names another server: it belongs to that.
    pub(super) fn drop_foreign_api_key(&mut self, environment: &Environment) {
        let Some(url) = &environment.url else { return };
        if Server::parse(url).map_or(true, |server| server != self.server) {
            self.source.withhold(KEY_VARIABLE);
        }
    }

    pub(crate) fn log(&self, console: Console) {
        console.note(format_args!("settings: profile {} for {}, token from {}", self.name, self.server, self.source));
    }
}

/// Returns the profile that `LABEL_STUDIO_URL` and `LABEL_STUDIO_API_KEY` make together, where both are set. One of the same
/// server lends it what the variables cannot say; of several the default.
pub(super) fn sdk_profile(
    environment: &Environment,
    profiles: &[Profile],
    default: Option<&str>,
) -> Result<Option<Profile>> {
    let Some(url) = environment.url.as_ref().filter(|_| environment.has_api_key) else { return Ok(None) };
    let fault = |text: String| {
        Error::new(Kind::Settings, text).with(Fact::From, format_args!("{URL_VARIABLE}={}", shown_url(url)))
    };
    let server = Server::parse(url)
        .map_err(|why| fault(format!("the URL {why}")).hint("write it as https://label.example.com"))?;
    let same = || profiles.iter().filter(|profile| profile.server == server);
    let lender = same().find(|profile| Some(profile.name.as_str()) == default).or_else(|| same().next());
    let (name, source) = (ENVIRONMENT.into(), Source::variable_named(KEY_VARIABLE));
    if let Some(lender) = lender {
        return Ok(Some(Profile { name, source, keep: None, ..lender.clone() }));
    }
    if !server.origin.secure && !server.origin.is_loopback() {
        return Err(fault("plain http would show the personal access token to the network".into())
            .hint("use https, or write a profile of this server into the settings: url, pat = \"env:LABEL_STUDIO_API_KEY\", and allow_http = true"));
    }
    let (ca_file, timeout, min_ttl, keep, hidden) = (None, DEFAULT_TIMEOUT, None, None, Rc::default());
    Ok(Some(Profile { name, server, source, ca_file, timeout, min_ttl, keep, hidden }))
}

pub(super) fn names<'a>(profiles: impl IntoIterator<Item = &'a Profile>) -> String {
    profiles.into_iter().map(|profile| profile.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Returns a URL for a message: user info, which may hold a password, is not shown.
pub(crate) fn shown_url(url: &str) -> String {
    match url.rfind('@') {
        None => untrusted(url),
        Some(at) => format!("[redacted]{}", untrusted(url.get(at..).unwrap_or_default())),
    }
}
