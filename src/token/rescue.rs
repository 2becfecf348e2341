//! The rescue file of a rotation: where a new personal access token is kept from the moment the server gave it until it
//! has reached its place. It is there, with room in it, before the server is asked.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::api::account::ROTATION;
use crate::error::{Error, Kind, Result};
use crate::settings::{ENVIRONMENT, Profile};
use crate::source::store::check_above;
use crate::system::checksum::{seal, unseal};
use crate::system::environment::data_directory;
use crate::system::process::user;
use crate::token::cache::Cache;
use crate::token::lock::{self, Lock};
use crate::types::moment::rfc3339;
use crate::types::secret::{Secret, sha256};

/// The name and version of the format.
const FORMAT: &str = "ls-token-rescue 1";

/// What the file says until the answer is there.
const ASKED: &str = "asked\n";

/// The room that is made before the server is asked, in bytes: more than any token needs.
const ROOM: usize = 20 * 1024;

/// The rescue file of one profile.
#[derive(Debug)]
pub(crate) struct Rescue {
    /// The folder.
    folder: PathBuf,
    /// The file's name, without its ending.
    name: String,
}

/// What a rescue file says.
#[derive(Debug)]
pub(crate) enum Found {
    /// There is none.
    Nothing,
    /// The server was asked for a new token at that time, and the answer was never put here.
    Asked(SystemTime),
    /// The new token, which has not reached its place, and the fingerprint of the one that it is to replace.
    Token(Secret, String),
}

impl Rescue {
    /// Names the rescue file of a profile: like a stored token's, it is bound to the server.
    pub(crate) fn of(profile: &Profile) -> Result<Self> {
        Ok(Self { folder: data_directory()?, name: sha256(&["rescue", &profile.name, &profile.server.to_string()]) })
    }

    /// Returns the file's path.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join(format!("{}.rescue", self.name))
    }

    /// Returns the path of a lock for changes, after creating its folder: another than the cache's, which lies elsewhere
    /// for a login session than for a cron job.
    fn lock_file(&self) -> Result<PathBuf> {
        self.make_folder()?;
        Ok(self.folder.join(format!("{}.lock", self.name)))
    }

    /// Reads the file.
    pub(crate) fn read(&self) -> Result<Found> {
        let path = self.path();
        let failed = |error: &std::io::Error| Error::file("read the rescue file", &path, error);
        let file = match options().read(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
            opened => opened.map_err(|error| failed(&error))?,
        };
        let about = file.metadata().map_err(|error| failed(&error))?;
        let odd = |why: &str| {
            Error::new(Kind::Files, format!("the rescue file of a rotation {why}"))
                .with("file", path.display())
                .hint("look at it, and move it away")
        };
        if !about.is_file() || about.uid() != user() || about.mode() & 0o077 != 0 {
            return Err(odd("is not a private file of yours"));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
        let most = u64::try_from(ROOM).unwrap_or(u64::MAX);
        file.take(most).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
        let bytes = without_room(&bytes);
        if bytes.iter().all(|byte| *byte == 0) {
            // What made it was interrupted before the disk had it, so the server was not asked.
            return Ok(Found::Nothing);
        }
        let text = unseal(FORMAT, bytes).ok_or_else(|| odd("is damaged"))?;
        if text == ASKED {
            let at = about.modified().map_err(|error| failed(&error))?;
            return Ok(Found::Asked(at));
        }
        let (pat, old) = text
            .strip_prefix("pat ")
            .and_then(|rest| rest.strip_suffix('\n'))
            .and_then(|rest| rest.split_once(" for "))
            .ok_or_else(|| odd("is damaged"))?;
        Ok(Found::Token(Secret::new(pat.to_owned()), old.to_owned()))
    }

    /// Makes the file, with room for a token on the disk, and notes that the server is about to be asked.
    pub(crate) fn reserve(&self) -> Result<File> {
        self.make_folder()?;
        let path = self.path();
        let make = || {
            let file = options().read(true).write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            let mut text = seal(FORMAT, ASKED).into_bytes();
            text.resize(ROOM, b' ');
            file.write_all_at(&text, 0)?;
            file.sync_all()?;
            File::open(&self.folder)?.sync_all()?;
            Ok(file)
        };
        make().map_err(|error| {
            let _ = fs::remove_file(&path);
            Error::file("make a rescue file for the new token", &path, &error)
                .hint("nothing was asked of the server; make room for that file first")
        })
    }

    /// Puts the token into the file that `reserve` made, and waits until the disk has it.
    pub(crate) fn keep(&self, file: &File, pat: &Secret, old: &Secret) -> Result<()> {
        let line = format!("pat {} for {}\n", pat.expose(), old.fingerprint());
        let text = Zeroizing::new(seal(FORMAT, &Zeroizing::new(line)));
        // Only blanks remain behind it, which reading drops.
        let kept = file.write_all_at(text.as_bytes(), 0).and_then(|()| file.sync_all());
        kept.map_err(|error| Error::file("write the rescue file", &self.path(), &error))
    }

    /// Removes the file.
    pub(crate) fn remove(&self) -> Result<()> {
        let path = self.path();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::file("remove the rescue file", &path, &error).hint("remove it by hand"))
            }
            _ => Ok(()),
        }
    }

    /// Creates the folder, which nobody else may look into, and refuses one that others may write to.
    pub(crate) fn make_folder(&self) -> Result<()> {
        let folder = &self.folder;
        let failed = |error: std::io::Error| Error::file("create the folder for tokens", folder, &error);
        check_above(folder)?;
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(folder).map_err(failed)?;
        let about = folder.metadata().map_err(failed)?;
        if about.uid() == user() && about.mode() & 0o022 == 0 {
            return Ok(());
        }
        Err(Error::new(Kind::Files, "the folder for tokens is not yours alone to write, so none is put there")
            .with("folder", folder.display())
            .hint(format!("chmod 700 {}", shell_words::quote(&folder.to_string_lossy()))))
    }
}

