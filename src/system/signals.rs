//! Signals: SIGINT, SIGTERM and SIGHUP wait for a safe place to end the program; SIGPIPE, SIGXFSZ and SIGCHLD do no harm.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once, OnceLock};
use std::time::Duration;

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGXFSZ};
use signal_hook::flag::{register, register_usize};

use crate::error::{Error, Kind, Result};

/// How often a wait looks up: signals are answered and the spinner turns at this pace.
pub(crate) const TICK: Duration = Duration::from_millis(40);

/// The last signal that came in, or 0.
static SIGNAL: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// Takes SIGINT, SIGTERM and SIGHUP over, so that a wait can put things in order before it ends. A signal that was
/// ignored when the program started (`nohup`, `&` in a script) stays ignored.
pub(crate) fn listen() {
    survive_failed_writes();
    let flag = SIGNAL.get_or_init(Arc::default);
    let ignored = ignored_signals();
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        if let (false, Ok(number)) = (ignored >> (signal - 1) & 1 == 1, usize::try_from(signal)) {
            let _ = register_usize(signal, Arc::clone(flag), number);
        }
    }
}

/// Makes it an error instead of the end when nobody reads a pipe, or a file would be larger than is allowed: a token is not
/// lost because stderr or the cache is.
pub(crate) fn survive_failed_writes() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| [SIGPIPE, SIGXFSZ].into_iter().for_each(|signal| _ = register(signal, Arc::default())));
}

/// Makes signals that are meant for another process of the same group no reason to end.
pub(crate) fn outlive_signals() {
    for signal in [SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM] {
        let _ = register(signal, Arc::default());
    }
}

/// Makes the kernel keep the status of a child that has ended, also where whoever started this program ignores SIGCHLD.
pub(crate) fn wait_for_children() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| _ = register(SIGCHLD, Arc::default()));
}

pub(crate) fn check_signals() -> Result<()> {
    let number = SIGNAL.get().map_or(0, |flag| flag.load(Ordering::Relaxed));
    match i32::try_from(number) {
        Ok(0) | Err(_) => Ok(()),
        Ok(signal) => Err(Error::new(Kind::Interrupted(signal), "interrupted")),
    }
}

/// Returns whether signals wait for a safe place: until `listen`, they end the program at once.
pub(crate) fn is_listening() -> bool {
    SIGNAL.get().is_some()
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
