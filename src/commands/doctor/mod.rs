//! Looks for what is wrong with a set-up, and says in plain words what to do. It goes on after a failed check; what
//! depends on that one is skipped. No secret is in what it prints, so that it can be shown to others: tokens are not
//! there, the home folder is `~`, and of an e-mail address there is the first letter and the domain.

mod curl;
mod files;
mod netrc;
mod report;
mod server;
mod settings;
mod shell;

use crate::cli::Options;
use crate::error::{Error, Kind, Result};
use crate::system::environment::Environment;
use crate::system::process::occupy_standard_streams;
use crate::system::shell_variables::Surroundings;
use crate::system::signals::listen;
use report::Report;

/// Prints what every check finds. The error is the first failure's kind.
pub(crate) fn print(options: &Options, as_json: bool) -> Result<()> {
    listen();
    if occupy_standard_streams() {
        return Err(Error::new(Kind::Files, "standard output is closed, and nobody would see what is found"));
    }
    let around = Surroundings::read();
    let environment = Environment::read();
    let home = environment.as_ref().ok().and_then(Environment::home);
    let mut report = Report::begin(as_json, &around, home);
    report.add(settings::program())?;
    let choice = options.choice();
    let profile = settings::profile(&mut report, &environment, &choice, options.console())?;
    let pat = settings::pat(&mut report, profile.as_ref())?;
    server::examine(&mut report, profile.as_ref(), pat.as_ref())?;
    report.add(files::cache(profile.as_ref()))?;
    files::rescue(&mut report, profile.as_ref())?;
    curl::examine(&mut report, &environment, profile.as_ref(), &around)?;
    report.add(shell::variables(&around))?;
    if let Ok(environment) = &environment {
        shell::examine(&mut report, environment, &around)?;
    }
    report.finish()
}
