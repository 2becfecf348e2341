//! Tells what is cached and until when. Offline and at once: no server is asked, no command run, no lock taken and no
//! secret read. Without colour: what counts stands in words.

mod words;

use std::io::{IsTerminal as _, stdout};
use std::time::Duration;

use serde_json::{Value, json};

use crate::cache::{Cache, Record};
use crate::cli::Options;
use crate::clock::{Moment, rfc3339};
use crate::error::{Error, Kind, Result};
use crate::output;
use crate::settings::{self, Environment, Profile, Profiles, Surroundings};

/// Prints the state of the chosen profile, or of all.
pub(crate) fn print(options: &Options, as_json: bool, all: bool) -> Result<()> {
    let console = options.console();
    let choice = options.choice();
    if all && (choice.profile.is_some() || choice.url.is_some()) {
        return Err(Error::new(Kind::Usage, "--all tells of every profile, so that none is to be chosen")
            .hint("leave out --all, or --profile and --url"));
    }
    let environment = Environment::read()?;
    let profiles = if all {
        Profiles::load(&environment)?.into_list()
    } else {
        vec![settings::choose(&environment, &choice, console)?]
    };
    let states: Vec<State> = profiles.into_iter().map(State::of).collect();
    let file = environment.config_shown();
    let in_colour = stdout().is_terminal() && !Surroundings::read().no_color;
    let mut objects = states.iter().map(|state| state.to_json(&file));
    output::print(&match (as_json, all) {
        (true, true) => format!("{}\n", objects.collect::<Value>()),
        (true, false) => format!("{}\n", objects.next().unwrap_or_default()),
        (false, true) => words::table(&states, &file, in_colour),
        (false, false) => states.iter().map(|state| words::list(state, &environment, in_colour)).collect(),
    })
}

/// A profile and what is cached of it.
struct State {
    /// The profile.
    profile: Profile,
    /// The place of its token.
    cache: Cache,
    /// What lies there and would be used while it is good.
    record: Option<Record>,
    /// How long the cached token is still good.
    left: Option<Duration>,
    /// Whether the next call gets a new one all the same, as it is not good for long.
    is_due: bool,
}

impl State {
    /// Looks a profile up.
    fn of(profile: Profile) -> Self {
        let cache = Cache::find(&profile);
        let record = cache.read();
        let now = Moment::now();
        let access = record.as_ref().map(|record| &record.access);
        let left = access.and_then(|access| access.left(&now));
        let is_due = access.is_some_and(|access| !access.is_fresh(&now, profile.min_ttl));
        Self { profile, cache, record, left, is_due }
    }

    /// Returns when the cached token expires, while it is good, by this machine's clock.
    fn expires(&self) -> Option<String> {
        rfc3339(self.left.and(self.record.as_ref())?.access.expires_at())
    }

    /// Returns when the personal access token expires, in seconds since 1970: known once it was exchanged, where it says.
    fn pat_expires(&self) -> Option<u64> {
        let seconds = self.record.as_ref()?.pat_expires;
        (seconds > 0).then_some(seconds)
    }

    /// Returns the state for programs.
    fn to_json(&self, settings: &str) -> Value {
        json!({
            "profile": self.profile.name,
            "url": self.profile.server.to_string(),
            "source": self.profile.source.to_string(),
            "cached": self.left.is_some(),
            "expires_at": self.expires(),
            "expires_in": self.left.map(|left| left.as_secs()),
            "pat_expires_at": self.pat_expires().and_then(rfc3339),
            "settings": settings,
            "cache": self.cache.file().map(|path| path.display().to_string()),
            "cache_problem": self.cache.refusal().map(Error::in_one_line),
        })
    }
}
