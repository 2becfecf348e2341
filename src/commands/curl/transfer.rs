//! One transfer: what lies between two `--next`, as it was written, and once its server is known.

use std::ffi::OsString;

use super::guard;
use super::parsed_option::ParsedOption;
use super::value::ValueKind;
use crate::error::{Error, Result};
use crate::settings::Profile;

/// Where to, and with which options.
#[derive(Debug)]
pub(super) struct Transfer<T> {
    pub(super) target: T,
    /// The options, in their order.
    pub(super) options: Vec<ParsedOption>,
}

/// The addresses as they were written: one at least.
#[derive(Debug)]
pub(super) struct Addresses {
    pub(super) first: OsString,
    pub(super) others: Vec<OsString>,
}

/// What the addresses come to: URLs of one profile's server.
pub(super) struct Target {
    pub(super) profile: Profile,
    /// The URLs, rebuilt.
    pub(super) urls: Vec<String>,
}

impl Transfer<Target> {
    /// Refuses the transfer if one of its options endangers the token. `has_siblings` tells whether there are others, with
    /// tokens on pipes of their own.
    pub(super) fn check(&self, has_siblings: bool) -> Result<()> {
        self.options.iter().try_for_each(|option| self.check_option(option, has_siblings))
    }

    /// Refuses an option that endangers the token, wherever it stands.
    pub(super) fn check_option(&self, option: &ParsedOption, has_siblings: bool) -> Result<()> {
        let server = &self.target.profile.server;
        guard::check(option, server.origin.secure, has_siblings)?;
        if ValueKind::of(&option.row) == Some(ValueKind::Upload) && !server.base.is_empty() {
            self.check_upload(option)?;
        }
        Ok(())
    }

    /// Refuses an upload whose name curl would put behind the address itself, and resolve its dots after that: that could
    /// lead out of the server's base path.
    fn check_upload(&self, option: &ParsedOption) -> Result<()> {
        let named_by_curl = |url: &String| {
            let path = url.split('?').next().unwrap_or_default();
            path.ends_with('/') || path.contains(['{', '['])
        };
        let file = option.bytes().unwrap_or_default();
        let name = file.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let climbs = matches!(name, b"." | b"..") || file.iter().any(|byte| b"{[".contains(byte));
        if climbs || self.target.urls.iter().any(named_by_curl) {
            return Err(Error::usage(
                format!("curl's {} is refused: the address has no file name", option.shown()),
                "give the whole address of the upload",
            ));
        }
        Ok(())
    }
}
