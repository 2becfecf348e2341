//! `file:PATH`: the user's own file, read only where nobody else can read it, or could have written it.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::{Provider, invalid, text};
use crate::error::{Error, Fact, Kind, Result};
use crate::system::{AtomicFile, atomic, files, user};
use crate::types::{Secret, untrusted};

/// The most that is read of a source, in bytes; a personal access token may have 16 KiB.
pub(super) const MAX_SOURCE_BYTES: u64 = 64 * 1024;

/// What to do with a file that its reader may not change.
const MOUNT: &str = "make it this user's alone where it comes from (Docker: uid and mode: 0400; Kubernetes: defaultMode: 0400 and fsGroup; else chown)";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenFile {
    path: PathBuf,
}

impl TokenFile {
    /// Takes a path: absolute, or below the home directory.
    pub(super) fn parse(path: &str, home: Option<&Path>) -> Result<Self> {
        let odd = || {
            let shown = untrusted(path);
            invalid(&format!(
                "names the path {shown}, which depends on the current directory or has a control character"
            ))
            .only_hint("begin the path with / or ~/")
        };
        files::absolute(path, home).map(|path| Self { path }).ok_or_else(odd)
    }

    /// Returns the file that the path leads to, if it is a private one of this user in a directory that can be written.
    fn target(&self) -> Result<(PathBuf, Metadata)> {
        let path = &self.path;
        let failed = |error: io::Error| Error::file("find the file of the personal access token", path, &error);
        let target = path.canonicalize().map_err(failed)?;
        let about = target.metadata().map_err(failed)?;
        check_privacy(path, &about)?;
        let refused = |why: &str, hint: &str| {
            Err(unwritable(&format!("the file of the personal access token {why}"), path, hint))
        };
        if about.uid() != user() {
            return refused("belongs to root", "save the new token there by hand");
        }
        let directory = files::parent(&target);
        files::check_writable(directory)?;
        if files::is_mount_point(&target, directory) {
            let hint = "save the new token by hand in the file that is mounted there";
            return refused("is a mount point, which cannot be replaced", hint);
        }
        Ok((target, about))
    }
}

impl Provider for TokenFile {
    fn describe(&self) -> String {
        format!("file:{}", self.path.display())
    }

    fn read(&self, _hidden: &[Rc<str>]) -> Result<Secret> {
        read(&self.path)
    }

    fn can_save(&self, _hidden: &[Rc<str>]) -> Result<()> {
        self.target().map(|_| ())
    }

    /// The file keeps its mode. Where its path is a symbolic link, that stays one.
    fn save(&self, pat: &Secret, _hidden: &[Rc<str>]) -> Result<()> {
        let (target, about) = self.target()?;
        write(&target, pat, about.mode() & 0o7777)
    }

    fn fingerprint(&self) -> Option<String> {
        identity_of(&self.path)
    }

    fn how_to_replace(&self) -> String {
        format!("write it to {}", self.path.display())
    }

    fn remove_copies(&self) -> Result<bool> {
        // They are beside the file that a link leads to.
        remove_copies(&self.path.canonicalize().unwrap_or_else(|_| self.path.clone()))
    }
}

/// Returns the identity and times of a file, `None` where it is not there.
pub(super) fn identity_of(path: &Path) -> Option<String> {
    let about = fs::metadata(path).ok()?;
    let (dev, ino, size) = (about.dev(), about.ino(), about.size());
    let (mtime, ctime) = ((about.mtime(), about.mtime_nsec()), (about.ctime(), about.ctime_nsec()));
    Some(format!("{dev}:{ino}:{size}:{}:{}:{}:{}", mtime.0, mtime.1, ctime.0, ctime.1))
}

/// Reads a token's file, unless others could read or could have written it. Symbolic links are followed, because
/// Kubernetes mounts secrets that way; the file at the end counts.
pub(super) fn read(path: &Path) -> Result<Secret> {
    let failed = |error: io::Error| {
        let hint = match error.kind() {
            ErrorKind::PermissionDenied => MOUNT.to_owned(),
            _ => "write the token into that file, and let nobody else read it: chmod 600".into(),
        };
        Error { kind: Kind::NoCredential, ..Error::file("read the personal access token", path, &error).hint(hint) }
    };
    let file = files::open_source(path).map_err(failed)?;
    check_privacy(path, &file.metadata().map_err(failed)?)?;
    text(files::read_up_to(&file, MAX_SOURCE_BYTES).map_err(failed)?)
}

/// Writes a token's file, and leaves no copy of the token before.
pub(super) fn write(path: &Path, pat: &Secret, mode: u32) -> Result<()> {
    remove_copies(path)?;
    let line = Secret::new(format!("{}\n", pat.expose()));
    AtomicFile::prepare(path, line.expose().as_bytes(), mode)?.commit()
}

pub(super) fn remove_copies(path: &Path) -> Result<bool> {
    atomic::remove_copies(path)
        .map_err(|error| Error::file("remove what an interrupted login or rotation left of", path, &error))
}

/// Makes the error for a place that a token is not written to.
pub(super) fn unwritable(why: &str, path: &Path, hint: &str) -> Error {
    Error::new(Kind::Io, format!("{why}, so nothing is written")).with(Fact::File, path.display()).hint(hint)
}

/// Refuses a file that is not private: mode and owner as ssh wants them of a key. A file of root's may be read by a
/// group, as Kubernetes' `fsGroup` makes it: root could read it anyway.
fn check_privacy(path: &Path, about: &Metadata) -> Result<()> {
    let refuse = |why: String, hint: String| {
        Err(Error::new(Kind::NoCredential, format!("the file of the personal access token {why}, so it is not used"))
            .with(Fact::File, path.display())
            .hint(hint))
    };
    let (mode, me) = (about.mode() & 0o7777, user());
    let quoted = files::quoted(path);
    if !about.is_file() {
        return refuse("is not a regular file".into(), "name a file that holds the token and nothing else".into());
    }
    // A secret that is mounted is changed where it is mounted, and often belongs to nobody here.
    let is_mounted = access(path, Access::WRITE_OK) == Err(Errno::ROFS);
    let remedy = |command: String, may: bool| {
        if may && !is_mounted {
            return command;
        }
        format!("{MOUNT}; where nobody else can log in, `pat = \"cmd:cat {quoted}\"` reads it as it is")
    };
    if about.uid() != me && about.uid() != 0 {
        let what = format!("belongs to another user (uid {})", about.uid());
        return refuse(what, remedy(format!("chown {me} {quoted}"), me == 0));
    }
    let open = if about.uid() == me { 0o077 } else { 0o037 };
    if mode & open != 0 {
        let command = format!("chmod 600 {quoted}");
        return refuse(format!("is open to others (mode {mode:04o})"), remedy(command, about.uid() == me));
    }
    Ok(())
}
