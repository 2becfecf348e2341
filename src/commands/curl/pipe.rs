//! The pipes that curl reads its configuration and the token from, and logs to, at descriptors that cannot be guessed.

use std::ffi::OsStr;
use std::fs::metadata;
use std::io::Write as _;
use std::ops::Range;
use std::os::fd::{AsRawFd as _, IntoRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{OFlags, fcntl_setfl, fstat};
use rustix::io::{Errno, FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::error::{Error, Kind, Result};

/// Out of the way of those that people open by number, and too many to be guessed by an argument that names one.
const DESCRIPTORS: Range<RawFd> = 100..200;

/// The first of them where so many may not be open: bash keeps descriptors of its own from 10 on.
const LOWEST: RawFd = 10;

pub(super) struct Pipe {
    /// Its end that is inherited.
    end: OwnedFd,
    identity: (u64, u64),
}

impl Pipe {
    pub(super) fn with(text: &[u8]) -> Result<Self> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).map_err(failed)?;
        let mut write = std::fs::File::from(write);
        // It fits into the pipe's buffer (64 KiB on Linux, 16 KiB elsewhere), so that nobody need be reading yet.
        let written = write.write_all(text);
        written.map_err(|error| {
            Error::new(Kind::Io, format!("cannot hand curl its configuration: {error}"))
                .hint("shorten ~/.curlrc, or go without it: give -q first")
        })?;
        fcntl_setfl(&read, OFlags::empty()).map_err(failed)?;
        Self::at(&read)
    }

    /// Makes one end of a pipe inherited.
    pub(super) fn at(end: &OwnedFd) -> Result<Self> {
        let end = fcntl_dupfd_cloexec(end, fastrand::i32(DESCRIPTORS))
            .or_else(|_| fcntl_dupfd_cloexec(end, LOWEST))
            .map_err(failed)?;
        fcntl_setfd(&end, FdFlags::empty()).map_err(failed)?;
        let about = fstat(&end).map_err(failed)?;
        #[allow(clippy::useless_conversion, clippy::cast_sign_loss, reason = "the types differ between platforms")]
        let identity = (about.st_dev as u64, about.st_ino.into());
        Ok(Self { end, identity })
    }

    pub(super) fn path(&self) -> String {
        format!("/dev/fd/{}", self.end.as_raw_fd())
    }

    /// Leaves the pipe open for the program that takes this one's place, and returns the path for it.
    pub(super) fn leave_open(self) -> String {
        let path = self.path();
        let _ = self.end.into_raw_fd();
        path
    }

    /// Returns whether the path leads to this pipe, by links or otherwise.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        metadata(path).is_ok_and(|about| (about.dev(), about.ino()) == self.identity)
    }
}

fn failed(error: Errno) -> Error {
    Error::new(Kind::Io, format!("cannot make a pipe: {error}"))
}

/// Returns what could be a path in a value, however curl takes it apart: `name=@path;type=x,path`. None: too many.
pub(super) fn paths(value: &[u8]) -> Option<impl Iterator<Item = &Path>> {
    const MARKS: &[u8] = b"@<=,;:{}[]\"\\ ";
    const MAX_MARKS: usize = 64;
    let marks = value.iter().enumerate().filter(|(_, byte)| MARKS.contains(byte));
    let marks: Vec<usize> = marks.map(|(place, _)| place).collect();
    if marks.len() > MAX_MARKS {
        return None;
    }
    let starts: Vec<usize> = std::iter::once(0).chain(marks.iter().map(|mark| mark + 1)).collect();
    let ends: Vec<usize> = marks.into_iter().chain([value.len()]).collect();
    Some(starts.into_iter().flat_map(move |start| {
        let pieces: Vec<_> = ends.iter().filter_map(|end| value.get(start..*end)).collect();
        pieces.into_iter().map(|path| Path::new(OsStr::from_bytes(path)))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_wherever_curl_would_take_one_out() {
        let values = "/a b/1|@/a b/1|x@/a b/1|x=@/a b/1;type=text/plain|x=</a b/1|x=@/c,/a b/1,/d|\
            x=@\"/a b/1\";filename=\"y\"|/a b/1:password";
        for value in values.split('|') {
            let found = paths(value.as_bytes()).unwrap();
            assert!(found.into_iter().any(|path| path == Path::new("/a b/1")), "{value}");
        }
        assert!(paths(&[b','; 65]).is_none());
    }
}
