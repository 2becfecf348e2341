//! Changes the settings file for `login` and `logout`: comments, order and every other profile stay as they are, a symbolic
//! link stays one, and a file with a fault is not touched. Checked before it is written, by what reads it.

use std::fs::{DirBuilder, File, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs2::FileExt as _;
use toml_edit::DocumentMut;

use super::document::{self, Entry};
use super::file;
use super::profile::Profile;
use super::profiles::finish;
use crate::error::{Error, Fact, Kind, Result};
use crate::system::{AtomicFile, Environment, Spinner, TICK};

/// How long another process may take to change the settings: `login` and `logout` ask a keyring meanwhile, which may ask
/// its user to unlock it, and that more than once.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is to be changed.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A profile is to be there, with these keys; it keeps those that are not named.
    Put(Entry),
    /// A profile is to go.
    Remove(String),
}

/// The changed settings, written beside the old ones, while no other process changes them.
pub(crate) struct Draft {
    /// The file that is to take the old one's place; `None` where nothing changes.
    replacement: Option<AtomicFile>,
    /// The open directory that the lock belongs to.
    _lock: Option<File>,
}

impl Draft {
    /// Makes the changed settings ready to take the old ones' place.
    pub(crate) fn prepare(environment: &Environment, change: &Change) -> Result<Self> {
        let path = environment.config.as_ref().ok_or_else(|| {
            Error::new(Kind::Settings, "there is no home directory for the settings")
                .hint("set HOME or LS_TOKEN_CONFIG")
        })?;
        let target = target(path)?;
        let directory = target.parent().unwrap_or(Path::new("/"));
        let created = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        created.map_err(|error| Error::file("create the directory of the settings", directory, &error))?;
        let lock = lock(directory)?;
        let before = file::text_of(environment)?;
        let after = changed(environment, before.as_deref().unwrap_or_default(), change)?;
        let replacement = if before.as_ref() == Some(&after) {
            None
        } else {
            let mode = target.metadata().map_or(0o600, |about| mode(&about));
            Some(AtomicFile::prepare(&target, after.as_bytes(), mode)?)
        };
        Ok(Self { replacement, _lock: lock })
    }

    /// Puts the changed settings into the old ones' place. Other processes wait until this is dropped.
    pub(crate) fn commit(&mut self) -> Result<()> {
        self.replacement.take().map_or(Ok(()), AtomicFile::commit)
    }
}

/// Returns the profiles of the settings file and the name of the default. A file that is not there yet has none, also one
/// that `LS_TOKEN_CONFIG` names.
pub(crate) fn present(environment: &Environment) -> Result<(Vec<Profile>, Option<String>)> {
    let text = file::text_of(environment)?.unwrap_or_default();
    let file = file::parse(environment, &text)?;
    let mut profiles = file.profiles;
    finish(environment, &mut profiles);
    Ok((profiles, file.default))
}

/// Returns the profile as it would be after the change; nothing is written.
pub(crate) fn preview(environment: &Environment, entry: &Entry) -> Result<Profile> {
    let text = file::text_of(environment)?.unwrap_or_default();
    let after = changed(environment, &text, &Change::Put(entry.clone()))?;
    let mut profiles = file::parse(environment, &after)?.profiles;
    finish(environment, &mut profiles);
    let mut profiles = profiles.into_iter();
    profiles.find(|profile| profile.name == entry.name).ok_or_else(|| contradiction(environment))
}

/// Returns the text after the change. It is read again, and every profile but the one concerned must be what it was.
fn changed(environment: &Environment, text: &str, change: &Change) -> Result<String> {
    let before = file::parse(environment, text)?.profiles;
    let names: Vec<&str> = before.iter().map(|profile| profile.name.as_str()).collect();
    let mut document: DocumentMut = text.parse().map_err(|_| contradiction(environment))?;
    let (name, done) = match change {
        Change::Put(entry) => (&entry.name, document::put(&mut document, entry, &names)),
        Change::Remove(name) => (name, document::remove(&mut document, name, &names)),
    };
    done.ok_or_else(|| contradiction(environment))?;
    let after = document.to_string();
    let read = file::parse(environment, &after)?.profiles;
    let others = |profiles: &[Profile]| -> Vec<Profile> {
        profiles.iter().filter(|profile| profile.name != *name).cloned().collect()
    };
    let is_there = read.iter().any(|profile| profile.name == *name);
    if others(&before) != others(&read) || is_there != matches!(change, Change::Put(_)) {
        return Err(contradiction(environment));
    }
    Ok(after)
}

/// Makes the error for settings that are read one way and written another.
fn contradiction(environment: &Environment) -> Error {
    Error::new(Kind::Settings, "the settings are written in a way that cannot be changed safely")
        .with(Fact::File, environment.shown_config())
        .hint("change the profile by hand; `ls-token --help` shows one")
}

/// Returns the file to write: where the path is a symbolic link, what that leads to.
fn target(path: &Path) -> Result<PathBuf> {
    if !path.is_symlink() {
        return Ok(path.to_owned());
    }
    path.canonicalize().map_err(|error| {
        Error::file("follow the symbolic link of the settings", path, &error)
            .hint("create the file that it leads to, or remove the link")
    })
}

/// Returns the permissions that the new file gets.
fn mode(about: &Metadata) -> u32 {
    about.mode() & 0o777
}

/// Waits until no other process changes the settings. The lock is the directory's, as a file for it would lie between the
/// user's own. Where there are no locks, it goes on without.
fn lock(directory: &Path) -> Result<Option<File>> {
    let Ok(file) = File::open(directory) else {
        return Ok(None);
    };
    let mut waiting = Spinner::begin("another ls-token that changes the settings".into());
    loop {
        match file.try_lock_exclusive() {
            Ok(()) => return Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.raw_os_error() == fs2::lock_contended_error().raw_os_error() => {
                if waiting.elapsed() > PATIENCE {
                    let what = format!("another ls-token changes the settings, for {} s already", PATIENCE.as_secs());
                    return Err(Error::new(Kind::LockTimeout, what)
                        .with(Fact::Directory, directory.display())
                        .hint("try again"));
                }
                std::thread::sleep(TICK / 4);
            }
            Err(_) => return Ok(None),
        }
        waiting.tick()?;
    }
}
