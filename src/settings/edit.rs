//! Changes the settings file for `login` and `logout`: comments, order, other profiles and a symbolic link stay, a file
//! with a fault is not touched. What reads it checks the result; what cannot be written is found out before all else.

use std::convert::Infallible;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, access};

use super::document::{Document, ProfileEntry};
use super::file;
use super::profile::Profile;
use super::profiles::finish;
use crate::error::{Error, Fact, Kind, Result};
use crate::system::{
    AtomicFile, Environment, files,
    flock::{self, Outcome},
    user,
};
use crate::types::untrusted;

/// How long another process may take to change the settings: `login` and `logout` ask a keyring or a server meanwhile,
/// and a keyring may ask its user to unlock it, more than once.
const EDIT_LOCK_TIMEOUT: Duration = Duration::from_secs(120);

#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A profile is to be there, with these keys; it keeps those that are not named.
    Put(ProfileEntry),
    Remove(String),
}

impl Change {
    fn name(&self) -> &str {
        match self {
            Self::Put(entry) => &entry.name,
            Self::Remove(name) => name,
        }
    }

    /// Returns the text after this change; `None` where it is in a form that cannot be changed.
    fn of(&self, text: &str) -> Option<String> {
        let document = Document::parse(text)?;
        match self {
            Self::Put(entry) => document.put(entry),
            Self::Remove(name) => document.remove(name),
        }
    }

    /// Adds to an error what its user can do instead: make this change by hand.
    fn by_hand(&self, text: &str, mut error: Error) -> Error {
        let Some(document) = Document::parse(text) else { return error };
        let (lines, instead) = match self {
            Self::Put(entry) => (document.lines_to_write(entry), "write these lines by hand, and log in again"),
            Self::Remove(name) => (document.lines_to_remove(name), "remove these lines by hand"),
        };
        for line in lines {
            error.facts.push((Fact::Line, untrusted(&line)));
        }
        error.hint(instead)
    }
}

/// The changed settings, written beside the old ones, while no other process changes them.
pub(crate) struct Draft {
    /// The file that is to take the old one's place; `None` where nothing changes.
    replacement: Option<AtomicFile>,
    /// The open directory that the lock belongs to.
    _lock: Option<File>,
}

impl Draft {
    pub(crate) fn prepare(environment: &Environment, change: &Change) -> Result<Self> {
        let target = target(environment)?;
        let directory = files::parent(&target);
        if !directory.exists() {
            check_writable(&target)?;
            let created = DirBuilder::new().recursive(true).mode(0o700).create(directory);
            created.map_err(|error| Error::file("create the directory of the settings", directory, &error))?;
        }
        let lock = lock(directory)?;
        let replacement = replacement(environment, &target, change)?;
        Ok(Self { replacement, _lock: lock })
    }

    /// Puts the changed settings into the old ones' place. Other processes wait until this is dropped.
    pub(crate) fn commit(&mut self) -> Result<()> {
        self.replacement.take().map_or(Ok(()), AtomicFile::commit)
    }
}

/// Writes the changed settings beside the old ones, where there is a directory for them; `None` where nothing changes.
fn replacement(environment: &Environment, target: &Path, change: &Change) -> Result<Option<AtomicFile>> {
    let before = file::text_of(environment)?.unwrap_or_default();
    let after = changed(environment, &before, change)?;
    if before == after {
        return Ok(None);
    }
    let write = || {
        check_writable(target)?;
        if !files::parent(target).exists() {
            return Ok(None);
        }
        let mode = target.metadata().map_or(0o600, |about| about.mode() & 0o777);
        AtomicFile::prepare(target, after.as_bytes(), mode).map(Some)
    };
    write().map_err(|error| change.by_hand(&before, error))
}

/// Returns the profiles of the settings file and the default's name. A file that is not there has none, named or not.
pub(crate) fn present(environment: &Environment) -> Result<(Vec<Profile>, Option<String>)> {
    let mut file = file::parse(environment, &file::text_of(environment)?.unwrap_or_default())?;
    finish(environment, &mut file.profiles);
    Ok((file.profiles, file.default))
}

