//! The directory that caches and locks lie in: the user's own, and open to nobody else, or none at all.

use std::path::PathBuf;

use crate::error::{Error, Kind, Result};
use crate::system::{
    Environment, PrivateDirectory, Purpose,
    files::{look_at_directory, make_private_directory},
    user,
};

/// What the directory is called, and how to get another.
const CACHE: Purpose = Purpose { name: "the cache directory", remedy: "name another with LS_TOKEN_CACHE_DIR" };

/// A directory for caches, looked at but not yet created: another process may create it at any moment.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) path: PathBuf,
    state: PrivateDirectory,
}

impl Directory {
    /// Finds the directory: what `LS_TOKEN_CACHE_DIR` names, else `ls-token` in the user's directory in memory, else in
    /// the user's cache directory.
    pub(super) fn find() -> Result<Self> {
        if let Some(path) = Environment::named_cache_directory()? {
            return Self::look(path);
        }
        let none = Error::new(Kind::Io, "there is no directory for the cache");
        let mut found = Err(none.hint("set HOME or LS_TOKEN_CACHE_DIR"));
        for parent in Environment::cache_parents() {
            found = Self::look(parent.join("ls-token"));
            if found.is_ok() {
                break;
            }
        }
        found
    }

    /// Lists every directory that a call of this user may cache in, whatever its environment: a cron job has no
    /// `XDG_RUNTIME_DIR`, and a login session has. Only those that are there and private.
    pub(super) fn every() -> Vec<PathBuf> {
        let in_memory = PathBuf::from(format!("/run/user/{}", user()));
        let usual = Environment::cache_parents().chain([in_memory]).map(|parent| parent.join("ls-token"));
        let mut all: Vec<PathBuf> =
            Environment::named_cache_directory().ok().flatten().into_iter().chain(usual).collect();
        all.retain(|path| matches!(look_at_directory(path, &CACHE), Ok(PrivateDirectory::Ready)));
        all.sort_unstable();
        all.dedup();
        all
    }

    fn look(path: PathBuf) -> Result<Self> {
        let state = look_at_directory(&path, &CACHE)?;
        Ok(Self { path, state })
    }

    /// Returns the path of a file in the directory, which is created with mode 0700 where it is not there.
    pub(super) fn create_for(&self, name: &str) -> Result<PathBuf> {
        if matches!(self.state, PrivateDirectory::Absent) {
            make_private_directory(&self.path, &CACHE)?;
        }
        Ok(self.path.join(name))
    }
}
