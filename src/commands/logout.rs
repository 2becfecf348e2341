//! `ls-token logout`: removes a profile, and what ls-token itself stored for it. `--revoke` first revokes the personal
//! access token, and nothing is removed unless the server then no longer accepts it.

use super::Session;
use crate::api::{account, exchange};
use crate::cli::{LogoutOptions, Options};
use crate::error::{Error, Fact, Kind, Result};
use crate::settings::{Change, Draft, ENVIRONMENT, Profile, present};
use crate::source::{Source, remove_all_copies};
use crate::system::{Console, Environment, KEY_VARIABLE, URL_VARIABLE, listen, reopen_closed_stdio, say, warn};
use crate::token;
use crate::token::cache::Cache;
use crate::token::keep;
use crate::token::rescue::{self, Found, Rescue};
use crate::types::{PAGE, Secret};

const COPIES_DELETED: &str =
    "a copy of a personal access token was deleted, which an interrupted login or rotation left";

pub(crate) fn run(options: &Options, wanted: &LogoutOptions) -> Result<()> {
    reopen_closed_stdio();
    let session = Session::begin(options);
    let (console, environment) = (session.console, &session.environment);
    let profiles = session.profile_or_all(wanted.all)?;
    listen();
    if profiles.is_empty() {
        say(format_args!("there is no profile to log out of in {}", environment.shown_config()));
    }
    if wanted.all && remove_all_copies()? {
        say(COPIES_DELETED);
    }
    // One that fails does not keep the others from being removed.
    let mut first = Ok(());
    for profile in &profiles {
        let done = leave(environment, profile, wanted, console).map_err(|error| profile.with_profile(error));
        match (&first, done) {
            (_, Err(error)) if matches!(error.kind, Kind::Interrupted(_)) => return Err(error),
            (Ok(()), done) => first = done,
            (Err(_), Err(also)) => warn(also.to_line()),
            (Err(_), Ok(())) => {}
        }
    }
    first
}

fn leave(environment: &Environment, profile: &Profile, wanted: &LogoutOptions, console: Console) -> Result<()> {
    let _locks = rescue::hold(profile)?;
    let rescue = Rescue::of(profile).ok();
    if let Some(rescue) = &rescue
        && let Found::Token(..) = rescue.read()?
    {
        let what = "an interrupted rotation left a newer personal access token than the one that would be removed";
        return Err(Error::new(Kind::Settings, what)
            .with(Fact::Rescued, rescue.path().display())
            .hint(format!("finish it first: {}", rescue::command(profile))));
    }
    // Settings that cannot be changed are found out before anything is revoked or deleted.
    let prepare = || Draft::prepare(environment, &Change::Remove(profile.name.clone())).map_err(nothing_removed);
    let draft = (profile.name != ENVIRONMENT).then(prepare).transpose()?;
    if wanted.revoke {
        revoke(profile, console)?;
    }
    let Some(mut draft) = draft else { return leave_environment(profile, wanted.all) };
    let had_token = profile.pat().forget()?;
    let had_copies = profile.pat().remove_copies()?;
    draft.commit()?;
    rescue.map_or(Ok(()), |rescue| rescue.remove())?;
    keep::forget(profile);
    Cache::find(profile).forget()?;
    tell(environment, profile, had_token, wanted.revoke);
    if had_copies {
        say(COPIES_DELETED);
    }
    Ok(())
}

fn tell(environment: &Environment, profile: &Profile, had_token: bool, is_revoked: bool) {
    let (Profile { name, server, source, .. }, file) = (profile, environment.shown_config());
    say(format_args!("logged out of {server}: profile {name} was removed from {file}"));
    if let Ok((others, None)) = present(environment)
        && others.len() > 1
    {
        let names = others.iter().map(|other| other.name.as_str()).collect::<Vec<_>>().join(", ");
        say(format_args!(
            "no profile is the default now; add `default = \"NAME\"` to the settings, with one of {names}"
        ));
    }
    if !source.is_ours() {
        say(format_args!("the personal access token stays where you keep it: {source}"));
    } else if had_token {
        let place = if matches!(source, Source::Keyring(_)) { "the keyring" } else { "ls-token's store" };
        let still = if is_revoked { "" } else { "; it stays valid until it is revoked (--revoke does that first)" };
        say(format_args!("the personal access token was deleted from {place}{still}"));
    }
}

/// Removes the cached token of the environment's profile, which is all of it that ls-token has.
fn leave_environment(profile: &Profile, one_of_all: bool) -> Result<()> {
    Cache::find(profile).forget()?;
    let what = "the profile comes from the environment; only its cached token was removed";
    let hint = format!("unset {URL_VARIABLE} {KEY_VARIABLE}");
    if one_of_all {
        say(format_args!("{what}; to remove it: {hint}"));
        return Ok(());
    }
    Err(Error::new(Kind::Settings, what).with(Fact::Server, &profile.server).hint(hint))
}

/// Revokes the personal access token, and makes sure that it is.
fn revoke(profile: &Profile, console: Console) -> Result<()> {
    let pat = token::read_pat(profile)?;
    let Some(access) = exchanged(profile, &pat.token, console)? else {
        say(format_args!("the personal access token is already invalid: {} does not accept it", profile.server));
        return Ok(());
    };
    let answer = account::revoke(profile, &access, &pat.token);
    // A newer Label Studio revokes nothing and says 404: only the exchange tells.
    if exchanged(profile, &pat.token, console)?.is_none() {
        say(format_args!(
            "the personal access token is revoked; access tokens that were obtained with it stay valid until they expire"
        ));
        return Ok(());
    }
    let mut by_hand =
        format!("delete it at {}, then run `ls-token logout` without --revoke", profile.server.join(PAGE));
    let still_valid = |said: &str| {
        let what = format!("the server {said} the personal access token, but still accepts it");
        Error::new(Kind::BadResponse, what).with(Fact::Server, &profile.server)
    };
    let error = match answer {
        Err(error) => error,
        Ok(true) => still_valid("said that it revoked"),
        Ok(false) => {
            by_hand.push_str("; if that page does not show it either, the server runs with PyJWT 2.14 or newer, which keeps Label Studio from revoking: tell its administrator");
            still_valid("did not revoke")
        }
    };
    Err(nothing_removed(error).only_hint(by_hand))
}

/// Exchanges the personal access token; `None` where the server rejects it.
fn exchanged(profile: &Profile, pat: &Secret, console: Console) -> Result<Option<Secret>> {
    match exchange::refresh(profile, pat, console) {
        Ok(access) => Ok(Some(access.token)),
        Err(error) if error.kind.is_dead() => Ok(None),
        Err(error) => Err(nothing_removed(error)),
    }
}

fn nothing_removed(error: Error) -> Error {
    error.with(Fact::Logout, "nothing was removed")
}
