//! Becomes curl, with the token on an inherited pipe: in no argument, no variable and no file. curl gets no word that
//! was not understood here, and no address other than a profile's.

mod address;
mod arguments;
mod curlrc;
mod guard;
mod log;
mod options;
mod parsed_option;
mod pipe;
mod transfer;
mod value;

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::Session;
use crate::cli::Options;
use crate::error::{Error, Kind, Result};
use crate::settings::Profiles;
use crate::system::{Environment, check_signals, hide_secrets, limit_core, program};

pub(crate) use curlrc::risks;
pub(crate) use log::run as run_filter;

use address::Resolver;
use arguments::{Invocation, Request};
use transfer::Transfers;

/// Becomes curl with these arguments; returns only when that fails.
pub(crate) fn run(options: &Options, arguments: Vec<OsString>) -> Result<()> {
    let mut curl = Command::new(program::find("curl")?);
    // `-q`: curl reads no .curlrc; this program has read it.
    curl.arg0("curl").arg("-q");
    match Invocation::parse(arguments)? {
        Invocation::Info(words) => add_info(&mut curl, words),
        Invocation::Request(request) => add_request(&mut curl, request, options)?,
    }
    limit_core();
    check_signals()?;
    Err(Error::new(Kind::CommandNotFound, format!("cannot run curl: {}", curl.exec())))
}

/// Lets curl tell something of itself, which needs no settings.
fn add_info(curl: &mut Command, words: Vec<OsString>) {
    let environment = Environment::read();
    let profiles = Profiles::load(&environment).ok();
    hide_secrets(curl, profiles.iter().flat_map(Profiles::secret_variables));
    curl.args(words);
}

fn add_request(curl: &mut Command, request: Request, options: &Options) -> Result<()> {
    let session = Session::begin(options);
    let profiles = session.profiles()?;
    let resolver = Resolver { profiles: &profiles, session: &session };
    let transfers = Transfers::of(request, &resolver)?;
    let tokens = transfers.obtain_tokens(&options.request(), session.console)?;
    transfers.hand_over(&tokens, curl)?;
    hide_secrets(curl, profiles.secret_variables());
    Ok(())
}
