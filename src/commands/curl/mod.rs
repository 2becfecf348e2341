//! Becomes curl, with the token on an inherited pipe: in no argument, no variable and no file. curl gets no word that
//! was not understood here, and no address other than a profile's.

mod address;
mod arguments;
mod curlrc;
mod guard;
mod help;
mod log;
mod options;
mod parsed_option;
mod pipe;
mod transfer;
mod value;

use std::ffi::OsString;
use std::iter::empty;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::Session;
use crate::cli::Options;
use crate::error::{Error, Kind, Result};
use crate::settings::Profiles;
use crate::system::{Environment, check_signals, hide_secrets, limit_core, program, stderr, stdout};

pub(crate) use curlrc::{proxy_option, risks};
pub(crate) use guard::refused;
pub(crate) use log::run as run_filter;

use address::Resolver;
use arguments::{Invocation, Request};
use parsed_option::read_word;
use transfer::Transfers;

/// Becomes curl with these arguments; returns only when that fails.
pub(crate) fn run(options: &Options, arguments: Vec<OsString>) -> Result<()> {
    let mut curl = Command::new(program::find("curl")?);
    // `-q`: curl reads no .curlrc; this program has read it.
    curl.arg0("curl").arg("-q");
    match Invocation::parse(arguments)? {
        Invocation::Info(words) => add_info(&mut curl, words)?,
        Invocation::Request(request) => add_request(&mut curl, request, options)?,
    }
    limit_core();
    stderr::flush()?;
    check_signals()?;
    Err(Error::new(Kind::CommandNotFound, format!("cannot run curl: {}", curl.exec())))
}

/// Returns whether an address may stand behind a word: it is no option that wants a value, and none that is unknown.
pub(crate) fn may_precede_address(word: &str) -> bool {
    !word.starts_with('-') || matches!(word, "-" | "--" | "--url") || read_word(word.as_ref(), &mut empty()).is_ok()
}

/// Lets curl tell something of itself, which needs no settings.
fn add_info(curl: &mut Command, words: Vec<OsString>) -> Result<()> {
    if words.first().is_some_and(|word| word == "--help" || word == "-h") {
        stdout::print(&help::text())?;
    }
    let environment = Environment::read();
    let profiles = Profiles::load(&environment).ok();
    hide_secrets(curl, profiles.iter().flat_map(Profiles::secret_variables));
    curl.args(words);
    Ok(())
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
