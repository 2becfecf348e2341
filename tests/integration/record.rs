//! Reads and writes cache files as the program does, to make a token look older, or a file damaged.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::sandbox::read;

/// A cache file: a line with the format and a checksum, then names and values.
pub(crate) struct Record {
    /// Where it is.
    path: PathBuf,
    /// The name of the format.
    format: String,
    /// Names and values, in order.
    lines: Vec<(String, String)>,
}

impl Record {
    /// Reads a cache file, which must be whole.
    pub(crate) fn read(path: &Path) -> Self {
        let text = read(path);
        let (head, body) = text.split_once('\n').unwrap();
        let (format, sum) = head.rsplit_once(' ').unwrap();
        assert_eq!(sum, checksum(body), "the checksum in {text}");
        let lines = body.lines().map(|line| line.split_once(' ').unwrap());
        let lines = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { path: path.to_owned(), format: format.to_owned(), lines }
    }

    /// Returns a value.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.lines.iter().find(|(has, _)| has == name).map(|(_, value)| value.as_str()).unwrap()
    }

    /// Changes a value.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let line = self.lines.iter_mut().find(|(has, _)| has == name).unwrap();
        value.clone_into(&mut line.1);
    }

    /// Changes the name of the format.
    pub(crate) fn set_format(&mut self, format: &str) {
        format.clone_into(&mut self.format);
    }

    /// Makes the token look as if it had been obtained earlier: by the wall clock and by the boot clock, in seconds.
    pub(crate) fn shift(&mut self, wall: i64, boot: i64) {
        let obtained = self.get("obtained").to_owned();
        let words: Vec<&str> = obtained.split(' ').collect();
        let (was_wall, was_boot): (i64, i64) = (words[0].parse().unwrap(), words[1].parse().unwrap());
        self.set("obtained", &format!("{} {} {}", was_wall - wall * 1000, was_boot - boot * 1000, words[2]));
    }

    /// Writes the file in place.
    pub(crate) fn write(&self) {
        fs::write(&self.path, self.to_text()).unwrap();
    }

    /// Returns the file as text.
    pub(crate) fn to_text(&self) -> String {
        let mut body = String::new();
        for (name, value) in &self.lines {
            let _ = writeln!(body, "{name} {value}");
        }
        format!("{} {}\n{body}", self.format, checksum(&body))
    }
}

/// Makes the token of a cache file look so much older, by both clocks.
pub(crate) fn age(path: &Path, by: Duration) {
    let mut record = Record::read(path);
    let seconds = i64::try_from(by.as_secs()).unwrap();
    record.shift(seconds, seconds);
    record.write();
}

/// Returns the checksum of the program's files: the step of FNV-1a, <http://www.isthe.com/chongo/tech/comp/fnv/>, for eight
/// bytes at a time, the last ones filled up with zeros.
fn checksum(text: &str) -> String {
    let begin = 0xcbf2_9ce4_8422_2325 ^ text.len() as u64;
    let padding = [0; 8];
    let padded = [text.as_bytes(), &padding[text.len() % 8..]].concat();
    let hash = padded.chunks_exact(8).fold(begin, |hash, piece| {
        let word = piece.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        (hash ^ word).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}
