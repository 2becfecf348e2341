//! Where a personal access token is kept. Each kind of source is one file behind one interface, `Provider`: it reads the
//! token, and some also save and forget it. Nothing here looks at the token itself.

mod command;
mod environment;
mod file;
mod keyring;
mod one_password;
mod stored;

pub(crate) use stored::remove_all_copies;

use std::fmt;
use std::ops::Deref;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use crate::error::{Error, Fact, Kind, Result};
use crate::types::{Secret, Server, sha256};

/// The kinds of source that are the user's own, in the order in which a hint names them.
pub(crate) const FORMS: &str = "op://VAULT/ITEM/FIELD, env:NAME, file:PATH, cmd:COMMAND WITH ARGUMENTS";

/// What every kind of source can do. A program that it runs does not get the `hidden` variables.
pub(crate) trait Provider {
    /// Returns the source as the settings name it; never what is in it, and of a command no more than its name.
    fn describe(&self) -> String;

    fn read(&self, hidden: &[Rc<str>]) -> Result<Secret>;

    /// Proves, as far as that is possible without changing anything, that a token can be saved where the source reads it.
    /// A source that only its owner can write says so.
    fn can_save(&self, _hidden: &[Rc<str>]) -> Result<()> {
        let what = format!("the personal access token comes from {}, which ls-token cannot change", self.describe());
        let replace = self.how_to_replace();
        Err(Error::new(Kind::Settings, what).hint(format!(
            "create a new token in the browser and {replace}, or let ls-token keep it: `ls-token login`"
        )))
    }

    fn save(&self, _pat: &Secret, hidden: &[Rc<str>]) -> Result<()> {
        self.can_save(hidden)
    }

    /// Returns what the cache's file name is made of: the same source has the same.
    fn identity(&self) -> String {
        self.describe()
    }

    /// Returns a mark that changes when the token behind the source may have changed, without reading a secret from
    /// anywhere; `None` where the source is empty. Whoever asks a program for the token cannot tell: always the same.
    fn fingerprint(&self) -> Option<String> {
        Some("command".into())
    }

    /// Returns the name of the cache file for a server, and the fingerprint that its record must carry.
    fn cache_key(&self, server: &str) -> (String, Option<String>) {
        (sha256(&[server, &self.identity()]), self.fingerprint())
    }

    /// Returns how long a program that is run for the token may take; `None` where none is run.
    fn time_limit(&self) -> Option<Duration> {
        None
    }

    /// Names the place in a sentence, with the path of what ls-token stored.
    fn location(&self) -> String {
        self.describe()
    }

    /// Says how a new token gets to this place, in a phrase that goes on «create a new one, and …».
    fn how_to_replace(&self) -> String {
        "then run `ls-token login`".into()
    }

    /// Returns the variable that holds the token in the environment.
    fn variable(&self) -> Option<&Rc<str>> {
        None
    }

    /// Returns the token that `login` put there, or `None`; of a source that is not ls-token's own always `None`.
    fn kept(&self, _hidden: &[Rc<str>]) -> Result<Option<Secret>> {
        Ok(None)
    }

    /// Removes the token that `login` put there. Returns whether there was one.
    fn forget(&self, _hidden: &[Rc<str>]) -> Result<bool> {
        Ok(false)
    }

    /// Removes the copies that a killed login or rotation left beside the token. Returns whether there were any.
    fn remove_copies(&self) -> Result<bool> {
        Ok(false)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Environment(environment::Variable),
    File(file::TokenFile),
    Command(command::Command),
    OnePassword(one_password::Reference),
    Stored(stored::StoredToken),
    Keyring(keyring::Entry),
}

/// Whom a token that ls-token itself keeps belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub(crate) profile: &'a str,
    pub(crate) server: &'a Server,
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.describe())
    }
}

