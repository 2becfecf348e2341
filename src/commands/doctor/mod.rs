//! Looks for what is wrong with a set-up, and says what to do; what depends on a failed check is skipped. The output
//! can be shown to others: no token, `~` for the home directory, and the first letter and domain of email addresses.

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

pub(crate) fn run(options: &Options, as_json: bool) -> Result<()> {
    listen();
    if reopen_closed_stdio() {
        return Err(Error::new(Kind::Io, "standard output is closed").hint("open it: doctor prints its findings there"));
    }
    let vars = ShellVars::read();
    let environment = Environment::read();
    let mut report = Report::begin(as_json, environment.home.as_deref());

    report.add("program", settings::program())?;
    let profiles = report.check("settings", "the settings", Some(settings::load(&environment)))?;
    let profile = report.check("profile", "a profile", profiles.map(|all| settings::choose(&all, options)))?;
    let profile = profile.as_ref();
    let token = report.check("source", "the source", profile.map(settings::read))?;
    let pat = report.check("pat", "a personal access token", profile.zip(token).map(settings::pat))?;
    let reached = server::examine(&mut report, profile, pat)?;
    report.add("cache", profile.map(files::cache))?;
    if let Some(found) = profile.and_then(files::keep) {
        report.add("keep", found)?;
    }
    if let Some(found) = profile.and_then(files::rescue) {
        report.add("rotation", found)?;
    }
    report.add("curl", curl::program(profile))?;
    report.add("curlrc", curl::curlrc(&environment, profile))?;
    report.add("authorities", profile.map(|profile| curl::authorities(profile, &vars)))?;
    report.add("proxies", profile.map(|profile| curl::proxies(profile, &environment, &vars, reached)))?;
    report.add("environment", shell::variables(&vars))?;
    shell::examine(&mut report, &environment, &vars)?;
    report.finish()
}
