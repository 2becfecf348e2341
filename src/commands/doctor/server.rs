//! The way to the server, its clock and version, and its verdict on the tokens: within `TOTAL_TIMEOUT` in all.

use std::io;
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::DATE;
use serde_json::Value;
use tokio::time::timeout;

use super::report::{Finding, Report};
use crate::api::account::{self, User};
use crate::api::authorities::Authorities;
use crate::api::client::{self, Response};
use crate::api::{exchange, resolver};
use crate::error::Result;
use crate::settings::Profile;
use crate::system::{Console, lack};
use crate::types::{Access, Pat, untrusted};

const TOTAL_TIMEOUT: Duration = Duration::from_secs(9);
const STEP_TIMEOUT: Duration = Duration::from_secs(4);

/// How far two clocks may differ before it is worth a word: a `Date` header has whole seconds.
const MAX_SKEW: Duration = Duration::from_secs(5);

/// Returns whether the server was reached.
pub(super) fn examine(report: &mut Report, profile: Option<&Profile>, pat: Option<Pat>) -> Result<bool> {
    let end = Instant::now() + TOTAL_TIMEOUT;
    report.check("address", "the address", profile.map(address))?;
    let answer =
        report.check("connection", "the connection", profile.map(|profile| connect(&bounded(profile, end))))?;
    report.add("version", answer.as_ref().map(version))?;
    report.add("clock", answer.as_ref().map(clock))?;
    let needed = profile.zip(pat).filter(|_| answer.is_some());
    let access = needed.map(|(profile, pat)| exchange(&bounded(profile, end), &pat));
    let access = report.check("exchange", "an access token", access)?;
    let user = profile.zip(access).map(|(profile, access)| user(&bounded(profile, end), &access));
    report.check("user", "the user", user)?;
    Ok(answer.is_some())
}

/// Returns the profile with a time limit that keeps within what is left of the whole.
fn bounded(profile: &Profile, end: Instant) -> Profile {
    let left = end.saturating_duration_since(Instant::now());
    let limit = profile.timeout.min(STEP_TIMEOUT).min(left);
    Profile { timeout: limit.max(Duration::from_millis(100)), ..profile.clone() }
}

/// Looks the host's name up. That a proxy may know a name that this machine does not is no failure.
fn address(profile: &Profile) -> Result<((), Finding)> {
    let origin = &profile.server.origin;
    let host = origin.host.trim_matches(['[', ']']);
    let slow = |_| Err(io::Error::other("the name server does not answer"));
    let lookup = async { Ok(timeout(STEP_TIMEOUT / 2, resolver::lookup(host.to_owned())).await.unwrap_or_else(slow)) };
    let found = match client::follow(profile, lookup, true)? {
        Ok(found) => {
            let sixes = found.iter().filter(|address| address.is_ipv6()).count();
            Finding::ok(format!("{host} has {} IPv4 and {sixes} IPv6 addresses", found.len() - sixes))
        }
        Err(why) => {
            if let Some(error) = lack(&format!("cannot look {host} up"), &why) {
                return Err(error);
            }
            let text = format!("the name {host} was not found: {}", untrusted(&why.to_string()));
            Finding::warn(text, "check the url of the profile and the network; behind a proxy this may not matter")
        }
    };
    Ok(((), found))
}

fn connect(profile: &Profile) -> Result<(Response, Finding)> {
    let since = Instant::now();
    let answer = account::version(profile)?;
    let origin = &profile.server.origin;
    let answers = format!("{origin} answers in {} ms", since.elapsed().as_millis());
    let found = if origin.secure {
        let whose = match Authorities::of(profile).map(|authorities| authorities.name) {
            Some("ca_file") => "the profile's ca_file",
            Some(variable) => variable,
            None => "the system's CAs",
        };
        Finding::ok(format!("{answers}, with a certificate that is trusted by {whose}"))
    } else if origin.is_loopback() {
        Finding::ok(format!("{answers}, by plain http on this machine"))
    } else {
        let text = format!("{answers}, by plain http: the network sees every token");
        Finding::warn(text, "use https, unless you trust every hop")
    };
    Ok((answer, found))
}

fn exchange(profile: &Profile, pat: &Pat) -> Result<(Access, Finding)> {
    let access = exchange::refresh(profile, &pat.token, Console { verbose: false })?;
    let found = match access.life.as_secs() {
        0 => Finding::warn(
            "gives an access token that does not say how long it is valid, so none is cached",
            "check whether something other than Label Studio answers",
        ),
        life => Finding::ok(format!("gives an access token that is valid for {life} s")),
    };
    Ok((access, found))
}

/// Asks whose the token is; of an email address, it shows the first letter and the domain.
fn user(profile: &Profile, access: &Access) -> Result<((), Finding)> {
    let user = account::whoami(profile, &access.token)?;
    let (name, domain) = user.email.split_once('@').unwrap_or_default();
    let first: String = name.chars().take(1).collect();
    let email = if domain.is_empty() { String::new() } else { format!("{first}…@{domain}") };
    Ok(((), Finding::ok(User { email, ..user }.to_string())))
}

fn version(answer: &Response) -> Finding {
    let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let word = |key: &str| value.get(key).and_then(Value::as_str).map(untrusted);
    if let (200, Some(release)) = (answer.status, word("release")) {
        let edition = word("edition").map_or_else(String::new, |edition| format!(" {edition}"));
        return Finding::ok(format!("Label Studio {release}{edition}"));
    }
    let came = if value.is_null() { answer.described() } else { "other JSON".into() };
    Finding::warn(
        format!("/api/version answers with status {} and {came}, which is not Label Studio's answer", answer.status),
        "check the url and the path that Label Studio lives under; a login page may be answering instead",
    )
}

fn clock(answer: &Response) -> Finding {
    let Some(theirs) = date(&answer.header(DATE)) else {
        return Finding::ok("the server does not tell its time");
    };
    let (skew, which) = match SystemTime::now().duration_since(theirs) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    let text = format!("this machine's clock is {} s {which} the server's", skew.as_secs());
    if skew <= MAX_SKEW {
        return Finding::ok(text);
    }
    Finding::warn(
        format!(
            "{text}; access tokens work all the same, but the expiry of personal access tokens and certificates is misjudged"
        ),
        "set the clock: timedatectl set-ntp true",
    )
}

/// Reads the time of a `Date` header (RFC 9110, section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
fn date(text: &str) -> Option<SystemTime> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let (_, date) = text.split_once(", ")?;
    let mut words = date.strip_suffix(" GMT")?.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.find(month).filter(|place| place % 3 == 0)? / 3 + 1;
    humantime::parse_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_date_is_read() {
        let shown = |text: &str| date(text).map(|date| humantime::format_rfc3339(date).to_string());
        assert_eq!(shown("Sun, 06 Nov 1994 08:49:37 GMT").as_deref(), Some("1994-11-06T08:49:37Z"));
        for date in ["06 Nov 1994 08:49:37", "06 ovD 1994 08:49:37 GMT", "06-Nov-94 08:49:37 GMT"] {
            assert_eq!(shown(&format!("Sun, {date}")), None, "{date}");
        }
    }
}
