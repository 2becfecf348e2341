//! `stored`: the file that `login` writes a token to, in a directory that nobody else can look into.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::rc::Rc;

use super::{Owner, Provider, file};
use crate::error::{Error, Result};
use crate::system::{TOKEN_DIRECTORY, atomic, data_directory, files};
use crate::types::{Secret, Server, sha256};

/// The file is named when it is needed: of many profiles one is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredToken {
    profile: String,
    server: Server,
}

impl StoredToken {
    pub(super) fn of(owner: Owner<'_>) -> Self {
        Self { profile: owner.profile.to_owned(), server: owner.server.clone() }
    }

    /// Returns the file's name without its ending. It is bound to the server: a profile with another url has no token.
    fn name(&self) -> String {
        sha256(&[&self.profile, &self.server.to_string()])
    }

    fn path(&self) -> Result<PathBuf> {
        path_of(&self.name())
    }
}

fn path_of(name: &str) -> Result<PathBuf> {
    Ok(data_directory()?.join(format!("{name}.pat")))
}

impl Provider for StoredToken {
    fn describe(&self) -> String {
        "stored".into()
    }

    fn read(&self, _hidden: &[Rc<str>]) -> Result<Secret> {
        let path = self.path()?;
        file::read(&path)
            .map_err(|error| if path.exists() { error } else { error.only_hint("store one: ls-token login") })
    }

    fn can_save(&self, _hidden: &[Rc<str>]) -> Result<()> {
        let path = self.path()?;
        files::can_make_private_directory(files::parent(&path), &TOKEN_DIRECTORY)?;
        if path.is_dir() {
            return Err(file::unwritable("there is a directory in place of the stored token", &path, "move it away"));
        }
        Ok(())
    }

    fn save(&self, pat: &Secret, hidden: &[Rc<str>]) -> Result<()> {
        self.can_save(hidden)?;
        let path = self.path()?;
        files::make_private_directory(files::parent(&path), &TOKEN_DIRECTORY)?;
        file::write(&path, pat, 0o600)
    }

    fn fingerprint(&self) -> Option<String> {
        file::identity_of(&self.path().ok()?)
    }

    /// The name is bound to profile and server already.
    fn cache_key(&self, _server: &str) -> (String, Option<String>) {
        let name = self.name();
        let fingerprint = path_of(&name).ok().and_then(|path| file::identity_of(&path));
        (name, fingerprint)
    }

    fn location(&self) -> String {
        self.path().map_or_else(|_| self.describe(), |path| path.display().to_string())
    }

    fn kept(&self, hidden: &[Rc<str>]) -> Result<Option<Secret>> {
        if self.path()?.symlink_metadata().is_err() { Ok(None) } else { self.read(hidden).map(Some) }
    }

    fn forget(&self, _hidden: &[Rc<str>]) -> Result<bool> {
        let path = self.path()?;
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
            Err(error) => Err(Error::file("remove the stored token", &path, &error)),
        }
    }

    fn remove_copies(&self) -> Result<bool> {
        file::remove_copies(&self.path()?)
    }
}

/// Removes the copies of all stored tokens that killed logins and rotations left. Returns whether there were any.
pub(crate) fn remove_all_copies() -> Result<bool> {
    let Ok(directory) = data_directory() else { return Ok(false) };
    atomic::remove_copies_in(&directory).map_err(|error| Error::file("clear the directory", &directory, &error))
}