/// Returns the profile as it would be after the change, and proves that it can be made; nothing is changed.
pub(crate) fn preview(environment: &Environment, entry: &ProfileEntry) -> Result<Profile> {
    // By itself first: a fault of the entry's is on no line of the file.
    let alone = Change::Put(ProfileEntry { allow_http: true, ..entry.clone() }).of("").unwrap_or_default();
    file::parse(environment, &alone).map_err(|mut error| {
        error.facts.retain(|(fact, _)| *fact != Fact::File);
        error
    })?;
    let text = file::text_of(environment)?.unwrap_or_default();
    let change = Change::Put(entry.clone());
    let after = changed(environment, &text, &change)?;
    let mut profiles = file::parse(environment, &after)?.profiles;
    finish(environment, &mut profiles);
    let found = profiles.into_iter().find(|profile| profile.name == entry.name);
    let profile = found.ok_or_else(|| refused(environment, &text, &change))?;
    replacement(environment, &target(environment)?, &change)?;
    Ok(profile)
}

/// Returns the text after the change. It is read again, and every profile but the one concerned must be what it was.
fn changed(environment: &Environment, text: &str, change: &Change) -> Result<String> {
    let before = file::parse(environment, text)?;
    let refused = || refused(environment, text, change);
    let after = change.of(text).ok_or_else(refused)?;
    let read = file::parse(environment, &after)?;
    let is_other = |profile: &&Profile| profile.name != change.name();
    let others_are_kept = before.profiles.iter().filter(is_other).eq(read.profiles.iter().filter(is_other));
    let default_is_kept = before.default.is_none_or(|name| name == change.name() || read.default == Some(name));
    let is_done = match change {
        Change::Put(_) => change.of(&after).as_ref() == Some(&after),
        Change::Remove(name) => read.profiles.iter().all(|profile| profile.name != *name),
    };
    if others_are_kept && default_is_kept && is_done { Ok(after) } else { Err(refused()) }
}

fn refused(environment: &Environment, text: &str, change: &Change) -> Error {
    let what = "the settings are written in a form that ls-token does not change";
    change.by_hand(text, Error::new(Kind::Settings, what).with(Fact::File, environment.shown_config()))
}

/// Returns the file to write: where the settings are a symbolic link, what that leads to.
fn target(environment: &Environment) -> Result<PathBuf> {
    let path = environment.config()?.ok_or_else(|| {
        Error::new(Kind::Settings, "there is no home directory for the settings").hint("set HOME or LS_TOKEN_CONFIG")
    })?;
    if !path.is_symlink() {
        return Ok(path.to_owned());
    }
    path.canonicalize().map_err(|error| {
        Error::file("follow the symbolic link of the settings", path, &error)
            .hint("create the file that it leads to, or remove the link")
    })
}

/// Refuses settings that this user may not replace, and another's directory: what root leaves there would lock them out.
fn check_writable(target: &Path) -> Result<()> {
    let directory = files::parent(target);
    let directory = directory.ancestors().find(|above| above.symlink_metadata().is_ok()).unwrap_or(directory);
    let refuse = |path: &Path, why: &str, hint: &str| {
        let error = Error::new(Kind::Io, format!("cannot write the settings: {why}"));
        let error = error.with(Fact::File, target.display()).hint(hint);
        Err(if path == target { error } else { error.with(Fact::Directory, path.display()) })
    };
    for (path, needed) in [(target, Access::WRITE_OK), (directory, Access::WRITE_OK | Access::EXEC_OK)] {
        let owner = match path.metadata() {
            Ok(about) => about.uid(),
            Err(error) if path == target && error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return refuse(path, &error.to_string(), "remove the link, or create what it leads to"),
        };
        if owner != user() && (owner != 0 || path == target) {
            let what = if path == target { "file" } else { "directory" };
            // Root's are not to be changed as root: a package or a home manager has put them there.
            let (whose, hint) = match owner {
                0 => ("root", "change them where they are made, or name other settings with LS_TOKEN_CONFIG"),
                _ => ("another user", "run this as that user"),
            };
            return refuse(path, &format!("the {what} belongs to {whose}"), hint);
        }
        if let Err(error) = access(path, needed) {
            return refuse(path, &io::Error::from(error).to_string(), "make it writable");
        }
    }
    Ok(())
}

/// Waits until no other process changes the settings, where there are locks: the directory's, to leave no file about.
fn lock(directory: &Path) -> Result<Option<File>> {
    let Ok(file) = File::open(directory) else { return Ok(None) };
    let outcome = flock::wait(&file, "another ls-token that changes the settings", |waited| {
        match waited.filter(|waited| *waited > EDIT_LOCK_TIMEOUT) {
            None => Ok(None::<Infallible>),
            Some(waited) => {
                let what = format!("another ls-token has been changing the settings for {} s", waited.as_secs());
                let error = Error::new(Kind::LockTimeout, what).with(Fact::Directory, directory.display());
                Err(error.hint("try again"))
            }
        }
    })?;
    Ok(matches!(outcome, Outcome::Locked { .. }).then_some(file))
}
