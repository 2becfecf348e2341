//! Looks for what is wrong with a set-up, and says in plain words what to do. It goes on after a failed check; what
//! depends on that one is skipped. No secret is in what it prints, so that it can be shown to others: tokens are not
//! there, the home directory is `~`, and of an e-mail address there is the first letter and the domain.

mod curl;
mod files;
mod report;
mod server;
mod settings;
mod shell;

use crate::cli::Options;
use crate::error::{Error, Kind, Result};
use crate::system::{Environment, ShellVars, listen, reopen_closed_stdio};
use report::Report;

/// Prints what every check finds. The error is the first failure's kind.
pub(crate) fn run(options: &Options, as_json: bool) -> Result<()> {
    listen();
    if reopen_closed_stdio() {
        return Err(Error::new(Kind::Io, "standard output is closed").hint("open it: doctor prints its findings there"));
    }
    let vars = ShellVars::read();
    let environment = Environment::read();
    let home = environment.as_ref().ok().and_then(Environment::home);
    let mut report = Report::begin(as_json, &vars, home);
    report.add(settings::program())?;
    let profile = settings::profile(&mut report, &environment, &options.selector(), options.console())?;
    let pat = settings::pat(&mut report, profile.as_ref())?;
    server::examine(&mut report, profile.as_ref(), pat.as_ref())?;
    report.add(files::cache(profile.as_ref()))?;
    files::rescue(&mut report, profile.as_ref())?;
    curl::examine(&mut report, &environment, profile.as_ref(), &vars)?;
    report.add(shell::variables(&vars))?;
    if let Ok(environment) = &environment {
        shell::examine(&mut report, environment, &vars)?;
    }
    report.finish()
}
