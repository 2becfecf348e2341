//! Where a new personal access token goes: to where the source reads it, or to a file that the user names.

use std::fmt;
use std::path::Path;

use crate::error::{Error, Fact, Kind, Result};
use crate::settings::Profile;
use crate::system::files;
use crate::types::Secret;

pub(super) enum Destination<'a> {
    Source(&'a Profile),
    /// A file that is not there yet.
    File(&'a Path),
}

impl fmt::Display for Destination<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(profile) => out.write_str(&profile.source.location()),
            Self::File(path) => write!(out, "{}", path.display()),
        }
    }
}

impl<'a> Destination<'a> {
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
            Self::Source(profile) => profile
                .pat()
                .can_save()
                .map_err(|error| error.hint("or name a file for the new token: ls-token rotate --output FILE")),
            Self::File(path) => check_file(path),
        }
    }

    pub(super) fn save(&self, pat: &Secret) -> Result<()> {
        match self {
            Self::Source(profile) => profile.pat().save(pat),
            Self::File(path) => {
                let line = Secret::new(format!("{}\n", pat.expose()));
                files::create_new(path, line.expose().as_bytes())
                    .map_err(|error| Error::file("write the new token", path, &error))
            }
        }
    }
}

/// Refuses a file that is there already, or cannot be made.
fn check_file(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        return Err(Error::new(Kind::Io, "a file of that name exists already")
            .with(Fact::File, path.display())
            .hint("name one that does not exist yet"));
    }
    files::can_create_in(files::parent(path)).map_err(|error| {
        Error::file("create the file for the new token", path, &error)
            .hint("name a file in a directory that you may write to")
    })
}
