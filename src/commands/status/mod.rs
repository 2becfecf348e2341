//! `ls-token status`: shows what is cached and until when. Offline and at once: no server is asked, no command run, no lock
//! taken and no secret read. What counts stands in words; colour only repeats it.

mod state;
mod text;

use serde_json::Value;

use super::Session;
use crate::cli::Options;
use crate::error::Result;
use crate::system::stdout;
use state::State;

/// Prints the state of the chosen profile, or of all.
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
