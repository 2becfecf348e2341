//! Finds the programs that are run: op, curl, a profile's command.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::system::search_path;
use crate::types::untrusted;

/// Returns the path of a program, its own or from PATH: not in the current directory, which may be somebody else's.
pub(crate) fn find(name: &str) -> Result<PathBuf> {
    if name.starts_with('/') {
        return check(PathBuf::from(name));
    }
    let candidates = search_path().into_iter().map(|directory| directory.join(OsStr::new(name)));
    candidates.into_iter().find(|path| is_executable(path)).ok_or_else(|| {
        Error::new(Kind::CommandNotFound, format!("the program {} is not in PATH", name.escape_default()))
            .hint("install it, or add its directory to PATH (relative directories in PATH are ignored)")
    })
}

/// Returns the path of a program that the user names on the command line: also a relative one, as that is meant.
pub(crate) fn find_for_user(name: &OsStr) -> Result<PathBuf> {
    if name.as_bytes().contains(&b'/') {
        return check(PathBuf::from(name));
    }
    find(&name.to_string_lossy())
}

fn check(path: PathBuf) -> Result<PathBuf> {
    if is_executable(&path) {
        return Ok(path);
    }
    let (kind, what) = if path.exists() {
        (Kind::NotExecutable, "is not executable")
    } else {
        (Kind::CommandNotFound, "does not exist")
    };
    let shown = untrusted(&path.to_string_lossy());
    Err(Error::new(kind, format!("the program {shown} {what}")).hint("check its path and its permissions"))
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}
