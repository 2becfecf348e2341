//! Swaps the personal access token for a new one. The server revokes the old one before it returns the new one, so it is
//! not asked before that has a place to go to; from the answer on it is on disk, and the next run finishes the rest.

use std::path::Path;
use std::time::SystemTime;

use super::{Session, put_off_signals, replace_cached};
use crate::api::account::{self, RotationError};
use crate::api::exchange;
use crate::cli::Options;
use crate::error::{Error, Fact, Kind, Result};
use crate::settings::Profile;
use crate::system::{
    Console, atomic, check_file_limit, check_signals, files, put_signal_back, say, stdout, take_signal, warn,
};
use crate::token;
use crate::token::rescue::{self, Found, Rescue};
use crate::types::{Access, PAGE, Pat, Secret, jwt};

pub(crate) fn run(options: &Options, output: Option<&Path>) -> Result<()> {
    let session = Session::begin(options);
    let profile = &session.profile()?;
    token::prepare()?;
    check_file_limit()?;
    let rotation = Rotation { rescue: Rescue::of(profile)?, output, profile, console: session.console };
    let report = rotation.run().map_err(|error| profile.with_profile(error))?;
    if stdout::print(&report).is_err() {
        // It is done all the same, and must not look as if it were not.
        say(report.trim_end());
    }
    // A signal that came in while the work had to go on.
    check_signals()
}

struct Rotation<'a> {
    profile: &'a Profile,
    /// Where the new token is kept until it has reached its place.
    rescue: Rescue,
    /// The file that the new token goes to, instead of where the source reads it.
    output: Option<&'a Path>,
    console: Console,
}

