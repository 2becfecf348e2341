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

use clap::error::{ContextKind, ContextValue};
use cli::{Command, CommandLine};
use commands::{credential, curl, doctor, exec, init, login, logout, offer, rotate, status, verify};
use error::{Kind, Result};
use system::{process, stderr, stdout};
use types::{escape, pat};

/// Runs the program and returns its exit status.
#[must_use]
pub fn run() -> i32 {
    process::harden();
    let status = match cli::parse(cli::arguments()) {
        Ok(line) => run_command(line).map_or_else(|error| stderr::report(&error), |()| 0),
        Err(help) => explain(&help),
    };
    stderr::flush().map_or_else(|interrupted| stderr::report(&interrupted), |()| status)
}

fn run_command(CommandLine { options, command }: CommandLine) -> Result<()> {
    match command {
        None => commands::token::run(&options),
        Some(Command::Curl { arguments }) => curl::run(&options, arguments),
        Some(Command::CurlLog) => {
            curl::run_filter();
            Ok(())
        }
        Some(Command::Exec { key, command }) => exec::run(&options, key, &command),
        Some(Command::Credential { operation }) => credential::run(&options, &operation),
        Some(Command::Login(login)) => login::run(&options, &login),
        Some(Command::Logout(logout)) => logout::run(&options, &logout),
        Some(Command::Status { json, all }) => status::run(&options, json, all),
        Some(Command::Verify { json }) => verify::run(&options, json),
        Some(Command::Rotate { output }) => rotate::run(&options, output.as_deref()),
        Some(Command::Doctor { json }) => doctor::run(&options, json),
        Some(Command::Init { shell }) => stdout::print(init::files_of(shell).plugin),
        Some(Command::Completions { shell: Some(shell), .. }) => stdout::print(init::files_of(shell).completions),
        Some(Command::Completions { shell: None, list }) => offer::print(&list),
        Some(Command::Man) => stdout::print(init::MANUAL),
    }
}

/// Prints clap's answer to a command line, help to stdout and complaints to stderr, and returns the exit status.
fn explain(answer: &clap::Error) -> i32 {
    if let Some(error) = cli::unknown_command(answer) {
        return stderr::report(&error);
    }
    let text = answer.render().to_string();
    if answer.use_stderr() {
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        // What was typed may be a token in the wrong place; one of clap's tips is to type it once more.
        let paragraphs = text.split("\n\n").filter(|text| !text.trim_start().starts_with("tip: to pass"));
        let text = paragraphs.collect::<Vec<_>>().join("\n\n");
        stderr::print(&format!("ls-token: {}", escape::stream(&text)));
        let has_token = |argument: OsString| {
            let argument = argument.to_string_lossy();
            let value = argument.split_once('=').map_or("", |(_, value)| value);
            pat::contains_token(&argument) || pat::contains_token(value)
        };
        if std::env::args_os().skip(1).any(has_token) {
            stderr::print(
                "  hint: every process can see a token among the arguments: revoke it, and run `ls-token login`, which asks for the new one, or pipe that to `ls-token login --with-token`\n",
            );
        }
        if answer.get(ContextKind::InvalidArg) == Some(&ContextValue::String("<SHELL>".into())) {
            stderr::print("  hint: any other shell needs no plugin: `ls-token` and `lscurl` are programs\n");
        }
        return Kind::Usage.status();
    }
    stdout::print(&text).map_or_else(|error| stderr::report(&error), |()| 0)
}
