//! The name of the profile that a login makes or replaces.

use super::TRIES;
use crate::error::{Error, Result};
use crate::settings::{ENVIRONMENT, Profile};
use crate::system::prompt::Terminal;
use crate::types::Server;

/// Returns the name of the profile that the server has, or else a name for one.
pub(super) fn name_for(
    server: &Server,
    profiles: &[Profile],
    default: Option<&str>,
    terminal: Option<&Terminal>,
) -> Result<String> {
    let same: Vec<&str> = profiles.iter().filter(|one| one.server == *server).map(|one| one.name.as_str()).collect();
    match same.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => free_name(derived_name(server), profiles, server, terminal),
        several => default.filter(|name| several.contains(name)).map(str::to_owned).ok_or_else(|| {
            let what = format!("several profiles are for {server}: {}", several.join(", "));
            Error::usage(what, "choose one with --profile")
        }),
    }
}

/// Returns a name for the server's profile: the first part of its host, or all of an address.
fn derived_name(server: &Server) -> String {
    let host = server.origin.host.trim_start_matches("www.");
    let is_address = host.starts_with('[') || host.ends_with(|last: char| last.is_ascii_digit());
    let part = if is_address { host } else { host.split('.').next().unwrap_or(host) };
    let name: String = part.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    match name.trim_matches('-') {
        "" | ENVIRONMENT => "label-studio".into(),
        name => name.to_owned(),
    }
}

/// Returns the name where no profile of another server has it, or another that is asked for.
fn free_name(mut name: String, profiles: &[Profile], server: &Server, terminal: Option<&Terminal>) -> Result<String> {
    for _ in 0..=TRIES {
        let Some(other) = profiles.iter().find(|profile| profile.name == name) else {
            return check_name(&name);
        };
        let Some(terminal) = terminal else {
            return Err(Error::usage(
                format!("profile {name} already exists, for {}", other.server),
                format!("name the one for {server} with --profile NAME"),
            ));
        };
        name = terminal.ask(&format!("profile {name} is for {}; name for the one for {server}: ", other.server))?;
    }
    Err(Error::usage("every name is taken", "name the profile with --profile NAME"))
}

/// Asks whether a profile may become that of another server.
pub(super) fn confirm(old: &Profile, server: &Server, terminal: Option<&Terminal>) -> Result<()> {
    let name = &old.name;
    if let Some(terminal) = terminal {
        let answer = terminal.ask(&format!("profile {name} is for {}; change it to {server}? [y/N] ", old.server))?;
        if answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes") {
            return Ok(());
        }
    }
    Err(Error::usage(
        format!("profile {name} is for {}, not for {server}", old.server),
        "choose another name with --profile, or run `ls-token logout --profile NAME` first",
    ))
}

/// Refuses a name that no profile may have; the settings' own check comes later.
pub(super) fn check_name(name: &str) -> Result<String> {
    let what = match name {
        ENVIRONMENT => "the name environment is reserved for the profile that comes from the environment",
        _ if name.is_empty() || name.starts_with('-') => "this is not a valid profile name",
        _ => return Ok(name.to_owned()),
    };
    Err(Error::usage(what, "choose another name with --profile"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_named_by_its_host() {
        for (url, name) in [
            ("https://label.example.com", "label"),
            ("https://www.label-studio.example.com/x", "label-studio"),
            ("http://localhost:8080", "localhost"),
            ("http://127.0.0.1:8080", "127-0-0-1"),
            ("http://[::1]:8080", "1"),
            ("https://environment.example.com", "label-studio"),
            ("https://-.example.com", "label-studio"),
        ] {
            assert_eq!(derived_name(&Server::parse(url).unwrap()), name, "{url}");
        }
    }
}
