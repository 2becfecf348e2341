//! What a cache file says, as lines of text below a checksum.

use std::fmt::Write as _;
use std::time::Duration;

use crate::system::checksum::{seal, unseal};
use crate::types::{Access, MAX_LIFE, Moment, Secret};

/// The name and version of the format. Another version is a miss.
const FORMAT: &str = "ls-token-cache 1";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) server: String,
    /// The mark of the source when its token was read.
    pub(crate) stamp: String,
    pub(crate) pat: String,
    /// When the personal access token expires, in seconds since 1970; 0 where it does not say.
    pub(crate) pat_expires: u64,
    pub(crate) access: Access,
}

impl Record {
    pub(super) fn to_text(&self) -> String {
        let mut text = String::with_capacity(1024);
        for (name, value) in [
            ("server", self.server.as_str()),
            ("stamp", &self.stamp),
            ("pat", &self.pat),
            ("pat-expires", &self.pat_expires.to_string()),
            ("obtained", &self.access.obtained.to_words()),
            ("life", &self.access.life.as_millis().to_string()),
            ("token", self.access.token.expose()),
        ] {
            let _ = writeln!(text, "{name} {value}");
        }
        seal(FORMAT, &text)
    }

    /// Reads a record; `None` for anything but a whole one of this version.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut lines = unseal(FORMAT, bytes)?.lines();
        let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let (server, stamp, pat) = (value("server")?.to_owned(), value("stamp")?.to_owned(), value("pat")?.to_owned());
        let pat_expires = value("pat-expires")?.parse().ok()?;
        let obtained = Moment::from_words(value("obtained")?)?;
        let life = Duration::from_millis(value("life")?.parse().ok()?).min(MAX_LIFE);
        let token = Secret::new(value("token")?.to_owned());
        Some(Self { server, stamp, pat, pat_expires, access: Access { token, obtained, life } })
    }
}
