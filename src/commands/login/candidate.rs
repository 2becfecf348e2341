//! What a login tries out, and then saves.

use crate::settings::{Profile, ProfileEntry};
use crate::types::Pat;

/// A profile that is to be saved, with its token.
pub(super) struct Candidate {
    /// How it is to stand in the settings.
    pub(super) entry: ProfileEntry,
    pub(super) profile: Profile,
    pub(super) pat: Pat,
    /// Whether the token is to be put where the profile says: not where it was read from there.
    pub(super) is_new: bool,
}
