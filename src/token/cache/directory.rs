//! The directory that caches and locks lie in: the user's own, and open to nobody else, or none at all.

use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::system::{
    Environment, PrivateDirectory, Purpose,
    files::{look_at_directory, make_private_directory},
    user,
};

/// What the directory is called, and how to get another.
const CACHE: Purpose = Purpose { name: "the cache directory", remedy: "name another with LS_TOKEN_CACHE_DIR" };

/// A directory for caches, looked at but not yet created.
#[derive(Debug)]
pub(super) enum Directory {
    Ready(PathBuf),
    Absent(PathBuf),
    /// There is none to use: why not.
    None(Error),
}

impl Directory {
    /// Finds the directory: what `LS_TOKEN_CACHE_DIR` names, else `ls-token` in the user's directory in memory, else in
    /// the user's cache directory.
    pub(super) fn find() -> Self {
        match Environment::named_cache_directory() {
            Ok(Some(path)) => return Self::look(path),
            Ok(None) => {}
            Err(error) => return Self::None(error),
        }
        let mut refused = Self::None(
            Error::new(Kind::Io, "there is no directory for the cache").hint("set HOME or LS_TOKEN_CACHE_DIR"),
        );
        for base in Environment::cache_parents() {
            match Self::look(base.join("ls-token")) {
                Self::None(why) => refused = Self::None(why),
                usable => return usable,
            }
        }
        refused
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

    fn look(path: PathBuf) -> Self {
        match look_at_directory(&path, &CACHE) {
            Ok(PrivateDirectory::Ready) => Self::Ready(path),
            Ok(PrivateDirectory::Absent) => Self::Absent(path),
            Err(why) => Self::None(why),
        }
    }

    /// Returns where the directory is or will be: another process may create it at any moment.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Ready(path) | Self::Absent(path) => Some(path),
            Self::None(_) => None,
        }
    }

    /// Returns the directory, creating it with mode 0700 where it is not there.
    pub(super) fn create(&self) -> Result<&Path> {
        match self {
            Self::Ready(path) => Ok(path),
            Self::Absent(path) => make_private_directory(path, &CACHE).map(|()| path.as_path()),
            Self::None(why) => Err(why.clone()),
        }
    }
}
