//! Where a new personal access token goes: to where the source reads it, or to a file that the user names.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::{Access, access};

use crate::error::{Error, Kind, Result};
use crate::settings::Profile;
use crate::source::store;
use crate::types::secret::Secret;

/// The place of a new token.
pub(super) enum Place<'a> {
    /// Where the profile's source reads it.
    Source(&'a Profile),
    /// A file that is not there yet.
    File(&'a Path),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(profile) => out.write_str(&profile.source.place()),
            Self::File(path) => write!(out, "{}", path.display()),
        }
    }
}

impl<'a> Place<'a> {
    /// Returns the place that is asked for.
    pub(super) fn of(profile: &'a Profile, file: Option<&'a Path>) -> Self {
        file.map_or(Self::Source(profile), Self::File)
    }

    /// Tells whether the source reads the token from here.
    pub(super) fn is_the_sources(&self) -> bool {
        matches!(self, Self::Source(_))
    }

    /// Refuses a place that cannot be written to, without changing anything.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::Source(profile) => store::can_save(&profile.source, &profile.secret_variables).map_err(|error| {
                let hint = format!("{}; or name a file for the new one: ls-token rotate --output FILE", error.hint);
                error.hint(hint)
            }),
            Self::File(path) => check_file(path),
        }
    }

    /// Saves the token.
    pub(super) fn save(&self, pat: &Secret) -> Result<()> {
        match self {
            Self::Source(profile) => store::save(&profile.source, pat, &profile.secret_variables),
            Self::File(path) => write_file(path, pat),
        }
    }
}

/// Refuses a file that is there already, or cannot be made.
fn check_file(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        return Err(Error::new(Kind::Files, "there is a file of that name already")
            .with("file", path.display())
            .hint("name one that is not there yet"));
    }
    access(folder_of(path), Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        Error::file("make the file for the new token", path, &error.into())
            .hint("name a file in a folder that you may write to")
    })
}

/// Writes a file for this user alone, and waits until the disk has it.
fn write_file(path: &Path, pat: &Secret) -> Result<()> {
    let line = Secret::new(format!("{}\n", pat.expose()));
    let write = |mut file: File| {
        file.write_all(line.expose().as_bytes())?;
        file.sync_all()
    };
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.and_then(|file| {
        write(file).inspect_err(|_| {
            let _ = fs::remove_file(path);
        })
    })
    .map_err(|error| Error::file("write the new token", path, &error))?;
    // A folder that may not be read, or a file system that knows no such call, is no reason to give the token up.
    let _ = File::open(folder_of(path)).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Returns the folder that a file lies in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
