//! Temporary files, which are written beside a file and renamed over it: their name, and what becomes of those that killed
//! processes left behind.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Dir, Mode, OFlags};

/// The beginning of temporary files' names.
pub(crate) const TEMPORARY: &str = ".ls-token-new-";

/// The age at which a temporary file can only be the remains of a killed process.
const ABANDONED: Duration = Duration::from_secs(600);

/// Removes what killed processes left behind. Not by `std::fs::read_dir`, which panics when closing the folder fails.
pub(crate) fn sweep(folder: &Path) {
    let opened = rustix::fs::open(folder, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    for entry in opened.and_then(Dir::read_from).into_iter().flatten().flatten() {
        if !entry.file_name().to_bytes().starts_with(TEMPORARY.as_bytes()) {
            continue;
        }
        let path = folder.join(OsStr::from_bytes(entry.file_name().to_bytes()));
        let age = || path.symlink_metadata().ok()?.modified().ok()?.elapsed().ok();
        if age().is_some_and(|age| age > ABANDONED) {
            let _ = fs::remove_file(&path);
        }
    }
}
