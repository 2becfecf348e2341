//! The directory that caches and locks lie in: the user's own, and open to nobody else, or none at all.

use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::system::files::{can_make_private_directory, check_private_directory, make_private_directory};
use crate::system::{Environment, Purpose, user};

/// What the directory is called, and how to get another.
const CACHE: Purpose = Purpose { name: "the cache directory", remedy: "name another with LS_TOKEN_CACHE_DIR" };

/// Finds the directory: what `LS_TOKEN_CACHE_DIR` names, else `ls-token` in memory, else in the user's cache directory. One
/// that is there and not private is refused; where none can be made, it is below a directory that is everybody's.
pub(super) fn find() -> Result<PathBuf> {
    if let Some(path) = Environment::named_cache_directory()? {
        return check_private_directory(&path, &CACHE).map(|()| path);
    }
    let (mut is_there, mut last) = (false, None);
    for path in Environment::cache_parents().map(|parent| parent.join("ls-token")) {
        let Err(refusal) = check_private_directory(&path, &CACHE) else { return Ok(path) };
        is_there |= path.symlink_metadata().is_ok();
        last = Some(refusal);
    }
    let mut shared = Environment::shared_cache_directories();
    if let (false, Some(path)) = (is_there, shared.find(|path| can_make_private_directory(path, &CACHE).is_ok())) {
        return Ok(path);
    }
    Err(last.unwrap_or_else(|| {
        Error::new(Kind::Io, "there is no directory for the cache").hint("set HOME or LS_TOKEN_CACHE_DIR")
    }))
}

/// Lists every directory that a call of this user may cache in, whatever its environment: a cron job has no
/// `XDG_RUNTIME_DIR`, and a login session has. Only those that are there and private.
pub(super) fn every() -> Vec<PathBuf> {
    let in_memory = PathBuf::from(format!("/run/user/{}", user()));
    let usual = Environment::cache_parents().chain([in_memory]).map(|parent| parent.join("ls-token"));
    let usual = usual.chain(Environment::shared_cache_directories());
    let mut all = Vec::new();
    for path in Environment::named_cache_directory().ok().flatten().into_iter().chain(usual) {
        if path.exists() && check_private_directory(&path, &CACHE).is_ok() && !all.contains(&path) {
            all.push(path);
        }
    }
    all
}

/// Creates the directory with mode 0700 where it is not there. Another process may have done so since it was looked at.
pub(super) fn create(path: &Path) -> Result<()> {
    if path.exists() { check_private_directory(path, &CACHE) } else { make_private_directory(path, &CACHE) }
}
