//! The filter: reads tokens and then curl's log from stdin, and writes the log to stdout with `[token]` in a token's
//! place. It lives as long as curl has the pipe open, and never keeps curl from going on: where nobody takes the log any
//! more, it is read all the same.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read, write};
use rustix::stdio::{stdin, stdout};
use zeroize::Zeroizing;

use super::dump::Dump;
use super::pieces::{MARK, Pieces, Run, Verdict};
use crate::system::{close_inherited, outlive_signals};

/// How long the log may pause before the beginning of what may be a token is shown: a prompt does not go on.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest line that is taken for a dump's, in bytes; curl's have 82.
const MAX_DUMP_LINE: usize = 1024;

/// The most that is read at once, in bytes: no less than a pipe gives (pipe(7), `PIPE_BUF`).
const BUFFER: usize = 16 * 1024;

/// Runs the filter to the end of the log.
pub(crate) fn run() {
    outlive_signals();
    close_inherited();
    let mut buffer = Zeroizing::new(vec![0; BUFFER]);
    let mut head = Zeroizing::new(Vec::new());
    let end = loop {
        if let Some(end) = head.windows(2).position(|pair| pair == b"\n\n") {
            break end;
        }
        match read_some(&mut buffer) {
            [] => return,
            bytes => head.extend_from_slice(bytes),
        }
    };
    let mut log = Log::hiding(Pieces::of(head.get(..end).unwrap_or_default()));
    log.take(head.get(end + 2..).unwrap_or_default());
    loop {
        log.write_out();
        if log.is_waiting() && !has_more() {
            log.release();
            continue;
        }
        match read_some(&mut buffer) {
            [] => break,
            bytes => log.take(bytes),
        }
    }
    log.finish();
    log.write_out();
}

/// Reads what there is, as soon as there is any; nothing at the end.
fn read_some(buffer: &mut [u8]) -> &[u8] {
    loop {
        match read(stdin(), &mut *buffer) {
            Err(Errno::INTR) => {}
            count => return buffer.get(..count.unwrap_or(0)).unwrap_or_default(),
        }
    }
}

/// Waits for more of the log, and returns whether it came before the pause was over.
fn has_more() -> bool {
    let limit = Timespec::try_from(PAUSE).ok();
    poll(&mut [PollFd::from_borrowed_fd(stdin(), PollFlags::IN)], limit.as_ref()) != Ok(0)
}

/// What is known of the log.
struct Log {
    pieces: Pieces,
    /// The beginning of a line that may be a dump's.
    line: Vec<u8>,
    /// Whether this is the rest of a line that is none.
    is_text: bool,
    text: Run,
    /// The bytes of the text that are not decided.
    held: Vec<u8>,
    dump: Dump,
    out: Vec<u8>,
}

impl Log {
    fn hiding(pieces: Pieces) -> Self {
        let (line, held, out) = (Vec::new(), Vec::new(), Vec::new());
        Self { pieces, line, is_text: false, text: Run::default(), held, dump: Dump::default(), out }
    }

    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.is_text {
                self.take_text(*byte);
            } else if *byte == b'\n' && self.line.contains(&b' ') {
                self.take_line_of_dump();
            } else {
                self.line.push(*byte);
                if !Dump::may_begin_with(&self.line) || self.line.len() > MAX_DUMP_LINE {
                    self.take_line_as_text();
                }
            }
        }
    }

    fn take_line_of_dump(&mut self) {
        self.dump.take(&std::mem::take(&mut self.line), &self.pieces, &mut self.out);
    }

    fn take_line_as_text(&mut self) {
        self.dump.release(&mut self.out);
        for byte in std::mem::take(&mut self.line) {
            self.take_text(byte);
        }
    }

    fn take_text(&mut self, byte: u8) {
        self.is_text = byte != b'\n';
        self.held.push(byte);
        match self.text.take(byte, &self.pieces) {
            Verdict::Show(count) => self.out.extend(self.held.drain(..count)),
            Verdict::Hide { is_first, .. } => {
                self.held.clear();
                self.out.extend_from_slice(if is_first { MARK } else { b"" });
            }
        }
    }

    fn is_waiting(&self) -> bool {
        !self.held.is_empty() || self.dump.is_waiting()
    }

    /// Shows what waits, but for a line that may be a dump's: where it is cut, it cannot be told what it is.
    fn release(&mut self) {
        self.dump.release(&mut self.out);
        self.text.release();
        self.out.append(&mut self.held);
    }

    fn finish(&mut self) {
        if self.line.contains(&b' ') {
            self.take_line_of_dump();
        }
        self.take_line_as_text();
        self.release();
    }

    /// Writes to stdout what is decided. What cannot be written is lost, as it would be to curl.
    fn write_out(&mut self) {
        let mut rest = self.out.as_slice();
        while !rest.is_empty() {
            match write(stdout(), rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => _ = poll(&mut [PollFd::from_borrowed_fd(stdout(), PollFlags::OUT)], None),
                Err(_) => break,
            }
        }
        self.out.clear();
    }
}
