//! One transfer: the addresses between two `--next`, with their profile and their options.

use std::os::unix::ffi::OsStrExt as _;

use super::arguments::Given;
use super::guard;
use crate::error::{Error, Result};
use crate::settings::Profile;

/// One part of the command line: what curl is to fetch, with whose token.
pub(super) struct Transfer {
    /// The profile that all addresses belong to.
    pub(super) profile: Profile,
    /// The addresses, written anew.
    pub(super) addresses: Vec<String>,
    /// The options.
    pub(super) options: Vec<Given>,
}

impl Transfer {
    /// Refuses the part if one of its options endangers the token. `crowded` tells whether there are other parts, with
    /// tokens on pipes of their own.
    pub(super) fn check(&self, crowded: bool) -> Result<()> {
        self.options.iter().try_for_each(|given| self.check_option(given, crowded))
    }

    /// Refuses an option that endangers the token, wherever it stands.
    pub(super) fn check_option(&self, given: &Given, crowded: bool) -> Result<()> {
        guard::check(given, self.profile.server.origin.secure, crowded)?;
        if given.name == "upload-file" && !self.profile.server.base.is_empty() {
            self.check_upload(given)?;
        }
        Ok(())
    }

    /// Refuses an upload whose name curl would put behind the address itself, and resolve its dots after that: that could
    /// lead out of the server's base path.
    fn check_upload(&self, given: &Given) -> Result<()> {
        let named_by_curl = |address: &String| {
            let path = address.split('?').next().unwrap_or_default();
            path.ends_with('/') || path.contains(['{', '['])
        };
        let file = given.value.as_deref().unwrap_or_default().as_bytes();
        let name = file.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let climbs = matches!(name, b"." | b"..") || file.iter().any(|byte| b"{[".contains(byte));
        if climbs || self.addresses.iter().any(named_by_curl) {
            return Err(Error::usage(
                format!("curl's -T{} is refused: the address has no file name", given.at()),
                "give the whole address of the upload",
            ));
        }
        Ok(())
    }
}
