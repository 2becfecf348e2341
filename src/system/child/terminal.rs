//! The terminal, which a command that is ended may leave in a state of its own.

use std::fs::File;

use rustix::process::getpgrp;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

pub(super) struct Terminal {
    tty: File,
    /// Echo and line modes, which a command that is ended while it asks for a password leaves turned off.
    modes: Termios,
}

impl Terminal {
    /// Returns the controlling terminal, where there is one and we are in its foreground.
    pub(super) fn of_the_foreground() -> Option<Self> {
        let tty = File::open("/dev/tty").ok()?;
        let modes = tcgetattr(&tty).ok()?;
        (tcgetpgrp(&tty).ok()? == getpgrp()).then_some(Self { tty, modes })
    }

    pub(super) fn restore(&self) {
        let _ = tcsetattr(&self.tty, OptionalActions::Now, &self.modes);
    }
}
