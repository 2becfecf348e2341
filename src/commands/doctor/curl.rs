//! curl, which `lscurl` becomes: its version and what is known of it, and the files and variables that it reads.

use std::time::Duration;

use super::report::{Check, Report};
use crate::commands::curl;
use crate::error::Result;
use crate::settings::Profile;
use crate::system::{
    Environment, ShellVars, Spinner,
    child::{Task, output},
};
use crate::types::untrusted;

/// How long `curl --version` may take.
const CURL_TIMEOUT: Duration = Duration::from_secs(3);

type Version = (u32, u32, u32);

/// The first version in which `-L` keeps the token to its own host and port (CVE-2018-1000007, CVE-2022-27776):
/// <https://curl.se/docs/security.html>. Later ones that concern tokens need options that lscurl refuses.
const SAFE_SINCE: Version = (7, 83, 0);

pub(super) fn examine(
    report: &mut Report,
    environment: &Result<Environment>,
    profile: Option<&Profile>,
    vars: &ShellVars,
) -> Result<()> {
    report.add(program(profile))?;
    let Ok(environment) = environment else {
        return report.add(Check::skipped("curlrc", "needs the environment"));
    };
    report.add(curlrc(environment, profile))?;
    report.add(proxies(profile, vars))
}

fn program(profile: Option<&Profile>) -> Check {
    let name = "curl";
    let words = ["curl", "-q", "--version"].map(str::to_owned);
    let task = Task {
        words: &words,
        hidden: profile.map_or(&[], |profile| &*profile.hidden),
        input: None,
        timeout: CURL_TIMEOUT,
    };
    let printed = match output(&task, &mut Spinner::begin("curl".into())) {
        Ok(printed) => printed,
        Err(error) => {
            return Check::warn(name, error.message(), "lscurl needs curl: install it (Debian's package is curl)");
        }
    };
    let printed = String::from_utf8_lossy(&printed);
    let word = printed.split_whitespace().nth(1).unwrap_or_default();
    let Some(version) = version(word) else {
        return Check::warn(
            name,
            format!("an unknown version: {}", untrusted(word)),
            "check that the curl in PATH is the real one",
        );
    };
    if version >= SAFE_SINCE {
        return Check::ok(name, format!("{word} has no known vulnerability that leaks tokens"));
    }
    let (major, minor, patch) = SAFE_SINCE;
    Check::warn(
        name,
        format!(
            "{word} gives the token to other hosts or ports with -L (fixed in {major}.{minor}.{patch}, unless the distribution fixed it)"
        ),
        "update curl, and use lscurl without -L until then",
    )
}

/// Reads a version: `8.14.1`, or `8.15.0-DEV`.
fn version(word: &str) -> Option<Version> {
    let plain = word.split(['-', '_']).next()?;
    let mut parts = plain.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
}

/// Looks at the `.curlrc` that curl would read.
fn curlrc(environment: &Environment, profile: Option<&Profile>) -> Check {
    let name = "curlrc";
    let secure = profile.is_none_or(|profile| profile.server.origin.secure);
    match curl::risks(environment, secure) {
        None => Check::ok(name, "there is none"),
        Some((path, risks)) if risks.is_empty() => {
            Check::ok(name, format!("{} has nothing that endangers a token", path.display()))
        }
        Some((_, risks)) => {
            let first: Vec<String> = risks.iter().take(4).cloned().collect();
            let more = match risks.len() - first.len() {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            Check::warn(
                name,
                format!("{}{more}", first.join("; ")),
                "lscurl ignores these lines, but curl itself obeys them: remove them, or use them on the command line where they are needed",
            )
        }
    }
}

fn proxies(profile: Option<&Profile>, vars: &ShellVars) -> Check {
    let name = "proxies";
    let set: Vec<String> = vars.proxies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if set.is_empty() {
        return Check::ok(name, "none is set");
    }
    let set = set.join(", ");
    let way = match profile.map(|profile| &profile.server.origin) {
        Some(origin) if !origin.secure => "ls-token and lscurl connect to this server directly",
        Some(origin) if origin.is_loopback() => {
            "ls-token connects directly; curl uses the proxy unless no_proxy names the server"
        }
        _ => "requests go through it; it sees the host name and no token",
    };
    Check::ok(name, format!("{set}; {way}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared_as_numbers() {
        assert_eq!(version("8.14.1"), Some((8, 14, 1)));
        assert_eq!(version("8.15.0-DEV"), Some((8, 15, 0)));
        assert_eq!(version("7.9"), Some((7, 9, 0)));
        assert_eq!(version("libcurl"), None);
        assert!(version("7.82.0") < Some(SAFE_SINCE) && version("7.100.0") > Some(SAFE_SINCE));
    }
}
