//! `ls-token login`: asks for a server and a personal access token, tries both out, and only then saves them as a profile.
//! What cannot be saved is found out first; what fails is undone.

mod plan;

use std::io::{IsTerminal as _, Read as _, stdin};
use std::time::{Duration, UNIX_EPOCH};

use crate::account::{self, Who};
use crate::cache::{Access, Cache};
use crate::cli::{LoginOptions, Options};
use crate::console::{Console, say, warn};
use crate::error::{Error, Kind, Result};
use crate::exchange;
use crate::pat::{self, PAGE, Pat};
use crate::process::occupy_standard_streams;
use crate::prompt::Terminal;
use crate::secret::Secret;
use crate::settings::{
    Change, Draft, Entry, Environment, KEY_VARIABLE, Profile, URL_VARIABLE, preview,
};
use crate::source::Source;
use crate::store;
use crate::token;
use crate::waiting::{check_signals, listen};
use plan::Plan;

/// The most that is read of stdin, in bytes: more than any token has.
const MOST: u64 = 64 * 1024;

/// How often a question is asked anew.
const TRIES: usize = 3;

/// A profile that is to be saved, with its token.
struct Candidate {
    /// How it is to stand in the settings.
    entry: Entry,
    /// What the settings will make of it.
    profile: Profile,
    /// Its token.
    pat: Pat,
    /// Whether the token is to be put where the profile says: not where it was read from there.
    is_new: bool,
}

/// Logs in.
pub(crate) fn run(options: &Options, wanted: &LoginOptions) -> Result<()> {
    occupy_standard_streams();
    refuse_tokens(options, wanted)?;
    let console = options.console();
    let environment = Environment::read()?;
    let plan = Plan::make(&environment, options, wanted)?;
    let candidate = obtain(&environment, &plan, wanted)?;
    let profile = &candidate.profile;
    profile.tell(console);
    if candidate.is_new {
        store::can_save(&profile.source, &profile.secret_variables)?;
    }
    let (access, who) = try_out(&candidate, console)?;
    save(&environment, &plan, &candidate)?;
    keep(&candidate, access);
    tell(&environment, &candidate, &who);
    Ok(())
}

/// Refuses a token among the arguments, where every process and the shell's history can see it.
fn refuse_tokens(options: &Options, wanted: &LoginOptions) -> Result<()> {
    let ca_file = wanted.ca_file.as_ref().map(|path| path.to_string_lossy());
    let arguments = [
        &wanted.server,
        &wanted.source,
        &options.url,
        &options.profile,
    ];
    let mut arguments = arguments
        .into_iter()
        .flatten()
        .map(String::as_str)
        .chain(ca_file.as_deref());
    if !arguments.any(pat::is_in) {
        return Ok(());
    }
    let what = "a token is among the arguments, where other programs and the shell's history can see it; it was not used";
    Err(Error::new(Kind::Usage, what).hint(
        "revoke it, make a new one, and paste that when asked; or give it on stdin: --with-token",
    ))
}

/// Gets the token, from where it is or from the person, and makes the profile.
fn obtain(environment: &Environment, plan: &Plan, wanted: &LoginOptions) -> Result<Candidate> {
    let of = |pat: &str, given: Option<&Secret>| candidate(environment, plan, pat, given);
    if let Some(spec) = &wanted.source {
        listen();
        return of(spec, None);
    }
    if wanted.with_token {
        listen();
        return of(plan.store(), Some(&token_of_stdin()?));
    }
    let terminal = Terminal::open().ok_or_else(|| {
        Error::new(Kind::Usage, "there is no terminal to ask for the personal access token on")
            .hint("--with-token reads it from stdin; --source says where it is: op://Vault/Item/field, env:NAME, file:PATH, cmd:COMMAND")
    })?;
    let page = plan.server.join(PAGE);
    terminal.tell(&format!("a personal access token is made at {page}\n"));
    let or = if plan.has_one_password {
        ", or its 1Password reference (op://Vault/Item/field)"
    } else {
        ""
    };
    let mut tries = 1..=TRIES;
    loop {
        let answer = terminal.ask_secret(&format!("paste it here (it is not shown){or}: "))?;
        let result = match reference(&answer) {
            Some(reference) => of(&reference, None),
            None => of(plan.store(), Some(&answer)),
        };
        match result {
            Err(error) if error.kind == Kind::Denied && tries.next() < Some(TRIES) => {
                terminal.tell(&format!("{}; try again, or press Ctrl-C\n", error.what));
            }
            done => return done,
        }
    }
}

/// Returns the 1Password reference that was pasted in the token's place; 1Password copies it with quotes around it.
fn reference(answer: &Secret) -> Option<String> {
    let text = answer.expose().trim_matches(['"', '\'']);
    text.starts_with("op://").then(|| text.to_owned())
}

