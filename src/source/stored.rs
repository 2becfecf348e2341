//! `stored`: the file that `login` writes a token to, in a directory that nobody else can look into.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{Owner, Provider, file};
use crate::error::{Error, Result};
use crate::system::{TOKEN_DIRECTORY, data_directory, files};
use crate::types::{Secret, sha256};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredToken {
    path: PathBuf,
}

impl StoredToken {
    /// Names the file, which is bound to the server: a profile whose url is changed has no stored token.
    pub(super) fn of(owner: Owner<'_>) -> Result<Self> {
        let name = sha256(&[owner.profile, &owner.server.to_string()]);
        Ok(Self { path: data_directory()?.join(format!("{name}.pat")) })
    }

    /// Returns the file's name without its ending.
    pub(super) fn name(&self) -> Option<&str> {
        self.path.file_stem()?.to_str()
    }

    fn directory(&self) -> &Path {
        files::parent(&self.path)
    }
}

impl Provider for StoredToken {
    fn describe(&self) -> String {
        "stored".into()
    }

    fn read(&self, _hidden: &[String]) -> Result<Secret> {
        file::read(&self.path)
            .map_err(|error| if self.path.exists() { error } else { error.only_hint("store one: ls-token login") })
    }

    fn can_save(&self, _hidden: &[String]) -> Result<()> {
        files::can_make_private_directory(self.directory(), &TOKEN_DIRECTORY)?;
        if self.path.is_dir() {
            return Err(Error::refused_file(
                "there is a directory in place of the stored token",
                &self.path,
                "move it away",
            ));
        }
        Ok(())
    }

    fn save(&self, pat: &Secret, hidden: &[String]) -> Result<()> {
        self.can_save(hidden)?;
        files::make_private_directory(self.directory(), &TOKEN_DIRECTORY)?;
        file::write(&self.path, pat, 0o600)
    }

    fn fingerprint(&self) -> Option<String> {
        file::identity_of(&self.path)
    }

    fn location(&self) -> String {
        self.path.display().to_string()
    }

    fn kept(&self, hidden: &[String]) -> Result<Option<Secret>> {
        if self.path.symlink_metadata().is_err() { Ok(None) } else { self.read(hidden).map(Some) }
    }

    fn forget(&self, _hidden: &[String]) -> Result<bool> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
            Err(error) => Err(Error::file("remove the stored token", &self.path, &error)),
        }
    }
}
