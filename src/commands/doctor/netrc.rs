//! The file of logins that `curl -n` reads: with one for the server, curl would log in by that instead of the token.

use std::path::PathBuf;

use super::report::Check;
use super::shell::read_text;
use crate::settings::Profile;
use crate::system::environment::Environment;
use crate::system::shell_variables::Surroundings;

/// Looks for a login for the server in the file that `curl -n` reads.
pub(super) fn look(environment: &Environment, profile: Option<&Profile>, around: &Surroundings) -> Check {
    let name = "netrc";
    let places: Vec<PathBuf> =
        around.netrc.clone().into_iter().chain(environment.home().map(|home| home.join(".netrc"))).collect();
    let Some((path, text)) = places.iter().find_map(|path| Some((path, read_text(path)?))) else {
        return Check::ok(name, "there is none");
    };
    let Some(profile) = profile else {
        return Check::skipped(name, "needs a profile");
    };
    let host = profile.server.origin.host.trim_matches(['[', ']']);
    match entry(&text, host) {
        Some(which) => Check::warn(
            name,
            format!("{} has {which}: `curl -n` would log in with that instead of the token", path.display()),
            "lscurl refuses -n and is not concerned; with curl itself leave -n out",
        ),
        None => Check::ok(name, format!("{} has no login for {host}", path.display())),
    }
}

/// Finds the entry that counts for a host: one of its own, or the one for all.
fn entry(text: &str, host: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "machine" if words.next().is_some_and(|name| name.eq_ignore_ascii_case(host)) => {
                return Some(format!("a login for {host}"));
            }
            "default" => return Some("a login for every host".into()),
            // What follows may be any word, also one of these.
            "login" | "password" | "account" => _ = words.next(),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_that_counts_for_the_host_is_found() {
        let host = "label.example.com";
        for (text, found) in [
            ("machine label.example.com login a password b", true),
            ("machine other\n  login machine password label.example.com", false),
            ("machine other login a password default", false),
            ("default login a password b", true),
            ("machine\tLABEL.example.com", true),
            ("", false),
        ] {
            assert_eq!(entry(text, host).is_some(), found, "{text}");
        }
    }
}
