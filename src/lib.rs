//! `ls-token` prints a valid Label Studio access token. See README.md for what it does, `token.rs` for how.
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        reason = "a test fails by panicking"
    )
)]

mod account;
mod answer;
mod cache;
mod checksum;
mod cli;
mod clock;
mod console;
mod credential;
mod curl;
mod doctor;
mod error;
mod escape;
mod exchange;
mod exec;
mod http;
mod init;
mod jwt;
mod keyring;
mod leftovers;
mod lock;
mod login;
mod logout;
mod output;
mod pat;
mod process;
mod program;
mod prompt;
mod replacement;
mod rescue;
mod rotate;
mod secret;
mod server;
mod settings;
mod source;
mod status;
mod store;
mod token;
mod verify;
mod waiting;

use cli::{Call, Options};
use error::Result;
use settings::Environment;

/// Runs the program and returns its exit status.
#[must_use]
pub fn run() -> i32 {
    process::harden();
    let result = match cli::parse(&cli::arguments()) {
        Ok(Call::Token(options)) => print_token(&options),
        Ok(Call::Curl(options, arguments)) => curl::become_curl(&options, arguments),
        Ok(Call::Exec(options, words)) => exec::become_command(&options, &words),
        Ok(Call::Credential(options, operation)) => credential::serve(&options, &operation),
        Ok(Call::Login(options, login)) => login::run(&options, &login),
        Ok(Call::Logout(options, logout)) => logout::run(&options, &logout),
        Ok(Call::Status(options, as_json, all)) => status::print(&options, as_json, all),
        Ok(Call::Verify(options, as_json)) => verify::print(&options, as_json),
        Ok(Call::Rotate(options, file)) => rotate::swap(&options, file.as_deref()),
        Ok(Call::Doctor(options, as_json)) => doctor::print(&options, as_json),
        Ok(Call::Init(shell)) => init::print_plugin(shell),
        Ok(Call::Completions(shell)) => init::print_completions(shell),
        Ok(Call::ProfileNames) => init::print_profile_names(),
        Ok(Call::Man) => init::print_manual(),
        Err(help) => return cli::explain(&help),
    };
    result.map_or_else(|error| error.report(), |()| 0)
}

/// Settings, token, print.
fn print_token(options: &Options) -> Result<()> {
    let console = options.console();
    let environment = Environment::read()?;
    let profile = settings::choose(&environment, &options.choice(), console)?;
    let access = token::obtain(&profile, &options.wish(), console)?;
    let printed = output::print_token(&access, &profile, options.format);
    // The process ends here: what it holds goes with it, and need not be freed and wiped piece by piece.
    std::mem::forget((environment, profile, access));
    printed
}
