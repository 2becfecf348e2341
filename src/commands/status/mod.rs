//! `ls-token status`: shows what is cached and until when, offline and at once: no server is asked, no command run, no
//! lock taken and no secret read.

mod text;

use std::time::Duration;

use serde_json::{Value, json};

use super::Session;
use crate::cli::Options;
use crate::error::{Error, Result};
use crate::settings::Profile;
use crate::system::stdout;
use crate::token::cache::{Cache, Record};
use crate::types::{Moment, rfc3339};

pub(crate) fn run(options: &Options, as_json: bool, all: bool) -> Result<()> {
    let session = Session::begin(options)?;
    let states: Vec<State> = session.profile_or_all(all)?.into_iter().map(State::of).collect();
    let file = session.environment.shown_config();
    let mut objects = states.iter().map(|state| state.to_json(&file));
    stdout::print(&match (as_json, all) {
        (true, true) => format!("{}\n", objects.collect::<Value>()),
        (true, false) => format!("{}\n", objects.next().unwrap_or_default()),
        (false, true) => text::table(&states, &file),
        (false, false) => states.iter().map(|state| text::list(state, &file)).collect(),
    })
}

/// A profile and what is cached of it.
struct State {
    profile: Profile,
    cache: Cache,
    /// What is there and would be used while it is valid.
    record: Option<Record>,
    left: Option<Duration>,
    /// Whether the next call gets a new one all the same, as it is not valid for long.
    is_due: bool,
}

impl State {
    fn of(profile: Profile) -> Self {
        let cache = Cache::find(&profile);
        let record = cache.read();
        let now = Moment::now();
        let access = record.as_ref().map(|record| &record.access);
        let left = access.and_then(|access| access.left(&now));
        let is_due = access.is_some_and(|access| !access.is_fresh(&now, profile.min_ttl));
        Self { profile, cache, record, left, is_due }
    }

    /// Returns when the personal access token expires, in seconds since 1970: known once it was exchanged, if it says
    /// so.
    fn pat_expires(&self) -> Option<u64> {
        let seconds = self.record.as_ref()?.pat_expires;
        (seconds > 0).then_some(seconds)
    }

    fn to_json(&self, settings: &str) -> Value {
        // By this machine's clock.
        let expires = self.left.and(self.record.as_ref()).map(|record| record.access.expires_at());
        json!({
            "profile": self.profile.name,
            "url": self.profile.server.to_string(),
            "source": self.profile.source.to_string(),
            "cached": self.left.is_some(),
            "expires_at": expires.and_then(rfc3339),
            "expires_in": self.left.map(|left| left.as_secs()),
            "pat_expires_at": self.pat_expires().and_then(rfc3339),
            "settings": settings,
            "cache": self.cache.file().map(|path| path.display().to_string()),
            "cache_problem": self.cache.refusal().map(Error::to_line),
        })
    }
}
