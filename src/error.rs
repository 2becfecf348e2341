//! What goes wrong, in one form: what and why, where, and what to do next. The kind decides the exit status.

use std::fmt::{Display, Write as _};
use std::path::Path;

/// A result with this program's error.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// The kinds of failure, of which each has an exit status of its own (from `sysexits.h` where that has one).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The command line makes no sense.
    Usage,
    /// The server could not be reached, took too long, or is in trouble itself.
    Unreachable,
    /// The file system or standard output refused.
    Files,
    /// The lock was not free in time.
    Busy,
    /// The server's answer made no sense.
    Nonsense,
    /// There is no personal access token, or the server rejected it.
    Denied,
    /// The settings are wrong.
    Settings,
    /// A program that is to be run is not there.
    Missing,
    /// A signal asked to stop; its number.
    Interrupted(i32),
}

impl Kind {
    /// Every kind that can be written down for other processes.
    const SHARED: [Self; 8] = [
        Self::Usage,
        Self::Unreachable,
        Self::Files,
        Self::Busy,
        Self::Nonsense,
        Self::Denied,
        Self::Settings,
        Self::Missing,
    ];

    /// Returns the exit status of this kind; README's table lists them.
    pub(crate) fn status(self) -> i32 {
        match self {
            Self::Usage => 2,
            Self::Unreachable => 69,
            Self::Files => 74,
            Self::Busy => 75,
            Self::Nonsense => 76,
            Self::Denied => 77,
            Self::Settings => 78,
            Self::Missing => 127,
            Self::Interrupted(signal) => 128 + signal,
        }
    }

    /// Returns the kind that has the exit status.
    pub(crate) fn of_status(status: i32) -> Option<Self> {
        Self::SHARED.into_iter().find(|kind| kind.status() == status)
    }
}

/// A failure: its kind, what happened and why, and lines of `name: text` below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    /// Decides the exit status.
    pub(crate) kind: Kind,
    /// What happened and why: one line, lower case, no full stop.
    pub(crate) what: String,
    /// Where it happened, in the order of showing: server, file, profile.
    pub(crate) facts: Vec<(String, String)>,
    /// What to do next.
    pub(crate) hint: String,
    /// Whether Label Studio itself said that the personal access token is good no more: a proxy's refusal is no proof.
    pub(crate) token_is_dead: bool,
}

impl Error {
    /// Makes an error of the kind.
    pub(crate) fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { token_is_dead: false, kind, what: what.into(), facts: Vec::new(), hint: String::new() }
    }

    /// Makes an error of the command line.
    pub(crate) fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Kind::Usage, what).hint(hint)
    }

    /// Makes an error of the file system, which names the path.
    pub(crate) fn file(doing: &str, path: &Path, cause: &std::io::Error) -> Self {
        Self::new(Kind::Files, format!("cannot {doing}: {cause}")).with("file", path.display())
    }

    /// Adds a line that says where.
    pub(crate) fn with(mut self, name: &str, value: impl Display) -> Self {
        self.facts.push((name.to_owned(), value.to_string()));
        self
    }

    /// Says what to do next.
    pub(crate) fn hint(mut self, text: impl Into<String>) -> Self {
        self.hint = text.into();
        self
    }

    /// Returns the error in one line, for a warning.
    pub(crate) fn in_one_line(&self) -> String {
        let facts = self.facts.iter().map(|(_, value)| format!(" ({value})"));
        let hint = if self.hint.is_empty() { String::new() } else { format!("; hint: {}", self.hint) };
        format!("{}{}{hint}", self.what, facts.collect::<String>())
    }

    /// Returns the error as it is printed.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("ls-token: {}\n", self.what);
        for (name, value) in &self.facts {
            let _ = writeln!(text, "  {name}: {value}");
        }
        if !self.hint.is_empty() {
            let _ = writeln!(text, "  hint: {}", self.hint);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_where_and_what_next() {
        let error = Error::new(Kind::Denied, "it was rejected").with("server", "https://a").hint("log in");
        assert_eq!(error.to_text(), "ls-token: it was rejected\n  server: https://a\n  hint: log in\n");
    }

    #[test]
    fn readme_lists_every_exit_status() {
        let readme = include_str!("../README.md");
        for kind in Kind::SHARED.into_iter().chain([Kind::Interrupted(2)]) {
            let row = format!("| {} |", kind.status());
            assert!(readme.contains(&row), "README has no row {row}");
        }
    }
}
