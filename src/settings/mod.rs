//! The first step: flags, environment and settings file become one validated profile. A personal access token belongs to
//! its profile's server: a URL from elsewhere never gets it.

mod document;
mod edit;
mod file;
mod profile;
mod profiles;

pub(crate) use document::ProfileEntry;
pub(crate) use edit::{Change, Draft, can_change, present, preview};
pub(crate) use profile::{ENVIRONMENT, Profile, shown_url};
pub(crate) use profiles::{ProfileSelector, Profiles, choose, export_of};
