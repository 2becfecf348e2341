//! One file or directory for each command.

pub(crate) mod credential;
pub(crate) mod curl;
pub(crate) mod doctor;
pub(crate) mod exec;
pub(crate) mod init;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod offer;
pub(crate) mod rotate;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod verify;

use std::fmt::Display;
use std::io::{IsTerminal as _, stdout};
use std::sync::LazyLock;

use crate::cli::Options;
use crate::error::{Error, Result};
use crate::settings::{Profile, ProfileSelector, Profiles, choose};
use crate::system::{Console, Environment, ShellVars, put_signal_back, take_signal, warn};
use crate::token::{cache::Cache, keep};
use crate::types::{Access, Origin, Pat};

/// What most commands begin with: the environment, and what the options say of the profile and of how much to tell.
pub(crate) struct Session {
    console: Console,
    environment: Environment,
    selector: ProfileSelector,
}

impl Session {
    pub(crate) fn begin(options: &Options) -> Self {
        Self { console: options.console(), environment: Environment::read(), selector: options.selector() }
    }

    fn profile(&self) -> Result<Profile> {
        choose(&self.environment, &self.selector, self.console)
    }

    fn profiles(&self) -> Result<Profiles<'_>> {
        Profiles::load(&self.environment)
    }

    /// Returns the profile whose server an origin and path belong to, if the options allow it.
    fn profile_for(&self, profiles: &Profiles, origin: &Origin, path: &str) -> Result<Option<Profile>> {
        if self.selector.is_empty() {
            return Ok(profiles.for_url(origin, path)?.cloned());
        }
        let (chosen, _) = profiles.choose(&self.selector, self.console)?;
        Ok(Some(chosen).filter(|profile| profile.server.covers(origin, path)))
    }

    fn profile_or_all(&self, all: bool) -> Result<Vec<Profile>> {
        if !all {
            return Ok(vec![self.profile()?]);
        }
        if !self.selector.is_empty() {
            let hint = "omit --all, or --profile and --url";
            return Err(Error::usage("--all cannot be combined with --profile or --url", hint));
        }
        self.profiles()?.into_list()
    }
}

/// Returns a text in a colour (ECMA-48, SGR), where stdout shows any.
fn painted(text: impl Display, colour: &str) -> String {
    static IN_COLOUR: LazyLock<bool> = LazyLock::new(|| stdout().is_terminal() && !ShellVars::read().no_color);
    if *IN_COLOUR { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_string() }
}

/// Does what must not be left undone: a signal that came in waits until then, and is found again afterwards.
fn put_off_signals<T>(work: impl FnOnce() -> T) -> T {
    let pending = take_signal();
    let done = work();
    pending.inspect(|signal| put_signal_back(*signal));
    done
}

/// Caches the first access token of a new personal access token; without one, the old one's is removed all the same. The
/// old one itself is kept no longer.
fn replace_cached(profile: &Profile, access: Option<Access>, pat: &Pat) {
    keep::forget(profile);
    // Found anew: the source's fingerprint has changed.
    let cache = Cache::find(profile);
    let done = cache.forget().and_then(|()| match access.filter(|access| !access.life.is_zero()) {
        Some(access) => cache.store(&cache.record(access, pat)),
        None => Ok(()),
    });
    if let Err(error) = done {
        warn(format_args!("the token is not cached: {}", error.to_line()));
    }
}
