//! Finds the programs that are run: op, curl, a profile's command.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::settings::search_path;

/// Returns the path of a program, by its own path or from PATH. Never one in the current folder, which may be somebody
/// else's: PATH's empty and relative elements are passed over.
pub(crate) fn find(name: &str) -> Result<PathBuf> {
    if name.starts_with('/') {
        let path = PathBuf::from(name);
        return if is_executable(&path) {
            Ok(path)
        } else {
            let what = if path.exists() {
                "is not executable"
            } else {
                "is not there"
            };
            Err(Error::new(
                Kind::Missing,
                format!("the program {} {what}", name.escape_default()),
            ))
        };
    }
    let candidates = search_path()
        .into_iter()
        .map(|folder| folder.join(OsStr::new(name)));
    candidates
        .into_iter()
        .find(|path| is_executable(path))
        .ok_or_else(|| {
            Error::new(
                Kind::Missing,
                format!("the program {} is not in PATH", name.escape_default()),
            )
            .hint(
                "install it, or add its folder to PATH (relative folders in PATH are passed over)",
            )
        })
}

/// Returns the path of a program that the user names on the command line, where a path relative to the current folder
/// is the user's own wish.
pub(crate) fn find_for_user(name: &OsStr) -> Result<PathBuf> {
    let path = PathBuf::from(name);
    if name.as_bytes().contains(&b'/') && is_executable(&path) {
        return Ok(path);
    }
    find(&name.to_string_lossy())
}

/// Tells whether a path is a file that someone may execute.
fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}
