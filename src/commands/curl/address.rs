//! The addresses on curl's command line: each must be a profile's, rebuilt so that curl cannot read it as another.

use std::ffi::{OsStr, OsString};

use crate::commands::Session;
use crate::error::{Error, Fact, Kind, Result};
use crate::settings::{Profile, Profiles, export_of, shown_url};
use crate::types::{is_dots, split, untrusted};

pub(super) const HINT: &str = "give a path such as /api/projects/, or a URL of a profile's server";

pub(super) struct Resolver<'a> {
    pub(super) profiles: &'a Profiles<'a>,
    pub(super) session: &'a Session,
}

impl Resolver<'_> {
    /// Returns the profile that the addresses of a transfer belong to, all of them, and the URLs for curl.
    pub(super) fn resolve(&self, first: &OsStr, others: &[OsString]) -> Result<(Profile, Vec<String>)> {
        let (profile, url) = self.locate(first)?;
        let mut urls = vec![url];
        for address in others {
            let (other, url) = self.locate(address)?;
            if other.name != profile.name {
                let why =
                    format!("belongs to profile {}, an address before it to profile {}", other.name, profile.name);
                return Err(refused(address, &why, "put --next between addresses of different servers"));
            }
            urls.push(url);
        }
        Ok((profile, urls))
    }

    fn locate(&self, address: &OsStr) -> Result<(Profile, String)> {
        let text = address.to_str().ok_or_else(|| refused(address, "is not UTF-8", HINT))?;
        let (profile, path) = if text.starts_with('/') && !text.starts_with("//") {
            let (profile, _) = self.profiles.choose(&self.session.selector, self.session.console)?;
            profile.log(self.session.console);
            let server = &profile.server;
            // A path that Label Studio gave, as in `next`, has the base path already; its own paths begin with /api/.
            let is_whole = server.covers(&server.origin, text) && !text.starts_with("/api/");
            let path = if is_whole { text.to_owned() } else { format!("{}{text}", server.base) };
            (profile, path)
        } else {
            self.locate_url(text, address)?
        };
        let url = rebuild(&profile, &path).map_err(|why| refused(address, &why, HINT))?;
        Ok((profile, url))
    }

    /// Returns the profile of a whole URL, and the path on its server as it was written.
    fn locate_url(&self, text: &str, address: &OsStr) -> Result<(Profile, String)> {
        let bad = |why: String| refused(address, &why, HINT);
        let (scheme, rest) = text.split_once("://").ok_or_else(|| bad("is neither a path nor a URL".into()))?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (origin, _) = split(&format!("{scheme}://{authority}")).map_err(bad)?;
        let written = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let (path, _) = clean(&written).map_err(bad)?;
        let Some(profile) = self.session.profile_for(self.profiles, &origin, &path)? else {
            // The pair of variables may have been meant, and be no good or not whole.
            self.profiles.check_pair()?;
            let environment = &self.session.environment;
            let why = "belongs to no profile's server, so it gets no token";
            if environment.has_api_key && environment.url.is_none() {
                let hint = export_of(&origin.to_string());
                return Err(Error { kind: Kind::Settings, ..refused(address, why, &hint) });
            }
            let hint = "for another server use curl itself, or write a profile for it";
            let error = refused(address, why, hint).with(Fact::Servers, self.profiles.servers());
            // Label Studio writes its links as it was asked itself, without TLS or a path that a proxy takes away.
            return Err(if path.contains("/api/") {
                let path = shell_words::quote(&written);
                error.hint(format!(
                    "for a link of Label Studio's, such as `next`, give the path alone: {}",
                    untrusted(&path)
                ))
            } else {
                error
            });
        };
        if self.session.selector.is_empty() {
            profile.log(self.session.console);
        }
        Ok((profile, written))
    }
}

/// Returns the URL of a path on a profile's server; the path includes the server's base path.
fn rebuild(profile: &Profile, path: &str) -> Result<String, String> {
    let (cleaned, query) = clean(path)?;
    let server = &profile.server;
    if !server.covers(&server.origin, &cleaned) || server.is_left_by(path) {
        return Err(format!("could lead out of {}, which the token belongs to", server.base));
    }
    Ok(format!("{}{cleaned}{query}", server.origin))
}

/// Splits a path from its query, drops the fragment, and resolves dot segments (RFC 3986, section 5.2.4).
fn clean(text: &str) -> Result<(String, String), String> {
    if text.chars().any(|c| c.is_control() || c == ' ') {
        return Err("has a space or control character; write a space as %20".into());
    }
    let text = text.split('#').next().unwrap_or_default();
    let (path, query) = text.split_at(text.find('?').unwrap_or(text.len()));
    if path.contains('\\') {
        return Err("has a backslash in its path".into());
    }
    let mut kept = Vec::new();
    for segment in path.split('/').skip(1) {
        if !is_dots(segment) {
            kept.push(segment);
        } else if segment.to_ascii_lowercase().replace("%2e", ".") == ".." {
            kept.pop();
        }
    }
    if path.rsplit('/').next().is_some_and(is_dots) {
        kept.push("");
    }
    Ok((format!("/{}", kept.join("/")), query.to_owned()))
}

fn refused(address: &OsStr, why: &str, hint: &str) -> Error {
    Error::usage(format!("the address {} {}", shown_url(&address.to_string_lossy()), untrusted(why)), hint)
}
