//! What is typed in answer to a question, byte by byte: the kernel's keys work, and a terminal's marks of a paste go.

use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};
use crate::types::Secret;

/// The most that is taken of an answer, in bytes: a personal access token may have 16 KiB, and a little white space.
const MAX_ANSWER_BYTES: usize = 17 * 1024;

/// What a terminal puts around a paste, where a program before us asked for that and did not take it back.
const PASTE: ([u8; 6], [u8; 6]) = (*b"\x1b[200~", *b"\x1b[201~");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// By the Enter key, or the end of a paste that had a line break.
    Line,
    /// By Ctrl-D, with nothing typed.
    File,
}

pub(super) struct Answer {
    /// The bytes, with room from the start: growing would leave copies behind.
    bytes: Zeroizing<Vec<u8>>,
    /// The last bytes that came in, also where there was no more room for them.
    recent: Zeroizing<[u8; 6]>,
    pasting: bool,
    pub(super) ended: Option<End>,
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            bytes: Zeroizing::new(Vec::with_capacity(MAX_ANSWER_BYTES)),
            recent: Zeroizing::default(),
            pasting: false,
            ended: None,
        }
    }
}

impl Answer {
    /// Takes a byte in, with the keys that the kernel would act on in a line.
    pub(super) fn take(&mut self, byte: u8) {
        match byte {
            b'\n' | b'\r' if !self.pasting => {
                self.ended = Some(End::Line);
                // What comes behind is part of a paste, and shows that it is more than one word.
                self.push(b'\n');
            }
            4 if !self.pasting => {
                let nothing = self.bytes.trim_ascii().is_empty();
                self.ended = Some(if nothing { End::File } else { End::Line });
            }
            8 | 0x7f if !self.pasting => _ = self.bytes.pop(),
            0x15 if !self.pasting => self.bytes.clear(),
            _ => self.push(byte),
        }
        self.recent.rotate_left(1);
        if let Some(last) = self.recent.last_mut() {
            *last = byte;
        }
        if *self.recent == PASTE.0 {
            self.forget(&PASTE.0);
            self.pasting = true;
        } else if *self.recent == PASTE.1 {
            self.forget(&PASTE.1);
            if self.pasting && matches!(self.bytes.last(), Some(b'\n' | b'\r')) {
                self.ended = Some(End::Line);
            }
            self.pasting = false;
        }
    }

    /// Takes a mark away that has just come in.
    fn forget(&mut self, mark: &[u8]) {
        if self.bytes.ends_with(mark) {
            let length = self.bytes.len().saturating_sub(mark.len());
            self.bytes.truncate(length);
        }
    }

    fn push(&mut self, byte: u8) {
        if self.bytes.len() < MAX_ANSWER_BYTES {
            self.bytes.push(byte);
        }
    }

    pub(super) fn into_secret(self) -> Result<Secret> {
        let text = str::from_utf8(&self.bytes)
            .map_err(|_| Error::new(Kind::NoCredential, "what was typed is not text").hint("paste the token alone"))?;
        Ok(Secret::new(text.trim().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types the keys, and returns what is understood once they have come to an end.
    fn typed(keys: &str) -> Option<String> {
        let mut answer = Answer::default();
        keys.bytes().for_each(|byte| answer.take(byte));
        (answer.ended == Some(End::Line)).then(|| answer.into_secret().unwrap().expose().to_owned())
    }

    #[test]
    fn a_line_is_what_was_typed_and_not_taken_back() {
        assert_eq!(typed("sesame\r").as_deref(), Some("sesame"));
        assert_eq!(typed("  sesamx\x7fe \t\n").as_deref(), Some("sesame"));
        assert_eq!(typed("wrong\x15sesame\n").as_deref(), Some("sesame"));
        assert_eq!(typed("\x7f\x08\x15sesame\x04").as_deref(), Some("sesame"));
        assert_eq!(typed("sesame"), None);
    }

    #[test]
    fn an_endless_answer_is_bounded() {
        for (before, after) in [("", "\n"), ("\x1b[200~", "\x1b[201~\r")] {
            let keys = format!("{before}{}{after}", "x".repeat(100_000));
            assert_eq!(typed(&keys).unwrap().len(), MAX_ANSWER_BYTES);
        }
    }
}
