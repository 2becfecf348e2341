//! Where a personal access token is, and how it is read: 1Password, a command, a file, the environment, what `login`
//! stored. Nothing here looks at the token itself.

mod file;
pub(crate) mod keyring;
mod one_password;
pub(crate) mod store;
mod store_file;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::system::environment::{KEY_VARIABLE, search_path};
use crate::system::spinner::Waiting;
use crate::types::secret::{Secret, sha256};

use crate::system::child::{self, COMMAND_LIMIT, Task};
pub(crate) use file::check_privacy;

/// What a shell would act upon, and a command that is run without one gets as an argument.
const OPERATORS: [&str; 10] = ["|", "||", "&", "&&", ";", "<", ">", ">>", "2>&1", "2>/dev/null"];

/// The place of a personal access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// `env:NAME` and the variable's value, where it has one.
    Environment(String, Option<Secret>),
    /// `file:PATH`.
    File(PathBuf),
    /// `op://…` and `cmd:…`: the words to run, after what the settings call them.
    Command(String, Vec<String>),
    /// `stored`: the file that `login` wrote.
    Stored(PathBuf),
    /// `keyring`: the entry of the operating system's keyring that `login` made.
    Keyring(keyring::Entry),
}

/// Shows the source as the settings name it; never what is in it, and of a command no more than its name.
impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name, _) => write!(out, "env:{name}"),
            Self::File(path) => write!(out, "file:{}", path.display()),
            Self::Command(spec, _) if spec.starts_with("op://") => out.write_str(spec),
            Self::Command(_, words) => {
                write!(out, "cmd:{}", words.first().map_or("", String::as_str))
            }
            Self::Stored(_) => out.write_str("stored"),
            Self::Keyring(_) => out.write_str("keyring"),
        }
    }
}

impl Source {
    /// Makes the source `env:NAME`.
    pub(crate) fn environment(name: &str, value: Option<Secret>) -> Self {
        Self::Environment(name.to_owned(), value)
    }

    /// Makes the source `file:PATH`.
    pub(crate) fn file(path: PathBuf) -> Self {
        Self::File(path)
    }

    /// Makes a source of a command's words. The error is a phrase that goes on «pat …».
    pub(crate) fn command(words: Vec<String>) -> std::result::Result<Self, String> {
        match words.first() {
            None => Err("names no command".into()),
            Some(program) if program.is_empty() => Err("names an empty command".into()),
            Some(program) if program.contains('=') => {
                Err("sets a variable for its command, but no shell runs: write [\"env\", \"NAME=…\", \"command\"]"
                    .into())
            }
            Some(program) if program.contains('/') && !program.starts_with('/') => {
                Err("names a command relative to the current folder; write its whole path, or a name to find in PATH"
                    .into())
            }
            Some(_) => Ok(Self::Command(format!("cmd:{}", words.join("\0")), words)),
        }
    }

    /// Parses `op://…` and `cmd:…`. The error is a phrase that goes on «pat …», and does not repeat the text, which
    /// may be a token pasted in the wrong place.
    pub(crate) fn parse(spec: &str, home: Option<&Path>) -> std::result::Result<Self, String> {
        if spec.starts_with("op://") {
            // https://developer.1password.com/docs/cli/reference/commands/read
            let words = ["op", "read", "--no-newline", spec].map(str::to_owned);
            return Ok(Self::Command(spec.to_owned(), words.into()));
        }
        if let Some(line) = spec.strip_prefix("cmd:") {
            let words =
                shell_words::split(line).map_err(|_| "has a quote that does not end in its command".to_owned())?;
            if words.iter().any(|word| OPERATORS.contains(&word.as_str())) {
                return Err("has an operator of the shell in its command, but no shell runs: write [\"sh\", \"-c\", \"…\"]; such a list is taken as it is".into());
            }
            let words = words.into_iter().map(|word| match home.zip(word.strip_prefix("~/")) {
                Some((home, below)) => home.join(below).to_string_lossy().into_owned(),
                None => word,
            });
            return Self::command(words.collect());
        }
        if spec.starts_with("eyJ") {
            return Err("holds a token itself; a secret does not belong into the settings".into());
        }
        Err("names no source that there is".into())
    }

    /// Returns the name that `login` stored the token under, without its ending.
    pub(crate) fn stored_name(&self) -> Option<&str> {
        match self {
            Self::Stored(path) => path.file_stem()?.to_str(),
            _ => None,
        }
    }

    /// Returns what the cache's file name is made of otherwise: the same source has the same.
    pub(crate) fn identity(&self) -> String {
        match self {
            Self::Command(spec, _) => spec.clone(),
            Self::Keyring(entry) => format!("keyring\0{}", entry.profile),
            other => other.to_string(),
        }
    }

