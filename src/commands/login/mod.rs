//! `ls-token login`: tries a server and a personal access token, then saves them as a profile. What fails is undone.

mod credential;
mod plan;

use super::{put_off_signals, replace_cached};
use crate::api::account::{self, User};
use crate::api::exchange;
use crate::cli::{LoginOptions, Options};
use crate::error::{Error, Fact, Kind, Result};
use crate::settings::{Change, Draft, present};
use crate::system::{
    Console, Environment, KEY_VARIABLE, URL_VARIABLE, check_file_limit, check_signals, reopen_closed_stdio, say, warn,
};
use crate::token::cache::Cache;
use crate::token::keep;
use crate::token::rescue::{self, Found, Rescue};
use crate::types::{Access, pat, rfc3339};
use credential::Candidate;
use plan::Plan;

const TRIES: usize = 3;

pub(crate) fn run(options: &Options, wanted: &LoginOptions) -> Result<()> {
    reopen_closed_stdio();
    refuse_tokens(options, wanted)?;
    check_file_limit()?;
    let environment = Environment::read();
    let plan = Plan::make(&environment, options, wanted)?;
    log_in(&environment, &plan, wanted, options.console()).map_err(|error| match error.kind {
        Kind::Usage => error,
        _ => error.with(Fact::Login, "nothing was saved"),
    })
}

/// Gets the token, tries it out, and saves it; whether it can be saved comes before anything is asked of the server.
fn log_in(environment: &Environment, plan: &Plan, wanted: &LoginOptions, console: Console) -> Result<()> {
    let candidate = credential::obtain(environment, plan, wanted)?;
    let profile = &candidate.profile;
    profile.log(console);
    if candidate.is_new {
        profile.pat().can_save()?;
    }
    let access = exchange::refresh(profile, &candidate.pat.token, console)?;
    let who = account::whoami(profile, &access.token)?;
    save(environment, plan, &candidate, access)?;
    tell(environment, plan, &candidate, &who);
    Ok(())
}

/// Refuses a token among the arguments, where every process and the shell's history can see it.
fn refuse_tokens(options: &Options, wanted: &LoginOptions) -> Result<()> {
    let ca_file = wanted.ca_file.as_ref().map(|path| path.to_string_lossy());
    let arguments = [&wanted.server, &wanted.source, &options.url, &options.profile];
    let mut arguments = arguments.into_iter().flatten().map(String::as_str).chain(ca_file.as_deref());
    if !arguments.any(pat::contains_token) {
        return Ok(());
    }
    let what =
        "a token is among the arguments, where other programs and the shell's history can see it; it was not used";
    let hint = "revoke it and create a new one; run `ls-token login URL` and paste that, or pipe it to --with-token";
    Err(Error::usage(what, hint))
}

/// Saves the profile. Everything that may fail comes before the token is touched, but for the last step.
fn save(environment: &Environment, plan: &Plan, candidate: &Candidate, access: Access) -> Result<()> {
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
        let forgotten = old.pat().forget().and_then(|_| old.pat().remove_copies());
        let forgotten = forgotten.and_then(|_| Cache::find(old).forget());
        keep::forget(old);
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

fn tell(environment: &Environment, plan: &Plan, candidate: &Candidate, who: &User) {
    let Candidate { profile, pat, .. } = candidate;
    let name = &profile.name;
    let until = pat.expires.and_then(rfc3339);
    let until = until.map_or_else(|| "does not expire".into(), |date| format!("valid until {date}"));
    say(format_args!("logged in to {} as {who}", profile.server));
    say(format_args!("the personal access token is in {}, and {until}", profile.source.location()));
    if let Some(old) = plan.replaced.as_ref().filter(|old| !old.source.is_same_place(&profile.source)) {
        say(format_args!("profile {name} got it from {} before", old.source));
    }
    let is_default = present(environment).is_ok_and(|(all, default)| all.len() == 1 || default.as_ref() == Some(name));
    let name_for_shell = shell_words::quote(name);
    let option = format!("used with --profile {name_for_shell}, and by lscurl with LS_TOKEN_PROFILE={name_for_shell}");
    let use_it = if is_default { "the default" } else { &option };
    say(format_args!("profile {name} is saved in {}, and is {use_it}", environment.shown_config()));
    if environment.has_pair() {
        say(format_args!(
            "{URL_VARIABLE} and {KEY_VARIABLE} are set, and take precedence over every profile: unset them to use this one"
        ));
    }
}
