//! The slow path's patience: while something is waited for, a spinner on a terminal says what, and a signal ends it.

use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once, OnceLock};
use std::time::{Duration, Instant};

use rustix::termios::{LocalModes, tcgetattr, tcgetwinsize};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGPIPE, SIGTERM};
use signal_hook::flag::{register, register_usize};

use crate::error::{Error, Kind, Result};

/// How often a wait looks up: signals are answered and the spinner turns at this pace.
pub(crate) const TICK: Duration = Duration::from_millis(40);

/// How long a wait may last before the spinner shows.
const QUIET: Duration = Duration::from_secs(1);

/// The spinner's pictures, of which each stands for 80 ms.
const FRAMES: [&str; 4] = ["|", "/", "-", "\\"];

/// The last signal that came in, or 0.
static SIGNAL: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// Takes SIGINT, SIGTERM and SIGHUP over, so that a wait can put things in order before it ends. A signal that was
/// ignored when the program started (`nohup`, `&` in a script) stays ignored.
pub(crate) fn listen() {
    survive_broken_pipes();
    let flag = SIGNAL.get_or_init(Arc::default);
    let ignored = ignored_signals();
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        if let (false, Ok(number)) = (ignored >> (signal - 1) & 1 == 1, usize::try_from(signal)) {
            let _ = register_usize(signal, Arc::clone(flag), number);
        }
    }
}

/// Makes a write to a pipe that nobody reads an error instead of the end: a token is not lost because stderr is.
pub(crate) fn survive_broken_pipes() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| _ = register(SIGPIPE, Arc::default()));
}

/// Makes the kernel keep the status of a child that has ended, also where whoever started this program ignores SIGCHLD.
pub(crate) fn wait_for_children() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| _ = register(SIGCHLD, Arc::default()));
}

/// Returns an error when a signal came in.
pub(crate) fn check_signals() -> Result<()> {
    let number = SIGNAL.get().map_or(0, |flag| flag.load(Ordering::Relaxed));
    match i32::try_from(number) {
        Ok(0) | Err(_) => Ok(()),
        Ok(signal) => Err(Error::new(Kind::Interrupted(signal), "interrupted")),
    }
}

/// Takes a signal that came in, so that what must be done can still be done; whoever takes it ends with it afterwards.
pub(crate) fn take_signal() -> Option<i32> {
    let number = SIGNAL.get()?.swap(0, Ordering::Relaxed);
    i32::try_from(number).ok().filter(|signal| *signal != 0)
}

/// Lets a signal that was taken be found again.
pub(crate) fn put_signal_back(signal: i32) {
    if let (Some(flag), Ok(number)) = (SIGNAL.get(), usize::try_from(signal)) {
        flag.store(number, Ordering::Relaxed);
    }
}

/// Returns the signals that are ignored as a set of bits, from Linux's list (proc(5), `SigIgn`); elsewhere none is known.
fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0)
}

/// One wait, from its begin until it is dropped.
pub(crate) struct Waiting {
    /// What is waited for.
    what: String,
    /// Since when.
    since: Instant,
    /// Whether there is a terminal to draw on.
    visible: bool,
    /// Whether the spinner stands on the terminal now.
    drawn: bool,
}

impl Waiting {
    /// Begins to wait for something.
    pub(crate) fn begin(what: String) -> Self {
        Self { what, since: Instant::now(), visible: std::io::stderr().is_terminal(), drawn: false }
    }

    /// Returns how long this wait has lasted.
    pub(crate) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// Turns the spinner on, and fails when a signal came in.
    pub(crate) fn tick(&mut self) -> Result<()> {
        check_signals()?;
        self.turn();
        Ok(())
    }

    /// Turns the spinner on.
    pub(crate) fn turn(&mut self) {
        if self.visible && self.elapsed() >= QUIET && !is_asking() {
            let frame = FRAMES.get(self.elapsed().as_millis() as usize / 80 % FRAMES.len()).unwrap_or(&"");
            let line = format!("{frame} ls-token: waiting for {}", self.what);
            // A line that wraps could not be taken back.
            let width = tcgetwinsize(std::io::stderr()).map_or(0, |size| usize::from(size.ws_col));
            let width = if width == 0 { 80 } else { width };
            let line: String = line.chars().take(width.saturating_sub(1)).collect();
            let _ = write!(std::io::stderr(), "\r{line}\x1b[K");
            self.drawn = true;
        }
    }

    /// Leaves the terminal to someone else for good.
    pub(crate) fn hide(&mut self) {
        self.visible = false;
        if std::mem::take(&mut self.drawn) {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.hide();
    }
}

/// Tells whether a program asks for a password on the terminal: it has turned off the echo.
fn is_asking() -> bool {
    tcgetattr(std::io::stderr()).is_ok_and(|modes| !modes.local_modes.contains(LocalModes::ECHO))
}
