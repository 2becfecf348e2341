//! What a command writes to stderr: passed through, so that a prompt can be seen, and its last line kept for a message.

use crate::system::stderr;
use crate::types::escape;

/// How much of the command's stderr is passed through, in bytes.
const MOST_PASSED_THROUGH: usize = 64 * 1024;

/// How much is kept of its end, in bytes.
const END: usize = 4096;

/// Passes stderr through up to a limit and remembers its end.
#[derive(Default)]
pub(super) struct Tail {
    /// How many bytes have been passed through.
    passed: usize,
    /// A word that has not come to its end: it may be a part of a token that comes in pieces, and is shown when it is whole.
    word: Vec<u8>,
    end: Vec<u8>,
}

impl Tail {
    pub(super) fn take_in(&mut self, piece: &[u8]) {
        self.end.extend_from_slice(piece);
        let surplus = self.end.len().saturating_sub(END);
        self.end.drain(..surplus);
        if self.passed >= MOST_PASSED_THROUGH {
            return;
        }
        self.passed += piece.len();
        self.word.extend_from_slice(piece);
        let is_part = |byte: &u8| byte.is_ascii() && escape::is_token_character(char::from(*byte));
        let whole = self.word.iter().rposition(|byte| !is_part(byte));
        let whole = whole.map_or(0, |last| last + 1);
        let whole = whole_characters(self.word.get(..whole).unwrap_or_default());
        let rest = self.word.split_off(whole);
        self.show();
        self.word = rest;
    }

    pub(super) fn finish(&mut self) {
        self.show();
    }

    fn show(&mut self) {
        if !self.word.is_empty() {
            stderr::print(&escape::stream(&String::from_utf8_lossy(&self.word)));
            self.word.clear();
        }
    }

    /// Returns the last line that says something, safe to show.
    pub(super) fn last_line(&self) -> String {
        let text = String::from_utf8_lossy(&self.end);
        escape::untrusted(text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default())
    }
}

/// Returns how many of the bytes are left without a character that has not come whole (RFC 3629, section 3).
fn whole_characters(bytes: &[u8]) -> usize {
    for (back, byte) in bytes.iter().rev().enumerate().take(3) {
        let length = match byte {
            0x80..=0xBF => continue,
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF7 => 4,
            _ => 1,
        };
        return bytes.len() - if length > back + 1 { back + 1 } else { 0 };
    }
    bytes.len()
}
