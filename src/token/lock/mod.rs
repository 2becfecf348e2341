//! One process goes on, the others wait: flock on a file of its own, which is never renamed or deleted. The file also
//! says who holds it and how the last attempt failed, so that those who waited need not fail one after the other.

mod note;

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use fs2::FileExt as _;
use rustix::fs::OFlags;
use rustix::process::getpid;

use crate::error::{Error, Kind, Result};
use crate::system::process::user;
use crate::system::signals::check_signals;
use crate::system::spinner::Waiting;
use crate::types::moment::Moment;
use note::Note;

/// The shortest and the longest pause between two looks. They grow from one to the other, so that one waiter is quick
/// and 500 leave the machine to the holder.
const PAUSES: (Duration, Duration) = (Duration::from_millis(4), Duration::from_millis(60));

/// How long the failure of a server that could not be reached counts for later callers too: a fleet that starts over
/// two seconds asks a struggling server once or twice, not 500 times.
const RESPITE: Duration = Duration::from_secs(2);

/// The turn of one process.
pub(crate) enum Turn<T> {
    /// This process goes on; others wait until the lock is dropped.
    Mine(Lock),
    /// Another process has done it meanwhile.
    Done(T),
}

/// The lock, held; without a file where the file system has none.
pub(crate) struct Lock {
    /// The open file that the kernel's lock belongs to; it ends with the process, however that ends.
    file: Option<File>,
    /// Whether another process had it when this one came.
    contended: bool,
}

impl Lock {
    /// Goes on without a lock.
    pub(crate) fn none() -> Self {
        Self { file: None, contended: false }
    }

    /// Tells whether this process had to wait for it.
    pub(crate) fn was_contended(&self) -> bool {
        self.contended
    }

    /// Tells those who wait that it failed.
    pub(crate) fn tell_failure(&self, stamp: &str, error: &Error) {
        if let Some(file) = self.file.as_ref().filter(|_| !matches!(error.kind, Kind::Interrupted(_))) {
            write_note(file, &Note::Failed { at: Moment::now(), stamp: stamp.to_owned(), error: error.clone() });
        }
    }
}

/// Waits for the lock, at most until the deadline, and calls `look` before each try: once it finds something, there is
/// no need for the lock. `stamp` marks the source's token: the failure of another token is not ours, and none is where
/// there is no stamp.
pub(crate) fn take<T>(
    path: &Path,
    deadline: Duration,
    stamp: Option<&str>,
    mut look: impl FnMut() -> Option<T>,
) -> Result<Turn<T>> {
    let Some(file) = open(path) else {
        return Ok(Turn::Mine(Lock::none()));
    };
    let before = read_note(&file);
    let mut waiting = Waiting::begin("another ls-token".into());
    let mut pause = PAUSES.0;
    let mut contended = false;
    loop {
        if let Some(done) = look() {
            return Ok(Turn::Done(done));
        }
        match file.try_lock_exclusive() {
            Ok(()) => {
                // The holder before us may have finished between our look and our lock.
                if let Some(done) = look() {
                    return Ok(Turn::Done(done));
                }
                shared_failure(&file, before.as_ref(), stamp)?;
                // Also where the note cannot be written, no former holder's may stand there.
                let _ = file.set_len(0);
                write_note(
                    &file,
                    &Note::Held {
                        by: getpid().as_raw_nonzero().get(),
                        at: Moment::now(),
                        limit: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
                    },
                );
                return Ok(Turn::Mine(Lock { file: Some(file), contended }));
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.raw_os_error() == fs2::lock_contended_error().raw_os_error() => {
                shared_failure(&file, before.as_ref(), stamp)?;
                if waiting.elapsed() > deadline && !holder_may_take_longer(&file) {
                    return Err(give_up(&file, path, waiting.elapsed()));
                }
                contended = true;
                waiting.tick()?;
                std::thread::sleep(pause.mul_f64(0.5 + fastrand::f64()));
                pause = (pause * 3 / 2).min(PAUSES.1);
            }
            // ENOLCK, ENOSYS, EOPNOTSUPP and whatever else: better a second exchange than no token.
            Err(_) => {
                check_signals()?;
                return Ok(Turn::Mine(Lock::none()));
            }
        }
    }
}

/// Waits for the lock, at most for so long, whatever another process does meanwhile.
pub(crate) fn hold(path: &Path, limit: Duration) -> Result<Lock> {
    Ok(match take(path, limit, None, || None::<()>)? {
        Turn::Mine(lock) => lock,
        Turn::Done(()) => Lock::none(),
    })
}

/// Opens the lock file, creating it; `None` when it is not a plain file of ours.
fn open(path: &Path) -> Option<File> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).ok()?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags)
        .open(path)
        .ok()?;
    let about = file.metadata().ok()?;
    (about.is_file() && about.nlink() == 1 && about.uid() == user()).then_some(file)
}

/// Fails with the failure of another process, where it is ours as well: it happened while we waited, or the server was
/// out of reach a moment ago.
fn shared_failure(file: &File, before: Option<&Note>, stamp: Option<&str>) -> Result<()> {
    let Some(stamp) = stamp else { return Ok(()) };
    let note = read_note(file);
    if note.as_ref() == before {
        return recent_failure(note, stamp, Some(RESPITE));
    }
    recent_failure(note, stamp, None)
}

/// Fails with the noted failure of the same token, if it is a server's and younger than the respite, where one is given.
fn recent_failure(note: Option<Note>, stamp: &str, respite: Option<Duration>) -> Result<()> {
    let Some(Note::Failed { at, stamp: theirs, error }) = note else {
        return Ok(());
    };
    let Some(age) = Moment::now().since(&at) else {
        return Ok(());
    };
    let counts = respite.is_none_or(|respite| error.kind == Kind::Unreachable && age < respite);
    if theirs == stamp && counts {
        return Err(error.with("asked by", format_args!("another ls-token, {:.1} s ago", age.as_secs_f64())));
    }
    Ok(())
}

/// Tells whether the holder has limits of its own that leave it more time than ours.
fn holder_may_take_longer(file: &File) -> bool {
    let Some(Note::Held { at, limit, .. }) = read_note(file) else {
        return false;
    };
    Moment::now().since(&at).is_some_and(|age| age < Duration::from_millis(limit))
}

/// Makes the error for a lock that was not free in time.
fn give_up(file: &File, path: &Path, waited: Duration) -> Error {
    let what = format!("another ls-token holds the lock, and did not let go of it in {} s", waited.as_secs());
    let error = Error::new(Kind::Busy, what).with("lock", path.display());
    match read_note(file) {
        Some(Note::Held { by, at, .. }) if at.was_here() => error
            .with("process", by)
            .hint(format!("try again; where that process was stopped, go on with it (fg), or end it: kill -KILL {by}")),
        _ => error.hint("try again"),
    }
}

/// Reads the note; one that is just being written, or damaged, is none.
fn read_note(file: &File) -> Option<Note> {
    let mut bytes = vec![0; 8192];
    let count = file.read_at(&mut bytes, 0).ok()?;
    Note::from_bytes(bytes.get(..count)?)
}

/// Replaces the note. Losing one only costs others a wait.
fn write_note(file: &File, note: &Note) {
    let text = note.to_text();
    if file.write_all_at(text.as_bytes(), 0).is_ok() {
        let _ = file.set_len(text.len() as u64);
    }
}