impl Rotation<'_> {
    /// Does it, or finishes an earlier one; returns what is to be said of it.
    fn run(&self) -> Result<String> {
        self.rescue.make_directory()?;
        let _locks = rescue::hold(self.profile)?;
        let begun = match self.rescue.read()? {
            Found::Token(pat, old) if self.resume(&pat, &old)? => {
                return Ok(self.report("finished an interrupted rotation, without asking for another token"));
            }
            Found::Token(..) => None,
            found => {
                self.check_destination()?;
                if let Found::Pending(at) = found { Some(at) } else { None }
            }
        };
        let (pat, kept) = self.ask(begun)?;
        self.finish(&pat, kept)?;
        Ok(self.report("rotated"))
    }

    /// Finishes an interrupted rotation; `false` where the token that it left is revoked itself.
    fn resume(&self, pat: &Secret, old: &str) -> Result<bool> {
        self.check_destination().map_err(|error| self.rescued(error))?;
        self.check_owner(pat, old)?;
        match self.finish(pat, true) {
            Err(error) if error.kind == Kind::Revoked => {
                warn("the token that an interrupted rotation left is revoked itself, and was removed");
                self.rescue.remove().map(|()| false)
            }
            done => done.map(|()| true),
        }
    }

    /// Refuses to save a rescued token over another than it was given for: one made by hand since, or another user's.
    fn check_owner(&self, rescued: &Secret, old: &str) -> Result<()> {
        let profile = self.profile;
        if profile.source.is_ours() && profile.pat().kept().map_err(|error| self.rescued(error))?.is_none() {
            return Ok(());
        }
        let now = token::read_pat(profile).map_err(|error| self.rescued(error))?.token.fingerprint();
        if now == old || now == rescued.fingerprint() {
            return Ok(());
        }
        let what = "an interrupted rotation left a token, but the source has another one than the one that was rotated";
        Err(Error::new(Kind::Settings, what)
            .with(Fact::Rescued, self.rescue.path().display())
            .with(Fact::Source, &profile.source)
            .hint("two tokens exist; to rotate the source's, move that file away (its line `pat …` holds the other)"))
    }

    /// Asks for a new token; returns it, and whether the rescue file has it. `begun` is when an earlier one was lost.
    fn ask(&self, begun: Option<SystemTime>) -> Result<(Secret, bool)> {
        let (profile, console) = (self.profile, self.console);
        console.note(format_args!("source: reading {}", profile.source));
        let old = token::read_pat(profile)?.token;
        console.note(format_args!("exchange: asking {}", profile.server));
        let access = exchange::refresh(profile, &old, console).map_err(|error| match begun {
            Some(at) if error.kind.is_dead() => {
                let _ = self.rescue.remove();
                rescue::with_lost_rotation(error, at)
            }
            _ => error,
        })?;
        let file = self.rescue.preallocate()?;
        if let Err(interrupted) = check_signals() {
            let _ = self.rescue.remove();
            return Err(interrupted);
        }
        console.note("rotate: asking for a new token; from here on, signals wait");
        let pat = account::rotate(profile, &access.token, &old).map_err(|lost| self.explain(lost, &old))?;
        let kept = self.rescue.record(&file, &pat, &old).inspect_err(|error| warn(error.to_line()));
        Ok((pat, kept.is_ok()))
    }

    /// Finds out what became of the tokens when there is no new one, and says what to do.
    fn explain(&self, lost: RotationError, old: &Secret) -> Error {
        let tried = || put_off_signals(|| exchange::refresh(self.profile, old, self.console)).map(drop);
        match if lost.maybe_rotated { tried() } else { Ok(()) } {
            Ok(()) => {
                let _ = self.rescue.remove();
                lost.error.with(Fact::PersonalAccessToken, "unchanged, and still valid")
            }
            Err(denied) if denied.kind.is_dead() => {
                let _ = self.rescue.remove();
                let (page, place) = (self.profile.server.join(PAGE), self.destination());
                let what =
                    "the old personal access token is revoked, and the new one was lost with the server's answer";
                let hint = format!("revoke what {page} lists, create a new one there, and save that in {place}");
                lost.error.context(what).only_hint(hint)
            }
            Err(_) => {
                let command = self.command();
                let hint = format!(
                    "when the server answers again, run `{command}`: it finds out, and continues if the token is still valid"
                );
                lost.error.with(Fact::PersonalAccessToken, "may be revoked: the server cannot be asked").hint(hint)
            }
        }
    }

    /// Brings a new token to its place and tidies up. A signal that came in while the server was asked is put off until
    /// then; one that comes in now ends it, and the rescue file stays.
    fn finish(&self, pat: &Secret, kept: bool) -> Result<()> {
        let pending = take_signal();
        if pending.is_some() {
            say("finishing until the new token is saved; another signal stops at once");
        }
        let access = self.put(pat).map_err(|error| {
            if kept {
                self.rescued(error)
            } else {
                error.hint("the new token could not be saved and is lost, and the old one is revoked: create another in the browser")
            }
        })?;
        let expires = jwt::claims(pat.expose()).and_then(|claims| claims.expires);
        let access = access.filter(|_| self.output.is_none());
        replace_cached(self.profile, access, &Pat { token: pat.clone(), expires });
        self.rescue.remove().unwrap_or_else(|error| warn(error.to_line()));
        pending.inspect(|signal| put_signal_back(*signal));
        Ok(())
    }

    /// Proves a new token by an exchange and saves it; one that cannot be tried out is saved all the same.
    fn put(&self, pat: &Secret) -> Result<Option<Access>> {
        self.console.note("exchange: testing the new token");
        let access = match exchange::refresh(self.profile, pat, self.console) {
            Ok(access) => Some(access),
            Err(error) if error.kind.is_rejection() || matches!(error.kind, Kind::Interrupted(_)) => {
                return Err(error);
            }
            Err(error) => {
                warn(format_args!("the new token is saved without having been tested: {}", error.to_line()));
                None
            }
        };
        self.console.note(format_args!("rotate: saving it in {}", self.destination()));
        self.save(pat).map(|()| access)
    }

    /// Says in an error where the new token is kept: at once where it is an interruption, which is not shown otherwise.
    fn rescued(&self, error: Error) -> Error {
        let (path, command) = (self.rescue.path(), self.command());
        if let Kind::Interrupted(_) = error.kind {
            let (path, place) = (path.display(), self.destination());
            say(format_args!("the new personal access token is kept in {path}; `{command}` saves it in {place}"));
            return error;
        }
        error
            .with(Fact::Rescued, path.display())
            .hint(format!("then run `{command}`: the new token is kept in that file, and the old one is revoked"))
    }

    fn destination(&self) -> String {
        self.output.map_or_else(|| self.profile.source.location(), |path| path.display().to_string())
    }

    /// Refuses a place that cannot be written to, without changing anything.
    fn check_destination(&self) -> Result<()> {
        let Some(path) = self.output else {
            let hint = "or name a file for the new token: ls-token rotate --output FILE";
            return self.profile.pat().can_save().map_err(|error| error.hint(hint));
        };
        if path.symlink_metadata().is_ok() {
            return Err(Error::new(Kind::Io, "a file of that name exists already")
                .with(Fact::File, path.display())
                .hint("name one that does not exist yet"));
        }
        files::can_create_in(files::parent(path)).map_err(|error| {
            Error::file("create the file for the new token", path, &error)
                .hint("name a file in a directory that you may write to")
        })
    }

    fn save(&self, pat: &Secret) -> Result<()> {
        let Some(path) = self.output else { return self.profile.pat().save(pat) };
        let line = Secret::new(format!("{}\n", pat.expose()));
        atomic::create_new(path, line.expose().as_bytes())
            .map_err(|error| Error::file("write the new token", path, &error))
    }

    /// Returns the command that goes on with this rotation.
    fn command(&self) -> String {
        let output = self.output.map(Path::to_string_lossy);
        let output = output.map_or_else(String::new, |path| format!(" --output {}", shell_words::quote(&path)));
        format!("{}{output}", rescue::command(self.profile))
    }

    fn report(&self, what: &str) -> String {
        let (Profile { server, source, .. }, place) = (self.profile, self.destination());
        let next = format!("  next: save it where {source} finds it, which still has the revoked one\n");
        let next = if self.output.is_some() { &next } else { "" };
        format!(
            "{what}: the personal access token for {server} is saved in {place}, and the old one is revoked\n{next}"
        )
    }
}
