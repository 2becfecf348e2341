//! Gets the token that is to be tried: from where it is, from stdin, or from the person at the terminal.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _, stdin};
use std::os::fd::AsFd as _;

use zeroize::Zeroizing;

use super::TRIES;
use super::plan::Plan;
use crate::cli::LoginOptions;
use crate::error::{Error, Kind, Result};
use crate::settings::{Profile, ProfileEntry, preview};
use crate::source::FORMS;
use crate::system::{Environment, listen, program, prompt::Terminal};
use crate::token;
use crate::types::{PAGE, Pat, Secret};

/// The most that is read of stdin, in bytes: more than any token has.
const MAX_STDIN_BYTES: usize = 64 * 1024;

/// A profile that is to be saved, with its token.
pub(super) struct Candidate {
    pub(super) entry: ProfileEntry,
    pub(super) profile: Profile,
    pub(super) pat: Pat,
    /// Whether the token is to be put where the profile says: not where it was read from there.
    pub(super) is_new: bool,
}

/// Gets the token and makes the profile. Settings that cannot be changed are found out before anything is asked for.
pub(super) fn obtain(environment: &Environment, plan: &Plan, wanted: &LoginOptions) -> Result<Candidate> {
    if let Some(spec) = &wanted.source {
        listen();
        return kept_elsewhere(environment, plan, spec);
    }
    let (entry, profile) = propose(environment, plan, &plan.entry.pat)?;
    let given = |token: &Secret| {
        Ok(Candidate { pat: Pat::parse(token)?, entry: entry.clone(), profile: profile.clone(), is_new: true })
    };
    if wanted.with_token {
        // Whoever writes it may take long: until then, a signal does what it always does.
        let token = token_of_stdin()?;
        listen();
        return given(&token);
    }
    let terminal = Terminal::open().ok_or_else(|| {
        let hint = format!("pipe it to --with-token, or name its source with --source: {FORMS}");
        Error::usage("there is no terminal to ask for the personal access token", hint)
    })?;
    terminal.tell(&format!("create a personal access token at {}\n", profile.server.join(PAGE)));
    let or = if program::find("op").is_ok() { ", or its 1Password reference (op://Vault/Item/field)" } else { "" };
    let mut tries = 1;
    loop {
        let answer = terminal.ask_secret(&format!("paste it here (it is not shown){or}: "))?;
        let result = match reference(&answer) {
            Some(reference) => kept_elsewhere(environment, plan, reference),
            None => given(&answer),
        };
        match result {
            Err(error) if error.kind == Kind::NoCredential && tries < TRIES => {
                tries += 1;
                terminal.tell(&format!("{}; try again, or press Ctrl-C\n", error.what));
            }
            done => return done,
        }
    }
}

/// Returns the 1Password reference that was pasted instead of a token; 1Password copies it with quotes around it.
fn reference(answer: &Secret) -> Option<&str> {
    Some(answer.expose().trim_matches(['"', '\''])).filter(|text| text.starts_with("op://"))
}

/// Makes the profile whose token comes from the source, and checks that the settings can be given it.
fn propose(environment: &Environment, plan: &Plan, source: &str) -> Result<(ProfileEntry, Profile)> {
    let entry = ProfileEntry { pat: source.to_owned(), ..plan.entry.clone() };
    let profile = preview(environment, &entry)?;
    Ok((entry, profile))
}

fn kept_elsewhere(environment: &Environment, plan: &Plan, source: &str) -> Result<Candidate> {
    let (entry, profile) = propose(environment, plan, source)?;
    Ok(Candidate { pat: token::read_pat(&profile)?, entry, profile, is_new: false })
}

fn token_of_stdin() -> Result<Secret> {
    if stdin().is_terminal() {
        let hint = "leave out --with-token to paste the token without showing it, or redirect stdin: <FILE";
        return Err(Error::usage("--with-token reads from stdin, which is the terminal", hint));
    }
    // Room from the start, and no buffer of a reader's: either would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_STDIN_BYTES));
    let read = stdin().as_fd().try_clone_to_owned();
    let read = read.and_then(|stdin| File::from(stdin).take(MAX_STDIN_BYTES as u64).read_to_end(&mut bytes));
    read.map_err(|error| {
        Error::new(Kind::Io, format!("cannot read standard input: {error}"))
            .hint("redirect it from a file with the personal access token: <FILE")
    })?;
    String::from_utf8(std::mem::take(&mut *bytes)).map(Secret::new).map_err(|_| {
        Error::new(Kind::NoCredential, "standard input is not text")
            .hint("pipe the personal access token to it, and nothing else")
    })
}
