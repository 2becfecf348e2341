//! The lines of a dump, in which curl shows what it sends and receives (curl's `src/tool_cb_dbg.c`): an offset and text
//! (`--trace-ascii`), or an offset, sixteen bytes in hexadecimal and text (`--trace`). A token goes on in the next line.
//!
//! ```text
//! 0040: Authorization: Bearer eyJh
//! 0040: 41 75 74 68 6f 72 69 7a 61 74 69 6f 6e 3a 20 42 Authorization: B
//! ```

use super::pieces::{MARK, Pieces, Run, Verdict};

/// How many bytes a line in hexadecimal has.
const WIDTH: usize = 16;

/// How many digits an offset has.
const DIGITS: std::ops::RangeInclusive<usize> = 4..=16;

/// A byte of what curl sent or received.
struct Byte {
    value: u8,
    /// The character that curl shows for it.
    shown: u8,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    Beginning,
    Inside,
}

struct Line {
    /// The offset and what separates it from the rest.
    offset: Vec<u8>,
    length: usize,
    is_hexadecimal: bool,
}

/// The lines that are not written yet, for they end with what may be the beginning of a token.
#[derive(Default)]
pub(super) struct Dump {
    run: Run,
    lines: Vec<Line>,
    bytes: Vec<Byte>,
}

impl Dump {
    /// Returns whether a line that begins like this may be a dump's.
    pub(super) fn may_begin_with(text: &[u8]) -> bool {
        let digits = text.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).count();
        match text.get(digits..) {
            Some([]) => digits <= *DIGITS.end(),
            Some([b':'] | [b':', b' ', ..]) => DIGITS.contains(&digits),
            _ => false,
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Takes a line without its end, and writes the lines that are known to be whole.
    pub(super) fn take(&mut self, line: &[u8], pieces: &Pieces, out: &mut Vec<u8>) {
        let begin = line.iter().position(|byte| *byte == b' ').map_or(line.len(), |blank| blank + 1);
        let (offset, text) = line.split_at(begin);
        let hexadecimal = read_hexadecimal(text);
        if hexadecimal.is_none() && is_like_hexadecimal(text) {
            self.release(out);
            out.extend_from_slice(&[offset, b"[not shown]\n"].concat());
            return;
        }
        let is_hexadecimal = hexadecimal.is_some();
        let bytes = hexadecimal.unwrap_or_else(|| text.iter().map(|byte| (*byte, *byte)).collect());
        self.lines.push(Line { offset: offset.to_vec(), length: bytes.len(), is_hexadecimal });
        for (value, shown) in bytes {
            self.bytes.push(Byte { value, shown, place: Place::Outside });
            if let Verdict::Hide { count, is_first } = self.run.take(value, pieces) {
                let hidden = self.bytes.iter_mut().rev().take(count).rev();
                let places = std::iter::once(if is_first { Place::Beginning } else { Place::Inside });
                for (byte, place) in hidden.zip(places.chain(std::iter::repeat(Place::Inside))) {
                    byte.place = place;
                }
            }
        }
        self.write(out);
    }

    /// Writes what is there.
    pub(super) fn release(&mut self, out: &mut Vec<u8>) {
        self.run.release();
        self.write(out);
    }

    fn write(&mut self, out: &mut Vec<u8>) {
        let mut left = self.bytes.len();
        let whole = self.lines.iter().take_while(|line| {
            left -= line.length;
            left >= self.run.undecided()
        });
        let whole = whole.count();
        for line in self.lines.drain(..whole) {
            let bytes: Vec<Byte> = self.bytes.drain(..line.length).collect();
            // A line in the midst of a token has nothing to say.
            if bytes.is_empty() || bytes.iter().any(|byte| byte.place != Place::Inside) {
                line.write(&bytes, out);
            }
        }
    }
}

impl Line {
    fn write(&self, bytes: &[Byte], out: &mut Vec<u8>) {
        out.extend_from_slice(&self.offset);
        if self.is_hexadecimal {
            for byte in bytes {
                let is_shown = byte.place == Place::Outside;
                out.extend_from_slice(&if is_shown { cell(byte.value) } else { *b"-- " });
            }
            out.extend_from_slice(b"   ".repeat(WIDTH.saturating_sub(bytes.len())).as_slice());
        }
        for byte in bytes {
            match byte.place {
                Place::Outside => out.push(byte.shown),
                Place::Beginning => out.extend_from_slice(MARK),
                Place::Inside => {}
            }
        }
        out.push(b'\n');
    }
}

/// Returns a byte as curl writes it, with the blank behind it.
fn cell(byte: u8) -> [u8; 3] {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble };
    [digit(byte >> 4), digit(byte & 15), b' ']
}

/// Reads a byte in hexadecimal with a blank behind it.
fn read_cell(text: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let [high, low, b' '] = text else { return None };
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// Reads bytes in hexadecimal and the characters that are shown for them, if the line has both and nothing else.
fn read_hexadecimal(text: &[u8]) -> Option<Vec<(u8, u8)>> {
    let (cells, shown) = text.split_at_checked(3 * WIDTH)?;
    let values = cells.chunks_exact(3).take(shown.len()).map(read_cell).collect::<Option<Vec<u8>>>()?;
    let fits = |(value, shown): (&u8, &u8)| value == shown || *shown == b'.';
    let is_all = values.len() == shown.len()
        && values.iter().zip(shown).all(fits)
        && cells.iter().skip(3 * values.len()).all(|byte| *byte == b' ');
    (is_all && !values.is_empty()).then(|| values.into_iter().zip(shown.iter().copied()).collect())
}

/// Returns whether a line has bytes in hexadecimal in a form that is not known.
fn is_like_hexadecimal(text: &[u8]) -> bool {
    text.chunks(3).take_while(|cell| read_cell(cell).is_some()).count() >= WIDTH / 2
}
