//! The way to the server, its clock and version, and whether it takes the tokens. All of it together takes no longer
//! than `TOTAL_TIMEOUT`, also where nothing answers.

use std::net::ToSocketAddrs as _;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::DATE;
use serde_json::Value;

use super::report::{Check, Report};
use crate::api::account::{self, User};
use crate::api::client::Response;
use crate::api::exchange;
use crate::error::{Error, Kind, Result};
use crate::settings::Profile;
use crate::system::{Console, check_signals};
use crate::types::{Pat, untrusted};

/// How long all that asks the network may take.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(9);

/// How long one step may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(4);

/// How often it is looked whether a name was found: that mostly takes no longer than this.
const POLL: Duration = Duration::from_millis(2);

/// How far two clocks may differ before it is worth a word: a `Date` header has whole seconds.
const MAX_SKEW: Duration = Duration::from_secs(5);

pub(super) fn examine(report: &mut Report, profile: Option<&Profile>, pat: Option<&Pat>) -> Result<()> {
    const REST: [&str; 4] = ["version", "clock", "exchange", "user"];
    let end = Instant::now() + TOTAL_TIMEOUT;
    let Some(profile) = profile else {
        for name in ["address", "connection"].into_iter().chain(REST) {
            report.add(Check::skipped(name, "needs a profile"))?;
        }
        return Ok(());
    };
    report.add(address(profile)?)?;
    let since = Instant::now();
    let answer = match account::version(&bounded(profile, end)) {
        Ok(answer) => answer,
        Err(error) => {
            report.add(failure("connection", error)?)?;
            for name in REST {
                report.add(Check::skipped(name, "needs the connection"))?;
            }
            return Ok(());
        }
    };
    report.add(connection(profile, since.elapsed()))?;
    report.add(version(&answer))?;
    report.add(clock(&answer))?;
    tokens(report, profile, pat, end)
}

/// Exchanges the personal access token and asks whose it is.
fn tokens(report: &mut Report, profile: &Profile, pat: Option<&Pat>, end: Instant) -> Result<()> {
    let Some(pat) = pat else {
        report.add(Check::skipped("exchange", "needs a personal access token"))?;
        return report.add(Check::skipped("user", "needs a personal access token"));
    };
    let quiet = Console { verbose: false };
    let access = match exchange::refresh(&bounded(profile, end), &pat.token, quiet) {
        Ok(access) => access,
        Err(error) => {
            report.add(failure("exchange", error)?)?;
            return report.add(Check::skipped("user", "needs an access token"));
        }
    };
    let life = access.life.as_secs();
    report.add(if life == 0 {
        let text = "gives an access token that does not say how long it is valid, so none is cached";
        Check::warn("exchange", text, "check whether something other than Label Studio answers")
    } else {
        Check::ok("exchange", format!("gives an access token that is valid for {life} s"))
    })?;
    match account::whoami(&bounded(profile, end), &access.token) {
        Ok(who) => report.add(Check::ok("user", shortened(&who))),
        Err(error) => report.add(failure("user", error)?),
    }
}

/// Makes the check of a failure; an interruption ends everything.
fn failure(name: &'static str, error: Error) -> Result<Check> {
    match error.kind {
        Kind::Interrupted(_) => Err(error),
        _ => Ok(Check::fail(name, &error)),
    }
}

/// Returns the profile with a time limit that keeps within what is left of the whole.
fn bounded(profile: &Profile, end: Instant) -> Profile {
    let left = end.saturating_duration_since(Instant::now());
    let limit = profile.timeout.min(STEP_TIMEOUT).min(left);
    Profile { timeout: limit.max(Duration::from_millis(100)), ..profile.clone() }
}

