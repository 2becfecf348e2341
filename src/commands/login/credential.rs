//! Gets the token that is to be tried: from where it is, from stdin, or from the person at the terminal.

use std::io::{IsTerminal as _, stdin};

use rustix::io::Errno;
use zeroize::Zeroizing;

use super::candidate::Candidate;
use super::plan::Plan;
use crate::cli::LoginOptions;
use crate::error::{Error, Kind, Result};
use crate::settings::{Change, Profile, ProfileEntry, can_change, preview};
use crate::system::{Environment, listen, prompt::Terminal};
use crate::token;
use crate::types::{PAGE, Pat, Secret};

/// The most that is read of stdin, in bytes: more than any token has.
const MAX_STDIN_BYTES: usize = 64 * 1024;

/// How often a question is asked anew.
const TRIES: usize = 3;

/// Gets the token, from where it is or from the person, and makes the profile. Settings that cannot be changed are found
/// out before that.
pub(super) fn obtain(environment: &Environment, plan: &Plan, wanted: &LoginOptions) -> Result<Candidate> {
    if let Some(spec) = &wanted.source {
        listen();
        return Proposal::make(environment, plan, spec)?.with_its_token();
    }
    let proposal = Proposal::make(environment, plan, plan.store())?;
    if wanted.with_token {
        // Whoever writes it may take long: until then, a signal does what it always does.
        let token = token_of_stdin()?;
        listen();
        return proposal.with(&token);
    }
    let terminal = Terminal::open().ok_or_else(|| {
        Error::usage("there is no terminal to ask for the personal access token", "pipe it to --with-token, or name its source with --source: op://Vault/Item/field, env:NAME, file:PATH, cmd:COMMAND")
    })?;
    let page = plan.server.join(PAGE);
    terminal.tell(&format!("create a personal access token at {page}\n"));
    let or = if plan.has_one_password { ", or its 1Password reference (op://Vault/Item/field)" } else { "" };
    let mut tries = 1;
    loop {
        let answer = terminal.ask_secret(&format!("paste it here (it is not shown){or}: "))?;
        let result = match reference(&answer) {
            Some(reference) => Proposal::make(environment, plan, &reference).and_then(Proposal::with_its_token),
            None => proposal.clone().with(&answer),
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
fn reference(answer: &Secret) -> Option<String> {
    let text = answer.expose().trim_matches(['"', '\'']);
    text.starts_with("op://").then(|| text.to_owned())
}

/// A profile that the settings can be given, and whose token is still to come.
#[derive(Clone)]
struct Proposal {
    entry: ProfileEntry,
    profile: Profile,
}

impl Proposal {
    /// Makes the profile whose token comes from the source.
    fn make(environment: &Environment, plan: &Plan, source: &str) -> Result<Self> {
        let entry = plan.entry(source);
        let profile = preview(environment, &entry)?;
        can_change(environment, &Change::Put(entry.clone()))?;
        Ok(Self { entry, profile })
    }

    fn with(self, token: &Secret) -> Result<Candidate> {
        let Self { entry, profile } = self;
        Ok(Candidate { entry, profile, pat: Pat::parse(token)?, is_new: true })
    }

    fn with_its_token(self) -> Result<Candidate> {
        let Self { entry, profile } = self;
        let pat = token::read_pat(&profile)?;
        Ok(Candidate { entry, profile, pat, is_new: false })
    }
}

fn token_of_stdin() -> Result<Secret> {
    if stdin().is_terminal() {
        return Err(Error::usage(
            "--with-token reads from stdin, which is the terminal",
            "leave out --with-token to paste the token without showing it, or redirect stdin: <FILE",
        ));
    }
    // Room from the start, and no buffer of a reader's: either would leave copies behind.
    let mut bytes = Zeroizing::new(vec![0; MAX_STDIN_BYTES]);
    let mut length = 0;
    while let Some(room) = bytes.get_mut(length..).filter(|room| !room.is_empty()) {
        match rustix::io::read(rustix::stdio::stdin(), room) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(Errno::INTR) => {}
            Err(error) => {
                let what = format!("cannot read standard input: {error}");
                return Err(
                    Error::new(Kind::Io, what).hint("redirect it from a file with the personal access token: <FILE")
                );
            }
        }
    }
    bytes.truncate(length);
    let text = String::from_utf8(std::mem::take(&mut *bytes));
    text.map(Secret::new).map_err(|_| {
        Error::new(Kind::NoCredential, "standard input is not text")
            .hint("pipe the personal access token to it, and nothing else")
    })
}
