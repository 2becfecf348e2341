//! The state in words: a list of what there is to know of one profile, and a table of all.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use unicode_width::UnicodeWidthStr as _;

use super::State;
use crate::commands::painted;
use crate::error::Error;
use crate::types::rfc3339;

const DAY: u64 = 86_400;

pub(super) fn list(state: &State, settings: &str) -> String {
    let profile = &state.profile;
    let empty = if profile.source.fingerprint().is_none() { " (empty)" } else { "" };
    let cache = match state.cache.file() {
        Some(path) => path.display().to_string(),
        None => format!("none: {}", state.cache.refusal().map_or_else(String::new, Error::to_line)),
    };
    let mut text = String::new();
    for (name, value) in [
        ("profile", profile.name.clone()),
        ("server", profile.server.to_string()),
        ("source", format!("{}{empty}", profile.source)),
        ("token", painted(token(state), colour(state))),
        ("personal access token", pat(state)),
        ("settings", settings.to_owned()),
        ("cache", cache),
    ] {
        let _ = writeln!(text, "{name:<21}  {value}");
    }
    text
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
        let is_known = state.record.is_some();
        return if is_known { "does not say when it expires" } else { "expiry unknown until first use" }.into();
    };
    let Some(date) = rfc3339(seconds) else {
        return "expires after the year 9999".into();
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    match seconds.checked_sub(now.as_secs()) {
        None => format!("expired at {date}"),
        Some(left @ ..DAY) => format!("expires at {date}, in {} h", left / 3600),
        Some(left) => format!("expires at {date}, in {} days", left / DAY),
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

/// Returns all profiles as a table, or what to do where there is none.
pub(super) fn table(states: &[State], settings: &str) -> String {
    if states.is_empty() {
        return format!("no profiles: neither in the environment nor in {settings}\n");
    }
    let row = |state: &State| {
        let profile = &state.profile;
        let cells = [profile.name.clone(), profile.server.to_string(), profile.source.to_string()];
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
    let mut text = String::new();
    for (cells, token) in &rows {
        for (width, cell) in widths.iter().zip(cells) {
            // Not by the formatter, which counts characters: some are two columns wide, and some none.
            let _ = write!(text, "{cell}{}", " ".repeat(width - cell.width() + 2));
        }
        let _ = writeln!(text, "{token}");
    }
    text
}
