//! What people read: everything that is not a token goes to stderr, from here.

use std::fmt::Display;
use std::io::Write as _;

use super::signals::survive_broken_pipes;
use crate::error::{Error, Kind};
use crate::types::visible;

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

/// Writes to stderr in one piece. That stderr may be closed or full is nobody's failure.
pub(crate) fn print(text: &str) {
    survive_broken_pipes();
    let _ = std::io::stderr().write_all(text.as_bytes());
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
