//! Tells what is cached and until when. Offline and at once: no server is asked, no command run and no secret read.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::cache::{Cache, Record};
use crate::cli::Options;
use crate::clock::Moment;
use crate::error::Result;
use crate::output;
use crate::settings::{self, Environment, Profile, Profiles};

/// Prints the state of the chosen profile, or of all.
pub(crate) fn print(options: &Options, as_json: bool, all: bool) -> Result<()> {
    let console = options.console();
    let environment = Environment::read()?;
    let profiles = if all {
        Profiles::load(&environment)?.into_list()
    } else {
        vec![settings::choose(&environment, &options.choice(), console)?]
    };
    let states: Vec<State> = profiles.into_iter().map(State::of).collect();
    let mut objects = states.iter().map(|state| state.to_json(&environment));
    output::print(&match (as_json, all) {
        (true, true) => format!("{}\n", objects.collect::<Value>()),
        (true, false) => format!("{}\n", objects.next().unwrap_or_default()),
        (false, true) => table(&states),
        (false, false) => states
            .iter()
            .map(|state| state.to_text(&environment))
            .collect(),
    })
}

/// A profile and what is cached of it.
struct State {
    /// The profile.
    profile: Profile,
    /// The place of its token.
    cache: Cache,
    /// What lies there.
    record: Option<Record>,
    /// How long the cached token is still good.
    left: Option<Duration>,
}

impl State {
    /// Looks a profile up.
    fn of(profile: Profile) -> Self {
        let cache = Cache::find(&profile);
        let record = cache.read();
        let left = record
            .as_ref()
            .and_then(|record| record.access.left(&Moment::now()));
        Self {
            profile,
            cache,
            record,
            left,
        }
    }

    /// Says in words how long the token is good.
    fn countdown(&self) -> String {
        match self.left.map(|left| left.as_secs()) {
            None if self.record.is_some() => "expired".into(),
            None => "none".into(),
            Some(seconds) if seconds < 60 => format!("good for {seconds} s"),
            Some(seconds) => format!("good for {} min {} s", seconds / 60, seconds % 60),
        }
    }

    /// Returns when the personal access token expires, if that is known.
    fn pat_expires(&self) -> Option<String> {
        let seconds = self.record.as_ref()?.pat_expires;
        let date = UNIX_EPOCH
            .checked_add(Duration::from_secs(seconds))
            .filter(|_| seconds > 0)?;
        // Four digits of year are all that RFC 3339 has.
        (seconds < 253_402_300_800).then(|| humantime::format_rfc3339_seconds(date).to_string())
    }

    /// Returns the state for people.
    fn to_text(&self, environment: &Environment) -> String {
        let mut text = String::new();
        let cache = self
            .cache
            .file()
            .map_or_else(|| "none".to_owned(), |path| path.display().to_string());
        for (name, value) in [
            ("profile", self.profile.name.clone()),
            ("server", self.profile.server.to_string()),
            ("source", self.profile.source.to_string()),
            ("token", self.countdown()),
            (
                "personal access token",
                self.pat_expires().map_or_else(
                    || "expiry not known yet".into(),
                    |date| format!("expires {date}"),
                ),
            ),
            ("settings", environment.config_shown()),
            ("cache", cache),
        ] {
            let _ = writeln!(text, "{name:<22} {value}");
        }
        text
    }

    /// Returns the state for programs.
    fn to_json(&self, environment: &Environment) -> Value {
        let expires = self.left.and(self.record.as_ref()).map(|record| {
            humantime::format_rfc3339_seconds(record.access.obtained.later(record.access.life))
                .to_string()
        });
        json!({
            "profile": self.profile.name,
            "url": self.profile.server.to_string(),
            "source": self.profile.source.to_string(),
            "cached": self.left.is_some(),
            "expires_at": expires,
            "expires_in": self.left.map(|left| left.as_secs()),
            "pat_expires_at": self.pat_expires(),
            "settings": environment.config_shown(),
            "cache": self.cache.file().map(|path| path.display().to_string()),
        })
    }
}

/// Returns all states as a table.
fn table(states: &[State]) -> String {
    let head = ["PROFILE", "SERVER", "SOURCE", "TOKEN"].map(str::to_owned);
    let rows = states.iter().map(|state| {
        [
            state.profile.name.clone(),
            state.profile.server.to_string(),
            state.profile.source.to_string(),
            state.countdown(),
        ]
    });
    let rows: Vec<[String; 4]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let (first, second, third) = (width(0), width(1), width(2));
    let mut text = String::new();
    for [profile, server, source, token] in &rows {
        let _ = writeln!(
            text,
            "{profile:<first$}  {server:<second$}  {source:<third$}  {token}"
        );
    }
    text
}
