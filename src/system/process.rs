//! This process: whose it is, and what keeps its secrets out of core dumps and out of other processes' sight.

use std::fs::OpenOptions;
use std::os::fd::{AsRawFd as _, IntoRawFd as _, RawFd};
use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, geteuid, getrlimit, setrlimit};

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

/// Limits core files to nothing, for this process and those that it starts or becomes.
pub(crate) fn limit_core() {
    let limit = Rlimit { current: Some(0), ..getrlimit(Resource::Core) };
    let _ = setrlimit(Resource::Core, limit);
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
