//! The terminal that a command may ask on: it is ours again, and as it was, where the command is ended.

use std::fs::File;

use nix::sys::signal::{SIGTTOU, SigSet};
use rustix::process::getpgrp;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr, tcsetpgrp};

/// The terminal, where we are in its foreground, and its modes.
pub(super) struct Foreground {
    tty: File,
    modes: Termios,
}

impl Foreground {
    pub(super) fn of_ours() -> Option<Self> {
        let tty = File::open("/dev/tty").ok()?;
        let modes = tcgetattr(&tty).ok()?;
        Some(Self { tty, modes }).filter(Self::is_ours)
    }

    fn is_ours(&self) -> bool {
        tcgetpgrp(&self.tty).is_ok_and(|group| group == getpgrp())
    }

    /// Takes the terminal back from a command that was ended, and restores its modes: a command that asks for a password
    /// has turned off echo and lines. A shell that has put us in the background keeps it as it is.
    pub(super) fn restore(&self, was_taken: bool) {
        if was_taken {
            // It would stop us, who are in the background (tcsetpgrp(3)).
            let stop = SigSet::from(SIGTTOU);
            let _ = stop.thread_block();
            let _ = tcsetpgrp(&self.tty, getpgrp());
            let _ = stop.thread_unblock();
        }
        if self.is_ours() {
            let _ = tcsetattr(&self.tty, OptionalActions::Now, &self.modes);
        }
    }
}
