//! Runs a command with the variables that Label Studio's SDK reads. The personal access token is in that command's
//! environment and nowhere else.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::cli::Options;
use crate::error::{Error, Kind, Result};
use crate::program;
use crate::settings::{self, Environment, KEY_VARIABLE, URL_VARIABLE};
use crate::token;
use crate::waiting::{check_signals, listen};

/// Becomes the command; returns only when that fails.
pub(crate) fn become_command(options: &Options, words: &[OsString]) -> Result<()> {
    let console = options.console();
    let environment = Environment::read()?;
    let profile = settings::choose(&environment, &options.choice(), console)?;
    let Some((name, arguments)) = words.split_first() else {
        return Err(Error::new(Kind::Usage, "there is no command"));
    };
    // Found before the token is read, so that a typing error does not ask for a password.
    let program = program::find_for_user(name)?;
    listen();
    let pat = token::read_pat(&profile)?;
    let mut command = Command::new(program);
    command.arg0(name).args(arguments);
    command.env(URL_VARIABLE, profile.server.to_string());
    command.env(KEY_VARIABLE, pat.token.expose());
    check_signals()?;
    let error = command.exec();
    Err(Error::new(
        Kind::Missing,
        format!(
            "cannot run {}: {error}",
            name.to_string_lossy().escape_default()
        ),
    ))
}
