//! `ls-token` prints a valid Label Studio access token. See README.md for what it does, docs/architecture.md for how.
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

mod api;
mod cli;
mod commands;
mod error;
mod settings;
mod source;
mod system;
mod token;
mod types;

use std::ffi::OsString;

use cli::Call;
use commands::{credential, curl, doctor, exec, init, login, logout, rotate, status, verify};
use error::Kind;
use system::{process, stderr, stdout};
use types::escape::passed_through;
use types::pat;

/// Runs the program and returns its exit status.
#[must_use]
pub fn run() -> i32 {
    process::harden();
    let result = match cli::parse(&cli::arguments()) {
        Ok(Call::Token(options)) => commands::token::run(&options),
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
        Err(help) => return explain(&help),
    };
    result.map_or_else(|error| stderr::report(&error), |()| 0)
}

/// Prints clap's answer to a command line, help to stdout and complaints to stderr, and returns the exit status.
fn explain(answer: &clap::Error) -> i32 {
    let text = answer.render().to_string();
    if answer.use_stderr() {
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        // What was typed may be a token in the wrong place; one of clap's tips is to type it once more.
        let paragraphs = text.split("\n\n").filter(|text| !text.trim_start().starts_with("tip: to pass"));
        let text = paragraphs.collect::<Vec<_>>().join("\n\n");
        stderr::print(&format!("ls-token: {}", passed_through(&text)));
        let has_token = |argument: OsString| {
            let argument = argument.to_string_lossy();
            let value = argument.split_once('=').map_or("", |(_, value)| value);
            pat::is_in(&argument) || pat::is_in(value)
        };
        if std::env::args_os().skip(1).any(has_token) {
            stderr::print(
                "  hint: a token among the arguments is seen by every process: revoke it; no option takes one as its value\n",
            );
        }
        return Kind::Usage.status();
    }
    stdout::print(&text).map_or_else(|error| stderr::report(&error), |()| 0)
}
