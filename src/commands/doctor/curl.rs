//! curl, which `lscurl` becomes: its version and what is known of it, and the files and variables that it reads.

use std::time::Duration;

use super::report::Finding;
use crate::api::authorities::Authorities;
use crate::api::proxy::Proxy;
use crate::commands::curl;
use crate::settings::Profile;
use crate::system::{
    Environment, ShellVars, Spinner,
    child::{Task, output},
};
use crate::types::untrusted;

const CURL_TIMEOUT: Duration = Duration::from_secs(3);

const MAX_RISKS: usize = 4;

type Version = (u32, u32, u32);

/// The first version in which `-L` keeps the token to its own host and port (CVE-2018-1000007, CVE-2022-27776):
/// <https://curl.se/docs/security.html>. Later ones that concern tokens need options that lscurl refuses.
const SAFE_SINCE: Version = (7, 83, 0);

pub(super) fn program(profile: Option<&Profile>) -> Finding {
    let words = ["curl", "-q", "--version"].map(str::to_owned);
    let hidden = profile.map_or(&[][..], |profile| &profile.hidden);
    let task = Task { words: &words, hidden, input: None, timeout: CURL_TIMEOUT };
    let printed = match output(&task, &mut Spinner::begin("curl".into())) {
        Ok(printed) => String::from_utf8_lossy(&printed).into_owned(),
        Err(error) => {
            return Finding::warn(error.message(), "lscurl needs curl: install it (Debian's package is curl)");
        }
    };
    let word = printed.split_whitespace().nth(1).unwrap_or_default();
    let Some(version) = version(word) else {
        let text = format!("an unknown version: {}", untrusted(word));
        return Finding::warn(text, "check that the curl in PATH is the real one");
    };
    if version >= SAFE_SINCE {
        return Finding::ok(format!("{word}: with -L, it gives the token to the same scheme, host and port alone"));
    }
    let (major, minor, patch) = SAFE_SINCE;
    let text = format!(
        "{word} gives the token to other hosts or ports with -L (fixed in {major}.{minor}.{patch}, unless the distribution fixed it)"
    );
    Finding::warn(text, "update curl, and use lscurl without -L until then")
}

/// Reads a version: `8.14.1`, or `8.15.0-DEV`.
fn version(word: &str) -> Option<Version> {
    let plain = word.split(['-', '_']).next()?;
    let mut parts = plain.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
}

pub(super) fn curlrc(environment: &Environment, profile: Option<&Profile>) -> Finding {
    let secure = profile.is_none_or(|profile| profile.server.origin.secure);
    let Some((path, mut risks)) = curl::risks(environment, secure) else {
        return Finding::ok("there is none");
    };
    if risks.is_empty() {
        return Finding::ok(format!("{} has nothing that endangers a token", path.display()));
    }
    if risks.len() > MAX_RISKS {
        let more = risks.split_off(MAX_RISKS).len();
        risks.push(format!("and {more} more"));
    }
    Finding::warn(
        risks.join("; "),
        "lscurl ignores these lines, but curl itself obeys them: remove them, or use them on the command line where they are needed",
    )
}

/// Compares the CAs of the exchange and curl with those that variables name for curl itself and for programs in Python.
pub(super) fn authorities(profile: &Profile, vars: &ShellVars) -> Finding {
    if !profile.server.origin.secure {
        return Finding::ok("none are needed for plain http");
    }
    let named = Authorities::of(profile);
    if let Some(Err(error)) = named.as_ref().map(Authorities::open) {
        return Finding::warn(error.message(), error.hints.join("; "));
    }
    let text = match named {
        Some(Authorities { name, file: Some(file), .. }) => {
            return Finding::ok(format!("those of {name}, also for what exec runs: {}", file.display()));
        }
        Some(Authorities { name, .. }) => format!("those of {name}"),
        None => "the system's".into(),
    };
    let others: Vec<String> = vars.ca_bundles.iter().map(|(name, path)| format!("{name}={}", path.display())).collect();
    if others.is_empty() {
        return Finding::ok(text);
    }
    Finding::warn(
        format!("{text}; {} counts for what exec runs, but not for ls-token and lscurl", others.join(" and ")),
        "for one list everywhere, set `ca_file` in the profile, or SSL_CERT_FILE",
    )
}

/// Says which way requests go; `reached` is what came of trying it.
pub(super) fn proxies(profile: &Profile, environment: &Environment, vars: &ShellVars, reached: bool) -> Finding {
    let set: Vec<String> = vars.proxies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let set = if set.is_empty() { "no variable is set".into() } else { set.join(", ") };
    let of_curl = curl::proxy_option(environment).filter(|_| profile.server.origin.secure);
    match (Proxy::of(profile), of_curl) {
        (Err(error), _) => Finding::warn(error.message(), error.hints.join("; ")),
        (Ok(Some(proxy)), _) if !reached => Finding::warn(
            format!("{set}; the server was not reached through {proxy}"),
            "the line `connection` says why",
        ),
        (Ok(Some(proxy)), _) => {
            Finding::ok(format!("{set}; {proxy} leads to the server, and sees its host name and no token"))
        }
        (Ok(None), Some(option)) => Finding::warn(
            format!("{set}; curl's {option} is for curl alone: the exchange goes directly"),
            "name the proxy with https_proxy, which counts for both",
        ),
        (Ok(None), None) => Finding::ok(format!("{set}; ls-token and lscurl connect to this server directly")),
    }
}
