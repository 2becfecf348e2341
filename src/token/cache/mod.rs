//! The cache: one file for each server and source, with the access token and how long it is good. What cannot be read,
//! parsed or trusted is a miss. Reading it takes no lock: files are only ever renamed into place.

mod directory;
mod record;

use std::fs::OpenOptions;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::settings::Profile;
use crate::system::{atomic, files};
use crate::types::{Access, Pat};

pub(crate) use record::Record;

/// The largest cache file that is read, in bytes: a token may have 8 KiB.
const MAX_CACHE_BYTES: u64 = 16 * 1024;

#[derive(Debug)]
pub(crate) struct Cache {
    /// Where it is, or why there is no directory to cache in.
    directory: Result<PathBuf>,
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
        let (name, stamp) = profile.source.cache_key(&server);
        Self { directory: directory::find(), name, stamp, server }
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
        let target = self.in_directory(&self.name)?;
        atomic::replace_quickly(&target, record.to_text().as_bytes())
            .map_err(|error| Error::file("write the cache", &target, &error))
    }

    /// Proves that a file can be written where the cache is.
    pub(crate) fn try_out(&self) -> Result<()> {
        let target = self.in_directory("trial")?;
        atomic::try_out(&target).map_err(|error| Error::file("write the cache", &target, &error))
    }

    /// Removes the token, also from the directories that calls with another environment cache in.
    pub(crate) fn forget(&self) -> Result<()> {
        let mut first = Ok(());
        for path in directory::every().into_iter().map(|directory| directory.join(&self.name)) {
            let removed = files::remove(&path).map_err(|error| Error::file("remove the cached token", &path, &error));
            first = first.and(removed);
        }
        first
    }

    /// Returns the path of the file, where there is a directory for it.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        Some(self.directory.as_ref().ok()?.join(&self.name))
    }

    /// Returns why there is no directory to cache in, where there is none.
    pub(crate) fn refusal(&self) -> Option<&Error> {
        self.directory.as_ref().err()
    }

    /// Returns the path of the lock file, after creating its directory.
    pub(crate) fn lock_file(&self) -> Result<PathBuf> {
        self.in_directory(&format!("{}.lock", self.name))
    }

    fn in_directory(&self, name: &str) -> Result<PathBuf> {
        let directory = self.directory.as_ref().map_err(Error::clone)?;
        directory::create(directory)?;
        Ok(directory.join(name))
    }

    pub(crate) fn stamp(&self) -> &str {
        self.stamp.as_deref().unwrap_or_default()
    }
}

fn read_private(path: &Path) -> Option<Vec<u8>> {
    let (mut file, about) = files::open_private(path, OpenOptions::new().read(true)).ok()??;
    if about.len() > MAX_CACHE_BYTES {
        return None;
    }
    // One read is enough: a short one fails the checksum.
    let mut bytes = vec![0; usize::try_from(about.len()).ok()?];
    let count = file.read(&mut bytes).ok()?;
    bytes.truncate(count);
    Some(bytes)
}
