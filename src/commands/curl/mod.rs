//! Becomes curl, with the token on an inherited pipe: in no argument, no variable and no file. curl gets no word that
//! was not understood here, and no address other than those of a profile; then it replaces this process, so that its
//! status, its signals and its speed are its own.

mod address;
mod arguments;
mod curlrc;
mod guard;
mod options;
mod parsed_option;
mod pipe;
mod steps;
mod transfer;
mod value;
mod verdict;

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::cli::Options;
use crate::error::{Error, Kind, Result};
use crate::settings::Profiles;
use crate::system::environment::{Environment, KEY_VARIABLE};
use crate::system::process::limit_core;
use crate::system::program;
use crate::system::signals::check_signals;

pub(crate) use curlrc::risks;

use address::Resolver;
use arguments::{Invocation, Request};

/// Becomes curl with these arguments; returns only when that fails.
pub(crate) fn become_curl(options: &Options, arguments: Vec<OsString>) -> Result<()> {
    let mut curl = Command::new(program::find("curl")?);
    // `-q`: curl reads no .curlrc; this program has read it.
    curl.arg0("curl").arg("-q");
    match Invocation::parse(arguments)? {
        Invocation::Info(words) => add_info(&mut curl, words),
        Invocation::Request(request) => add_request(&mut curl, request, options)?,
    }
    Err(replace_process(&mut curl))
}

/// Lets curl tell something of itself, which needs no settings.
fn add_info(curl: &mut Command, words: Vec<OsString>) {
    let profiles = Environment::read().and_then(|environment| Profiles::load(&environment));
    hide_secrets(curl, profiles.iter().flat_map(Profiles::secret_variables));
    curl.args(words);
}

/// Lets curl send requests, with their tokens.
fn add_request(curl: &mut Command, request: Request, options: &Options) -> Result<()> {
    let environment = Environment::read()?;
    let profiles = Profiles::load(&environment)?;
    let (selector, console) = (options.choice(), options.console());
    let resolver = Resolver { profiles: &profiles, environment: &environment, selector, console };
    request.resolve(&resolver)?.check()?.obtain_tokens(&options.wish(), console)?.hand_over(curl)?;
    hide_secrets(curl, profiles.secret_variables());
    Ok(())
}

/// Removes from curl's environment what holds a personal access token, and what makes curl write down its TLS keys.
fn hide_secrets<'a>(curl: &mut Command, variables: impl Iterator<Item = &'a str>) {
    for name in variables.chain([KEY_VARIABLE, "SSLKEYLOGFILE"]) {
        curl.env_remove(name);
    }
}

/// Replaces this process with curl; returns why not.
fn replace_process(curl: &mut Command) -> Error {
    limit_core();
    if let Err(interrupted) = check_signals() {
        return interrupted;
    }
    let error = curl.exec();
    Error::new(Kind::Missing, format!("cannot run curl: {error}"))
}
