//! One server and how to get a token for it.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::source::{Source, keyring};
use crate::system::environment::{Environment, KEY_VARIABLE, URL_VARIABLE, data_directory};
use crate::system::stderr::Console;
use crate::types::escape::foreign;
use crate::types::secret::sha256;
use crate::types::server::Server;

/// The name of the profile that `LABEL_STUDIO_URL` and `LABEL_STUDIO_API_KEY` make together.
pub(crate) const ENVIRONMENT: &str = "environment";

/// One server and how to get a token for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    /// Its name in the settings file.
    pub(crate) name: String,
    /// Where Label Studio answers.
    pub(crate) server: Server,
    /// Where the personal access token is.
    pub(crate) source: Source,
    /// The certificates to trust in place of the platform's: a PEM file.
    pub(crate) ca_file: Option<PathBuf>,
    /// How long an exchange may take in all.
    pub(crate) timeout: Duration,
    /// How much life a cached token must have left, where that is set.
    pub(crate) min_ttl: Option<Duration>,
    /// The variables that hold the personal access tokens of all profiles: no program that is run gets them.
    pub(crate) secret_variables: Vec<String>,
}

impl Profile {
    /// Names this profile in an error, where it has a name of the user's.
    pub(crate) fn name_in(&self, error: Error) -> Error {
        let named = error.facts.iter().any(|(name, _)| name == "profile");
        if self.name == ENVIRONMENT || named { error } else { error.with("profile", &self.name) }
    }

    /// Leaves `LABEL_STUDIO_API_KEY` alone where `LABEL_STUDIO_URL` beside it names another server: it belongs to that.
    pub(super) fn leave_key_of_another_server(&mut self, environment: &Environment) {
        let Some(url) = &environment.url else { return };
        let other = Server::parse(url).map_or(true, |server| server != self.server);
        if let Source::Environment(name, value) = &mut self.source
            && name == KEY_VARIABLE
            && other
        {
            *value = None;
        }
    }

    /// Tells which profile was chosen.
    pub(crate) fn tell(&self, console: Console) {
        console.note(format_args!("settings: profile {} for {}, token from {}", self.name, self.server, self.source));
    }
}

/// How long an exchange may take where no profile says otherwise.
pub(super) const TIMEOUT: Duration = Duration::from_secs(15);

/// Returns the profile that `LABEL_STUDIO_URL` and `LABEL_STUDIO_API_KEY` make together.
pub(crate) fn sdk_profile(environment: &Environment) -> Result<Option<Profile>> {
    let (Some(url), Some(key)) = (&environment.url, &environment.api_key) else {
        return Ok(None);
    };
    let fault =
        |text: String| Error::new(Kind::Settings, text).with("from", format_args!("{URL_VARIABLE}={}", shown_url(url)));
    let server = Server::parse(url)
        .map_err(|why| fault(format!("the URL {why}")).hint("write it as https://label.example.com"))?;
    if !server.origin.secure && !server.origin.is_loopback() {
        return Err(fault("plain http would show the personal access token to the network".into())
            .hint("use https, or write a profile with `allow_http = true` into the settings file"));
    }
    Ok(Some(Profile {
        name: ENVIRONMENT.into(),
        server,
        source: Source::environment(KEY_VARIABLE, Some(key.clone())),
        ca_file: None,
        timeout: TIMEOUT,
        min_ttl: None,
        secret_variables: vec![KEY_VARIABLE.into()],
    }))
}

/// Returns the source `stored`: the file that `login` stores a profile's personal access token in. Its name is bound to
/// the server: a profile whose url is changed has no stored token.
pub(super) fn stored(profile: &str, server: &Server) -> Result<Source> {
    let name = sha256(&[profile, &server.to_string()]);
    Ok(Source::Stored(data_directory()?.join(format!("{name}.pat"))))
}

/// Returns the source `keyring` of a profile, which is bound to the server as well.
pub(super) fn keyring(profile: &str, server: &Server) -> Source {
    Source::Keyring(keyring::Entry { url: server.to_string(), profile: profile.to_owned() })
}

/// Returns a URL for a message: user info, which may hold a password, is not shown.
pub(crate) fn shown_url(url: &str) -> String {
    match url.rfind('@') {
        None => foreign(url),
        Some(at) => format!("[redacted]{}", foreign(url.get(at..).unwrap_or_default())),
    }
}
