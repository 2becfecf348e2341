//! A checksum for the files that other processes may be writing: it tells a whole record from a torn or damaged one.
//! It is no protection against someone who may write these files.

/// Returns a hash by the step of FNV-1a (<http://www.isthe.com/chongo/tech/comp/fnv/>), taken for eight bytes at a time. Each
/// step can be undone, so that two texts of one length that differ in one piece have different hashes.
fn hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let last = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let begin = 0xcbf2_9ce4_8422_2325 ^ bytes.len() as u64;
    let words = words.iter().map(|word| u64::from_le_bytes(*word)).chain([last]);
    words.fold(begin, |hash, word| (hash ^ word).wrapping_mul(0x0100_0000_01b3))
}

/// Puts a line in front of the text: the name of the format and the checksum of the text.
pub(crate) fn seal(format: &str, text: &str) -> String {
    format!("{format} {:016x}\n{text}", hash(text.as_bytes()))
}

/// Returns the text below the line that `seal` wrote, when the format is the same and nothing is damaged.
pub(crate) fn unseal<'a>(format: &str, sealed: &'a [u8]) -> Option<&'a str> {
    let (head, text) = str::from_utf8(sealed).ok()?.split_once('\n')?;
    let sum = head.strip_prefix(format)?.strip_prefix(' ')?;
    let whole = sum.len() == 16 && u64::from_str_radix(sum, 16).ok()? == hash(text.as_bytes());
    whole.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f30_every_cut_and_every_flipped_bit_is_noticed() {
        let sealed = seal("format 1", "one 1\ntwo 2\n").into_bytes();
        assert_eq!(unseal("format 1", &sealed), Some("one 1\ntwo 2\n"));
        assert_eq!(unseal("format 2", &sealed), None);
        for cut in 0..sealed.len() {
            assert_eq!(unseal("format 1", &sealed[..cut]), None, "cut at {cut}");
        }
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let read = unseal("format 1", &damaged);
            // Upper and lower case of the checksum's own digits mean the same.
            assert!(read.is_none() || damaged.eq_ignore_ascii_case(&sealed), "bit {bit} flipped gave {read:?}");
        }
    }
}
