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

/// How long the log may pause before the beginning of a line is shown, or of what may be a token: a prompt does not go on.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest line that is taken for a dump's, in bytes; curl's have 82.
const MAX_DUMP_LINE: usize = 64 * 1024;

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
        log.write_lines();
        if log.is_waiting() && !has_more() {
            log.release();
            log.write_out();
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
        !self.out.is_empty() || !self.held.is_empty() || self.dump.is_waiting()
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

    /// Writes the lines that are whole: curl writes some by the character, and may write the answer between two.
    fn write_lines(&mut self) {
        let is_whole = |byte: &u8| *byte == b'\n';
        if let Some(last) = self.out.iter().rposition(is_whole).or((self.out.len() > BUFFER).then_some(BUFFER)) {
            let rest = self.out.split_off(last + 1);
            self.write_out();
            self.out = rest;
        }
    }

    /// Writes what is decided. What cannot be written is lost, as it would be to curl.
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Makes a text of characters that tokens have.
    fn random(length: usize) -> String {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        (0..length).map(|_| char::from(letters[fastrand::usize(..letters.len())])).collect()
    }

    fn token() -> String {
        format!("{}.{}.{}", random(36), random(fastrand::usize(20..400)), random(43))
    }

    /// Sends a log through the filter in pieces that are cut anywhere, some of them with a pause.
    fn filtered(tokens: &[String], mut log: &[u8], pauses: bool) -> String {
        let mut filter = Log::hiding(Pieces::of(tokens.join("\n").as_bytes()));
        while !log.is_empty() {
            let (piece, rest) = log.split_at(fastrand::usize(1..=log.len().min(1 << fastrand::u8(0..9))));
            filter.take(piece);
            if pauses && fastrand::u8(..) < 8 {
                filter.release();
            }
            log = rest;
        }
        filter.finish();
        String::from_utf8_lossy(&filter.out).into_owned()
    }

    /// Returns bytes as curl dumps them: in hexadecimal, and as text.
    fn shown(bytes: &[u8]) -> (String, String) {
        let cells = bytes.iter().fold(String::new(), |cells, byte| cells + &format!("{byte:02x} "));
        let text = bytes.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' });
        (cells, text.collect())
    }

    /// Dumps a block as curl does.
    fn dump(block: &[u8], is_hexadecimal: bool) -> String {
        let mut lines = vec![format!("12:00:00.000000 [0-0] => Send header, {} bytes ({0:#x})", block.len())];
        let mut offset = 0;
        while offset < block.len() {
            let rest = &block[offset..];
            let width = rest.len().min(if is_hexadecimal { 16 } else { 64 });
            let end = rest.windows(2).position(|pair| pair == b"\r\n").filter(|end| !is_hexadecimal && *end <= width);
            let (cells, text) = shown(&rest[..end.unwrap_or(width)]);
            let cells = if is_hexadecimal { format!("{cells:48}") } else { String::new() };
            lines.push(format!("{offset:04x}: {cells}{text}"));
            offset += end.map_or(width, |end| end + 2);
        }
        lines.join("\n") + "\n"
    }

    /// Returns what a reader of a dump can put together: the bytes, and the characters.
    fn undumped(log: &str, is_hexadecimal: bool) -> (String, String) {
        let (mut bytes, mut shown) = (Vec::new(), String::new());
        for line in log.lines().filter_map(|line| Some(line.split_once(": ")?.1)) {
            let byte = |cell| u8::from_str_radix(cell, 16).ok();
            bytes.extend(line.split(' ').filter(|cell| *cell != "--").map_while(byte));
            shown += if is_hexadecimal { line.get(48..).unwrap_or_default() } else { line };
        }
        (String::from_utf8_lossy(&bytes).into_owned(), shown)
    }

    /// Asserts that no text has a piece of a token that tells anything.
    #[track_caller]
    fn assert_hidden(tokens: &[String], texts: &[&str]) {
        let pieces: HashSet<_> = tokens.iter().flat_map(|token| token.as_bytes().windows(8)).collect();
        let shown = texts.iter().flat_map(|text| text.as_bytes().windows(8)).find(|piece| pieces.contains(piece));
        assert!(shown.is_none(), "a piece of a token in {texts:?}");
    }

    #[test]
    fn f15_a_token_is_hidden_in_text_wherever_it_is_cut() {
        for _ in 0..500 {
            let tokens = [token(), token()];
            let [one, two] = &tokens;
            let part = two.split('.').nth(1).unwrap();
            let before =
                format!("> GET /x HTTP/1.1\r\n> Authorization: Bearer {one}\r\n> \r\n* [{two}, {part}] 0040: é");
            let log = format!("{before}{}\n* cut: {}\n100", random(7), &one[..fastrand::usize(8..60)]);
            let expected = [one, two, part].iter().fold(before, |log, token| log.replace(*token, "[token]"));
            let shown = filtered(&tokens, log.as_bytes(), false);
            assert!(shown.starts_with(&expected) && shown.ends_with("\n* cut: [token]\n100"), "{shown}");
            assert_hidden(&tokens, &[&shown, &filtered(&tokens, log.as_bytes(), true)]);
        }
    }

    #[test]
    fn f15_a_token_is_hidden_in_a_dump_wherever_it_is_cut() {
        for number in 0..500 {
            let (tokens, is_hexadecimal) = ([token(), token()], number % 2 == 0);
            let header = format!("GET /{} HTTP/1.1\r\nAuthorization: Bearer {}", random(number % 70), tokens[0]);
            let request = format!("{header}\r\nX: é\r\n\r\n{{\"a\": \"{}\"}}", tokens[1]);
            let (mut log, mut rest) = (String::new(), request.as_bytes());
            // Some servers send a byte at a time.
            let most = if number % 51 == 0 { 1 } else { 16 << (number % 6) };
            while !rest.is_empty() {
                let (block, next) = rest.split_at(fastrand::usize(1..=rest.len().min(most)));
                log += if number % 3 == 0 { "== Info: é\n" } else { "" };
                log += &dump(block, is_hexadecimal);
                rest = next;
            }
            for pauses in [false, true] {
                let shown = filtered(&tokens, log.as_bytes(), pauses);
                let (bytes, characters) = undumped(&shown, is_hexadecimal);
                assert_hidden(&tokens, &[&shown, &bytes, &characters]);
                assert!(shown.contains("[token]"), "{shown}");
            }
            assert_eq!(filtered(&[token()], log.as_bytes(), true), log, "a log without the token stays as it is");
        }
    }

    #[test]
    fn a_dump_keeps_its_offsets_and_shows_the_token_once() {
        let tokens = [format!("{}.{}.{}", "a".repeat(36), "b".repeat(100), "c".repeat(43))];
        let block = format!("Authorization: Bearer {}\r\nX: y\r\n", tokens[0]);
        let shown = filtered(&tokens, dump(block.as_bytes(), false).as_bytes(), false);
        assert!(shown.ends_with(" bytes (0xd3)\n0000: Authorization: Bearer [token]\n00cd: X: y\n"), "{shown}");
        let shown = filtered(&tokens, dump(block.as_bytes(), true).as_bytes(), false);
        let rows = [
            "0000: 41 75 74 68 6f 72 69 7a 61 74 69 6f 6e 3a 20 42 Authorization: B",
            "0010: 65 61 72 65 72 20 -- -- -- -- -- -- -- -- -- -- earer [token]",
            "00c0: -- -- -- -- -- -- -- -- -- -- -- 0d 0a 58 3a 20 ..X: ",
            "00d0: 79 0d 0a                                        y..",
        ];
        assert!(shown.ends_with(&format!(" bytes (0xd3)\n{}\n", rows.join("\n"))), "{shown}");
    }

    #[test]
    fn f15_a_dump_in_a_form_that_is_not_known_is_not_shown() {
        let tokens = [token()];
        let (cells, text) = shown(tokens[0].as_bytes());
        for line in [cells.clone(), format!("{} |{text}|", &cells[..60]), cells[..40].to_owned()] {
            let shown = filtered(&tokens, format!("0000: {line}\n* a\n").as_bytes(), false);
            assert_eq!(shown, "0000: [not shown]\n* a\n");
        }
    }
}
