//! Runs a command with the variables that Label Studio's SDK reads. The one personal access token that it is to have is in
//! that command's environment and nowhere else; the variables that hold those of other profiles are not.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::cli::Options;
use crate::error::{Error, Kind, Result};
use crate::settings::Profiles;
use crate::system::environment::{Environment, KEY_VARIABLE, URL_VARIABLE};
use crate::system::program;
use crate::system::signals::{check_signals, listen};
use crate::token;

/// Becomes the command; returns only when that fails.
pub(crate) fn become_command(options: &Options, words: &[OsString]) -> Result<()> {
    let console = options.console();
    let environment = Environment::read()?;
    // The settings are read even where the environment names the server: they say which variables hold tokens.
    let profiles = Profiles::load(&environment)?;
    let profile = profiles.choose(&environment, &options.choice(), console)?;
    profile.tell(console);
    let Some((name, arguments)) = words.split_first() else {
        return Err(Error::new(Kind::Usage, "there is no command"));
    };
    // Found before the token is read, so that a typing error does not ask for a password.
    let program = program::find_for_user(name)?;
    listen();
    console.note(format_args!("source: reading {}", profile.source));
    let pat = token::read_pat(&profile)?;
    let mut command = Command::new(program);
    command.arg0(name).args(arguments);
    for variable in profiles.secret_variables() {
        command.env_remove(variable);
    }
    command.env(URL_VARIABLE, profile.server.to_string());
    command.env(KEY_VARIABLE, pat.token.expose());
    check_signals()?;
    let error = command.exec();
    Err(Error::new(Kind::Missing, format!("cannot run {}: {error}", name.to_string_lossy().escape_default())))
}
