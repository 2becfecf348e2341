//! Files that are written whole or not at all, and what becomes of the temporary copies that a killed process left.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Dir, Mode, OFlags};
use tempfile::{Builder, NamedTempFile};

use super::files::{parent, remove};
use crate::error::{Error, Result};

/// The beginning of temporary files' names. The name of the file to replace follows, then random letters.
const TEMPORARY_PREFIX: &str = ".ls-token-new-";

/// The most that is taken of that name, in bytes: a name may have 255 (`NAME_MAX`).
const MAX_NAME_IN_PREFIX: usize = 180;

/// The age at which a temporary file can only be the remains of a killed process.
const STALE_AFTER: Duration = Duration::from_secs(600);

/// A file that is ready to replace another in one step: written beside it, flushed to the disk, then renamed over it.
/// Whatever happens meanwhile, the old one or the new one is there, whole. It vanishes where it does not get that far.
pub(crate) struct AtomicFile {
    file: NamedTempFile,
    target: PathBuf,
}

impl AtomicFile {
    /// Writes the content beside the target, which may be absent but not a symbolic link: that would be replaced.
    pub(crate) fn prepare(target: &Path, content: &[u8], mode: u32) -> Result<Self> {
        let write = || {
            let file = write_temporary(target, content)?;
            file.as_file().set_permissions(Permissions::from_mode(mode))?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        let file = write().map_err(|error| cannot_write(target, &error))?;
        Ok(Self { file, target: target.to_owned() })
    }

    pub(crate) fn commit(self) -> Result<()> {
        let Self { file, target } = self;
        file.persist(&target).map_err(|error| cannot_write(&target, &error.error))?;
        sync_directory(parent(&target));
        Ok(())
    }
}

/// Replaces a file that can be made again, or an empty directory: like `AtomicFile`, but without a wait for the disk.
pub(crate) fn replace_quickly(target: &Path, content: &[u8]) -> io::Result<()> {
    let file = write_temporary(target, content)?;
    if target.symlink_metadata().is_ok_and(|about| about.is_dir()) {
        // Only an empty one goes; what someone keeps there is not ours.
        fs::remove_dir(target)?;
    }
    file.persist(target).map_err(|error| error.error)?;
    Ok(())
}

/// Writes a file as one that is to be replaced would be, and leaves nothing of it.
pub(crate) fn try_out(target: &Path) -> io::Result<()> {
    write_temporary(target, &[0; 4096])?.close()
}

/// Makes a file that is not there yet, for this user alone, and waits until the disk has it.
pub(crate) fn create_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    written.inspect_err(|_| _ = fs::remove_file(path))?;
    sync_directory(parent(path));
    Ok(())
}

/// Writes a temporary file beside the target, with mode 0600, after removing what killed processes left there.
fn write_temporary(target: &Path, content: &[u8]) -> io::Result<NamedTempFile> {
    let directory = parent(target);
    // One that cannot be removed keeps nobody from writing another.
    let _ = remove_temporary(directory, TEMPORARY_PREFIX.as_bytes(), STALE_AFTER);
    let mut file = Builder::new().prefix(OsStr::from_bytes(&temporary_prefix(target))).tempfile_in(directory)?;
    file.write_all(content)?;
    Ok(file)
}

/// Waits until the disk has the names in a directory. Some file systems cannot do that, and it is done all the same.
fn sync_directory(directory: &Path) {
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
}

/// Removes the copies of a file that killed processes left; the caller holds its lock. Returns whether there were any.
pub(crate) fn remove_copies(target: &Path) -> io::Result<bool> {
    remove_temporary(parent(target), &temporary_prefix(target), Duration::ZERO)
}

/// Removes all copies of files in a directory that killed processes left. Returns whether there were any.
pub(crate) fn remove_copies_in(directory: &Path) -> io::Result<bool> {
    remove_temporary(directory, TEMPORARY_PREFIX.as_bytes(), Duration::ZERO)
}

fn temporary_prefix(target: &Path) -> Vec<u8> {
    let name = target.file_name().unwrap_or_default().as_bytes();
    let name = name.get(..MAX_NAME_IN_PREFIX).unwrap_or(name);
    [TEMPORARY_PREFIX.as_bytes(), name, b"-"].concat()
}

/// Removes temporary files of an age. Not by `std::fs::read_dir`, which panics when closing the directory fails.
fn remove_temporary(directory: &Path, prefix: &[u8], age: Duration) -> io::Result<bool> {
    let opened = rustix::fs::open(directory, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let mut removed = Ok(false);
    for entry in opened.and_then(Dir::read_from).into_iter().flatten().flatten() {
        let name = entry.file_name().to_bytes();
        let path = directory.join(OsStr::from_bytes(name));
        let age_of = |about: Metadata| about.modified().ok()?.elapsed().ok();
        let is_old = || path.symlink_metadata().ok().and_then(age_of).is_some_and(|old| old > age);
        if name.starts_with(prefix) && (age.is_zero() || is_old()) {
            let done = remove(&path);
            removed = removed.and_then(|_| done.map(|()| true));
        }
    }
    removed
}

fn cannot_write(target: &Path, error: &io::Error) -> Error {
    Error::file("write the file", target, error)
        .hint("check the permissions of its directory, and the room on the disk")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_not_made_anew() {
        let file = NamedTempFile::new().unwrap();
        assert!(create_new(file.path(), b"x").is_err() && fs::read(file.path()).unwrap().is_empty());
    }
}
