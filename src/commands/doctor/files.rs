//! What this program leaves about: the cache with its lock, a token in memory, and what an interrupted rotation left.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;

use rustix::fs::{statfs, statvfs};

use super::report::Finding;
use crate::settings::Profile;
use crate::system::files;
use crate::system::flock::{self, Attempt};
use crate::system::kernel_keyring::Refusal;
use crate::token::cache::Cache;
use crate::token::keep;
use crate::token::rescue::{self, Found, Rescue};

/// Linux's number of tmpfs (statfs(2)).
const TMPFS_MAGIC: i128 = 0x0102_1994;

pub(super) fn cache(profile: &Profile) -> Finding {
    let cache = Cache::find(profile);
    if let Err(why) = cache.try_out() {
        let text = format!("none is used, so every call is an exchange: {}", why.message());
        let hint =
            if why.hints.is_empty() { "name another with LS_TOKEN_CACHE_DIR".into() } else { why.hints.join("; ") };
        return Finding::warn(text, hint);
    }
    let file = cache.file().unwrap_or_default();
    let directory = files::parent(&file);
    let memory = statfs(directory).is_ok_and(|about| i128::from(about.f_type) == TMPFS_MAGIC);
    let kind = if memory { "in memory" } else { "on disk" };
    let free = statvfs(directory).map_or(u64::MAX, |about| about.f_bavail.saturating_mul(about.f_frsize));
    let mode = directory.metadata().map_or(0, |about| about.mode() & 0o7777);
    let text = format!("{}, {kind}, mode {mode:04o}, {} MB free", directory.display(), free / 1_000_000);
    match File::open(directory).map(|directory| flock::attempt(&directory)) {
        Ok(Attempt::Unsupported(error)) => Finding::warn(
            format!("{text}; its file system has no locks ({error})"),
            "callers that start together make an exchange each: name a local directory with LS_TOKEN_CACHE_DIR",
        ),
        _ => Finding::ok(text),
    }
}

/// Tries whether a personal access token can be kept in memory; there is no line where the settings do not ask for it.
pub(super) fn keep(profile: &Profile) -> Option<Finding> {
    let seconds = profile.keep?.as_secs();
    Some(match keep::try_out() {
        Ok(()) => Finding::ok(format!("the personal access token stays in this session's keyring for {seconds} s")),
        Err(Refusal(why)) => Finding::warn(
            format!("{why}, so {} is asked for every exchange", profile.source),
            "remove keep from the profile, or start a session with a keyring: keyctl session - bash",
        ),
    })
}

/// Looks for a rotation that was interrupted; there is no line where there is none.
pub(super) fn rescue(profile: &Profile) -> Option<Finding> {
    let command = rescue::command(profile);
    Some(match Rescue::of(profile).ok()?.read() {
        Ok(Found::Nothing) => return None,
        Ok(Found::Token(..)) => Finding::warn(
            "one was interrupted before its new personal access token was saved",
            format!("finish it: {command}"),
        ),
        Ok(Found::Pending(_)) => Finding::warn(
            "one was interrupted before its answer came: the personal access token may be revoked",
            format!("find out: {command}"),
        ),
        Err(error) => Finding::warn(error.message(), error.hints.join("; ")),
    })
}
