//! The program, the settings, the profile that is used, and the personal access token.

use std::env::current_exe;
use std::fs::canonicalize;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::report::{Check, Report};
use crate::error::Result;
use crate::settings::{Profile, ProfileSelector, Profiles};
use crate::system::{Console, Environment, search_path};
use crate::types::{PAGE, Pat};

/// How long before its end a personal access token is to be renewed.
const RENEW_WITHIN: Duration = Duration::from_secs(30 * 86_400);

/// Looks for other programs of this name in PATH.
pub(super) fn program() -> Check {
    let name = "program";
    let version = env!("CARGO_PKG_VERSION");
    let own = current_exe().and_then(canonicalize).unwrap_or_default();
    let mut all: Vec<PathBuf> = Vec::new();
    for directory in search_path() {
        match canonicalize(directory.join("ls-token")) {
            Ok(path) if !all.contains(&path) => all.push(path),
            _ => {}
        }
    }
    let shown = format!("ls-token {version}, {}", own.display());
    let others: Vec<String> = all.iter().filter(|path| **path != own).map(|path| path.display().to_string()).collect();
    match all.first() {
        None => Check::warn(
            name,
            format!("{shown}, which is not in PATH"),
            "add its directory to PATH: lscurl and git look for it there",
        ),
        Some(first) if *first != own => {
            Check::warn(name, format!("{shown}; but PATH has {} first", first.display()), "remove one of them")
        }
        Some(_) if !others.is_empty() => Check::warn(
            name,
            format!("{shown}; PATH has others: {}", others.join(", ")),
            "remove those that are not used",
        ),
        Some(_) => Check::ok(name, shown),
    }
}

/// Looks at the settings, and returns the profile that is used.
pub(super) fn profile(
    report: &mut Report,
    environment: &Result<Environment>,
    selector: &ProfileSelector,
    console: Console,
) -> Result<Option<Profile>> {
    let loaded = environment
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|environment| Ok((environment, Profiles::load(environment)?)));
    let (environment, profiles) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            report.add(Check::fail("settings", &error))?;
            report.add(Check::skipped("profile", "needs the settings"))?;
            return Ok(None);
        }
    };
    report.add(file(environment, profiles.names().count()))?;
    match profiles.choose(selector, console) {
        Ok((profile, because)) => {
            let text = format!("{} for {}, {}", profile.name, profile.server, because);
            report.add(Check::ok("profile", text))?;
            Ok(Some(profile))
        }
        Err(error) => {
            report.add(Check::fail("profile", &error))?;
            Ok(None)
        }
    }
}

/// Looks at the settings file, which could be read.
fn file(environment: &Environment, profiles: usize) -> Check {
    let name = "settings";
    let shown = environment.described_config();
    let about = environment.config.as_ref().and_then(|path| path.metadata().ok());
    let many = match profiles {
        0 => "no profile".to_owned(),
        1 => "1 profile".into(),
        _ => format!("{profiles} profiles"),
    };
    match about {
        None => Check::ok(name, format!("{many}; {shown}")),
        Some(about) if about.mode() & 0o022 != 0 => Check::warn(
            name,
            format!(
                "{many}; {shown} is writable by others (mode {:04o}), who could make it run commands",
                about.mode() & 0o7777
            ),
            format!("chmod go-w {}", shell_words::quote(&shown)),
        ),
        Some(_) => Check::ok(name, format!("{many}; {shown}")),
    }
}

/// Reads the personal access token, and looks at it.
pub(super) fn pat(report: &mut Report, profile: Option<&Profile>) -> Result<Option<Pat>> {
    let Some(profile) = profile else {
        report.add(Check::skipped("source", "needs a profile"))?;
        report.add(Check::skipped("pat", "needs a profile"))?;
        return Ok(None);
    };
    let since = Instant::now();
    let given = match profile.pat().read() {
        Ok(given) => given,
        Err(error) => {
            report.add(Check::fail("source", &error))?;
            report.add(Check::skipped("pat", "needs the source"))?;
            return Ok(None);
        }
    };
    let took = since.elapsed().as_millis();
    report.add(Check::ok("source", format!("the token was read from {} in {took} ms", profile.source)))?;
    match Pat::parse(&given) {
        Ok(pat) => {
            report.add(of_pat(&pat, profile))?;
            Ok(Some(pat))
        }
        Err(error) => {
            report.add(Check::fail("pat", &error))?;
            Ok(None)
        }
    }
}

fn of_pat(pat: &Pat, profile: &Profile) -> Check {
    let name = "pat";
    let kind = "a personal access token";
    let Some(expires) = pat.expires.and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds))) else {
        return Check::ok(name, format!("{kind} that does not say when it expires"));
    };
    let left = expires.duration_since(SystemTime::now()).unwrap_or_default();
    let days = left.as_secs() / 86_400;
    let text = format!("{kind}, valid for {days} more days");
    if left > RENEW_WITHIN {
        return Check::ok(name, text);
    }
    let page = profile.server.join(PAGE);
    Check::warn(name, text, format!("renew it: ls-token rotate, or {page}"))
}
