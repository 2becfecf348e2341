//! One file or directory for each command.

pub(crate) mod credential;
pub(crate) mod curl;
pub(crate) mod doctor;
pub(crate) mod exec;
pub(crate) mod init;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod rotate;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod verify;

use crate::cli::Options;
use crate::error::{Error, Result};
use crate::settings::{Profile, ProfileSelector, Profiles, choose};
use crate::system::{Console, Environment};

/// What most commands begin with: the environment, and what the options say of the profile and of how much to tell.
pub(crate) struct Session {
    console: Console,
    environment: Environment,
    selector: ProfileSelector,
}

impl Session {
    pub(crate) fn begin(options: &Options) -> Result<Self> {
        Ok(Self { console: options.console(), environment: Environment::read()?, selector: options.selector() })
    }

    fn profile(&self) -> Result<Profile> {
        choose(&self.environment, &self.selector, self.console)
    }

    fn profiles(&self) -> Result<Profiles<'_>> {
        Profiles::load(&self.environment)
    }

    /// Returns the profile to use, or every one with `--all`.
    fn profile_or_all(&self, all: bool) -> Result<Vec<Profile>> {
        if !all {
            return Ok(vec![self.profile()?]);
        }
        if self.selector.profile.is_some() || self.selector.url.is_some() {
            return Err(Error::usage(
                "--all cannot be combined with --profile or --url",
                "omit --all, or --profile and --url",
            ));
        }
        Ok(self.profiles()?.into_list())
    }
}
