//! This process: whose it is, and what keeps its secrets out of core dumps and out of other processes' sight.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd as _, IntoRawFd as _, RawFd};
use std::sync::OnceLock;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, geteuid, getrlimit, setrlimit};

use super::signals::survive_failed_writes;
use crate::error::{Error, Kind, Result};

/// More than settings, a token or a rescue file take, in bytes.
const ROOM_FOR_FILES: u64 = 64 * 1024;

pub(crate) fn user() -> u32 {
    static USER: OnceLock<u32> = OnceLock::new();
    *USER.get_or_init(|| geteuid().as_raw())
}

/// Makes the kernel write no core file of this process, and let no other process of the user read its memory
/// (prctl(2), `PR_SET_DUMPABLE`).
pub(crate) fn harden() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    #[cfg(not(target_os = "linux"))]
    limit_core();
}

/// Keeps the kernel from writing core files, of this process and those that it starts or becomes. A limit of 0 does not
/// count where cores are piped to a program (core(5)); one of 1 does, and is too small for a file (fs/coredump.c in Linux).
pub(crate) fn limit_core() {
    const LIMIT: u64 = if cfg!(target_os = "linux") { 1 } else { 0 };
    let limit = getrlimit(Resource::Core);
    let current = limit.maximum.map_or(LIMIT, |most| most.min(LIMIT));
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(current), ..limit });
}

/// Returns whether this process may open as many more files as looking a name up takes.
pub(crate) fn can_open_files() -> bool {
    let null = || OpenOptions::new().read(true).open("/dev/null");
    (null(), null(), null(), null()).3.is_ok()
}

/// Closes what was inherited beside the standard streams. Nothing may be open yet but that.
pub(crate) fn close_inherited() {
    let names = std::fs::read_dir("/dev/fd").into_iter().flatten().flatten().map(|entry| entry.file_name());
    let numbers: Vec<RawFd> =
        names.filter_map(|name| name.to_str()?.parse().ok()).filter(|number| *number > 2).collect();
    for number in numbers {
        let _ = nix::unistd::close(number);
    }
}

/// Opens /dev/null in place of standard streams that are closed: the next file opened would take its place, and be
/// written to instead. Returns whether standard output was closed.
pub(crate) fn reopen_closed_stdio() -> bool {
    let mut no_output = false;
    while let Ok(null) = OpenOptions::new().read(true).write(true).open("/dev/null") {
        if null.as_raw_fd() > 2 {
            break;
        }
        no_output |= null.into_raw_fd() == 1;
    }
    no_output
}

/// Fails where only small files may be written (getrlimit(2), `RLIMIT_FSIZE`), before anything is asked that could not be
/// saved then.
pub(crate) fn check_file_limit() -> Result<()> {
    survive_failed_writes();
    match getrlimit(Resource::Fsize).current {
        Some(most) if most < ROOM_FOR_FILES => {
            let what = format!("this process may only write files of up to {most} bytes, so nothing is written");
            Err(Error::new(Kind::Io, what).hint("raise that limit: ulimit -f unlimited"))
        }
        _ => Ok(()),
    }
}

/// Returns the error for a failure that is this process's own: it may have no further thread, process or file.
pub(crate) fn lack(what: &str, error: &io::Error) -> Option<Error> {
    let no_file = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS]
        .map(|errno| Some(errno.raw_os_error()))
        .contains(&error.raw_os_error());
    let is_lack = no_file || matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::OutOfMemory);
    let hint = "raise its limit: ulimit -u or pids.max for threads and processes, ulimit -n for open files";
    is_lack.then(|| Error::new(Kind::Io, format!("{what}: {error}")).hint(hint))
}
