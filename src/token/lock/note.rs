//! What the lock file says, as lines of text below a checksum.

use std::fmt::Write as _;

use crate::error::{Error, Kind};
use crate::system::checksum::{seal, unseal};
use crate::types::moment::Moment;

/// The name and version of the format. Another version is no note.
const FORMAT: &str = "ls-token-lock 1";

/// The longest text of an error that is handed on, in characters: the note is read in one piece of 8 KiB.
const LONGEST: usize = 1000;

/// What the holder of the lock leaves for others to read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// A process holds the lock.
    Held {
        /// The process's id.
        by: i32,
        /// Since when.
        at: Moment,
        /// How long its own limits allow it to, in milliseconds.
        limit: u64,
    },
    /// The last holder failed.
    Failed {
        /// When.
        at: Moment,
        /// The mark of the source whose token it tried.
        stamp: String,
        /// How.
        error: Error,
    },
}

impl Note {
    /// Writes the note down.
    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &str| {
            let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
            let _ = writeln!(text, "{name} {value}");
        };
        match self {
            Self::Held { by, at, limit } => {
                line("held", &by.to_string());
                line("at", &at.to_words());
                line("limit", &limit.to_string());
            }
            Self::Failed { at, stamp, error } => {
                line("failed", &error.kind.status().to_string());
                line("at", &at.to_words());
                line("stamp", stamp);
                line("what", &error.what);
                line("hint", &error.hint);
                for (name, value) in error.facts.iter().take(4) {
                    line("fact", &format!("{name}: {value}"));
                }
            }
        }
        seal(FORMAT, &text)
    }

    /// Reads a note; `None` for anything but a whole one of this version.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut lines = unseal(FORMAT, bytes)?.lines();
        let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        if let Some(by) = value("held") {
            return Some(Self::Held {
                by: by.parse().ok()?,
                at: Moment::from_words(value("at")?)?,
                limit: value("limit")?.parse().ok()?,
            });
        }
        let mut lines = unseal(FORMAT, bytes)?.lines();
        let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let kind = Kind::of_status(value("failed")?.parse().ok()?)?;
        let at = Moment::from_words(value("at")?)?;
        let stamp = value("stamp")?.to_owned();
        let mut error = Error::new(kind, value("what")?).hint(value("hint")?);
        while let Some((name, fact)) = value("fact").and_then(|fact| fact.split_once(": ")) {
            error = error.with(name, fact);
        }
        Some(Self::Failed { at, stamp, error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_survives_being_written() {
        let at = Moment::from_words("1 2 host").unwrap();
        let error = Error::new(Kind::Unreachable, "no answer").with("server", "https://h: x").hint("wait");
        let failed = Note::Failed { at: at.clone(), stamp: "1:2".into(), error };
        for note in [Note::Held { by: 7, at, limit: 20_000 }, failed] {
            assert_eq!(Note::from_bytes(note.to_text().as_bytes()), Some(note));
        }
    }

    #[test]
    fn a_line_break_in_an_error_breaks_nothing() {
        let error = Error::new(Kind::Denied, "a\nhint b").with("x\ny", "z\r");
        let note = Note::Failed { at: Moment::now(), stamp: String::new(), error };
        let Some(Note::Failed { error, .. }) = Note::from_bytes(note.to_text().as_bytes()) else {
            panic!("unreadable")
        };
        assert_eq!((error.what.as_str(), error.hint.as_str()), ("a hint b", ""));
    }
}
