//! What a command writes to stderr: passed through, so that a prompt can be seen, and its last line kept for a message.

use std::time::{Duration, Instant};

use crate::system::stderr;
use crate::types::escape;

/// How much of the command's stderr is passed through, in bytes.
const MOST_PASSED_THROUGH: usize = 64 * 1024;

const END: usize = 4096;

/// How long a word stands before it is shown as it is: it is the end of a prompt.
const STANDING: Duration = Duration::from_millis(100);

/// Passes stderr through up to a limit and remembers its end.
#[derive(Default)]
pub(super) struct Tail {
    passed: usize,
    /// A word that has not come to its end: it may be a part of a token that comes in pieces, and is shown when it is whole.
    word: Vec<u8>,
    /// How much of that is shown already, in bytes.
    shown: usize,
    /// When something came in last.
    at: Option<Instant>,
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
        self.at = Some(Instant::now());
        self.word.extend_from_slice(piece);
        let is_part = |byte: &u8| byte.is_ascii() && escape::is_token_character(char::from(*byte));
        let whole = self.word.iter().rposition(|byte| !is_part(byte)).map_or(0, |last| last + 1);
        // A character that has not come whole waits as well.
        let cut =
            self.word.get(..whole).unwrap_or_default().utf8_chunks().last().map_or(0, |last| last.invalid().len());
        let rest = self.word.split_off(whole - cut);
        if self.word.is_empty() {
            self.word = rest;
        } else {
            self.show();
            (self.word, self.shown) = (rest, 0);
        }
    }

    /// Shows a word that has not come to its end for a while, unless it may become a token.
    pub(super) fn show_standing(&mut self) {
        let word = str::from_utf8(&self.word).unwrap_or_default();
        if self.at.is_some_and(|at| at.elapsed() >= STANDING) && escape::is_harmless_start(word) {
            stderr::print(word.get(self.shown..).unwrap_or_default());
            self.shown = word.len();
            self.at = None;
        }
    }

    /// Shows what is left. Returns `: ` and the last line that says something, safe to show; or nothing.
    pub(super) fn finish(&mut self) -> String {
        self.show();
        let text = String::from_utf8_lossy(&self.end);
        let last = text.lines().rfind(|line| !line.trim().is_empty());
        last.map_or_else(String::new, |line| format!(": {}", escape::untrusted(line)))
    }

    fn show(&mut self) {
        let text = escape::stream(&String::from_utf8_lossy(&self.word));
        let shown = String::from_utf8_lossy(self.word.get(..self.shown).unwrap_or_default());
        // Where the word has become a token, it has another beginning now.
        stderr::print(text.strip_prefix(&*shown).unwrap_or(&text));
        self.word.clear();
    }
}
