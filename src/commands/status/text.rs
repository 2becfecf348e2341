//! The state in words: a list of what there is to know of one profile, and a table of all.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use unicode_width::UnicodeWidthStr as _;

use super::state::State;
use crate::error::Error;
use crate::types::rfc3339;

/// The seconds of a day.
const DAY: u64 = 86_400;

/// Returns all that there is to say of one profile, a line each.
pub(super) fn list(state: &State, settings: &str, in_colour: bool) -> String {
    let profile = &state.profile;
    let source = match profile.source.fingerprint() {
        Some(_) => profile.source.to_string(),
        None => format!("{} (empty)", profile.source),
    };
    let refused = || state.cache.refusal().map_or_else(String::new, Error::to_line);
    let cache = match state.cache.file() {
        Some(path) => path.display().to_string(),
        None => format!("none: {}", refused()),
    };
    let mut text = String::new();
    for (name, value) in [
        ("profile", profile.name.clone()),
        ("server", profile.server.to_string()),
        ("source", source),
        ("token", painted(token(state), colour(state), in_colour)),
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
    match &state.record {
        Some(_) if state.left.is_some() && state.is_due => {
            format!("{}; the next call gets a new one", countdown(state))
        }
        None if state.profile.source.fingerprint().is_none() => "none: the token source is empty".into(),
        None if is_there(state) => {
            "none: the cache file is damaged, not private, or belongs to another personal access token".into()
        }
        _ => countdown(state),
    }
}

/// Tells whether there is anything in the place of the cached token.
fn is_there(state: &State) -> bool {
    state.cache.file().is_some_and(|path| path.symlink_metadata().is_ok())
}

fn countdown(state: &State) -> String {
    match (&state.record, state.left.map(|left| left.as_secs())) {
        (None, _) => "none".into(),
        (Some(_), None) => "expired".into(),
        (Some(_), Some(seconds @ ..60)) => format!("valid for {seconds} s"),
        (Some(_), Some(seconds @ ..3600)) => {
            format!("valid for {} min {} s", seconds / 60, seconds % 60)
        }
        (Some(_), Some(seconds)) => {
            format!("valid for {} h {} min", seconds / 3600, seconds / 60 % 60)
        }
    }
}

fn pat(state: &State) -> String {
    let Some(seconds) = state.pat_expires() else {
        return match state.record {
            Some(_) => "does not say when it expires".into(),
            None => "expiry unknown until first use".into(),
        };
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

/// Returns the colour of what is said of the cached token, as a terminal takes it (ECMA-48, SGR): green while it is used,
/// yellow when it is due, and dim where there is none.
fn colour(state: &State) -> &'static str {
    match state.left {
        Some(_) if state.is_due => "33",
        Some(_) => "32",
        None => "2",
    }
}

/// Returns a text in a colour, where there is to be any.
fn painted(text: String, colour: &str, in_colour: bool) -> String {
    if in_colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text }
}

/// Returns all profiles as a table, or what to do where there is none.
pub(super) fn table(states: &[State], settings: &str, in_colour: bool) -> String {
    if states.is_empty() {
        return format!("no profiles: neither in the environment nor in {settings}\n");
    }
    let head = ["PROFILE", "SERVER", "SOURCE", "TOKEN"].map(str::to_owned);
    let rows = states.iter().map(|state| {
        [
            state.profile.name.clone(),
            state.profile.server.to_string(),
            state.profile.source.to_string(),
            countdown(state),
        ]
    });
    let rows: Vec<[String; 4]> = std::iter::once(head).chain(rows).collect();
    let mut widths = [0; 4];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let colours = std::iter::once("1").chain(states.iter().map(colour));
    let mut text = String::new();
    for (row, colour) in rows.iter().zip(colours) {
        let [others @ .., token] = row;
        for (width, cell) in widths.iter().zip(others) {
            // Not by the formatter, which counts characters: some are two columns wide, and some none.
            let gap = width.saturating_sub(cell.width()) + 2;
            text.push_str(cell);
            text.push_str(&" ".repeat(gap));
        }
        let _ = writeln!(text, "{}", painted(token.clone(), colour, in_colour));
    }
    text
}
