//! `ls-token logout`: removes a profile, and what ls-token itself stored for it. With `--revoke` the personal access token
//! is revoked first, and nothing is removed unless the server then no longer accepts it.

use super::Session;
use crate::api::account;
use crate::api::exchange;
use crate::cli::{LogoutOptions, Options};
use crate::error::{Error, Fact, Kind, Result};
use crate::settings::{Change, Draft, ENVIRONMENT, Profile, present};
use crate::source::Source;
use crate::system::{Console, Environment, KEY_VARIABLE, URL_VARIABLE, listen, reopen_closed_stdio, say, warn};
use crate::token;
use crate::token::cache::Cache;
use crate::token::rescue::{self, Found, Rescue};
use crate::types::{PAGE, Secret};

pub(crate) fn run(options: &Options, wanted: &LogoutOptions) -> Result<()> {
    reopen_closed_stdio();
    let session = Session::begin(options)?;
    let (console, environment) = (session.console, &session.environment);
    let profiles = session.profile_or_all(wanted.all)?;
    listen();
    if profiles.is_empty() {
        say(format_args!("there is no profile to log out of in {}", environment.shown_config()));
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
    let source = &profile.source;
    // Settings that cannot be changed are found out before anything is revoked or deleted.
    let draft = if profile.name == ENVIRONMENT {
        None
    } else {
        let draft = Draft::prepare(environment, &Change::Remove(profile.name.clone()));
        Some(draft.map_err(|error| error.with(Fact::Logout, "nothing was removed"))?)
    };
    if wanted.revoke {
        revoke(profile, console)?;
    }
    let Some(mut draft) = draft else {
        return leave_environment(profile, wanted.all);
    };
    let had = profile.pat().forget()?;
    draft.commit()?;
    rescue.map_or(Ok(()), |rescue| rescue.remove())?;
    Cache::find(profile).forget()?;
    say(format_args!(
        "logged out of {}: profile {} was removed from {}",
        profile.server,
        profile.name,
        environment.shown_config()
    ));
    if let Ok((others, None)) = present(environment)
        && others.len() > 1
    {
        let names: Vec<&str> = others.iter().map(|other| other.name.as_str()).collect();
        say(format_args!(
            "no profile is the default now; add `default = \"NAME\"` to the settings, with one of {}",
            names.join(", ")
        ));
    }
    if !source.is_ours() {
        say(format_args!("the personal access token stays where you keep it: {source}"));
    } else if had {
        let place = if matches!(source, Source::Keyring(_)) { "from the keyring" } else { "from ls-token's store" };
        let still = if wanted.revoke { "" } else { "; it stays valid until it is revoked (--revoke does that first)" };
        say(format_args!("the personal access token was deleted {place}{still}"));
    }
    Ok(())
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
    let said = account::revoke(profile, &access, &pat.token);
    // A newer Label Studio revokes nothing and says 404: only the exchange tells.
    if exchanged(profile, &pat.token, console)?.is_none() {
        say(format_args!(
            "the personal access token is revoked; access tokens that were obtained with it stay valid until they expire"
        ));
        return Ok(());
    }
    let page = profile.server.join(PAGE);
    let mut by_hand = format!("delete it at {page}, then run `ls-token logout` without --revoke");
    let error = match said {
        Err(error) => error,
        Ok(accepted) => {
            let said = if accepted { "said that it revoked" } else { "did not revoke" };
            if !accepted {
                by_hand.push_str("; if that page does not show it either, the server runs with PyJWT 2.14 or newer, which keeps Label Studio from revoking: tell its administrator");
            }
            let what = format!("the server {said} the personal access token, but still accepts it");
            Error::new(Kind::BadResponse, what).with(Fact::Server, &profile.server)
        }
    };
    Err(error.with(Fact::Logout, "nothing was removed").only_hint(by_hand))
}

/// Exchanges the personal access token; `None` where the server rejects it.
fn exchanged(profile: &Profile, pat: &Secret, console: Console) -> Result<Option<Secret>> {
    match exchange::refresh(profile, pat, console) {
        Ok(access) => Ok(Some(access.token)),
        Err(error) if error.kind.is_dead() => Ok(None),
        Err(error) => Err(error.with(Fact::Logout, "nothing was removed")),
    }
}
