//! Whose certificates are trusted: one list for the exchange, for curl and for what `exec` runs.

use std::env::split_paths;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Fact, Kind, Result};
use crate::settings::Profile;
use crate::system::environment::{CA_BUNDLES, CA_DIRECTORIES, CA_FILE, ca_variables};
use crate::system::files;

/// The CAs that count instead of the system's.
pub(crate) struct Authorities {
    /// What names them: `ca_file`, or a variable.
    pub(crate) name: &'static str,
    /// A PEM file.
    pub(crate) file: Option<PathBuf>,
    /// Directories of PEM files, as PATH lists directories.
    pub(crate) directories: Option<OsString>,
}

impl Authorities {
    /// Returns those that the profile's `ca_file` names, else `SSL_CERT_FILE` and `SSL_CERT_DIR`; `None` where the system's
    /// count.
    pub(crate) fn of(profile: &Profile) -> Option<Self> {
        if let Some(file) = &profile.ca_file {
            return Some(Self { name: "ca_file", file: Some(file.clone()), directories: None });
        }
        let (file, directories) = ca_variables();
        let name = if file.is_some() { CA_FILE } else { CA_DIRECTORIES };
        (file.is_some() || directories.is_some()).then_some(Self { name, file, directories })
    }

    /// Opens the file. It and the directories say who gets the token: those that others can write to are refused.
    pub(crate) fn open(&self) -> Result<Option<File>> {
        let open = |path: &Path| {
            let file = File::open(path)?;
            files::check_trusted(path, &file.metadata()?).map(|()| file)
        };
        let opened = || {
            let directories = self.directories().filter(|directory| directory.exists());
            for path in directories.chain(self.files_in_directories()) {
                open(&path)?;
            }
            self.file.as_deref().map(open).transpose()
        };
        opened().map_err(|error| self.fault(&error))
    }

    /// Lists what counts in the directories: files that are named by the hash of a CA's subject, as OpenSSL and curl look for
    /// them (openssl-rehash(1)).
    pub(super) fn files_in_directories(&self) -> Vec<PathBuf> {
        let is_hash = |text: &str| text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let counts = |name: &str| {
            name.split_once('.').is_some_and(|(hash, number)| is_hash(hash) && number.parse::<u32>().is_ok())
        };
        let entries = self.directories().flat_map(fs::read_dir).flatten().flatten();
        entries.filter(|entry| entry.file_name().to_str().is_some_and(counts)).map(|entry| entry.path()).collect()
    }

    fn directories(&self) -> impl Iterator<Item = PathBuf> {
        let all = self.directories.iter().flat_map(split_paths);
        all.filter(|directory| !directory.as_os_str().is_empty())
    }

    /// Returns the file, or the list of directories.
    pub(super) fn path(&self) -> &Path {
        self.file.as_deref().or(self.directories.as_deref().map(Path::new)).unwrap_or(Path::new(""))
    }

    /// Returns the file for curl, which must have one: else it takes that which it was built with.
    pub(crate) fn file_for_curl(&self) -> PathBuf {
        let is_one = |path: &PathBuf| {
            path.is_file() && fs::read(path).is_ok_and(|text| text.windows(15).any(|part| part == b"-----BEGIN CERT"))
        };
        let first = || self.files_in_directories().into_iter().find(is_one);
        self.file.clone().or_else(first).unwrap_or_else(|| "/dev/null".into())
    }

    /// Names them to a program by the variables that OpenSSL, Python's requests and curl read.
    pub(crate) fn hand_on(&self, command: &mut Command) {
        if let Some(file) = &self.file {
            command.envs([CA_FILE].into_iter().chain(CA_BUNDLES).map(|name| (name, file)));
        }
        if self.directories.is_none() {
            command.env_remove(CA_DIRECTORIES);
        }
    }

    /// Makes an error of what is wrong with them.
    pub(super) fn fault(&self, why: &dyn Display) -> Error {
        Error::new(Kind::Settings, format!("cannot use the certificates of {}: {why}", self.name))
            .with(Fact::File, self.path().display())
            .hint("it names a PEM file with the CA that signed the server's certificate, or that certificate itself")
    }
}
