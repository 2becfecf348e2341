//! What people read: everything that is not a token goes to stderr, from here. A terminal that takes nothing (Ctrl-S, a
//! frozen connection) holds nobody up: what it has not taken waits, and is written with what comes next, or at the end.

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::signals::{TICK, check_signals, survive_failed_writes};
use super::stdout::takes_output;
use crate::error::{Error, Kind, Result};
use crate::types::visible;

/// The most that is written at once, in bytes: what is ready takes that without a wait. A pipe has room for `PIPE_BUF`
/// (pipe(7)); a terminal of Linux for 256 bytes, and a line break becomes two of them.
const MOST_AT_ONCE: (usize, usize) = (4096, 128);

/// What has not been taken yet.
static WAITING: Mutex<Vec<u8>> = Mutex::new(Vec::new());

#[derive(Debug, Clone, Copy)]
pub(crate) struct Console {
    /// Whether `-v` asked for every step.
    pub(crate) verbose: bool,
}

impl Console {
    /// Tells of a step, where the user asked for that.
    pub(crate) fn note(self, text: impl Display) {
        if self.verbose {
            say(text);
        }
    }
}

pub(crate) fn say(text: impl Display) {
    print(&line(&format!("ls-token: {text}")));
}

/// Tells of something that went wrong but does not keep the token from being printed.
pub(crate) fn warn(text: impl Display) {
    print(&line(&format!("ls-token: warning: {text}")));
}

fn line(text: &str) -> String {
    visible(text) + "\n"
}

/// Writes to stderr, now or later. That stderr may be closed or full is nobody's failure.
pub(crate) fn print(text: &str) {
    survive_failed_writes();
    WAITING.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(text.as_bytes());
    write_waiting(Duration::ZERO);
}

/// Writes what has not been taken yet, as far as stderr is ready for it within a limit. Returns whether nothing is left.
pub(crate) fn write_waiting(limit: Duration) -> bool {
    let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut stderr = std::io::stderr();
    while !waiting.is_empty() {
        if !takes_output(&stderr, limit) {
            return false;
        }
        let most = if stderr.is_terminal() { MOST_AT_ONCE.1 } else { MOST_AT_ONCE.0 };
        let count = waiting.len().min(most);
        match stderr.write(waiting.get(..count).unwrap_or_default()) {
            Ok(written) => drop(waiting.drain(..written)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(_) => waiting.clear(),
        }
    }
    true
}

/// Waits until everything is written, or a signal comes in.
pub(crate) fn flush() -> Result<()> {
    while !write_waiting(TICK) {
        check_signals()?;
    }
    Ok(())
}

pub(crate) fn report(error: &Error) -> i32 {
    if let Kind::Interrupted(signal) = error.kind {
        // Dying of the signal, rather than exiting, lets a calling shell end its loop or script.
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    } else {
        print(&error.lines().map(|text| line(&text)).collect::<String>());
    }
    error.kind.status()
}
