//! The spinner that shows on a terminal while something is waited for.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use rustix::termios::{LocalModes, tcgetattr, tcgetwinsize};

use super::signals::check_signals;
use super::stderr::{print, write_waiting};
use crate::error::Result;

/// How long a wait may last before the spinner shows.
const SPINNER_DELAY: Duration = Duration::from_secs(1);

/// The spinner's pictures, of which each stands for 80 ms.
const FRAMES: [&str; 4] = ["|", "/", "-", "\\"];

/// One wait, from its beginning until it is dropped.
pub(crate) struct Spinner {
    what: String,
    since: Instant,
    /// Whether there is a terminal to draw on.
    visible: bool,
    drawn: bool,
}

impl Spinner {
    pub(crate) fn begin(what: String) -> Self {
        Self { what, since: Instant::now(), visible: std::io::stderr().is_terminal(), drawn: false }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// Draws the spinner, and fails when a signal came in.
    pub(crate) fn tick(&mut self) -> Result<()> {
        check_signals()?;
        self.draw();
        Ok(())
    }

    pub(crate) fn draw(&mut self) {
        let ready = write_waiting(Duration::ZERO);
        if ready && self.visible && self.elapsed() >= SPINNER_DELAY && !is_asking() {
            let frame = FRAMES.get(self.elapsed().as_millis() as usize / 80 % FRAMES.len()).unwrap_or(&"");
            let line = format!("{frame} ls-token: waiting for {}", self.what);
            // A line that wraps could not be taken back.
            let width = tcgetwinsize(std::io::stderr()).ok().map(|size| size.ws_col).filter(|width| *width > 0);
            let line: String = line.chars().take(usize::from(width.unwrap_or(80)) - 1).collect();
            print(&format!("\r{line}\x1b[K"));
            self.drawn = true;
        }
    }

    pub(crate) fn hide(&mut self) {
        self.visible = false;
        if std::mem::take(&mut self.drawn) {
            print("\r\x1b[K");
        }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.hide();
    }
}

/// Returns whether a program asks for a password on the terminal: it has turned off the echo.
fn is_asking() -> bool {
    tcgetattr(std::io::stderr()).is_ok_and(|modes| !modes.local_modes.contains(LocalModes::ECHO))
}
