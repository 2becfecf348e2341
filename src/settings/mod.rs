//! The first step: flags, environment and settings file become one validated profile. No other URL gets its token.

mod document;
mod edit;
mod file;
mod profile;
mod profiles;

pub(crate) use document::ProfileEntry;
pub(crate) use edit::{Change, Draft, present, preview};
pub(crate) use profile::{ENVIRONMENT, Profile, shown_url};
pub(crate) use profiles::{ProfileSelector, Profiles, choose, export_of};
