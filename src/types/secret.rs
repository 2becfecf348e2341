//! A secret text: a personal access token or an access token. It cannot be printed by accident, and is wiped when
//! dropped. `expose` is the only way out, so that `grep expose` shows each place where a secret leaves.

use std::fmt;

use ring::digest::{Context, SHA256};
use zeroize::Zeroizing;

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the SHA-256 of the text in hexadecimal: tells two secrets apart without keeping either. A token has some
    /// 250 random bits, so that its plain hash gives nothing away.
    pub(crate) fn fingerprint(&self) -> String {
        sha256(&[self.expose()])
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[redacted]")
    }
}

/// Returns the SHA-256, in hexadecimal, of the parts, each with a NUL byte behind it but for the last.
pub(crate) fn sha256(parts: &[&str]) -> String {
    let mut hash = Context::new(&SHA256);
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            hash.update(&[0]);
        }
        hash.update(part.as_bytes());
    }
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble };
    let mut digits = vec![0; 64];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(hash.finish().as_ref()) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    String::from_utf8(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(format!("{:?}", Secret::new("sesame".into())), "[redacted]");
    }

    #[test]
    fn a_fingerprint_is_the_published_sha256() {
        // FIPS 180-2, appendix B.1
        let published = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Secret::new("abc".into()).fingerprint(), published);
    }
}
