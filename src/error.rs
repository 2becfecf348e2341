//! What goes wrong, as data: a kind, a cause, facts and hints. The kind decides the exit status; no code reads the words
//! of a message. Nothing here uses anything else of this program: the build script includes this file for the manual.
#![allow(dead_code, reason = "the build script uses the table of exit statuses alone")]

use std::fmt::Display;
use std::path::Path;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// The exit statuses and what they mean, for `--help` and the manual; README has the same table. The numbers are those of
/// `sysexits.h`, and a shell's for a command that cannot be run.
pub(crate) const EXIT_STATUSES: [(i32, &str); 11] = [
    (0, "a token was printed"),
    (2, "wrong usage"),
    (69, "the server cannot be reached, timed out, or failed (5xx)"),
    (74, "a file or standard output cannot be read or written"),
    (75, "the lock was not free in time; try again"),
    (76, "the server's answer is not Label Studio's"),
    (77, "there is no personal access token, or it was rejected"),
    (78, "the settings are invalid, or no profile fits"),
    (126, "the command is not executable"),
    (127, "the command was not found"),
    (130, "interrupted (128 + the number of the signal)"),
];

/// Declares the kinds of failure, each with its exit status, and lists them.
macro_rules! kinds {
    ($($(#[$about:meta])* $kind:ident = $status:literal,)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind {
            $($(#[$about])* $kind,)*
            /// A signal asked to stop; its number.
            Interrupted(i32),
        }

        impl Kind {
            /// Every kind but an interruption, with the name that it has in a lock file.
            const ALL: &[(Self, &str)] = &[$((Self::$kind, stringify!($kind))),*];

            pub(crate) fn status(self) -> i32 {
                match self {
                    $(Self::$kind => $status,)*
                    Self::Interrupted(signal) => 128 + signal,
                }
            }
        }
    };
}

kinds! {
    Usage = 2,
    Unreachable = 69,
    /// This process has no way to the network; others may have one.
    Offline = 69,
    Io = 74,
    LockTimeout = 75,
    BadResponse = 76,
    /// There is no personal access token to be sent.
    NoCredential = 77,
    /// Something refused a token: Label Studio for a reason that may pass, or a proxy. No proof that the token is dead.
    Rejected = 77,
    /// Label Studio itself says that the personal access token is no longer valid.
    Dead = 77,
    /// The same, because it was revoked or rotated.
    Revoked = 77,
    Settings = 78,
    NotExecutable = 126,
    CommandNotFound = 127,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("Interrupted", |(_, name)| name)
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == name).map(|(kind, _)| *kind)
    }

    pub(crate) fn is_dead(self) -> bool {
        matches!(self, Self::Dead | Self::Revoked)
    }

    /// Returns whether it says something of the server or the source, and so concerns others who ask the same of them.
    pub(crate) fn concerns_others(self) -> bool {
        self.is_rejection() || matches!(self, Self::Unreachable | Self::BadResponse | Self::NoCredential)
    }

    /// Returns whether a server, or a proxy in front of it, did not accept a token.
    pub(crate) fn is_rejection(self) -> bool {
        matches!(self, Self::Rejected | Self::Dead | Self::Revoked)
    }
}

/// Declares what an error can tell beside what happened, and lists it with the label that it is shown under.
macro_rules! facts {
    ($($fact:ident $label:literal,)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Fact { $($fact,)* }

        impl Fact {
            const ALL: &[(Self, &str)] = &[$((Self::$fact, $label)),*];
        }
    };
}

facts! {
    Address "address",
    Argument "argument",
    AskedBy "asked by",
    Directory "directory",
    File "file",
    From "from",
    KeyringEntry "keyring entry",
    Line "line",
    Lock "lock",
    Login "login",
    Logout "logout",
    PersonalAccessToken "personal access token",
    Process "process",
    Profile "profile",
    Proxy "proxy",
    Rescued "rescued",
    Rotation "rotation",
    Server "server",
    Servers "servers",
    Source "source",
    Url "url",
}

impl Fact {
    pub(crate) fn label(self) -> &'static str {
        Self::ALL.iter().find(|(fact, _)| *fact == self).map_or("", |(_, label)| label)
    }

    pub(crate) fn labelled(label: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == label).map(|(fact, _)| *fact)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    pub(crate) kind: Kind,
    /// What happened: one line, lower case, no full stop.
    pub(crate) what: String,
    pub(crate) cause: Option<String>,
    /// Where it happened, in the order of showing.
    pub(crate) facts: Vec<(Fact, String)>,
    /// What to do next: statements or commands.
    pub(crate) hints: Vec<String>,
}

