//! `ls-token exec`: runs a command with the SDK's variables: a token of this profile, and no other's; and with its CAs.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::Session;
use crate::api::authorities::Authorities;
use crate::cli::{Key, Options};
use crate::error::{Error, Kind, Result};
use crate::system::{KEY_VARIABLE, URL_VARIABLE, check_signals, hide_secrets, listen, program, stderr};
use crate::token::{self, TokenRequest};

/// Becomes the command; returns only when that fails.
pub(crate) fn run(options: &Options, key: Key, words: &[OsString]) -> Result<()> {
    let session = Session::begin(options);
    // The settings are read even where the environment names the server: they say which variables hold tokens.
    let profiles = session.profiles()?;
    let (profile, _) = profiles.choose(&session.selector, session.console)?;
    profile.log(session.console);
    let hint = "name one: ls-token exec -- python script.py";
    let (name, arguments) = words.split_first().ok_or_else(|| Error::usage("there is no command", hint))?;
    // Found before the token is read, so that a typing error does not ask for a password.
    let program = program::find_for_user(name)?;
    // Plain http needs none, and the command may ask other servers.
    let authorities = Authorities::of(&profile).filter(|_| profile.server.origin.secure);
    authorities.as_ref().map(Authorities::open).transpose()?;
    listen();
    let key = match key {
        Key::Pat => token::pat(&profile, &options.request(), session.console)?.token,
        Key::Access => {
            let request = TokenRequest { nearly_whole: true, ..options.request() };
            token::obtain(&profile, &request, session.console)?.token
        }
    };
    let mut command = Command::new(program);
    command.arg0(name).args(arguments);
    hide_secrets(&mut command, profiles.secret_variables());
    command.env(URL_VARIABLE, profile.server.to_base_url());
    command.env(KEY_VARIABLE, key.expose());
    if let Some(authorities) = authorities {
        authorities.hand_on(&mut command);
    }
    stderr::flush()?;
    check_signals()?;
    let error = command.exec();
    Err(Error::new(Kind::CommandNotFound, format!("cannot run {}: {error}", name.to_string_lossy().escape_default())))
}