/// Tells in an error about a rejected token of an interrupted rotation, where there is one.
pub(crate) fn tell(profile: &Profile, error: Error) -> Error {
    let Ok(rescue) = Rescue::of(profile) else {
        return error;
    };
    match rescue.read() {
        Ok(Found::Token(..)) => error.with("rescued", rescue.path().display()).hint(format!(
            "a rotation was interrupted after the server had given a new token: `{}` puts it into its place",
            command(profile)
        )),
        Ok(Found::Asked(at)) if error.token_is_dead => told_of_loss(error, at),
        _ => error,
    }
}

/// Adds to an error about a rejected token that a rotation was interrupted before its answer came.
pub(crate) fn told_of_loss(error: Error, at: SystemTime) -> Error {
    let seconds = at.duration_since(UNIX_EPOCH).map(|since| since.as_secs());
    let date = seconds.ok().and_then(rfc3339);
    let date = date.map_or_else(|| "before".into(), |date| format!("at {date}"));
    let hint = format!("{}; a token that is listed there has to be revoked first", error.hint);
    error
        .with("rotation", format_args!("one begun {date} was interrupted; the new token was lost with its answer"))
        .hint(hint)
}

/// Waits until no other process changes the profile's personal access token, and then until none exchanges it, and keeps
/// others from both until the locks are dropped: what they got for an old token would be kept for the new one, or fail.
pub(crate) fn hold(profile: &Profile) -> Result<(Lock, Lock)> {
    // Whoever holds them may read, exchange, ask, exchange again and save, each with limits of its own.
    let limit = (profile.source.time_limit() + profile.timeout) * 3 + ROTATION;
    let wait = |path: Option<PathBuf>| match path {
        Some(path) => lock::hold(&path, limit),
        None => Ok(Lock::none()),
    };
    let rescue = Rescue::of(profile).ok();
    // Without its folder nobody has rotated anything yet.
    let rescue = rescue.filter(|rescue| rescue.folder.is_dir());
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

/// Returns how the file is opened: never by a symbolic link.
fn options() -> OpenOptions {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let mut options = OpenOptions::new();
    options.custom_flags(flags);
    options
}

/// Returns the bytes without the blanks behind them.
fn without_room(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;

    /// The token that is replaced.
    fn old() -> Secret {
        Secret::new("o.l.d".into())
    }

    /// A rescue file in a folder of its own.
    fn rescue(folder: &Path) -> Rescue {
        Rescue { folder: folder.join("new"), name: "a".into() }
    }

    #[test]
    fn a_token_is_there_after_it_was_kept_and_gone_after_it_was_removed() {
        let folder = tempfile::tempdir().unwrap();
        let rescue = rescue(folder.path());
        assert!(matches!(rescue.read(), Ok(Found::Nothing)));
        let file = rescue.reserve().unwrap();
        assert!(matches!(rescue.read(), Ok(Found::Asked(_))));
        rescue.keep(&file, &Secret::new("a.b.c".into()), &old()).unwrap();
        let Ok(Found::Token(pat, of)) = rescue.read() else { panic!("no token") };
        assert_eq!((pat.expose(), of), ("a.b.c", old().fingerprint()));
        assert_eq!(rescue.path().metadata().unwrap().mode() & 0o777, 0o600);
        rescue.remove().unwrap();
        assert!(matches!(rescue.read(), Ok(Found::Nothing)));
    }

    #[test]
    fn a_file_that_was_never_written_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let rescue = rescue(folder.path());
        let file = rescue.reserve().unwrap();
        for content in [&b""[..], b"\0\0\0", b"   "] {
            file.set_len(0).unwrap();
            file.write_all_at(content, 0).unwrap();
            assert!(matches!(rescue.read(), Ok(Found::Nothing)), "{content:?}");
        }
    }

    #[test]
    fn a_damaged_or_open_file_is_no_token() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let rescue = rescue(folder.path());
        let file = rescue.reserve().unwrap();
        rescue.keep(&file, &Secret::new("a.b.c".into()), &old()).unwrap();
        file.write_all_at(b"x", 40).unwrap();
        assert!(rescue.read().unwrap_err().what.ends_with("is damaged"));
        fs::set_permissions(rescue.path(), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(rescue.read().unwrap_err().what.contains("not a private"));
    }

    #[test]
    fn a_note_with_an_impossible_date_can_still_be_told_of() {
        let error = || Error::new(Kind::Denied, "x");
        let told = |at| told_of_loss(error(), at).in_one_line();
        let early = UNIX_EPOCH - Duration::from_secs(5);
        assert!(told(early).contains("one begun before was interrupted"));
        let late = UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert!(told(late).contains("one begun before was interrupted"));
        assert!(told(UNIX_EPOCH).contains("one begun at 1970-01-01T00:00:00Z was"));
    }
}
