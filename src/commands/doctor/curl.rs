//! curl, which `lscurl` becomes: its version and what is known of that, and the files and variables that it reads.

use std::time::Duration;

use super::netrc;
use super::report::{Check, Report};
use crate::commands::curl;
use crate::error::Result;
use crate::settings::Profile;
use crate::system::child::{Task, output};
use crate::system::environment::Environment;
use crate::system::shell_variables::Surroundings;
use crate::system::spinner::Waiting;
use crate::types::escape::foreign;

/// How long `curl --version` may take.
const LIMIT: Duration = Duration::from_secs(3);

/// A version of curl's.
type Version = (u32, u32, u32);

/// A published hole through which a token could get out.
struct Hole {
    /// Its number.
    cve: &'static str,
    /// The first version that has it.
    since: Version,
    /// The first version that has it no more.
    mended: Version,
    /// Which calls it concerns.
    calls: &'static str,
    /// Whether `lscurl` makes such calls: it sends the token as a header, and refuses `--oauth2-bearer` and `-n`.
    of_lscurl: bool,
}

/// The holes of curl's that concern tokens and logins: <https://curl.se/docs/security.html>, up to 8.19.0. What concerns
/// other protocols, cookies, or the kernel's own tickets is not among them.
const HOLES: [Hole; 6] = [
    Hole {
        cve: "CVE-2018-1000007",
        since: (6, 0, 0),
        mended: (7, 58, 0),
        calls: "-L gives the token to any host",
        of_lscurl: true,
    },
    Hole {
        cve: "CVE-2022-27776",
        since: (4, 9, 0),
        mended: (7, 83, 0),
        calls: "-L gives the token to other ports of the host",
        of_lscurl: true,
    },
    Hole { cve: "CVE-2022-27774", since: (4, 9, 0), mended: (7, 83, 0), calls: "-u with -L", of_lscurl: false },
    Hole { cve: "CVE-2024-11053", since: (6, 5, 0), mended: (8, 11, 1), calls: "-n with -L", of_lscurl: false },
    Hole {
        cve: "CVE-2025-14524",
        since: (7, 33, 0),
        mended: (8, 18, 0),
        calls: "--oauth2-bearer with -L",
        of_lscurl: false,
    },
    Hole {
        cve: "CVE-2026-3783",
        since: (7, 33, 0),
        mended: (8, 19, 0),
        calls: "--oauth2-bearer with -L and -n",
        of_lscurl: false,
    },
];

/// Makes all checks that concern curl.
pub(super) fn examine(
    report: &mut Report,
    environment: &Result<Environment>,
    profile: Option<&Profile>,
    around: &Surroundings,
) -> Result<()> {
    report.add(program(profile))?;
    let Ok(environment) = environment else {
        report.add(Check::skipped("curlrc", "needs the environment"))?;
        return report.add(Check::skipped("netrc", "needs the environment"));
    };
    report.add(curlrc(environment, profile))?;
    report.add(netrc::look(environment, profile, around))?;
    report.add(proxies(profile, around))
}

/// Looks at curl's version.
fn program(profile: Option<&Profile>) -> Check {
    let name = "curl";
    let words = ["curl", "-q", "--version"].map(str::to_owned);
    let task = Task {
        words: &words,
        hidden: profile.map_or(&[], |profile| profile.secret_variables.as_slice()),
        input: None,
        limit: LIMIT,
    };
    let printed = match output(&task, &mut Waiting::begin("curl".into())) {
        Ok(printed) => printed,
        Err(error) => {
            return Check::warn(name, error.what, "lscurl needs curl: install it (Debian's package is curl)");
        }
    };
    let printed = String::from_utf8_lossy(&printed);
    let word = printed.split_whitespace().nth(1).unwrap_or_default();
    let Some(version) = version(word) else {
        return Check::warn(
            name,
            format!("an unknown version: {}", foreign(word)),
            "is the curl in PATH the real one?",
        );
    };
    let (ours, others): (Vec<&Hole>, Vec<&Hole>) =
        HOLES.iter().filter(|hole| (hole.since..hole.mended).contains(&version)).partition(|hole| hole.of_lscurl);
    let list = |holes: &[&Hole]| {
        let each = holes.iter().map(|hole| {
            let (major, minor, patch) = hole.mended;
            format!("{} ({}, mended in {major}.{minor}.{patch})", hole.cve, hole.calls)
        });
        each.collect::<Vec<_>>().join(", ")
    };
    let unless = "unless the distribution mended it under the old number";
    if !ours.is_empty() {
        let text = format!("{word} has {}, {unless}", list(&ours));
        return Check::warn(name, text, "update curl, and use lscurl without -L meanwhile");
    }
    if others.is_empty() {
        return Check::ok(name, format!("{word} has no known hole that tokens get out by"));
    }
    Check::ok(
        name,
        format!("{word} has no known hole that lscurl opens; with curl itself mind {}, {unless}", list(&others)),
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
            Check::ok(name, format!("{} has nothing in it that endangers a token", path.display()))
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
                "lscurl passes over these lines, but curl itself obeys them: take them out, or give them where they are needed",
            )
        }
    }
}

/// Looks at the variables that name a proxy.
fn proxies(profile: Option<&Profile>, around: &Surroundings) -> Check {
    let name = "proxies";
    let set: Vec<String> = around.proxies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if set.is_empty() {
        return Check::ok(name, "no variable names one");
    }
    let set = set.join(", ");
    let way = match profile.map(|profile| &profile.server.origin) {
        Some(origin) if !origin.secure => "this server is reached without one",
        Some(origin) if origin.is_loopback() => {
            "a token is had from this server without one; curl goes by it, unless no_proxy names the server"
        }
        _ => "the way to the server goes by it, which sees the host's name and no token",
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
        for hole in &HOLES {
            assert!(hole.since < hole.mended && hole.cve.starts_with("CVE-20"), "{}", hole.cve);
        }
    }
}
