//! A file that takes another's place in one step: written beside it, flushed to the disk, then renamed over it. Whatever
//! happens meanwhile, the old one or the new one is there, whole.

use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::error::{Error, Result};
use crate::system::stale_files::{TEMPORARY, sweep};

/// A file that is ready to take another's place, and vanishes where it does not.
pub(crate) struct Replacement {
    /// What is written, under a temporary name.
    file: NamedTempFile,
    /// The file whose place it takes.
    target: PathBuf,
}

impl Replacement {
    /// Writes the content beside the target, which may be absent but not a symbolic link: that would be replaced.
    pub(crate) fn prepare(target: &Path, content: &[u8], mode: u32) -> Result<Self> {
        let folder = target.parent().unwrap_or(Path::new("/"));
        sweep(folder);
        let write = || {
            let mut file = Builder::new().prefix(TEMPORARY).tempfile_in(folder)?;
            file.write_all(content)?;
            file.as_file().set_permissions(Permissions::from_mode(mode))?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        let target = target.to_owned();
        match write() {
            Ok(file) => Ok(Self { file, target }),
            Err(error) => Err(failed(&target, &error)),
        }
    }

    /// Takes the place.
    pub(crate) fn commit(self) -> Result<()> {
        let Self { file, target } = self;
        file.persist(&target).map_err(|error| failed(&target, &error.error))?;
        // The new name is on the disk when its folder is. Some file systems cannot do that, and it is done all the same.
        if let Some(folder) = target.parent().and_then(|folder| File::open(folder).ok()) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

/// Makes the error for a file that could not be written.
fn failed(target: &Path, error: &std::io::Error) -> Error {
    Error::file("write the file", target, error).hint("may you write to its folder, and is there room on the disk?")
}
