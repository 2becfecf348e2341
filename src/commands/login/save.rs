//! Saves what was tried out: the token, the profile, and the first access token. Or nothing: what fails is undone.

use super::credential::Candidate;
use super::plan::Plan;
use crate::commands::{put_off_signals, replace_cached};
use crate::error::Result;
use crate::settings::{Change, Draft};
use crate::system::{Environment, check_signals, say, warn};
use crate::token::cache::Cache;
use crate::token::rescue::{self, Found, Rescue};
use crate::types::Access;

/// Saves the profile. Everything that may fail comes before the token is touched, but for the last step.
pub(super) fn save(environment: &Environment, plan: &Plan, candidate: &Candidate, access: Access) -> Result<()> {
    let profile = &candidate.profile;
    let _locks = rescue::hold(profile)?;
    let mut draft = Draft::prepare(environment, &Change::Put(candidate.entry.clone()))?;
    check_signals()?;
    if candidate.is_new {
        save_token(candidate, &mut draft)?;
    } else {
        draft.commit()?;
    }
    if let Some(old) = plan.replaced.as_ref().filter(|old| !old.source.is_same_place(&profile.source)) {
        // What nothing leads to any more.
        let forgotten = old.pat().forget().and_then(|_| Cache::find(old).forget());
        forgotten.unwrap_or_else(|error| warn(error.to_line()));
    }
    if let Ok(rescue) = Rescue::of(profile) {
        // What an interrupted rotation left would replace this token later.
        if let Ok(Found::Token(..)) = rescue.read() {
            say("the token that an interrupted rotation left was dropped: this one replaces it");
        }
        rescue.remove().unwrap_or_else(|error| warn(error.to_line()));
    }
    replace_cached(profile, Some(access), &candidate.pat);
    Ok(())
}

/// Saves the token, then the settings. Where those cannot be saved, the token is as it was before.
fn save_token(candidate: &Candidate, draft: &mut Draft) -> Result<()> {
    let pat = candidate.profile.pat();
    // Where that cannot be read, it could not be put back either.
    let before = pat.kept()?;
    let saved = pat.save(&candidate.pat.token).and_then(|()| draft.commit());
    saved.inspect_err(|_| {
        let undone = put_off_signals(|| match &before {
            Some(before) => pat.save(before),
            None => pat.forget().map(drop),
        });
        if let Err(error) = undone {
            warn(format_args!("cannot restore the previous token: {}", error.to_line()));
        }
    })
}
