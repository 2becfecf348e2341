//! Finds tokens in a stream of bytes. A piece of a token is hidden like a whole one, so that it does not matter where curl
//! cuts a token, or whether it shows the end of it.

use zeroize::Zeroizing;

/// What stands in the place of a token.
pub(super) const MARK: &[u8] = b"[token]";

/// The shortest piece that is hidden, in bytes. A shorter one may be chance, and tells nothing.
const TELLING: usize = size_of::<u64>();

/// Each piece of each token, by the first eight bytes of it as a number, in order.
pub(super) struct Pieces {
    all: Zeroizing<Vec<u64>>,
    /// How long a piece has to be to be hidden.
    telling: usize,
}

impl Pieces {
    /// Takes tokens, one a line.
    pub(super) fn of(tokens: &[u8]) -> Self {
        let lines = tokens.split(|byte| *byte == b'\n').filter(|token| !token.is_empty());
        let mut pieces = Self { all: Zeroizing::default(), telling: TELLING };
        for token in lines {
            pieces.telling = pieces.telling.min(token.len());
            for start in 0..token.len() {
                let piece = number(token.get(start..).unwrap_or_default());
                let place = pieces.all.partition_point(|other| *other < piece);
                if pieces.all.get(place) != Some(&piece) {
                    pieces.all.insert(place, piece);
                }
            }
        }
        pieces
    }

    /// Returns whether a piece begins with these bytes, so many of the number's.
    fn have(&self, bytes: u64, length: usize) -> bool {
        let rest = u64::MAX.checked_shr(u32::try_from(8 * length).unwrap_or(u32::MAX)).unwrap_or(0);
        let next = self.all.partition_point(|piece| *piece < bytes);
        self.all.get(next).is_some_and(|piece| piece & !rest == bytes)
    }
}

fn number(piece: &[u8]) -> u64 {
    let bytes = piece.iter().copied().chain(std::iter::repeat(0)).take(TELLING);
    bytes.fold(0, |number, byte| number << 8 | u64::from(byte))
}

/// What is known after a byte of those that were undecided, and of that byte.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// So many of the oldest are no token's.
    Show(usize),
    /// All of them are a token's; they follow hidden ones, or the mark goes before them.
    Hide { count: usize, is_first: bool },
}

/// The end of a stream: the bytes that stand in a row in a token, eight at the most.
#[derive(Default)]
pub(super) struct Run {
    /// The oldest byte is the highest.
    bytes: u64,
    length: usize,
    undecided: usize,
    is_hidden: bool,
}

impl Run {
    pub(super) fn undecided(&self) -> usize {
        self.undecided
    }

    pub(super) fn take(&mut self, byte: u8, pieces: &Pieces) -> Verdict {
        if self.length == TELLING {
            self.forget_one();
        }
        self.bytes |= u64::from(byte) << (8 * (TELLING - 1 - self.length));
        self.length += 1;
        self.undecided += 1;
        // A zero is what pieces end with that are shorter than eight bytes.
        while self.length > 0 && (byte == 0 || !pieces.have(self.bytes, self.length)) {
            self.forget_one();
        }
        if self.length >= pieces.telling {
            let is_first = !std::mem::replace(&mut self.is_hidden, true);
            return Verdict::Hide { count: std::mem::take(&mut self.undecided), is_first };
        }
        let shown = self.undecided.saturating_sub(self.length);
        self.undecided -= shown;
        self.is_hidden &= shown == 0;
        Verdict::Show(shown)
    }

    /// Gives up waiting: what is undecided is shown, which is less than tells anything. Should the stream go on with the
    /// same token, the rest of it is hidden.
    pub(super) fn release(&mut self) {
        self.undecided = 0;
        self.is_hidden = false;
    }

    fn forget_one(&mut self) {
        self.bytes <<= 8;
        self.length -= 1;
    }
}
