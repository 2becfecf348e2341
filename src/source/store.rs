//! Puts a personal access token back to where a source reads it, for `login` and `rotate`, and takes away what ls-token
//! itself put there. What cannot be written is found out before anything is changed.

use crate::error::{Error, Kind, Result};
use crate::source::Source;
use crate::types::secret::Secret;

pub(crate) use super::store_file::check_above;
use super::{one_password, store_file};

/// Proves, as far as that is possible without changing anything, that a token can be saved where the source reads it. A
/// program that is run does not get the `hidden` variables.
pub(crate) fn can_save(source: &Source, hidden: &[String]) -> Result<()> {
    match source {
        Source::Stored(path) => store_file::can_create(path),
        Source::File(path) => store_file::can_replace(path),
        Source::Keyring(entry) => entry.can_save(hidden),
        Source::Command(spec, _) if spec.starts_with("op://") => one_password::item(spec, hidden).map(|_| ()),
        Source::Command(..) | Source::Environment(..) => Err(unwritable(source)),
    }
    .map_err(|error| error.with("source", source))
}

/// Saves the token where the source reads it.
pub(crate) fn save(source: &Source, pat: &Secret, hidden: &[String]) -> Result<()> {
    match source {
        Source::Stored(path) => store_file::create(path, pat),
        Source::File(path) => store_file::replace(path, pat),
        Source::Keyring(entry) => entry.save(pat, hidden),
        Source::Command(spec, _) if spec.starts_with("op://") => one_password::save(spec, source, pat, hidden),
        Source::Command(..) | Source::Environment(..) => Err(unwritable(source)),
    }
    .map_err(|error| error.with("source", source))
}

/// Tells whether a token of this source was put there by ls-token, so that it is ls-token's to take away.
pub(crate) fn is_ours(source: &Source) -> bool {
    matches!(source, Source::Stored(_) | Source::Keyring(_))
}

/// Takes away the token, where ls-token put it there. Returns whether there was one.
pub(crate) fn forget(source: &Source, hidden: &[String]) -> Result<bool> {
    match source {
        Source::Stored(path) => store_file::remove(path),
        Source::Keyring(entry) => entry.clear(hidden),
        _ => Ok(false),
    }
    .map_err(|error| error.with("source", source))
}

/// Returns the token that ls-token put there, as it is; `None` where there is none, or it is not ls-token's.
pub(crate) fn kept(source: &Source, hidden: &[String]) -> Result<Option<Secret>> {
    match source {
        Source::Stored(path) if path.symlink_metadata().is_err() => Ok(None),
        Source::Stored(_) => source.read(hidden).map(Some),
        Source::Keyring(entry) => entry.read(hidden),
        _ => Ok(None),
    }
}

/// Makes the error for a source that only its owner can write.
fn unwritable(source: &Source) -> Error {
    let (what, hint) = match source {
        Source::Environment(name, _) => (
            format!("the personal access token comes from the variable {name}, which ls-token cannot change"),
            "make a new token by hand and export that; or let ls-token keep it: ls-token login",
        ),
        _ => (
            "the personal access token comes from a command, which gives it out but does not take one".to_owned(),
            "make a new token by hand and save it where the command finds it; or let ls-token keep it: ls-token login",
        ),
    };
    Error::new(Kind::Settings, what).hint(hint)
}
