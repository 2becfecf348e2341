//! `cmd:COMMAND WITH ARGUMENTS`, or a list of strings: a program that prints the token. It is run without a shell.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use super::{Provider, invalid, text};
use crate::error::Result;
use crate::system::{
    Spinner,
    child::{self, Task},
};
use crate::types::Secret;

/// How long a command may take, in which a person may have to unlock a vault: 1Password's own prompt waits as long.
pub(super) const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

/// What a shell would act upon, and a command that is run without one gets as an argument.
const OPERATORS: [&str; 10] = ["|", "||", "&", "&&", ";", "<", ">", ">>", "2>&1", "2>/dev/null"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(super) words: Vec<String>,
}

impl Command {
    pub(super) fn new(words: Vec<String>) -> Result<Self> {
        match words.first() {
            None => Err(invalid("names no command")),
            Some(program) if program.is_empty() => Err(invalid("names an empty command")),
            Some(program) if program.contains('=') => Err(invalid(
                "sets a variable for its command, but no shell runs it: write [\"env\", \"NAME=…\", \"command\"]",
            )),
            Some(program) if program.contains('/') && !program.starts_with('/') => Err(invalid(
                "names a command relative to the current directory; write its whole path, or a name to find in PATH",
            )),
            Some(_) => Ok(Self { words }),
        }
    }

    /// Splits a line as a shell splits words; a word may begin with `~/`.
    pub(super) fn parse(line: &str, home: Option<&Path>) -> Result<Self> {
        let words = shell_words::split(line).map_err(|_| invalid("has a quote in its command that is not closed"))?;
        if words.iter().any(|word| OPERATORS.contains(&word.as_str())) {
            return Err(invalid(
                "has a shell operator in its command, but no shell runs it: write [\"sh\", \"-c\", \"…\"]; such a list is taken as it is",
            ));
        }
        let words = words.into_iter().map(|word| match home.zip(word.strip_prefix("~/")) {
            Some((home, below)) => home.join(below).to_string_lossy().into_owned(),
            None => word,
        });
        Self::new(words.collect())
    }

    fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }
}

impl Provider for Command {
    fn describe(&self) -> String {
        format!("cmd:{}", self.name())
    }

    fn read(&self, hidden: &[Rc<str>]) -> Result<Secret> {
        let task = Task { words: &self.words, hidden, input: None, timeout: COMMAND_TIMEOUT };
        text(child::output(&task, &mut Spinner::begin(format!("`{}`", self.name())))?)
    }

    fn identity(&self) -> String {
        format!("cmd:{}", self.words.join("\0"))
    }

    fn time_limit(&self) -> Option<Duration> {
        Some(COMMAND_TIMEOUT)
    }

    fn how_to_replace(&self) -> String {
        format!("save it where {} finds it", self.describe())
    }
}
