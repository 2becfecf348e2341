//! curl's log (`-v`, `--trace`), which has the token in it. It goes through a filter, a process of its own, so that curl
//! still takes this program's place: each log is a pipe to a filter that writes to where the log was to go.

mod dump;
mod filter;
mod pieces;

use std::io::{Write as _, stderr, stdout};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use zeroize::Zeroizing;

use super::parsed_option::ParsedOption;
use super::pipe::Pipe;
use super::value::ValueKind;
use crate::cli::CURL_LOG;
use crate::error::{Error, Kind, Result};
use crate::system::{TICK, check_signals, files, survive_failed_writes};
use crate::types::Access;

pub(crate) use filter::run;

/// Where an option makes curl log, leads curl's stderr and each log that an option names through a filter. No pipe with a
/// token may be there yet: the filters would inherit it.
pub(super) fn hide_tokens(mut options: Vec<&mut ParsedOption>, tokens: &[Access], curl: &mut Command) -> Result<()> {
    if !options.iter().any(|option| option.logs()) {
        return Ok(());
    }
    if options.iter().any(|option| option.name() == "parallel" && !option.negated) {
        // A token that comes back in small pieces could not be put together again.
        let hint = "leave one of them out";
        return Err(Error::usage("curl's log of parallel transfers is refused: their pieces are mixed", hint));
    }
    survive_failed_writes();
    curl.stderr(start_filter(tokens, copy_of(stderr()))?);
    for option in options.iter_mut().filter(|option| ValueKind::of(&option.row) == Some(ValueKind::Log)) {
        if let Some(target) = target(option)? {
            option.value = Some(Pipe::at(&start_filter(tokens, target)?)?.leave_open().into());
        }
    }
    Ok(())
}

/// Returns where an option's log is to go; `None` for stderr.
fn target(option: &ParsedOption) -> Result<Option<Stdio>> {
    let path = match option.value.as_deref() {
        Some(value) if value == "-" => return Ok(Some(copy_of(stdout()))),
        // For `--stderr` that is a file's name.
        Some(value) if value == "%" && option.logs() => return Ok(None),
        value => Path::new(value.unwrap_or_default()),
    };
    // The user's alone, as curl has it from 8.15 on.
    loop {
        match files::create(path) {
            // A FIFO, whose reader is waited for.
            Err(error) if Errno::from_io_error(&error) == Some(Errno::NXIO) => {
                check_signals()?;
                sleep(TICK);
            }
            opened => {
                let opened = opened.map_err(|error| Error::file("open the file for curl's log", path, &error));
                return opened.map(|file| Some(file.into()));
            }
        }
    }
}

fn copy_of(stream: impl AsFd) -> Stdio {
    stream.as_fd().try_clone_to_owned().map_or_else(|_| Stdio::null(), Stdio::from)
}

/// Starts a filter that writes to the target, and returns the pipe to it. The tokens go ahead of the log in that pipe.
fn start_filter(tokens: &[Access], target: Stdio) -> Result<OwnedFd> {
    let failed = |error: std::io::Error| {
        Error::new(Kind::Io, format!("cannot start the filter of curl's log: {error}"))
            .hint("leave -v and --trace out, or install ls-token anew")
    };
    let (read, write) = pipe(PipeFlags::CLOEXEC).map_err(failed)?;
    let mut filter = Command::new(std::env::current_exe().map_err(failed)?);
    filter.arg0("ls-token").arg(CURL_LOG).env_clear().stdin(read).stdout(target).stderr(Stdio::null());
    filter.spawn().map_err(failed)?;
    let mut text = Zeroizing::new(Vec::new());
    for access in tokens {
        text.extend_from_slice(access.token.expose().as_bytes());
        text.push(b'\n');
    }
    text.push(b'\n');
    let mut write = std::fs::File::from(write);
    write.write_all(&text).map_err(failed)?;
    Ok(write.into())
}

/// Makes a pipe that takes one write at a time, so that curl goes on, to its answer or to its end, no sooner than the
/// filter has what it wrote before.
#[cfg(target_os = "linux")]
fn pipe(flags: PipeFlags) -> std::io::Result<(OwnedFd, OwnedFd)> {
    let ends = pipe_with(flags | PipeFlags::DIRECT)?;
    rustix::pipe::fcntl_setpipe_size(&ends.1, 1)?;
    Ok(ends)
}

#[cfg(not(target_os = "linux"))]
fn pipe(flags: PipeFlags) -> std::io::Result<(OwnedFd, OwnedFd)> {
    Ok(pipe_with(flags)?)
}
