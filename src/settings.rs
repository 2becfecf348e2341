//! The first step: flags, environment and settings file become one validated profile. Nothing else reads the
//! environment. A personal access token belongs to its profile's server: a URL from elsewhere never gets it.

mod document;
mod edit;
mod environment;
mod file;
mod profiles;
mod surroundings;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use document::Entry;
pub(crate) use edit::{Change, Draft, present, preview};
pub(crate) use environment::{Environment, data_folder, search_path};
pub(crate) use profiles::Profiles;
pub(crate) use surroundings::Surroundings;

use crate::console::Console;
use crate::error::{Error, Result};
use crate::escape::foreign;
use crate::server::Server;
use crate::source::Source;

/// The name of the profile that `LABEL_STUDIO_URL` and `LABEL_STUDIO_API_KEY` make together.
pub(crate) const ENVIRONMENT: &str = "environment";

/// The variables that the Label Studio SDK reads: <https://api.labelstud.io/api-reference/introduction/getting-started>.
pub(crate) const URL_VARIABLE: &str = "LABEL_STUDIO_URL";
/// The SDK's name for the personal access token.
pub(crate) const KEY_VARIABLE: &str = "LABEL_STUDIO_API_KEY";

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

/// What the command line says of the choice of a profile.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choice {
    /// `--profile`.
    pub(crate) profile: Option<String>,
    /// `--url`.
    pub(crate) url: Option<String>,
}

impl Profile {
    /// Names this profile in an error, where it has a name of the user's.
    pub(crate) fn name_in(&self, error: Error) -> Error {
        let named = error.facts.iter().any(|(name, _)| name == "profile");
        if self.name == ENVIRONMENT || named { error } else { error.with("profile", &self.name) }
    }

    /// Leaves `LABEL_STUDIO_API_KEY` alone where `LABEL_STUDIO_URL` beside it names another server: it belongs to that.
    fn leave_key_of_another_server(&mut self, environment: &Environment) {
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

/// Returns the profile to use: `--profile`, `--url`, `LS_TOKEN_PROFILE`, `LABEL_STUDIO_URL`, the file's default, in
/// this order.
pub(crate) fn choose(environment: &Environment, choice: &Choice, console: Console) -> Result<Profile> {
    let chosen = if choice.profile.is_none()
        && choice.url.is_none()
        && environment.profile.is_none()
        && let Some(pair) = environment.pair()?
    {
        pair
    } else {
        Profiles::load(environment)?.choose(environment, choice, console)?
    };
    chosen.tell(console);
    Ok(chosen)
}

/// Returns a URL for a message: user info, which may hold a password, is not shown.
pub(crate) fn shown_url(url: &str) -> String {
    match url.rfind('@') {
        None => foreign(url),
        Some(at) => format!("[redacted]{}", foreign(url.get(at..).unwrap_or_default())),
    }
}
