//! The rescue file of a rotation: where a new personal access token is kept from the moment the server gave it until it
//! has reached its place. It is there, with room in it, before the server is asked.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::io::Errno;
use zeroize::Zeroizing;

use super::cache::Cache;
use super::lock::{self, Lock};
use crate::api::account::ROTATION_TIMEOUT;
use crate::error::{Error, Fact, Kind, Result};
use crate::settings::{ENVIRONMENT, Profile};
use crate::system::{
    TOKEN_DIRECTORY,
    checksum::{seal, unseal},
    data_directory, files,
};
use crate::types::{Secret, rfc3339, sha256};

/// The name and version of the format.
const FORMAT: &str = "ls-token-rescue 1";

/// What the file says until the answer is there.
const PENDING: &str = "asked\n";

/// The room that is made before the server is asked, in bytes: more than any token needs.
const RESERVED_BYTES: usize = 20 * 1024;

#[derive(Debug)]
pub(crate) struct Rescue {
    directory: PathBuf,
    /// The file's name, without its ending.
    name: String,
}

#[derive(Debug)]
pub(crate) enum Found {
    Nothing,
    /// The server was asked for a new token at that time, and the answer was never put here.
    Pending(SystemTime),
    /// The new token, which has not reached its place, and the fingerprint of the one that it is to replace.
    Token(Secret, String),
}

impl Rescue {
    /// Names the rescue file of a profile: like a stored token's, it is bound to the server.
    pub(crate) fn of(profile: &Profile) -> Result<Self> {
        Ok(Self { directory: data_directory()?, name: sha256(&["rescue", &profile.name, &profile.server.to_string()]) })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.join(format!("{}.rescue", self.name))
    }

    /// Returns the path of a lock for changes, and creates its directory. The cache's lies elsewhere for a cron job.
    fn lock_file(&self) -> Result<PathBuf> {
        self.make_directory()?;
        Ok(self.directory.join(format!("{}.lock", self.name)))
    }

    pub(crate) fn read(&self) -> Result<Found> {
        let path = self.path();
        let failed = |error: &std::io::Error| Error::file("read the rescue file", &path, error);
        let odd = |why: &str| {
            Error::new(Kind::Io, format!("the rescue file of a rotation {why}"))
                .with(Fact::File, path.display())
                .hint("look at it, and move it away")
        };
        let (file, about) = match files::open_private(&path, OpenOptions::new().read(true)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
            opened => opened.map_err(|error| failed(&error))?.ok_or_else(|| odd("is not a private file of yours"))?,
        };
        let mut bytes = Zeroizing::new(Vec::with_capacity(RESERVED_BYTES));
        let most = u64::try_from(RESERVED_BYTES).unwrap_or(u64::MAX);
        file.take(most).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
        let bytes = without_room(&bytes);
        if bytes.iter().all(|byte| *byte == 0) {
            // What made it was interrupted before the disk had it, so the server was not asked.
            return Ok(Found::Nothing);
        }
        let text = unseal(FORMAT, bytes).ok_or_else(|| odd("is damaged"))?;
        if text == PENDING {
            return about.modified().map(Found::Pending).map_err(|error| failed(&error));
        }
        let tokens = text.strip_prefix("pat ").and_then(|rest| rest.strip_suffix('\n')?.split_once(" for "));
        let (pat, old) = tokens.ok_or_else(|| odd("is damaged"))?;
        Ok(Found::Token(Secret::new(pat.to_owned()), old.to_owned()))
    }

    /// Makes the file, with room for a token on the disk, and notes that the server is about to be asked.
    pub(crate) fn preallocate(&self) -> Result<File> {
        self.make_directory()?;
        let path = self.path();
        let make = || -> std::io::Result<File> {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(true).mode(0o600);
            let (file, _) = files::open_private(&path, &mut options)?.ok_or(Errno::PERM)?;
            let mut text = seal(FORMAT, PENDING).into_bytes();
            text.resize(RESERVED_BYTES, b' ');
            file.write_all_at(&text, 0)?;
            file.sync_all()?;
            File::open(&self.directory)?.sync_all()?;
            Ok(file)
        };
        make().map_err(|error| {
            let _ = fs::remove_file(&path);
            Error::file("make a rescue file for the new token", &path, &error)
                .hint("make room for that file first; nothing was asked of the server")
        })
    }

