//! Becomes curl, with the token on an inherited pipe: in no argument, no variable and no file. curl gets no word that
//! was not understood here, and no address other than those of a profile; then it replaces this process, so that its
//! status, its signals and its speed are its own.

mod address;
mod arguments;
mod curlrc;
mod guard;
mod options;

use std::ffi::OsString;
use std::io::Write as _;
use std::ops::Range;
use std::os::fd::{AsRawFd as _, IntoRawFd as _, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::cli::Options;
use crate::error::{Error, Kind, Result};
use crate::output::curl_config;
use crate::process::limit_core;
use crate::program;
use crate::secret::Secret;
use crate::settings::{Environment, KEY_VARIABLE, Profile, Profiles};
use crate::token;
use crate::waiting::check_signals;

use arguments::{Given, Line, Segment};

/// The descriptors among which a pipe's is chosen by chance: out of the way of those that people open by number, and not
/// to be guessed by an argument that names one.
const PIPES: Range<RawFd> = 100..200;

/// Takes out of curl's environment what holds a personal access token, and what makes curl write down its TLS keys.
fn hide_secrets<'a>(command: &mut Command, variables: impl Iterator<Item = &'a str>) {
    for name in variables.chain([KEY_VARIABLE, "SSLKEYLOGFILE"]) {
        command.env_remove(name);
    }
}

/// One part of the command line, checked: what curl is to fetch, with whose token.
struct Checked {
    /// The profile that all addresses belong to.
    profile: Profile,
    /// The addresses, written anew.
    addresses: Vec<String>,
    /// The options, all of which may be used.
    options: Vec<Given>,
}

/// Becomes curl with these arguments; returns only when that fails.
pub(crate) fn become_curl(options: &Options, arguments: Vec<OsString>) -> Result<()> {
    let mut command = Command::new(program::find("curl")?);
    // `-q`: curl reads no .curlrc; this program has read it.
    command.arg0("curl").arg("-q");
    let request = match arguments::parse(arguments)? {
        Line::Information(words) => {
            let profiles = Environment::read().and_then(|environment| Profiles::load(&environment));
            hide_secrets(
                &mut command,
                profiles
                    .iter()
                    .flat_map(super::settings::Profiles::secret_variables),
            );
            return Err(run(command.args(words)));
        }
        Line::Request(request) => request,
    };
    let console = options.console();
    let environment = Environment::read()?;
    let profiles = Profiles::load(&environment)?;
    let from_file = if request.without_curlrc {
        Vec::new()
    } else {
        curlrc::read(&environment)?
    };
    let crowded = request.segments.len() > 1;
    let check = |segment: Segment| {
        let (profile, addresses) = address::resolve(
            &segment.addresses,
            &profiles,
            &environment,
            options,
            console,
        )?;
        for given in &segment.options {
            guard::check(given, profile.server.origin.secure, crowded)?;
        }
        check_upload(&segment.options, &profile, &addresses)?;
        let options = segment.options;
        Ok(Checked {
            profile,
            addresses,
            options,
        })
    };
    let checked = request
        .segments
        .into_iter()
        .map(check)
        .collect::<Result<Vec<_>>>()?;
    // All tokens before the first pipe: a command that reads a personal access token would inherit it.
    let ask = |part: &Checked| {
        console.note(format_args!("curl: {}", part.addresses.join(" ")));
        token::obtain(&part.profile, &options.wish(), console)
    };
    let tokens = checked.iter().map(ask).collect::<Result<Vec<_>>>()?;
    for (number, (part, access)) in checked.iter().zip(&tokens).enumerate() {
        if number > 0 {
            command.arg("--next");
        }
        add_config(&mut command, &config(&part.profile, &access.token))?;
        if number == 0 && !from_file.is_empty() {
            // Behind the token, whose pipe is empty by then: a file that is named there may be that pipe. For the first
            // part only, as curl has it.
            add_config(
                &mut command,
                &curlrc::to_config(&from_file, &part.profile, crowded),
            )?;
        }
        add_words(&mut command, part);
    }
    hide_secrets(&mut command, profiles.secret_variables());
    Err(run(&mut command))
}

/// Refuses an upload whose name curl would put behind the address itself, and resolve its dots after that, where that
/// could lead out of the server's base path.
fn check_upload(options: &[Given], profile: &Profile, addresses: &[String]) -> Result<()> {
    let named_by_curl = |address: &String| {
        address
            .split('?')
            .next()
            .is_some_and(|path| path.ends_with('/'))
    };
    let uploads = options.iter().any(|given| given.name == "upload-file");
    if !profile.server.base.is_empty() && uploads && addresses.iter().any(named_by_curl) {
        return Err(Error::new(
            Kind::Usage,
            "curl's -T is refused: the address has no file name",
        )
        .hint("give the whole address of the upload"));
    }
    Ok(())
}

/// Hands options and addresses on, each word and each value by itself, so that no curl can read them differently.
fn add_words(command: &mut Command, part: &Checked) {
    for given in &part.options {
        command.arg(&given.word).args(&given.value);
    }
    for address in &part.addresses {
        command.arg("--url").arg(address);
    }
}

/// Returns what a part's pipe says: the token, and whom to trust with it.
fn config(profile: &Profile, token: &Secret) -> Secret {
    let mut text = String::with_capacity(1024);
    if let Some(path) = &profile.ca_file {
        text.push_str(&curlrc::quoted("cacert", &path.to_string_lossy()));
        // In place of the folder of authorities that curl was built with, and would trust as well.
        text.push_str("capath = \"/dev/null\"\n");
    }
    if !profile.server.origin.secure {
        // A proxy would see the token of a plain http request; this machine's own servers need none.
        text.push_str("noproxy = \"*\"\n");
    }
    text.push_str(&curl_config(token));
    Secret::new(text)
}

/// Hands curl a configuration on a pipe.
fn add_config(command: &mut Command, text: &Secret) -> Result<()> {
    command
        .arg("--config")
        .arg(format!("/dev/fd/{}", inherited_pipe(text)?));
    Ok(())
}

/// Makes a pipe that holds the text and returns the descriptor of its end to read, which stays open across exec.
fn inherited_pipe(text: &Secret) -> Result<RawFd> {
    let failed =
        |error: rustix::io::Errno| Error::new(Kind::Files, format!("cannot make a pipe: {error}"));
    let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).map_err(failed)?;
    let mut write = std::fs::File::from(write);
    // It fits into the pipe's buffer (64 KiB on Linux, 16 KiB elsewhere), so that nobody need be reading yet.
    let written = write.write_all(text.expose().as_bytes());
    written.map_err(|error| {
        Error::new(
            Kind::Files,
            format!("cannot hand curl its configuration: {error}"),
        )
        .hint("is the .curlrc very long?")
    })?;
    let inherited = fcntl_dupfd_cloexec(&read, fastrand::i32(PIPES)).map_err(failed)?;
    rustix::fs::fcntl_setfl(&inherited, rustix::fs::OFlags::empty()).map_err(failed)?;
    fcntl_setfd(&inherited, FdFlags::empty()).map_err(failed)?;
    let number = inherited.as_raw_fd();
    let _ = inherited.into_raw_fd();
    Ok(number)
}

/// Replaces this process with the command; returns why not.
fn run(command: &mut Command) -> Error {
    limit_core();
    if let Err(interrupted) = check_signals() {
        return interrupted;
    }
    let error = command.exec();
    Error::new(Kind::Missing, format!("cannot run curl: {error}"))
}
