//! One process goes on, the others wait: flock on a file of its own, which is never renamed or deleted. The file also
//! says who holds it and how the last attempt failed, so that those who waited need not fail one after the other.

mod note;

use std::convert::Infallible;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use rustix::process::getpid;

use crate::error::{Error, Fact, Kind, Result};
use crate::system::{
    check_signals, files,
    flock::{self, Outcome},
};
use crate::types::{Moment, tenths};
use note::Note;

/// How long the failure of a server that could not be reached counts for later callers too: a fleet that starts over
/// two seconds asks a struggling server once or twice, not 500 times.
const FAILURE_TTL: Duration = Duration::from_secs(2);

pub(crate) enum Turn<T> {
    /// This process goes on; others wait until the lock is dropped.
    Mine(Lock),
    Done(T),
}

/// The lock, held; without a file where the file system has none.
pub(crate) struct Lock {
    /// The open file that the kernel's lock belongs to; it ends with the process, however that ends.
    file: Option<File>,
    /// Whether another process had it when this one came.
    pub(super) contended: bool,
}

impl Lock {
    pub(crate) fn none() -> Self {
        Self { file: None, contended: false }
    }

    pub(crate) fn tell_failure(&self, question: &Question, error: &Error) {
        if let Some(file) = self.file.as_ref().filter(|_| error.kind.concerns_others()) {
            write_note(file, &Note::Failed { at: Moment::now(), of: question.key.clone(), error: error.clone() });
        }
    }
}

/// What is asked for under a lock: a failure is shared with those who ask the same.
pub(crate) struct Question {
    /// Tells it from any other: by the token, and by the way to the server.
    pub(crate) key: String,
    /// Whether a failure counts only if it happened while this call waited.
    pub(crate) is_new: bool,
}

/// Waits for the lock, at most until the deadline, and calls `look` before each try: once it finds something, there is
/// no need for the lock. Who asks no question shares nobody's failure.
pub(crate) fn take<T>(
    path: &Path,
    deadline: Duration,
    question: Option<&Question>,
    mut look: impl FnMut() -> Option<T>,
) -> Result<Turn<T>> {
    let Some(file) = open(path) else { return Ok(Turn::Mine(Lock::none())) };
    let before = read_note(&file);
    let outcome = flock::wait(&file, "another ls-token", |waited| {
        if let Some(done) = look() {
            return Ok(Some(done));
        }
        if let Some(waited) = waited {
            shared_failure(&file, before.as_ref(), question)?;
            if waited > deadline && !holder_may_take_longer(&file) {
                return Err(give_up(&file, path, waited));
            }
        }
        Ok(None)
    })?;
    let contended = match outcome {
        Outcome::Done(done) => return Ok(Turn::Done(done)),
        // Better a second exchange than no token.
        Outcome::Unsupported => return check_signals().map(|()| Turn::Mine(Lock::none())),
        Outcome::Locked { contended } => contended,
    };
    // The holder before us may have finished between our look and our lock.
    if let Some(done) = look() {
        return Ok(Turn::Done(done));
    }
    shared_failure(&file, before.as_ref(), question)?;
    // Also where the note cannot be written, no former holder's may stand there.
    let _ = file.set_len(0);
    let limit = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
    write_note(&file, &Note::Held { by: getpid().as_raw_nonzero().get(), at: Moment::now(), limit });
    Ok(Turn::Mine(Lock { file: Some(file), contended }))
}

/// Waits for the lock, at most for so long, whatever another process does meanwhile.
pub(crate) fn hold(path: &Path, limit: Duration) -> Result<Lock> {
    match take(path, limit, None, || None::<Infallible>)? {
        Turn::Mine(lock) => Ok(lock),
        Turn::Done(never) => match never {},
    }
}

/// Opens the lock file, creating it; `None` when it is not a private file of ours.
fn open(path: &Path) -> Option<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    files::open_private(path, &mut options).ok().flatten().map(|(file, _)| file)
}

/// Fails with the failure of another process, where it is ours as well: it is of the same question, and happened while we
/// waited, or the server was out of reach a moment ago.
fn shared_failure(file: &File, before: Option<&Note>, question: Option<&Question>) -> Result<()> {
    let note = read_note(file);
    let happened_since = note.as_ref() != before;
    let Some(Note::Failed { at, of, error }) = note else { return Ok(()) };
    let Some(question) = question.filter(|question| question.key == of) else { return Ok(()) };
    let Some(age) = Moment::now().since(&at) else { return Ok(()) };
    let is_recent = !question.is_new && error.kind == Kind::Unreachable && age < FAILURE_TTL;
    if happened_since || is_recent {
        return Err(error.with(Fact::AskedBy, format_args!("another ls-token, {} s ago", tenths(age))));
    }
    Ok(())
}

/// Returns whether the holder has limits of its own that leave it more time than ours.
fn holder_may_take_longer(file: &File) -> bool {
    let Some(Note::Held { at, limit, .. }) = read_note(file) else { return false };
    Moment::now().since(&at).is_some_and(|age| age < Duration::from_millis(limit))
}

/// Returns the error for a lock that was not free in time.
fn give_up(file: &File, path: &Path, waited: Duration) -> Error {
    let what = format!("another ls-token has held the lock for {} s", waited.as_secs());
    let error = Error::new(Kind::LockTimeout, what).with(Fact::Lock, path.display());
    match read_note(file) {
        Some(Note::Held { by, at, .. }) if at.was_here() => error
            .with(Fact::Process, by)
            .hint(format!("try again; if that process is stopped, resume it (fg) or end it: kill -KILL {by}")),
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
