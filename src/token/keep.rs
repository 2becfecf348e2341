//! `keep`: a personal access token that a program gave stays in the kernel's keyring for a while, so that a password
//! manager is asked once an hour and not every five minutes. Whatever is amiss there, the source is asked.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::cache::Cache;
use crate::settings::Profile;
use crate::system::Console;
use crate::system::kernel_keyring::{self, Key, Refusal, list};
use crate::types::{Pat, Secret, rfc3339, sha256};

/// Returns what the descriptions of all keys of a profile begin with, whatever its settings said when they were made.
fn of_profile(profile: &Profile) -> String {
    format!("ls-token:{}:", sha256(&[&profile.name, &profile.server.to_string()]))
}

/// Returns what those begin with that its settings mean now: of this source, for so long; `None` without `keep`.
fn of_settings(profile: &Profile) -> Option<String> {
    let seconds = profile.keep?.as_secs().to_string();
    Some(format!("{}{}:", of_profile(profile), sha256(&[&profile.source.identity(), &seconds])))
}

/// Returns the token that is kept, and forgets those of other settings.
pub(super) fn read(profile: &Profile, console: Console) -> Option<Pat> {
    let meant = of_settings(profile);
    let mut kept = None;
    for key in list(&of_profile(profile)) {
        match &meant {
            Some(meant) if key.description.starts_with(meant) => kept = Some(key),
            _ => key.remove(),
        }
    }
    let key = kept?;
    let pat = Pat::parse(&key.read()?).ok();
    // The last token that any session exchanged: where it is another one, the source was given that since.
    let last = Cache::find(profile).read().map(|record| record.pat);
    let Some(pat) = pat.filter(|pat| last.is_none_or(|last| last == pat.token.fingerprint())) else {
        forget(profile);
        return None;
    };
    console.note(format_args!("keep: using the personal access token that is in memory until {}", end(&key)?));
    Some(pat)
}

/// Keeps a token that the source has just given, where the settings ask for that.
pub(super) fn put(profile: &Profile, pat: &Pat, console: Console) {
    let (Some(keep), Some(name)) = (profile.keep, of_settings(profile)) else { return };
    forget(profile);
    let how = match put_as(&name, &pat.token, keep) {
        Ok(()) => format!("stays in memory for {} s", keep.as_secs()),
        Err(Refusal(why)) => format!("does not stay in memory: {why}"),
    };
    console.note(format_args!("keep: the personal access token {how}"));
}

/// Puts a secret into the session's keyring. The description ends with the time at which it ends, in seconds since 1970.
fn put_as(name: &str, secret: &Secret, keep: Duration) -> Result<(), Refusal> {
    let end = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + keep;
    kernel_keyring::put(&format!("{name}{}", end.as_secs()), secret, keep)
}

/// Forgets what is kept for a profile in this session.
pub(crate) fn forget(profile: &Profile) {
    list(&of_profile(profile)).iter().for_each(Key::remove);
}

/// Returns until when a token is kept, without reading it.
pub(crate) fn until(profile: &Profile) -> Option<String> {
    end(list(&of_settings(profile)?).first()?)
}

fn end(key: &Key) -> Option<String> {
    rfc3339(key.description.rsplit(':').next()?.parse().ok()?)
}

/// Proves that a token can be kept, without one; or says why it cannot.
pub(crate) fn try_out() -> Result<(), Refusal> {
    const NAME: &str = "ls-token:trial:";
    let tried = put_as(NAME, &Secret::new("trial".into()), Duration::from_secs(1));
    list(NAME).iter().for_each(Key::remove);
    tried
}
