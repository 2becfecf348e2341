//! The program, the settings, the profile that is used, and the personal access token.

use std::env::current_exe;
use std::fs::canonicalize;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::report::Finding;
use crate::cli::Options;
use crate::error::Result;
use crate::settings::{Profile, Profiles};
use crate::source::Source;
use crate::system::{Environment, KEY_VARIABLE, URL_VARIABLE, search_path};
use crate::types::{PAGE, Pat, Secret};

const RENEW_WITHIN: Duration = Duration::from_secs(30 * 86_400);

/// Looks for other programs of this name in PATH.
pub(super) fn program() -> Finding {
    let own = current_exe().and_then(canonicalize).unwrap_or_default();
    let shown = format!("ls-token {}, {}", env!("CARGO_PKG_VERSION"), own.display());
    let directories = search_path().into_iter();
    let all: Vec<PathBuf> = directories.filter_map(|path| canonicalize(path.join("ls-token")).ok()).collect();
    let mut others: Vec<String> =
        all.iter().filter(|path| **path != own).map(|path| path.display().to_string()).collect();
    others.dedup();
    let others = others.join(", ");
    match all.first() {
        None => Finding::warn(
            format!("{shown}, which is not in PATH"),
            "add its directory to PATH: shells and git look for it there",
        ),
        Some(first) if *first != own => {
            Finding::warn(format!("{shown}; but PATH has {} first", first.display()), "remove one of them")
        }
        Some(_) if others.is_empty() => Finding::ok(shown),
        Some(_) => Finding::warn(format!("{shown}; PATH has others: {others}"), "remove those that are not used"),
    }
}

pub(super) fn load(environment: &Environment) -> Result<(Profiles<'_>, Finding)> {
    let profiles = Profiles::load(environment)?;
    let shown = environment.described_config();
    if let Some(fault) = profiles.file_fault() {
        let text = format!("ignored, as {URL_VARIABLE} and {KEY_VARIABLE} are set: {}", fault.message());
        let found = Finding::warn(format!("{text}; {shown}"), fault.hints.join("; "));
        return Ok((profiles, found));
    }
    let many = match profiles.names().count() {
        0 => "no profile".to_owned(),
        1 => "1 profile".into(),
        count => format!("{count} profiles"),
    };
    Ok((profiles, Finding::ok(format!("{many}; {shown}"))))
}

pub(super) fn choose(profiles: &Profiles, options: &Options) -> Result<(Profile, Finding)> {
    let (profile, because) = profiles.choose(&options.selector(), options.console())?;
    let found = Finding::ok(format!("{} for {}, {because}", profile.name, profile.server));
    Ok((profile, found))
}

pub(super) fn read(profile: &Profile) -> Result<(Secret, Finding)> {
    let since = Instant::now();
    let token = profile.pat().read()?;
    let took = since.elapsed().as_millis();
    let place = match &profile.source {
        Source::Stored(_) => "the file that login wrote".to_owned(),
        other => other.to_string(),
    };
    Ok((token, Finding::ok(format!("the token was read from {place} in {took} ms"))))
}

pub(super) fn pat((profile, token): (&Profile, Secret)) -> Result<(Pat, Finding)> {
    let pat = Pat::parse(&token)?;
    let Some(expires) = pat.expires.and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds))) else {
        return Ok((pat, Finding::ok("a personal access token that does not say when it expires")));
    };
    let left = expires.duration_since(SystemTime::now()).unwrap_or_default();
    let text = format!("a personal access token, valid for {} more days", left.as_secs() / 86_400);
    let found = if left > RENEW_WITHIN {
        Finding::ok(text)
    } else {
        Finding::warn(text, format!("renew it: ls-token rotate, or {}", profile.server.join(PAGE)))
    };
    Ok((pat, found))
}
