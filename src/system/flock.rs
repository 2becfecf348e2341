//! Waiting for a lock of flock(2): try, look whether it is still needed, wait a little.

use std::fs::File;
use std::io::ErrorKind;
use std::time::Duration;

use fs2::FileExt as _;

use super::spinner::Spinner;
use crate::error::Result;

/// The first and the longest pause between two tries: one waiter is quick, and 500 leave the machine to the holder.
const PAUSES: (Duration, Duration) = (Duration::from_millis(4), Duration::from_millis(60));

pub(crate) enum Attempt {
    Locked,
    Contended,
    /// The file system has no locks: ENOLCK, ENOSYS, EOPNOTSUPP and whatever else.
    Unsupported(std::io::Error),
}

pub(crate) enum Outcome<T> {
    /// The lock belongs to the open file until that is closed; `contended` tells whether another process had it first.
    Locked { contended: bool },
    /// There are no locks here: go on without.
    Unsupported,
    /// There is no need for the lock any more.
    Done(T),
}

pub(crate) fn attempt(file: &File) -> Attempt {
    loop {
        match file.try_lock_exclusive() {
            Ok(()) => return Attempt::Locked,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.raw_os_error() == fs2::lock_contended_error().raw_os_error() => {
                return Attempt::Contended;
            }
            Err(error) => return Attempt::Unsupported(error),
        }
    }
}

/// Waits for the lock. `look` is called before each try, with the time that was waited so far where another process has
/// the lock; it finds that there is no need to wait any more, or gives up with an error.
pub(crate) fn wait<T>(
    file: &File,
    what: &str,
    mut look: impl FnMut(Option<Duration>) -> Result<Option<T>>,
) -> Result<Outcome<T>> {
    let mut spinner = Spinner::begin(what.to_owned());
    let mut pause = PAUSES.0;
    let mut contended = false;
    loop {
        if let Some(done) = look(contended.then(|| spinner.elapsed()))? {
            return Ok(Outcome::Done(done));
        }
        match attempt(file) {
            Attempt::Locked => return Ok(Outcome::Locked { contended }),
            Attempt::Unsupported(_) => return Ok(Outcome::Unsupported),
            Attempt::Contended => {
                contended = true;
                spinner.tick()?;
                std::thread::sleep(pause.mul_f64(0.5 + fastrand::f64()));
                pause = (pause * 3 / 2).min(PAUSES.1);
            }
        }
    }
}