    /// Tells whether a token that is saved for the other source is in the place of this one's.
    pub(crate) fn is_place_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Stored(one), Self::Stored(another)) => one == another,
            (Self::Keyring(one), Self::Keyring(another)) => one == another,
            _ => self.identity() == other.identity(),
        }
    }

    /// Returns a mark that changes when the token behind the source may have changed, without reading a secret from
    /// anywhere: a fingerprint for a variable, device, inode, size and times for a file, the same always for a command.
    pub(crate) fn stamp(&self) -> Option<String> {
        match self {
            Self::Environment(_, value) => Some(value.as_ref()?.fingerprint()),
            Self::File(path) | Self::Stored(path) => Some(file::stamp(&fs::metadata(path).ok()?)),
            Self::Command(..) | Self::Keyring(_) => Some("command".into()),
        }
    }

    /// Returns a mark of what a failure depends on: of a command also where programs are looked for, as another process
    /// may find another program, or the one that is missing here.
    pub(crate) fn failure_mark(&self, stamp: &str) -> String {
        match self {
            Self::Command(..) | Self::Keyring(_) => {
                let folders = search_path();
                sha256(&folders.iter().filter_map(|folder| folder.to_str()).collect::<Vec<_>>())
            }
            _ => stamp.to_owned(),
        }
    }

    /// Returns how long reading may take, at the most.
    pub(crate) fn time_limit(&self) -> Duration {
        match self {
            Self::Command(..) => COMMAND_LIMIT,
            Self::Keyring(_) => keyring::LIMIT,
            _ => Duration::ZERO,
        }
    }

    /// Names the place in a sentence, with the path of what ls-token stored.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Stored(path) => path.display().to_string(),
            Self::Keyring(_) => "the keyring".into(),
            other => other.to_string(),
        }
    }

    /// Says how a new token gets to this place, in a phrase that goes on «create a new one, and …».
    pub(crate) fn remedy(&self) -> String {
        match self {
            Self::Environment(name, _) => format!("export it as {name}"),
            Self::File(path) => format!("put it into {}", path.display()),
            Self::Command(..) => format!("put it where {self} finds it"),
            Self::Stored(_) | Self::Keyring(_) => "then run `ls-token login`".into(),
        }
    }

    /// Reads the personal access token as it is there. A command does not get the `hidden` variables.
    pub(crate) fn read(&self, hidden: &[String]) -> Result<Secret> {
        match self {
            Self::Environment(_, Some(value)) => Ok(value.clone()),
            Self::Environment(name, None) => Err(Error::new(
                Kind::Denied,
                format!("the variable {name} is not set for this server"),
            )
            .with("source", self)
            .hint(if name == KEY_VARIABLE {
                "export it, with a personal access token as its value; it belongs to the LABEL_STUDIO_URL beside it"
            } else {
                "export it, with a personal access token as its value"
            })),
            Self::File(path) => file::read(path),
            Self::Stored(path) => file::read(path).map_err(|error| {
                let error = error.with("source", self);
                if path.exists() { error } else { error.hint("store one: ls-token login") }
            }),
            Self::Command(_, words) => {
                let mut waiting = Waiting::begin(format!("`{}`", words.first().map_or("", String::as_str)));
                let task = Task { words, hidden, input: None, limit: COMMAND_LIMIT };
                child::output(&task, &mut waiting)
                    .and_then(|bytes| text(bytes, self))
                    .map_err(|error| error.with("source", self))
            }
            Self::Keyring(entry) => entry
                .read(hidden)
                .and_then(|found| found.ok_or_else(|| entry.missing()))
                .map_err(|error| error.with("source", self)),
        }
    }
}

/// Returns the bytes of a source as text.
fn text(bytes: Vec<u8>, source: &dyn fmt::Display) -> Result<Secret> {
    String::from_utf8(bytes).map(Secret::new).map_err(|_| {
        Error::new(Kind::Denied, "what the source gave is not text")
            .with("source", source)
            .hint("it should print the personal access token and nothing else")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_shows_no_argument_of_its_command() {
        let source = Source::parse("cmd:vault -token='s.x y' read", None).unwrap();
        assert_eq!(source.to_string(), "cmd:vault");
        let Source::Command(_, words) = source else { panic!("not a command") };
        assert_eq!(words, ["vault", "-token=s.x y", "read"]);
    }

    #[test]
    fn a_token_in_the_settings_is_refused_and_not_repeated() {
        let why = Source::parse("eyJhbGciOi.J9.x", None).unwrap_err();
        assert!(why.contains("token itself") && !why.contains("hbGci"));
    }

    #[test]
    fn a_word_of_a_command_may_be_below_the_home_folder() {
        let source = Source::parse("cmd:~/bin/pat --in ~/x a~/b", Some(Path::new("/h")));
        let Ok(Source::Command(_, words)) = source else { panic!("not a command") };
        assert_eq!(words, ["/h/bin/pat", "--in", "/h/x", "a~/b"]);
    }

    #[test]
    fn f18_a_command_relative_to_the_current_folder_is_refused() {
        assert!(
            Source::parse("cmd:./op read", None).is_err()
                && Source::parse("cmd:bin/op", None).is_err()
                && Source::parse("cmd:", None).is_err()
        );
    }
}
