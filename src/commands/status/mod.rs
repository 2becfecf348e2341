//! Tells what is cached and until when. Offline and at once: no server is asked, no command run, no lock taken and no
//! secret read. Without colour: what counts stands in words.

mod state;
mod words;

use state::State;

use std::io::{IsTerminal as _, stdout};

use serde_json::Value;

use crate::cli::Options;
use crate::error::{Error, Result};
use crate::settings::{self, Profiles};
use crate::system::environment::Environment;
use crate::system::shell_variables::Surroundings;
use crate::system::stdout;

/// Prints the state of the chosen profile, or of all.
pub(crate) fn print(options: &Options, as_json: bool, all: bool) -> Result<()> {
    let console = options.console();
    let choice = options.choice();
    if all && (choice.profile.is_some() || choice.url.is_some()) {
        return Err(Error::usage(
            "--all tells of every profile, so that none is to be chosen",
            "leave out --all, or --profile and --url",
        ));
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
    stdout::print(&match (as_json, all) {
        (true, true) => format!("{}\n", objects.collect::<Value>()),
        (true, false) => format!("{}\n", objects.next().unwrap_or_default()),
        (false, true) => words::table(&states, &file, in_colour),
        (false, false) => states.iter().map(|state| words::list(state, &environment, in_colour)).collect(),
    })
}
