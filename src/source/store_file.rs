//! A personal access token in a file: the user's own (`file:`), or one of the store's (`stored`), which lies in a folder
//! that nobody else can look into.

use std::fs::{self, DirBuilder, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::error::{Error, Kind, Result};
use crate::source::check_privacy;
use crate::system::atomic_file::Replacement;
use crate::system::process::user;
use crate::types::secret::Secret;

/// Proves that a file of the store can be written.
pub(super) fn can_create(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    check_above(folder)?;
    match folder.symlink_metadata() {
        Ok(_) => {
            check_folder(folder)?;
            if path.is_dir() {
                return Err(refused("there is a folder in the place of the stored token", path, "move it away"));
            }
            check_writable(folder)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let nearest = folder.ancestors().find(|above| above.exists());
            check_writable(nearest.unwrap_or(folder))
        }
        Err(error) => Err(Error::file("look at the folder of stored tokens", folder, &error)),
    }
}

/// Writes a file of the store, and its folder where it is not there.
pub(super) fn create(path: &Path, pat: &Secret) -> Result<()> {
    can_create(path)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let created = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    created.map_err(|error| Error::file("create the folder of stored tokens", folder, &error))?;
    check_folder(folder)?;
    write(path, pat, 0o600)
}

/// Proves that the user's own file can be written.
pub(super) fn can_replace(path: &Path) -> Result<()> {
    target(path).map(|_| ())
}

/// Writes the user's own file, which keeps its mode. Where its path is a symbolic link, that stays one.
pub(super) fn replace(path: &Path, pat: &Secret) -> Result<()> {
    let (target, about) = target(path)?;
    write(&target, pat, about.mode() & 0o7777)
}

/// Removes a file of the store. Returns whether there was one.
pub(super) fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(Error::file("remove the stored token", path, &error)),
    }
}

/// Writes a token and a newline.
fn write(path: &Path, pat: &Secret, mode: u32) -> Result<()> {
    let line = Secret::new(format!("{}\n", pat.expose()));
    Replacement::prepare(path, line.expose().as_bytes(), mode)?.commit()
}

/// Returns the file that a path leads to, if it is a private one of this user in a folder that can be written.
fn target(path: &Path) -> Result<(PathBuf, Metadata)> {
    let look = || -> io::Result<(PathBuf, Metadata)> {
        let target = path.canonicalize()?;
        let about = target.metadata()?;
        Ok((target, about))
    };
    let (target, about) =
        look().map_err(|error| Error::file("find the file of the personal access token", path, &error))?;
    check_privacy(path, &about)?;
    if about.uid() != user() {
        return Err(refused(
            "the file of the personal access token is root's, and not ls-token's to change",
            path,
            "save the new token there by hand",
        ));
    }
    let folder = target.parent().unwrap_or(Path::new("/"));
    check_writable(folder)?;
    if is_mount_point(&target, folder) {
        return Err(refused(
            "the file of the personal access token is a mount point, which no other file can take the place of",
            path,
            "save the new token there by hand, where it is mounted from",
        ));
    }
    Ok((target, about))
}

/// Tells whether the file is mounted by itself, as containers do; where the system cannot tell, it is not.
fn is_mount_point(file: &Path, folder: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
        let mount = |path: &Path| {
            let about = statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
            (about.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(about.stx_mnt_id)
        };
        mount(file) != mount(folder)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (file, folder);
        false
    }
}

/// Refuses a folder for stored tokens that is not the user's alone.
fn check_folder(folder: &Path) -> Result<()> {
    let about =
        folder.metadata().map_err(|error| Error::file("look at the folder of stored tokens", folder, &error))?;
    if !about.is_dir() {
        return Err(refused(
            "there is something other than a folder in the place of the stored tokens",
            folder,
            "move it away",
        ));
    }
    if about.uid() != user() {
        return Err(refused(
            "the folder of stored tokens belongs to another user",
            folder,
            "set XDG_DATA_HOME to a folder of your own",
        ));
    }
    if about.mode() & 0o077 != 0 {
        let hint = format!("chmod 700 {}", shell_words::quote(&folder.to_string_lossy()));
        return Err(refused("the folder of stored tokens is open to others", folder, &hint));
    }
    Ok(())
}

/// Refuses a place that others could turn into another: below a folder of somebody else's, or one that everybody may
/// write to. Links on the way are followed, and must not be somebody else's either.
pub(crate) fn check_above(folder: &Path) -> Result<()> {
    const STICKY: u32 = 0o1000;
    let ours = |about: &Metadata| about.uid() == user() || about.uid() == 0;
    let real = folder.ancestors().find_map(|above| above.canonicalize().ok());
    let links = folder.ancestors().filter(|above| above.is_symlink());
    let real = real.iter().flat_map(|real| real.ancestors());
    for above in links.chain(real) {
        let about = above.symlink_metadata().map_err(|error| Error::file("look at a folder", above, &error))?;
        let hint = "set XDG_DATA_HOME to a folder of your own";
        if !ours(&about) {
            return Err(refused("stored tokens would lie below what belongs to another user", above, hint));
        }
        if about.is_dir() && about.mode() & 0o002 != 0 && about.mode() & STICKY == 0 {
            let hint = format!("chmod o-w {}", shell_words::quote(&above.to_string_lossy()));
            return Err(refused("stored tokens would lie below a folder that everybody may write to", above, &hint));
        }
    }
    Ok(())
}

/// Refuses a folder in which no file can be made.
fn check_writable(folder: &Path) -> Result<()> {
    access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        Error::file("write to the folder", folder, &error.into())
            .hint("mend its permissions (chmod u+w), or use another source")
    })
}

/// Makes the error for a place that is not used.
fn refused(why: &str, path: &Path, hint: &str) -> Error {
    Error::new(Kind::Files, format!("{why}, so nothing is written")).with("file", path.display()).hint(hint)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_mounted_by_itself_is_told_from_one_of_its_folder() {
        assert!(is_mount_point(Path::new("/proc"), Path::new("/")));
        assert!(!is_mount_point(Path::new("/proc/version"), Path::new("/proc")));
    }
}
