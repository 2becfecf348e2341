//! The folder that caches and locks lie in: the user's own, and open to nobody else, or none at all.

use std::fs::{DirBuilder, symlink_metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::system::environment::Environment;
use crate::system::process::user;

/// A folder for caches, looked at but not yet created.
#[derive(Debug)]
pub(crate) enum Folder {
    /// It is there, and it is private.
    Ready(PathBuf),
    /// It is not there, but may be created.
    Absent(PathBuf),
    /// There is none to use: why not.
    None(Error),
}

impl Folder {
    /// Finds the folder: what `LS_TOKEN_CACHE_DIR` names, else `ls-token` in the user's folder in memory, else in the
    /// user's cache folder.
    pub(super) fn find() -> Self {
        match Environment::named_cache_folder() {
            Ok(Some(path)) => return Self::look(path),
            Ok(None) => {}
            Err(error) => return Self::None(error),
        }
        let mut refused = Self::None(
            Error::new(Kind::Files, "there is no folder for the cache").hint("set HOME or LS_TOKEN_CACHE_DIR"),
        );
        for base in Environment::cache_parents() {
            match Self::look(base.join("ls-token")) {
                Self::None(why) => refused = Self::None(why),
                usable => return usable,
            }
        }
        refused
    }

    /// Looks at one place.
    fn look(path: PathBuf) -> Self {
        let refused = |why: &str, hint: String| {
            Self::None(
                Error::new(Kind::Files, format!("the cache folder {why}, so it is not used"))
                    .with("folder", path.display())
                    .hint(hint),
            )
        };
        match symlink_metadata(&path) {
            Ok(about) if !about.is_dir() => {
                refused("is not a folder", "move it away, or name another with LS_TOKEN_CACHE_DIR".into())
            }
            Ok(about) if about.uid() != user() => {
                refused("belongs to another user", "name a folder of your own with LS_TOKEN_CACHE_DIR".into())
            }
            Ok(about) if about.mode() & 0o077 != 0 => {
                refused("is open to others", format!("chmod 700 {}", shell_words::quote(&path.to_string_lossy())))
            }
            Ok(_) => Self::Ready(path),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if nearest_is_ours(&path) {
                    Self::Absent(path)
                } else {
                    refused(
                        "would lie in another user's folder",
                        "name a folder of your own with LS_TOKEN_CACHE_DIR".into(),
                    )
                }
            }
            Err(error) => {
                refused(&format!("cannot be looked at ({error})"), "name another with LS_TOKEN_CACHE_DIR".into())
            }
        }
    }

    /// Returns where the folder is or will be: another process may create it at any moment.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Ready(path) | Self::Absent(path) => Some(path),
            Self::None(_) => None,
        }
    }

    /// Returns the folder, creating it with mode 0700 where it is not there.
    pub(super) fn create(&self) -> Result<&Path> {
        match self {
            Self::Ready(path) => Ok(path),
            Self::None(why) => Err(why.clone()),
            Self::Absent(path) => {
                let created = DirBuilder::new().recursive(true).mode(0o700).create(path);
                created.map_err(|error| Error::file("create the cache folder", path, &error))?;
                // Someone else may have been faster.
                if matches!(Self::look(path.clone()), Self::Ready(_)) {
                    return Ok(path);
                }
                Err(Error::new(Kind::Files, "the cache folder is not private, so it is not used")
                    .with("folder", path.display()))
            }
        }
    }
}

/// Tells whether the nearest folder above the path that is there belongs to this user, or is one in which everybody
/// may create folders of their own (`/tmp`).
fn nearest_is_ours(path: &Path) -> bool {
    const STICKY: u32 = 0o1000;
    let nearest = path.ancestors().skip(1).find_map(|folder| folder.metadata().ok());
    nearest.is_some_and(|about| about.is_dir() && (about.uid() == user() || about.mode() & STICKY != 0))
}
