//! `ls-token status`: shows what is cached, offline: no server is asked, no command run, no lock taken, no secret read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::{Session, painted};
use crate::cli::Options;
use crate::error::{Error, Result};
use crate::settings::Profile;
use crate::system::stdout;
use crate::token::cache::{Cache, Record};
use crate::token::keep;
use crate::types::{Moment, rfc3339, visible};

const DAY: u64 = 86_400;

pub(crate) fn run(options: &Options, as_json: bool, all: bool) -> Result<()> {
    let session = Session::begin(options);
    let states: Vec<State> = session.profile_or_all(all)?.into_iter().map(State::of).collect();
    let file = session.environment.shown_config();
    let mut objects = states.iter().map(|state| state.to_json(&file));
    stdout::print(&match (as_json, all) {
        (true, true) => format!("{}\n", objects.collect::<Value>()),
        (true, false) => format!("{}\n", objects.next().unwrap_or_default()),
        (false, true) => table(&states, &file),
        (false, false) => states.iter().map(|state| list(state, &session.environment.described_config())).collect(),
    })
}

struct State {
    profile: Profile,
    cache: Cache,
    /// What is there and would be used while it is valid.
    record: Option<Record>,
    left: Option<Duration>,
    /// Until when the personal access token is kept in memory.
    kept_until: Option<String>,
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
        Self { kept_until: keep::until(&profile), profile, cache, record, left, is_due }
    }

    /// Returns when the personal access token expires, in seconds since 1970: known once it was exchanged.
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
            "kept_until": self.kept_until,
            "settings": settings,
            "cache": self.cache.file().map(|path| path.display().to_string()),
            "cache_problem": self.cache.refusal().map(Error::to_line),
        })
    }
}

fn list(state: &State, settings: &str) -> String {
    let profile = &state.profile;
    let empty = if profile.source.fingerprint().is_none() { " (empty)" } else { "" };
    let cache = match state.cache.file() {
        Some(path) => path.display().to_string(),
        None => format!("none: {}", state.cache.refusal().map_or_else(String::new, Error::to_line)),
    };
    let rows = [
        ("profile", profile.name.clone()),
        ("server", profile.server.to_string()),
        ("source", visible(&format!("{}{empty}", profile.source))),
        ("token", painted(token(state), colour(state))),
        ("personal access token", pat(state)),
        ("kept in memory", kept(state)),
        ("settings", visible(settings)),
        ("cache", visible(&cache)),
    ];
    rows.map(|(name, value)| if value.is_empty() { value } else { format!("{name:<21}  {value}\n") }).concat()
}

/// Says what is cached, and why it will not be used where it will not be.
fn token(state: &State) -> String {
    let is_there = || state.cache.file().is_some_and(|path| path.symlink_metadata().is_ok());
    match &state.record {
        Some(_) if state.left.is_some() && state.is_due => {
            format!("{}; the next call gets a new one", countdown(state))
        }
        None if state.profile.source.fingerprint().is_none() => "none: the token source is empty".into(),
        None if is_there() => {
            "none: the cache file is damaged, not private, or belongs to another personal access token".into()
        }
        _ => countdown(state),
    }
}

fn countdown(state: &State) -> String {
    match state.left.map(|left| left.as_secs()) {
        None if state.record.is_none() => "none".into(),
        None => "expired".into(),
        Some(seconds @ ..60) => format!("valid for {seconds} s"),
        Some(seconds @ ..3600) => format!("valid for {} min {} s", seconds / 60, seconds % 60),
        Some(seconds) => format!("valid for {} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

fn pat(state: &State) -> String {
    let Some(seconds) = state.pat_expires() else {
        let is_exchanged = state.record.is_some();
        return if is_exchanged { "does not say when it expires" } else { "expiry unknown until first use" }.into();
    };
    let Some(date) = rfc3339(seconds) else { return "expires after the year 9999".into() };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    match seconds.checked_sub(now.as_secs()) {
        None => format!("expired at {date}"),
        Some(left @ ..DAY) => format!("expires at {date}, in {} h", left / 3600),
        Some(left) => format!("expires at {date}, in {} days", left / DAY),
    }
}

/// Says until when the personal access token is kept; nothing, where the settings do not ask for that.
fn kept(state: &State) -> String {
    match &state.kept_until {
        Some(date) => format!("until {date}"),
        None if state.profile.keep.is_some() => "no".into(),
        None => String::new(),
    }
}

/// Returns the colour of the cached token: green while it is used, yellow when it is due, and dim where there is none.
fn colour(state: &State) -> &'static str {
    match state.left {
        Some(_) if state.is_due => "33",
        Some(_) => "32",
        None => "2",
    }
}

fn table(states: &[State], settings: &str) -> String {
    if states.is_empty() {
        return format!("no profiles: neither in the environment nor in {}\n", visible(settings));
    }
    let row = |state: &State| {
        let profile = &state.profile;
        let cells = [profile.name.clone(), profile.server.to_string(), visible(&profile.source.to_string())];
        (cells, painted(countdown(state), colour(state)))
    };
    let mut rows = vec![(["PROFILE", "SERVER", "SOURCE"].map(str::to_owned), painted("TOKEN", "1"))];
    rows.extend(states.iter().map(row));
    let mut widths = [0; 3];
    for (cells, _) in &rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.width().max(*width);
        }
    }
    // Not by the formatter, which counts characters: some are two columns wide, and some none.
    let padded = |(cell, width): (&String, usize)| format!("{cell}{}", " ".repeat(width - cell.width() + 2));
    let line = |(cells, token): &([String; 3], String)| {
        cells.iter().zip(widths).map(padded).chain([format!("{token}\n")]).collect::<String>()
    };
    rows.iter().map(line).collect()
}
