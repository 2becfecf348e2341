//! The addresses on curl's command line: each must be one of a profile's server, and is written anew from its parsed
//! parts, so that curl cannot read it as another.

use std::ffi::{OsStr, OsString};

use crate::cli::Options;
use crate::error::{Error, Fact, Kind, Result};
use crate::settings::{Profile, Profiles, sdk_profile, shown_url};
use crate::system::{Console, Environment};
use crate::types::{is_dots, split, untrusted};

/// Returns the profile that all addresses of a segment belong to, and the addresses for curl.
pub(super) fn resolve(
    addresses: &[OsString],
    profiles: &Profiles,
    environment: &Environment,
    options: &Options,
    console: Console,
) -> Result<(Profile, Vec<String>)> {
    let choice = options.selector();
    let mut resolved: Option<(Profile, Vec<String>)> = None;
    for address in addresses {
        let text = address.to_str().ok_or_else(|| refused(address, "is not UTF-8"))?;
        let (profile, url) = if text.starts_with('/') && !text.starts_with("//") {
            let (profile, _) = profiles.choose(&choice, console)?;
            profile.log(console);
            let url =
                rebuild(&profile, &format!("{}{text}", profile.server.base)).map_err(|why| refused(address, &why))?;
            (profile, url)
        } else {
            absolute(text, address, profiles, environment, options, console)?
        };
        match &mut resolved {
            None => resolved = Some((profile, vec![url])),
            Some((first, urls)) if first.name == profile.name => urls.push(url),
            Some((first, _)) => {
                return Err(refused(
                    address,
                    &format!("is of profile {}, and one before it of profile {}", profile.name, first.name),
                )
                .hint("put --next between addresses of different servers"));
            }
        }
    }
    resolved.ok_or_else(|| Error::new(Kind::Usage, "there is no address"))
}

/// Finds the profile of a whole URL.
fn absolute(
    text: &str,
    address: &OsStr,
    profiles: &Profiles,
    environment: &Environment,
    options: &Options,
    console: Console,
) -> Result<(Profile, String)> {
    let hint = "give a path such as /api/projects/, or a URL of a profile's server";
    let (scheme, rest) =
        text.split_once("://").ok_or_else(|| refused(address, "is neither a path nor a URL").hint(hint))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (origin, _) = split(&format!("{scheme}://{authority}")).map_err(|why| refused(address, &why))?;
    let raw = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let (path, _) = clean(&raw).map_err(|why| refused(address, &why))?;
    let choice = options.selector();
    let profile = if choice.profile.is_some() || choice.url.is_some() {
        Some(profiles.choose(&choice, console)?.0).filter(|profile| profile.server.covers(&origin, &path))
    } else {
        profiles.for_url(&origin, &path)?.cloned()
    };
    let Some(profile) = profile else {
        sdk_profile(environment)?;
        return Err(refused(address, "is of no profile's server, so it gets no token")
            .with(Fact::Servers, profiles.servers())
            .hint("for another server use curl itself, or write a profile for it"));
    };
    if choice.profile.is_none() && choice.url.is_none() {
        profile.log(console);
    }
    let url = rebuild(&profile, &raw).map_err(|why| refused(address, &why))?;
    Ok((profile, url))
}

/// Returns the URL of a path on a profile's server; the path includes the server's base path.
fn rebuild(profile: &Profile, path: &str) -> std::result::Result<String, String> {
    let (cleaned, query) = clean(path)?;
    let server = &profile.server;
    // What the base path itself has is known; what comes behind it is not.
    let below = path.strip_prefix(&server.base).unwrap_or(path);
    if !server.covers(&server.origin, &cleaned) || (!server.base.is_empty() && may_climb(below)) {
        return Err(format!("could lead out of {}, which the token belongs to", server.base));
    }
    Ok(format!("{}{cleaned}{query}", server.origin))
}

/// Tells whether curl's globbing or the server's decoding could make dot segments of a path that shows none:
/// `{.,x}{.,y}`, `%[2-2]e`, `..%2f`, `..;`.
fn may_climb(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let globbed = path.contains(['{', '[']) && path.contains(['.', '%', '\\']);
    let decoded = path.to_ascii_lowercase().replace("%2f", "/").replace("%5c", "/");
    let hidden = decoded != path.to_ascii_lowercase() || path.contains(';');
    let dotted = decoded.split('/').filter_map(|segment| segment.split(';').next());
    globbed || (hidden && dotted.into_iter().any(is_dots))
}

/// Splits a path from its query, drops the fragment, resolves dot segments (RFC 3986, section 5.2.4) and refuses what
/// has no place in either.
fn clean(text: &str) -> std::result::Result<(String, String), String> {
    if text.chars().any(|c| c.is_control() || c == ' ') {
        return Err("has a space or control character; write a space as %20".into());
    }
    let text = text.split('#').next().unwrap_or_default();
    let (path, query) = text.split_at(text.find('?').unwrap_or(text.len()));
    if path.contains('\\') {
        return Err("has a backslash in its path".into());
    }
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let last = segments.len().saturating_sub(1);
    for (number, segment) in segments.iter().enumerate() {
        if !is_dots(segment) {
            kept.push(segment);
            continue;
        }
        if segment.to_ascii_lowercase().replace("%2e", ".") == ".." {
            kept.pop();
        }
        if number == last {
            kept.push("");
        }
    }
    Ok((format!("/{}", kept.join("/")), query.to_owned()))
}

/// Makes the error for an address.
fn refused(address: &OsStr, why: &str) -> Error {
    Error::new(Kind::Usage, format!("the address {} {}", shown_url(&address.to_string_lossy()), untrusted(why)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f05_dots_are_seen_behind_globs_and_encodings() {
        for path in ["/b/{.,x}{.,y}/c", "/b/%[2-2]e", "/b/[a-b]/..", "/b/..%2fx", "/b/%2E%2e%5Cx", "/b/..;/x"] {
            assert!(may_climb(path), "{path}");
        }
        for path in ["/b/{1,2}/", "/b/a.b/c%20d", "/b/x;y/z", "/b/a%2fb", "/b/?q=..%2f{a}", "/b/..a/"] {
            assert!(!may_climb(path), "{path}");
        }
    }

    #[test]
    fn dot_segments_are_resolved_as_in_rfc_3986() {
        let path = |text: &str| clean(text).unwrap().0;
        assert_eq!(path("/a/b/c/./../../g"), "/a/g");
        assert_eq!(path("/mid/content=5/../6"), "/mid/6");
        assert_eq!(path("/../../x"), "/x");
        assert_eq!(path("/a/%2E%2e/b/.%2e"), "/");
        assert_eq!(path("/a/b/.."), "/a/");
        assert_eq!(path("/a//b/"), "/a//b/");
        assert_eq!(clean("/a?b=../c#d").unwrap(), ("/a".into(), "?b=../c".into()));
        assert!(clean("/a\\..\\b").is_err() && clean("/a b").is_err() && clean("/a\r\nb").is_err());
    }
}
