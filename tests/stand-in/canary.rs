//! Finds secrets in what a program prints or writes. A text is read once, however many secrets there are: at each of its
//! bytes, the eight bytes that end there are looked up among those that each secret is known by.

use std::collections::{HashMap, HashSet};

/// How many bytes a secret is known by.
const ANCHOR: usize = size_of::<u64>();

/// How long a part of a JWT is that tells something by itself: the first part, of 36 bytes, is the same for all, and any
/// other as long as this is somebody's.
const TELLING: (usize, usize) = (40, 20);

/// How many bits say which anchors there are, before a map is asked.
const BITS: u32 = 20;

/// Secrets to look for.
pub(crate) struct Canaries {
    /// All of them, whole.
    secrets: Vec<String>,
    /// The parts to look for.
    pieces: HashSet<String>,
    /// The pieces by their anchor, each with the place of its anchor in it.
    anchored: HashMap<u64, Vec<(String, usize)>>,
    /// A bit for each anchor, by its hash.
    bits: Vec<bool>,
    /// The pieces that are shorter than an anchor.
    short: Vec<String>,
}

impl Canaries {
    /// Knows no secret yet.
    pub(crate) fn new() -> Self {
        Self {
            secrets: Vec::new(),
            pieces: HashSet::new(),
            anchored: HashMap::new(),
            bits: vec![false; 1 << BITS],
            short: Vec::new(),
        }
    }

    /// Looks for this secret from now on, and for each part of it that tells something by itself.
    pub(crate) fn add(&mut self, secret: &str) {
        self.secrets.push(secret.to_owned());
        let telling = |number: usize| if number == 0 { TELLING.0 } else { TELLING.1 };
        let parts = secret.split('.').enumerate().filter(|(number, part)| part.len() >= telling(*number));
        let parts: Vec<&str> = parts.map(|(_, part)| part).collect();
        // Where a part is found, so is the whole.
        for piece in if parts.is_empty() { vec![secret] } else { parts } {
            if piece.is_empty() || !self.pieces.insert(piece.to_owned()) {
                continue;
            }
            // The middle: the claims of many tokens begin and end with the same words.
            let place = piece.len().saturating_sub(ANCHOR) / 2;
            let Some(anchor) = piece.as_bytes().get(place..place + ANCHOR) else {
                self.short.push(piece.to_owned());
                continue;
            };
            let anchor = anchor.iter().fold(0, |anchor, byte| anchor << 8 | u64::from(*byte));
            self.bits[hash(anchor)] = true;
            self.anchored.entry(anchor).or_default().push((piece.to_owned(), place));
        }
    }

    /// Returns all secrets, whole.
    pub(crate) fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// Returns the secret, or the telling part of one, that is in the text.
    pub(crate) fn find(&self, text: &[u8]) -> Option<&str> {
        let mut seen: u64 = 0;
        for (last, byte) in text.iter().enumerate() {
            seen = seen << 8 | u64::from(*byte);
            if !self.bits[hash(seen)] {
                continue;
            }
            for (piece, place) in self.anchored.get(&seen).into_iter().flatten() {
                let begin = (last + 1).checked_sub(ANCHOR + place);
                if begin.is_some_and(|begin| text[begin..].starts_with(piece.as_bytes())) {
                    return Some(piece);
                }
            }
        }
        let is_in = |short: &&String| text.windows(short.len()).any(|window| window == short.as_bytes());
        self.short.iter().find(is_in).map(String::as_str)
    }
}

/// Returns the number of an anchor's bit.
fn hash(anchor: u64) -> usize {
    // 2^64 divided by the golden ratio: Knuth, The Art of Computer Programming, volume 3, section 6.4.
    usize::try_from(anchor.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BITS)).unwrap_or_default()
}
