//! What is known of one profile's token without asking anybody.

use std::time::Duration;

use serde_json::{Value, json};

use crate::error::Error;
use crate::settings::Profile;
use crate::token::cache::{Cache, Record};
use crate::types::{Moment, rfc3339};

/// A profile and what is cached of it.
pub(super) struct State {
    pub(super) profile: Profile,
    pub(super) cache: Cache,
    /// What is there and would be used while it is valid.
    pub(super) record: Option<Record>,
    /// How long the cached token is still valid.
    pub(super) left: Option<Duration>,
    /// Whether the next call gets a new one all the same, as it is not valid for long.
    pub(super) is_due: bool,
}

impl State {
    pub(super) fn of(profile: Profile) -> Self {
        let cache = Cache::find(&profile);
        let record = cache.read();
        let now = Moment::now();
        let access = record.as_ref().map(|record| &record.access);
        let left = access.and_then(|access| access.left(&now));
        let is_due = access.is_some_and(|access| !access.is_fresh(&now, profile.min_ttl));
        Self { profile, cache, record, left, is_due }
    }

    /// Returns when the cached token expires, while it is valid, by this machine's clock.
    pub(super) fn expires(&self) -> Option<String> {
        rfc3339(self.left.and(self.record.as_ref())?.access.expires_at())
    }

    /// Returns when the personal access token expires, in seconds since 1970: known once it was exchanged, where it says.
    pub(super) fn pat_expires(&self) -> Option<u64> {
        let seconds = self.record.as_ref()?.pat_expires;
        (seconds > 0).then_some(seconds)
    }

    pub(super) fn to_json(&self, settings: &str) -> Value {
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
            "cache_problem": self.cache.refusal().map(Error::to_line),
        })
    }
}
