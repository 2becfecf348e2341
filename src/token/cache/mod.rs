//! The cache: one file for each server and source, with the access token and how long it is good. What cannot be read,
//! parsed or trusted is a miss. Reading it takes no lock: files are only ever renamed into place.

mod folder;
mod record;

use std::fs::{self, OpenOptions, remove_dir};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tempfile::Builder;

use crate::error::{Error, Result};
use crate::settings::Profile;
use crate::system::process::user;
use crate::system::stale_files::{TEMPORARY, sweep};
use crate::types::access::Access;
use crate::types::pat::Pat;
use crate::types::secret::sha256;

use folder::Folder;
pub(crate) use record::Record;

/// The largest cache file that is read, in bytes: a token may have 8 KiB.
const LARGEST: u64 = 16 * 1024;

/// The place of one profile's token.
#[derive(Debug)]
pub(crate) struct Cache {
    /// The folder, where there is one to use.
    folder: Folder,
    /// The name of the file: SHA-256 of the server's URL and the source.
    name: String,
    /// The server that a record must be of.
    server: String,
    /// The source's mark that a record must carry; `None` where the source has nothing now.
    stamp: Option<String>,
}

impl Cache {
    /// Finds the place, without creating anything.
    pub(crate) fn find(profile: &Profile) -> Self {
        let server = profile.server.to_string();
        Self {
            folder: Folder::find(),
            name: match profile.source.stored_name() {
                // Made of the server's URL and the profile's name already.
                Some(name) => name.to_owned(),
                None => sha256(&[&server, &profile.source.identity()]),
            },
            stamp: profile.source.stamp(),
            server,
        }
    }

    /// Returns the record, if there is one to be trusted that is of this server and this source's present token.
    pub(crate) fn read(&self) -> Option<Record> {
        let bytes = read_private(&self.file()?)?;
        let record = Record::from_bytes(&bytes)?;
        (record.server == self.server && Some(&record.stamp) == self.stamp.as_ref()).then_some(record)
    }

    /// Makes a record of an access token and the personal access token that it came from.
    pub(crate) fn record(&self, access: Access, pat: &Pat) -> Record {
        Record {
            server: self.server.clone(),
            stamp: self.stamp.clone().unwrap_or_default(),
            pat: pat.token.fingerprint(),
            pat_expires: pat.expires.unwrap_or(0),
            access,
        }
    }

    /// Writes the record beside the old one and renames it over.
    pub(crate) fn store(&self, record: &Record) -> Result<()> {
        let folder = self.folder.create()?;
        sweep(folder);
        let target = folder.join(&self.name);
        let failed = |error: &std::io::Error| Error::file("write the cache", &target, error);
        let mut file = Builder::new().prefix(TEMPORARY).tempfile_in(folder).map_err(|error| failed(&error))?;
        file.write_all(record.to_text().as_bytes()).map_err(|error| failed(&error))?;
        if target.symlink_metadata().is_ok_and(|about| about.is_dir()) {
            // Only an empty one goes; what someone keeps there is not ours.
            remove_dir(&target).map_err(|error| failed(&error))?;
        }
        file.persist(&target).map_err(|error| failed(&error.error))?;
        Ok(())
    }

    /// Forgets the token.
    pub(crate) fn forget(&self) -> Result<()> {
        let Some(path) = self.file() else {
            return Ok(());
        };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::file("remove the cached token", &path, &error))
            }
            _ => Ok(()),
        }
    }

    /// Returns the path of the file, where there is a folder for it.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        Some(self.folder.path()?.join(&self.name))
    }

    /// Returns why there is no folder to cache in, where there is none.
    pub(crate) fn refusal(&self) -> Option<&Error> {
        match &self.folder {
            Folder::None(why) => Some(why),
            Folder::Ready(_) | Folder::Absent(_) => None,
        }
    }

    /// Returns the path of the lock file, after creating its folder.
    pub(crate) fn lock_file(&self) -> Result<PathBuf> {
        Ok(self.folder.create()?.join(format!("{}.lock", self.name)))
    }

    /// Returns the source's mark.
    pub(crate) fn stamp(&self) -> &str {
        self.stamp.as_deref().unwrap_or_default()
    }
}

/// Reads a small file of ours: no symbolic link, no FIFO, no second name, nobody else's, open to nobody.
fn read_private(path: &Path) -> Option<Vec<u8>> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).ok()?;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    let about = file.metadata().ok()?;
    let ours = about.is_file() && about.nlink() == 1 && about.uid() == user() && about.mode() & 0o077 == 0;
    if !ours || about.len() > LARGEST {
        return None;
    }
    // One read is enough: a short one fails the checksum.
    let mut bytes = vec![0; usize::try_from(about.len()).ok()?];
    let count = (&file).read(&mut bytes).ok()?;
    bytes.truncate(count);
    Some(bytes)
}
