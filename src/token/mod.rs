//! The straight line: cache, lock, source, exchange, store. The only module that knows all the steps; none of them
//! calls another.

pub(crate) mod cache;
pub(crate) mod lock;
pub(crate) mod rescue;

use std::time::Duration;

use crate::api::exchange;
use crate::error::{Error, Kind, Result};
use crate::settings::Profile;
use crate::system::process::occupy_standard_streams;
use crate::system::signals::{check_signals, listen};
use crate::system::spinner::{TICK, Waiting};
use crate::system::stderr::{Console, warn};
use crate::token::cache::{Cache, Record};
use crate::token::lock::{Lock, Turn, take};
use crate::types::access::Access;
use crate::types::moment::Moment;
use crate::types::pat::{self, Pat};

/// How much longer than the holder's own limits the others wait.
const SLACK: Duration = Duration::from_secs(5);

/// How long a refresh is held back while others refresh.
const GATHERING: Duration = Duration::from_millis(400);

/// What kind of token is wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    /// How long it must be good yet, where that is said.
    pub(crate) min_ttl: Option<Duration>,
    /// Whether it must have been obtained after this call began.
    pub(crate) refresh: bool,
    /// Whether the cache is to be left alone.
    pub(crate) no_cache: bool,
}

/// Returns a valid access token of the profile.
pub(crate) fn obtain(profile: &Profile, wish: &Wish, console: Console) -> Result<Access> {
    let min_ttl = wish.min_ttl.or(profile.min_ttl);
    let cache = Cache::find(profile);
    let began = Moment::now();
    let cached = match if wish.no_cache { None } else { cache.read() } {
        Some(record) if !wish.refresh && record.access.is_fresh(&began, min_ttl) => {
            return Ok(record.access);
        }
        other => other,
    };
    console.note("cache: no token that would do");
    prepare()?;
    if wish.no_cache {
        return fetch(&cache, profile, console).map(|record| record.access);
    }
    let mark = profile.source.failure_mark(cache.stamp());
    let lock = match cache.lock_file() {
        Ok(path) => {
            let deadline = profile.source.time_limit() + profile.timeout + SLACK;
            let look = || cache.read().filter(|record| will_do(record, cached.as_ref(), &began, wish, min_ttl));
            match take(&path, deadline, Some(&mark), look)? {
                Turn::Mine(held) => held,
                Turn::Done(record) => {
                    console.note("cache: another ls-token has just got one");
                    return Ok(record.access);
                }
            }
        }
        Err(_) => Lock::none(),
    };
    let mut cache = cache;
    if lock.was_contended() {
        // Meanwhile the personal access token itself may have been swapped: what is cached is of the new one then.
        cache = Cache::find(profile);
        if let Some(record) = cache.read().filter(|record| will_do(record, cached.as_ref(), &began, wish, min_ttl)) {
            return Ok(record.access);
        }
    }
    if wish.refresh && lock.was_contended() {
        gather()?;
    }
    check_signals()?;
    let record = fetch(&cache, profile, console).inspect_err(|error| lock.tell_failure(&mark, error))?;
    if min_ttl.is_some_and(|wanted| !record.access.life.is_zero() && wanted >= record.access.life) {
        let life = record.access.life.as_secs();
        warn(format_args!("tokens of this server are good for {life} s, less than the min_ttl asked for"));
    }
    if record.access.life.is_zero() {
        warn("the token does not say how long it is good, so it is not cached");
    } else if let Err(error) = cache.store(&record) {
        warn(format_args!("the token is not cached: {}", error.in_one_line()));
    }
    // A signal that came in too late to end a wait still ends the program: a shell's loop would go on otherwise.
    check_signals()?;
    Ok(record.access)
}

/// Holds a refresh back for a moment when others are refreshing too: those that start meanwhile will find a token that was
/// obtained after they began, and need no exchange of their own.
fn gather() -> Result<()> {
    let mut waiting = Waiting::begin("others that refresh".into());
    while waiting.elapsed() < GATHERING {
        waiting.tick()?;
        std::thread::sleep(TICK);
    }
    Ok(())
}

/// Tells whether a record that turned up while waiting is what is wanted: fresh, or at least obtained since this call
/// began, which is the best that there is.
fn will_do(record: &Record, before: Option<&Record>, began: &Moment, wish: &Wish, min_ttl: Option<Duration>) -> bool {
    let now = Moment::now();
    let is_new = before != Some(record) && record.access.obtained.since(began).is_some();
    let fresh = !wish.refresh && record.access.is_fresh(&now, min_ttl);
    fresh || (is_new && record.access.left(&now).is_some())
}

/// Reads the personal access token and exchanges it.
fn fetch(cache: &Cache, profile: &Profile, console: Console) -> Result<Record> {
    console.note(format_args!("source: reading {}", profile.source));
    let pat = read_pat(profile)?;
    console.note(format_args!("exchange: asking {}", profile.server));
    let access = exchange::refresh(profile, &pat.token, console).map_err(|error| {
        let error = if error.kind == Kind::Denied { rescue::tell(profile, error) } else { error };
        profile.name_in(error)
    })?;
    console.note(format_args!("exchange: got a token that is good for {} s", access.life.as_secs()));
    Ok(cache.record(access, &pat))
}

/// Reads the personal access token of a profile and looks at it.
pub(crate) fn read_pat(profile: &Profile) -> Result<Pat> {
    let given = profile.source.read(&profile.secret_variables);
    given
        .and_then(|given| {
            let with_place = |error: Error| error.with("server", &profile.server).with("source", &profile.source);
            pat::examine(&given).map_err(with_place)
        })
        .map_err(|error| profile.name_in(error))
}

/// Prepares for the part of the way that takes long: signals, and standard streams.
pub(crate) fn prepare() -> Result<()> {
    listen();
    if occupy_standard_streams() {
        return Err(Error::new(Kind::Files, "standard output is closed").hint("ls-token prints the token there"));
    }
    Ok(())
}
