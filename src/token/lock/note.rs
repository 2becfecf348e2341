//! What the lock file says, as lines of text below a checksum.

use std::fmt::Write as _;

use crate::error::{Error, Fact, Kind};
use crate::system::checksum::{seal, unseal};
use crate::types::Moment;

/// The name and version of the format. Another version is no note.
const FORMAT: &str = "ls-token-lock 3";

/// The longest text of an error that is handed on, in characters: the note is read in one piece of 8 KiB.
const MAX_LINE_CHARS: usize = 1000;

/// What the holder of the lock leaves for others to read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Note {
    Held {
        by: i32,
        at: Moment,
        /// How long its own limits allow it to, in milliseconds.
        limit: u64,
    },
    Failed {
        at: Moment,
        /// The key of the question that failed.
        of: String,
        error: Error,
    },
}

impl Note {
    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &str| {
            let value: String = value.replace(char::is_control, " ").chars().take(MAX_LINE_CHARS).collect();
            let _ = writeln!(text, "{name} {value}");
        };
        match self {
            Self::Held { by, at, limit } => {
                line("held", &by.to_string());
                line("at", &at.to_words());
                line("limit", &limit.to_string());
            }
            Self::Failed { at, of, error } => {
                line("failed", error.kind.name());
                line("at", &at.to_words());
                line("of", of);
                line("what", &error.message());
                for (fact, value) in error.facts.iter().take(4) {
                    line("fact", &format!("{}: {value}", fact.label()));
                }
                for hint in error.hints.iter().take(2) {
                    line("hint", hint);
                }
            }
        }
        seal(FORMAT, &text)
    }

    /// Reads a note; `None` for anything but a whole one of this version.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut lines = unseal(FORMAT, bytes)?.lines();
        let (event, first) = lines.next()?.split_once(' ')?;
        let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        if event == "held" {
            return Some(Self::Held {
                by: first.parse().ok()?,
                at: Moment::from_words(value("at")?)?,
                limit: value("limit")?.parse().ok()?,
            });
        }
        let kind = Kind::named(first).filter(|_| event == "failed")?;
        let at = Moment::from_words(value("at")?)?;
        let of = value("of")?.to_owned();
        let mut error = Error::new(kind, value("what")?);
        for line in lines {
            error = match line.split_once(' ')? {
                ("fact", fact) => {
                    let (label, value) = fact.split_once(": ")?;
                    error.with(Fact::labelled(label)?, value)
                }
                ("hint", hint) => error.hint(hint),
                _ => return None,
            };
        }
        Some(Self::Failed { at, of, error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_in_an_error_breaks_nothing() {
        let error = Error::new(Kind::Dead, "a\nhint b").with(Fact::Source, "z\r\nhint c");
        let note = Note::Failed { at: Moment::now(), of: String::new(), error };
        let Some(Note::Failed { error, .. }) = Note::from_bytes(note.to_text().as_bytes()) else {
            panic!("unreadable")
        };
        assert_eq!((error.what.as_str(), error.hints.len(), error.kind), ("a hint b", 0, Kind::Dead));
    }
}
