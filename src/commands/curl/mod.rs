//! Becomes curl, with the token on an inherited pipe: in no argument, no variable and no file. curl gets no word that
//! was not understood here, and no address other than those of a profile; then it replaces this process, so that its
//! status, its signals and its speed are its own.

mod address;
mod arguments;
mod curlrc;
mod guard;
mod options;
mod pipe;
mod transfer;

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::cli::Options;
use crate::error::{Error, Kind, Result};
use crate::settings::{Profile, Profiles};
use crate::system::{Environment, check_signals, hide_secrets, limit_core, program};
use crate::token;
use crate::types::{Access, Secret, untrusted};

pub(crate) use curlrc::risks;

use arguments::{Line, Segment};
use pipe::Pipe;
use transfer::Transfer;

/// Becomes curl with these arguments; returns only when that fails.
pub(crate) fn run(options: &Options, arguments: Vec<OsString>) -> Result<()> {
    let mut command = Command::new(program::find("curl")?);
    // `-q`: curl reads no .curlrc; this program has read it.
    command.arg0("curl").arg("-q");
    let request = match arguments::parse(arguments)? {
        Line::Information(words) => {
            let environment = Environment::read();
            let profiles = environment.as_ref().ok().and_then(|environment| Profiles::load(environment).ok());
            hide_secrets(&mut command, profiles.iter().flat_map(Profiles::secret_variables));
            return Err(replace_process(command.args(words)));
        }
        Line::Request(request) => request,
    };
    let console = options.console();
    let environment = Environment::read()?;
    let profiles = Profiles::load(&environment)?;
    let from_file = if request.without_curlrc { Vec::new() } else { curlrc::read(&environment)? };
    let resolve = |segment: Segment| {
        let addresses = &segment.addresses;
        let (profile, addresses) = address::resolve(addresses, &profiles, &environment, options, console)?;
        let options = segment.options;
        Ok(Transfer { profile, addresses, options })
    };
    let parts = request.segments.into_iter().map(resolve);
    let parts = parts.collect::<Result<Vec<_>>>()?;
    let crowded = parts.len() > 1;
    for part in &parts {
        part.check(crowded)?;
    }
    // All tokens before the first pipe: a command that reads a personal access token would inherit it.
    let ask = |part: &Transfer| {
        console.note(format_args!("curl: {}", untrusted(&part.addresses.join(" "))));
        token::obtain(&part.profile, &options.request(), console)
    };
    let tokens = parts.iter().map(ask).collect::<Result<Vec<_>>>()?;
    let pipes = parts
        .iter()
        .zip(&tokens)
        .map(|(part, access)| Pipe::with(&config(&part.profile, access)))
        .collect::<Result<Vec<_>>>()?;
    // All pipes before the first check of what names one.
    let shared: &[Pipe] = if crowded { &pipes } else { &[] };
    for (number, (part, pipe)) in parts.iter().zip(&pipes).enumerate() {
        if number > 0 {
            command.arg("--next");
        }
        command.arg("--config").arg(pipe.path());
        if number == 0 && !from_file.is_empty() {
            // Behind the token, whose pipe is empty by then: a file that is named there may be that pipe. For the first
            // part only, as curl has it.
            let text = curlrc::to_config(&from_file, part, crowded, shared);
            command.arg("--config").arg(Pipe::with(&text)?.leave_open());
        }
        for given in &part.options {
            guard::check_pipes(given, shared)?;
        }
        add_words(&mut command, part);
    }
    for pipe in pipes {
        pipe.leave_open();
    }
    hide_secrets(&mut command, profiles.secret_variables());
    Err(replace_process(&mut command))
}

/// Hands options and addresses on, each word and each value by itself, so that no curl can read them differently.
fn add_words(command: &mut Command, part: &Transfer) {
    for given in &part.options {
        command.arg(&given.word).args(&given.value);
    }
    for address in &part.addresses {
        command.arg("--url").arg(address);
    }
}

/// Returns what a part's pipe says: the token, and whom to trust with it.
fn config(profile: &Profile, access: &Access) -> Secret {
    let mut text = String::with_capacity(1024);
    if let Some(path) = &profile.ca_file {
        text.push_str(&curlrc::quoted("cacert", &path.to_string_lossy()));
        // In place of the directory of authorities that curl was built with, and would trust as well.
        text.push_str("capath = \"/dev/null\"\n");
    }
    if !profile.server.origin.secure {
        // A proxy would see the token of a plain http request; this machine's own servers need none.
        text.push_str("noproxy = \"*\"\n");
    }
    text.push_str(access.curl_config().expose());
    Secret::new(text)
}

/// Replaces this process with the command; returns why not.
fn replace_process(command: &mut Command) -> Error {
    limit_core();
    if let Err(interrupted) = check_signals() {
        return interrupted;
    }
    let error = command.exec();
    Error::new(Kind::CommandNotFound, format!("cannot run curl: {error}"))
}
