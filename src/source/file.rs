//! A file that holds a personal access token: read only where nobody else can read it, or could have written it.

use std::fs::{Metadata, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

use super::text;
use crate::error::{Error, Kind, Result};
use crate::system::child::MAX_SECRET_BYTES;
use crate::system::process::user;
use crate::types::secret::Secret;

/// Returns the identity and times of a file.
pub(super) fn stamp(about: &Metadata) -> String {
    format!(
        "{}:{}:{}:{}:{}:{}:{}",
        about.dev(),
        about.ino(),
        about.size(),
        about.mtime(),
        about.mtime_nsec(),
        about.ctime(),
        about.ctime_nsec(),
    )
}

/// Reads a token's file, unless others could read or could have written it. Symbolic links are followed, because
/// Kubernetes mounts secrets that way; the file at the end counts.
pub(super) fn read(path: &Path) -> Result<Secret> {
    let denied = |error: std::io::Error| Error {
        kind: Kind::Denied,
        ..Error::file("read the personal access token", path, &error)
            .hint("write the token into that file, and let nobody else read it: chmod 600")
    };
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let mut file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path).map_err(denied)?;
    let about = file.metadata().map_err(denied)?;
    check_privacy(path, &about)?;
    let mut bytes = Vec::new();
    file.by_ref().take(MAX_SECRET_BYTES).read_to_end(&mut bytes).map_err(denied)?;
    text(bytes, &path.display())
}

/// Refuses a file that is not private: mode and owner as ssh wants them of a key. A file of root's may be read by a
/// group, as Kubernetes' `fsGroup` makes it: root could read it anyway.
pub(crate) fn check_privacy(path: &Path, about: &Metadata) -> Result<()> {
    let refuse = |why: String, hint: String| {
        Err(Error::new(Kind::Denied, format!("the file of the personal access token {why}, so it is not used"))
            .with("file", path.display())
            .hint(hint))
    };
    let (mode, me) = (about.mode() & 0o7777, user());
    let quoted = shell_words::quote(&path.to_string_lossy()).into_owned();
    if !about.is_file() {
        return refuse("is not a regular file".into(), "name a file that holds the token and nothing else".into());
    }
    if about.uid() != me && about.uid() != 0 {
        return refuse(format!("belongs to another user (uid {})", about.uid()), format!("chown {me} {quoted}"));
    }
    let open = if about.uid() == me { 0o077 } else { 0o037 };
    if mode & open != 0 {
        return refuse(format!("is open to others (mode {mode:04o})"), format!("chmod 600 {quoted}"));
    }
    Ok(())
}
