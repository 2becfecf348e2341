//! What a command writes to stderr: passed through, so that a prompt can be seen, and its last line kept for a message.

use crate::{console, escape};

/// How much of the command's stderr is passed through, in bytes.
const MOST_PASSED_THROUGH: usize = 64 * 1024;

/// Passes stderr through up to a limit and remembers its end.
#[derive(Default)]
pub(super) struct Tail {
    /// How many bytes have been passed through.
    passed: usize,
    /// The end of what came.
    end: Vec<u8>,
}

impl Tail {
    /// Takes a piece in.
    pub(super) fn take_in(&mut self, piece: &[u8]) {
        if self.passed < MOST_PASSED_THROUGH {
            console::print(&escape::passed_through(&String::from_utf8_lossy(piece)));
            self.passed += piece.len();
        }
        self.end.extend_from_slice(piece);
        let surplus = self.end.len().saturating_sub(4096);
        self.end.drain(..surplus);
    }

    /// Returns the last line that says something, safe to show.
    pub(super) fn last_line(&self) -> String {
        let text = String::from_utf8_lossy(&self.end);
        escape::foreign(
            text.lines()
                .rfind(|line| !line.trim().is_empty())
                .unwrap_or_default(),
        )
    }
}
