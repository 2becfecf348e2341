//! Standard output: a text goes there whole, or there is an error.

use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, write};
use rustix::stdio::stdout;
use signal_hook::consts::SIGPIPE;

use super::signals::{TICK, check_signals, is_listening};
use crate::error::{Error, Kind, Result};

/// Writes a text to stdout, whole. Not by `std::io::stdout`, which takes a closed stdout for a success.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        wait_until_ready()?;
        match write(stdout(), rest) {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::PIPE) => return Err(Error::new(Kind::Interrupted(SIGPIPE), "broken pipe")),
            Err(error) => {
                return Err(Error::new(Kind::Io, format!("cannot write to standard output: {error}"))
                    .hint("check that it is open, and that the disk is not full"));
            }
        }
    }
    Ok(())
}

/// Waits until stdout takes something: a signal must end us also where a terminal takes nothing (Ctrl-S).
fn wait_until_ready() -> Result<()> {
    while is_listening() && !takes_output(stdout(), TICK) {
        check_signals()?;
    }
    Ok(())
}

/// Returns whether a write to a stream will not have to wait, or does so within a limit.
pub(super) fn takes_output(stream: impl AsFd, limit: Duration) -> bool {
    let ready = poll(&mut [PollFd::new(&stream, PollFlags::OUT)], Timespec::try_from(limit).ok().as_ref());
    !matches!(ready, Ok(0) | Err(Errno::INTR))
}