impl Deref for Source {
    type Target = dyn Provider;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Environment(source) => source,
            Self::File(source) => source,
            Self::Command(source) => source,
            Self::OnePassword(source) => source,
            Self::Stored(source) => source,
            Self::Keyring(source) => source,
        }
    }
}

impl Source {
    pub(crate) fn variable_named(name: &str) -> Self {
        Self::Environment(environment::Variable { name: name.into(), is_withheld: false })
    }

    /// Parses what the setting `pat` says. No error repeats the text, which may be a token pasted in the wrong place.
    pub(crate) fn parse(spec: &str, owner: Owner<'_>, home: Option<&Path>) -> Result<Self> {
        Ok(if spec == "stored" {
            Self::Stored(stored::StoredToken::of(owner))
        } else if spec == "keyring" {
            Self::Keyring(keyring::Entry::of(owner))
        } else if spec.starts_with("op://") {
            Self::OnePassword(one_password::Reference { text: spec.to_owned() })
        } else if let Some(name) = spec.strip_prefix("env:") {
            Self::Environment(environment::Variable::parse(name)?)
        } else if let Some(path) = spec.strip_prefix("file:") {
            Self::File(file::TokenFile::parse(path, home)?)
        } else if let Some(line) = spec.strip_prefix("cmd:") {
            Self::Command(command::Command::parse(line, home)?)
        } else if spec.starts_with("eyJ") {
            return Err(invalid("holds a token; settings must not contain secrets"));
        } else {
            return Err(invalid("is not a known source"));
        })
    }

    /// Makes a source of a command's words, which are taken as they are.
    pub(crate) fn command(words: Vec<String>) -> Result<Self> {
        command::Command::new(words).map(Self::Command)
    }

    /// Returns whether ls-token itself keeps the token, so that it is ls-token's to remove.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Self::Stored(_) | Self::Keyring(_))
    }

    /// Returns whether a token that is saved for the other source is in the place of this one's.
    pub(crate) fn is_same_place(&self, other: &Self) -> bool {
        self == other || !self.is_ours() && self.identity() == other.identity()
    }

    /// Leaves a variable alone: its value belongs to another server.
    pub(crate) fn withhold(&mut self, name: &str) {
        if let Self::Environment(variable) = self
            && &*variable.name == name
        {
            variable.is_withheld = true;
        }
    }
}

/// A source, and the variables that no program which it runs gets. Its errors name the source.
#[derive(Clone, Copy)]
pub(crate) struct PatStore<'a> {
    pub(crate) source: &'a Source,
    pub(crate) hidden: &'a [Rc<str>],
}

impl PatStore<'_> {
    pub(crate) fn read(self) -> Result<Secret> {
        self.named(self.source.read(self.hidden))
    }

    pub(crate) fn can_save(self) -> Result<()> {
        self.named(self.source.can_save(self.hidden))
    }

    pub(crate) fn save(self, pat: &Secret) -> Result<()> {
        self.named(self.source.save(pat, self.hidden))
    }

    pub(crate) fn kept(self) -> Result<Option<Secret>> {
        self.named(self.source.kept(self.hidden))
    }

    pub(crate) fn forget(self) -> Result<bool> {
        self.named(self.source.forget(self.hidden))
    }

    pub(crate) fn remove_copies(self) -> Result<bool> {
        self.named(self.source.remove_copies())
    }

    fn named<T>(self, result: Result<T>) -> Result<T> {
        result.map_err(|error| error.with(Fact::Source, self.source))
    }
}

fn invalid(why: &str) -> Error {
    let hint = format!("pat is one of {FORMS}, stored, keyring, or a list of strings: a command and its arguments");
    Error::new(Kind::Settings, format!("pat {why}")).hint(hint)
}

fn text(bytes: Vec<u8>) -> Result<Secret> {
    String::from_utf8(bytes).map(Secret::new).map_err(|_| {
        Error::new(Kind::NoCredential, "the source did not give text")
            .hint("it must print the personal access token and nothing else")
    })
}
