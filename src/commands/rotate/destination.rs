//! Where a new personal access token goes: to where the source reads it, or to a file that the user names.

use super::Rotation;
use crate::error::{Error, Fact, Kind, Result};
use crate::system::files;
use crate::types::Secret;

impl Rotation<'_> {
    /// Names the place in a sentence.
    pub(super) fn destination(&self) -> String {
        self.output.map_or_else(|| self.profile.source.location(), |path| path.display().to_string())
    }

    /// Refuses a place that cannot be written to, without changing anything.
    pub(super) fn check_destination(&self) -> Result<()> {
        let Some(path) = self.output else {
            let hint = "or name a file for the new token: ls-token rotate --output FILE";
            return self.profile.pat().can_save().map_err(|error| error.hint(hint));
        };
        if path.symlink_metadata().is_ok() {
            return Err(Error::new(Kind::Io, "a file of that name exists already")
                .with(Fact::File, path.display())
                .hint("name one that does not exist yet"));
        }
        files::check_writable(files::parent(path))
    }

    pub(super) fn save(&self, pat: &Secret) -> Result<()> {
        let Some(path) = self.output else {
            return self.profile.pat().save(pat);
        };
        let line = Secret::new(format!("{}\n", pat.expose()));
        files::create_new(path, line.expose().as_bytes())
            .map_err(|error| Error::file("write the new token", path, &error))
    }
}