/// Makes the profile whose token is given, or where it is.
fn candidate(
    environment: &Environment,
    plan: &Plan,
    source: &str,
    given: Option<&Secret>,
) -> Result<Candidate> {
    let entry = plan.entry(source);
    // The line would be that of a file that is not there.
    let profile = preview(environment, &entry).map_err(|mut error| {
        error.facts.retain(|(name, _)| name != "file");
        error
    })?;
    let pat = match given {
        Some(given) => pat::examine(given)?,
        None => token::read_pat(&profile)?,
    };
    Ok(Candidate {
        entry,
        profile,
        pat,
        is_new: given.is_some(),
    })
}

/// Reads the token from stdin.
fn token_of_stdin() -> Result<Secret> {
    if stdin().is_terminal() {
        return Err(Error::new(Kind::Usage, "--with-token reads from stdin, which is the terminal")
            .hint("leave --with-token out, and the token is asked for without being shown; or redirect stdin: <FILE"));
    }
    // Room from the start: growing would leave copies behind.
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(
        usize::try_from(MOST).unwrap_or_default(),
    ));
    let read = stdin().take(MOST).read_to_end(&mut bytes);
    read.map_err(|error| Error::new(Kind::Files, format!("cannot read standard input: {error}")))?;
    check_signals()?;
    let text = String::from_utf8(std::mem::take(&mut *bytes));
    text.map(Secret::new).map_err(|_| {
        Error::new(Kind::Denied, "what stdin gave is not text")
            .hint("give it the personal access token and nothing else")
    })
}

/// Exchanges the token, and asks whose it is.
fn try_out(candidate: &Candidate, console: Console) -> Result<(Access, Who)> {
    let Candidate { profile, pat, .. } = candidate;
    let trial = || {
        let access = exchange::refresh(profile, &pat.token, console)?;
        let who = account::whoami(profile, &access.token)?;
        Ok((access, who))
    };
    trial().map_err(|error: Error| error.with("login", "nothing was saved"))
}

/// Saves the token, then the profile. Where the profile cannot be saved, the token is as it was before.
fn save(environment: &Environment, plan: &Plan, candidate: &Candidate) -> Result<()> {
    let Candidate {
        entry,
        profile,
        pat,
        is_new,
    } = candidate;
    let (source, hidden) = (&profile.source, &profile.secret_variables);
    // Everything that may fail comes before the token is touched, but for the last step.
    let draft = Draft::prepare(environment, &Change::Put(entry.clone()))?;
    check_signals()?;
    if *is_new {
        let before = store::kept(source, hidden).unwrap_or_default();
        let undo = || match &before {
            Some(before) => store::save(source, before, hidden),
            None => store::forget(source, hidden).map(|_| ()),
        };
        let saved = store::save(source, &pat.token, hidden).and_then(|()| draft.commit());
        if let Err(error) = saved {
            if let Err(also) = undo() {
                warn(format_args!(
                    "the token that was there could not be put back: {}",
                    also.in_one_line()
                ));
            }
            return Err(error.with("login", "nothing was saved"));
        }
    } else {
        draft.commit()?;
    }
    if let Some(old) = plan
        .replaced
        .as_ref()
        .filter(|old| !old.source.is_place_of(source))
    {
        // What nothing leads to any more.
        let forgotten = store::forget(&old.source, hidden).and_then(|_| Cache::find(old).forget());
        if let Err(error) = forgotten {
            warn(error.in_one_line());
        }
    }
    Ok(())
}

/// Keeps the access token, in the place of one that may be another user's.
fn keep(candidate: &Candidate, access: Access) {
    let cache = Cache::find(&candidate.profile);
    let kept = if access.life.is_zero() {
        cache.forget()
    } else {
        cache.store(&cache.record(access, &candidate.pat))
    };
    if let Err(error) = kept {
        warn(format_args!(
            "the token is not cached: {}",
            error.in_one_line()
        ));
    }
}

/// Tells who has logged in, until when that is good, and what is where.
fn tell(environment: &Environment, candidate: &Candidate, who: &Who) {
    let Candidate { profile, pat, .. } = candidate;
    let until = pat
        .expires
        .and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    // Four digits of year are all that RFC 3339 has.
    let until = until.filter(|_| pat.expires < Some(253_402_300_800));
    let until = until.map_or_else(
        || "does not expire".into(),
        |date| format!("good until {}", humantime::format_rfc3339_seconds(date)),
    );
    let place = match &profile.source {
        Source::Stored(path) => format!("stored in {}", path.display()),
        Source::Keyring(_) => "in the keyring".into(),
        other => format!("in {other}"),
    };
    say(format_args!("logged in to {} as {who}", profile.server));
    say(format_args!(
        "the personal access token is {place}, and {until}"
    ));
    let default = crate::settings::present(environment)
        .is_ok_and(|(list, default)| list.len() == 1 || default.as_ref() == Some(&profile.name));
    let use_it = if default {
        "the default".into()
    } else {
        format!("used with --profile {}", shell_words::quote(&profile.name))
    };
    say(format_args!(
        "profile {} is saved in {}, and is {use_it}",
        profile.name,
        environment.config_shown()
    ));
    if environment.has_pair() {
        say(format_args!(
            "{URL_VARIABLE} and {KEY_VARIABLE} are set, and come before every profile: unset them to use this one"
        ));
    }
}