/// Looks the host's name up. That a proxy may know a name that this machine does not is no failure.
fn address(profile: &Profile) -> Result<Check> {
    let name = "address";
    let origin = &profile.server.origin;
    let host = origin.host.trim_matches(['[', ']']).to_owned();
    let (asked, port) = (host.clone(), origin.port);
    // The resolver cannot be interrupted: a thread that is stuck in it is not waited for.
    let resolver = thread::Builder::new().spawn(move || {
        let found = (asked.as_str(), port).to_socket_addrs();
        found.map(Iterator::collect::<Vec<_>>)
    });
    let since = Instant::now();
    let odd = |why: &str| {
        let text = format!("the name {host} was not found: {}", untrusted(why));
        Check::warn(name, text, "check the url of the profile and the network; behind a proxy this may not matter")
    };
    let resolver = match resolver {
        Ok(resolver) => resolver,
        Err(error) => return Ok(odd(&error.to_string())),
    };
    while !resolver.is_finished() {
        check_signals()?;
        if since.elapsed() > STEP_TIMEOUT / 2 {
            return Ok(odd("the name server does not answer"));
        }
        thread::sleep(POLL);
    }
    Ok(match resolver.join() {
        Err(_) => odd("name lookup crashed"),
        Ok(Err(error)) => odd(&error.to_string()),
        Ok(Ok(found)) => {
            let sixes = found.iter().filter(|address| address.is_ipv6()).count();
            let fours = found.len() - sixes;
            Check::ok(name, format!("{host} has {fours} IPv4 and {sixes} IPv6 addresses"))
        }
    })
}

fn connection(profile: &Profile, took: Duration) -> Check {
    let name = "connection";
    let origin = &profile.server.origin;
    let took = took.as_millis();
    if origin.secure {
        let whose = if profile.ca_file.is_some() { "the profile's ca_file" } else { "the system's CAs" };
        Check::ok(name, format!("{origin} answers in {took} ms, with a certificate that is trusted by {whose}"))
    } else if origin.is_loopback() {
        Check::ok(name, format!("{origin} answers in {took} ms, by plain http on this machine"))
    } else {
        let text = format!("{origin} answers in {took} ms, by plain http: the network sees every token");
        Check::warn(name, text, "use https, unless you trust every hop")
    }
}

/// Looks at the answer of `/api/version`.
fn version(answer: &Response) -> Check {
    let name = "version";
    let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let word = |key: &str| value.get(key).and_then(Value::as_str).map(untrusted);
    match word("release") {
        Some(release) if answer.status == 200 => {
            let edition = word("edition").map_or_else(String::new, |edition| format!(" {edition}"));
            Check::ok(name, format!("Label Studio {release}{edition}"))
        }
        _ => Check::warn(
            name,
            format!(
                "/api/version answers with status {} and {}, which is not Label Studio's answer",
                answer.status,
                if value.is_null() { answer.described() } else { "other JSON".into() }
            ),
            "check the url and the path that Label Studio lives under; a login page may be answering instead",
        ),
    }
}

fn clock(answer: &Response) -> Check {
    let name = "clock";
    let Some(theirs) = date(&answer.header(DATE)) else {
        return Check::ok(name, "the server does not tell its time");
    };
    let now = SystemTime::now();
    let (skew, which) = match now.duration_since(theirs) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    let text = format!("this machine's clock is {} s {which} the server's", skew.as_secs());
    if skew <= MAX_SKEW {
        return Check::ok(name, text);
    }
    Check::warn(
        name,
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

/// Says whose a token is, for others to read.
fn shortened(who: &User) -> String {
    let email = match who.email.split_once('@') {
        Some((name, domain)) => {
            let first: String = name.chars().take(1).collect();
            format!("{first}…@{domain}")
        }
        None => String::new(),
    };
    User { email, ..who.clone() }.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_date_is_read() {
        let shown = |text: &str| date(text).map(|date| humantime::format_rfc3339(date).to_string());
        assert_eq!(shown("Sun, 06 Nov 1994 08:49:37 GMT").as_deref(), Some("1994-11-06T08:49:37Z"));
        for text in [
            "",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 ovD 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun, 99 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn of_an_address_the_first_letter_and_the_domain_are_left() {
        let who = User { id: 7, email: "someone.else@example.com".into(), organization: None };
        assert_eq!(shortened(&who), "s…@example.com (user 7)");
    }
}