impl Error {
    pub(crate) fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), cause: None, facts: Vec::new(), hints: Vec::new() }
    }

    pub(crate) fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Kind::Usage, what).hint(hint)
    }

    pub(crate) fn file(doing: &str, path: &Path, cause: &std::io::Error) -> Self {
        Self { cause: Some(cause.to_string()), ..Self::new(Kind::Io, format!("cannot {doing}")) }
            .with(Fact::File, path.display())
    }

    /// Adds a line that tells where, unless there is one of its kind.
    pub(crate) fn with(mut self, fact: Fact, value: impl Display) -> Self {
        if self.fact(fact).is_none() {
            self.facts.push((fact, value.to_string()));
        }
        self
    }

    pub(crate) fn fact(&self, fact: Fact) -> Option<&str> {
        self.facts.iter().find(|(own, _)| *own == fact).map(|(_, value)| value.as_str())
    }

    pub(crate) fn hint(mut self, text: impl Into<String>) -> Self {
        self.hints.push(text.into());
        self
    }

    pub(crate) fn only_hint(mut self, text: impl Into<String>) -> Self {
        self.hints = vec![text.into()];
        self
    }

    /// Names another failure as the cause of this one, of which the facts are kept.
    pub(crate) fn because(mut self, cause: Self) -> Self {
        self.cause = Some(cause.message());
        for (fact, value) in cause.facts {
            self = self.with(fact, value);
        }
        self
    }

    /// Says in which undertaking it happened: the error becomes the cause, and keeps its kind, facts and hints.
    pub(crate) fn context(self, what: impl Into<String>) -> Self {
        Self { cause: Some(self.message()), what: what.into(), ..self }
    }

    pub(crate) fn message(&self) -> String {
        match &self.cause {
            Some(cause) => format!("{}: {cause}", self.what),
            None => self.what.clone(),
        }
    }

    /// Returns the error in one line, for a warning.
    pub(crate) fn to_line(&self) -> String {
        let facts = self.facts.iter().map(|(_, value)| format!(" ({value})"));
        let hints = self.hints.iter().map(|hint| format!("; hint: {hint}"));
        facts.chain(hints).fold(self.message(), |line, part| line + &part)
    }

    /// Returns the error as it is shown: what happened, where, and what to do next.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let facts = self.facts.iter().map(|(fact, value)| format!("  {}: {value}", fact.label()));
        let hints = self.hints.iter().map(|hint| format!("  hint: {hint}"));
        [format!("ls-token: {}", self.message())].into_iter().chain(facts).chain(hints)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_why_where_and_what_next() {
        let cause = Error::new(Kind::Io, "the disk is full").with(Fact::File, "/x");
        let error = Error::new(Kind::Rejected, "it failed").with(Fact::Server, "https://a").hint("log in").hint("wait");
        assert_eq!(
            error.because(cause).lines().collect::<Vec<_>>().join("\n"),
            "ls-token: it failed: the disk is full\n  server: https://a\n  file: /x\n  hint: log in\n  hint: wait"
        );
        let error = Error::new(Kind::Revoked, "revoked").hint("x").context("the token is dead");
        assert_eq!((error.kind, error.to_line().as_str()), (Kind::Revoked, "the token is dead: revoked; hint: x"));
    }

    #[test]
    fn every_kind_has_a_documented_exit_status_and_every_documented_one_is_in_readme() {
        let readme = include_str!("../README.md");
        for (status, meaning) in EXIT_STATUSES {
            assert!(readme.contains(&format!("\n| {status} | {meaning} |\n")), "README has no such row for {status}");
        }
        for kind in Kind::ALL.iter().map(|(kind, _)| *kind).chain([Kind::Interrupted(2)]) {
            assert!(EXIT_STATUSES.iter().any(|(status, _)| *status == kind.status()), "{kind:?}");
        }
    }

    #[test]
    fn kinds_and_facts_are_found_again_by_their_names() {
        assert!(Kind::ALL.iter().all(|(kind, name)| kind.name() == *name && Kind::named(name) == Some(*kind)));
        assert!(Fact::ALL.iter().all(|(fact, label)| fact.label() == *label && Fact::labelled(label) == Some(*fact)));
    }
}