    /// Puts the token into the file that `preallocate` made, and waits until the disk has it.
    pub(crate) fn record(&self, file: &File, pat: &Secret, old: &Secret) -> Result<()> {
        let line = format!("pat {} for {}\n", pat.expose(), old.fingerprint());
        let text = Zeroizing::new(seal(FORMAT, &Zeroizing::new(line)));
        // Only blanks remain behind it, which reading drops.
        let kept = file.write_all_at(text.as_bytes(), 0).and_then(|()| file.sync_all());
        kept.map_err(|error| Error::file("write the rescue file", &self.path(), &error))
    }

    pub(crate) fn remove(&self) -> Result<()> {
        let path = self.path();
        files::remove(&path)
            .map_err(|error| Error::file("remove the rescue file", &path, &error).hint("remove it by hand"))
    }

    pub(crate) fn make_directory(&self) -> Result<()> {
        files::make_private_directory(&self.directory, &TOKEN_DIRECTORY)
    }
}

/// Adds to an error about a rejected token what is known of an interrupted rotation.
pub(crate) fn with_rotation(profile: &Profile, error: Error) -> Error {
    let Ok(rescue) = Rescue::of(profile) else { return error };
    match rescue.read() {
        Ok(Found::Token(..)) => error.with(Fact::Rescued, rescue.path().display()).only_hint(format!(
            "a rotation was interrupted after the server had returned a new token: `{}` saves it",
            command(profile)
        )),
        Ok(Found::Pending(at)) if error.kind.is_dead() => with_lost_rotation(error, at),
        _ => error,
    }
}

/// Adds to an error about a rejected token that a rotation was interrupted before its answer came.
pub(crate) fn with_lost_rotation(error: Error, at: SystemTime) -> Error {
    let date = at.duration_since(UNIX_EPOCH).ok().and_then(|since| rfc3339(since.as_secs()));
    let which = date.map_or_else(|| "an earlier one".into(), |date| format!("the one of {date}"));
    error
        .with(Fact::Rotation, format_args!("{which} was interrupted, and the new token was lost with its answer"))
        .hint("revoke the token that is listed there first")
}

/// Waits until no other process changes the profile's personal access token, and then until none exchanges it, and keeps
/// others from both until the locks are dropped: what they got for an old token would be kept for the new one, or fail.
pub(crate) fn hold(profile: &Profile) -> Result<(Lock, Lock)> {
    // Whoever holds them may read, exchange, ask, exchange again and save, each with limits of its own.
    let limit = (profile.source.time_limit().unwrap_or_default() + profile.timeout) * 3 + ROTATION_TIMEOUT;
    let wait = |path: Option<PathBuf>| path.map_or_else(|| Ok(Lock::none()), |path| lock::hold(&path, limit));
    // Without its directory nobody has rotated anything yet.
    let rescue = Rescue::of(profile).ok().filter(|rescue| rescue.directory.is_dir());
    let of_changes = wait(rescue.and_then(|rescue| rescue.lock_file().ok()))?;
    let of_exchanges = wait(Cache::find(profile).lock_file().ok())?;
    Ok((of_changes, of_exchanges))
}

/// Returns the command that rotates the token of a profile.
pub(crate) fn command(profile: &Profile) -> String {
    if profile.name == ENVIRONMENT {
        "ls-token rotate".into()
    } else {
        format!("ls-token rotate --profile {}", shell_words::quote(&profile.name))
    }
}

/// Returns the bytes without the blanks behind them.
fn without_room(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}
