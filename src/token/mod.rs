//! The straight line: cache, lock, source, exchange, store. The only module that knows all steps; none calls another.

pub(crate) mod cache;
pub(crate) mod keep;
pub(crate) mod lock;
pub(crate) mod rescue;

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use crate::api::exchange;
use crate::error::{Error, Fact, Kind, Result};
use crate::settings::Profile;
use crate::system::{Console, Spinner, TICK, check_signals, listen, reopen_closed_stdio, say, surroundings, warn};
use crate::types::{Access, Moment, Pat, sha256};
use cache::{Cache, Record};
use lock::{Lock, Question, Turn};

/// How much longer than the holder's own limits the others wait.
const LOCK_SLACK: Duration = Duration::from_secs(5);

/// How long a refresh is held back while others refresh.
const REFRESH_WINDOW: Duration = Duration::from_millis(400);

#[derive(Debug, Clone, Default)]
pub(crate) struct TokenRequest {
    /// How much of its lifetime must be left.
    pub(crate) min_ttl: Option<Duration>,
    /// Whether it must have been obtained after this call began.
    pub(crate) refresh: bool,
    /// Whether the cache is to be left alone.
    pub(crate) no_cache: bool,
    /// Whether most of its lifetime must be left: it is for an upload, or a program that may take long.
    pub(crate) nearly_whole: bool,
}

pub(crate) fn obtain(profile: &Profile, request: &TokenRequest, console: Console) -> Result<Access> {
    let cache = Cache::find(profile);
    let mut call = Call {
        profile,
        request,
        console,
        min_ttl: request.min_ttl.or(profile.min_ttl),
        began: Moment::now(),
        cached: if request.no_cache { None } else { cache.read() },
    };
    let access = call.obtain(cache)?;
    if let Some(wanted) = call.min_ttl
        && let left = access.left(&Moment::now()).unwrap_or_default()
        && left < wanted
        && !access.life.is_zero()
    {
        let (left, wanted) = (left.as_secs(), wanted.as_secs());
        warn(format_args!("the token is valid for {left} s, less than the min_ttl of {wanted} s that was asked for"));
    }
    Ok(access)
}

/// Prepares for the part of the way that takes long: signals, and standard streams.
pub(crate) fn prepare() -> Result<()> {
    listen();
    if reopen_closed_stdio() {
        return Err(Error::new(Kind::Io, "standard output is closed").hint("open it: ls-token prints the token there"));
    }
    Ok(())
}

/// Reads the personal access token of a profile and looks at it.
pub(crate) fn read_pat(profile: &Profile) -> Result<Pat> {
    let with_place = |error: Error| error.with(Fact::Server, &profile.server).with(Fact::Source, &profile.source);
    let pat = profile.pat().read().and_then(|given| Pat::parse(&given).map_err(with_place));
    pat.map_err(|error| profile.with_profile(error))
}

/// Returns the personal access token: the kept one, or what the source gives, which is kept where the settings say so.
pub(crate) fn pat(profile: &Profile, request: &TokenRequest, console: Console) -> Result<Pat> {
    kept(profile, request, console).map_or_else(|| from_source(profile, request, console), Ok)
}

fn kept(profile: &Profile, request: &TokenRequest, console: Console) -> Option<Pat> {
    if request.no_cache { None } else { keep::read(profile, console) }
}

fn from_source(profile: &Profile, request: &TokenRequest, console: Console) -> Result<Pat> {
    console.note(format_args!("source: reading {}", profile.source));
    let pat = read_pat(profile)?;
    if !request.no_cache {
        keep::put(profile, &pat, console);
    }
    Ok(pat)
}

struct Call<'a> {
    profile: &'a Profile,
    request: &'a TokenRequest,
    console: Console,
    min_ttl: Option<Duration>,
    began: Moment,
    /// What the cache had when the call began, and was not fresh enough.
    cached: Option<Record>,
}

impl Call<'_> {
    fn obtain(&mut self, cache: Cache) -> Result<Access> {
        match self.cached.take() {
            Some(record) if self.is_fresh(&record, &self.began) => {
                if self.console.verbose {
                    let left = record.access.left(&self.began).unwrap_or_default();
                    say(format_args!("cache: a token that is valid for {} more seconds", left.as_secs()));
                }
                return Ok(record.access);
            }
            stale => self.cached = stale,
        }
        self.console.note("cache: no usable token");
        prepare()?;
        if self.request.no_cache {
            return self.fetch(&cache).map(|record| record.access);
        }
        match self.wait_for_turn(&cache)? {
            Turn::Done(record) => {
                self.console.note("cache: another ls-token has just obtained one");
                Ok(record.access)
            }
            Turn::Mine(lock) => self.renew(cache, &lock),
        }
    }

    /// Returns whether a cached token can be used as it is.
    fn is_fresh(&self, record: &Record, now: &Moment) -> bool {
        let TokenRequest { refresh, nearly_whole, .. } = *self.request;
        let access = &record.access;
        !refresh && access.is_fresh(now, self.min_ttl) && (!nearly_whole || access.is_nearly_whole(now))
    }

    /// Returns whether a record that turned up while waiting will do: it is fresh, or at least obtained since this call
    /// began, which is the best that there is.
    fn accepts(&self, record: &Record) -> bool {
        let now = Moment::now();
        let is_new = self.cached.as_ref() != Some(record) && record.access.obtained.since(&self.began).is_some();
        self.is_fresh(record, &now) || (is_new && record.access.left(&now).is_some())
    }

    /// Waits until this process may exchange, or another has done it.
    fn wait_for_turn(&self, cache: &Cache) -> Result<Turn<Record>> {
        let Ok(path) = cache.lock_file() else { return Ok(Turn::Mine(Lock::none())) };
        let Profile { source, timeout, keep, .. } = self.profile;
        // A kept token may be rejected, and that of the source exchanged instead.
        let exchanges = if keep.is_some() { *timeout * 2 } else { *timeout };
        let deadline = source.time_limit().unwrap_or_default() + exchanges + LOCK_SLACK;
        let look = || cache.read().filter(|record| self.accepts(record));
        lock::take(&path, deadline, Some(&self.question(cache)), look)
    }

    /// Returns what a failure is of, so that others share only their own: the token, the way to the server, and what the
    /// program that gives the token has around it.
    fn question(&self, cache: &Cache) -> Question {
        let Profile { source, ca_file, timeout, .. } = self.profile;
        let path = ca_file.as_deref().map_or("".into(), Path::to_string_lossy);
        let changed = ca_file.as_ref().and_then(|path| path.metadata().ok());
        let changed = changed.map_or_else(String::new, |about| format!("{} {}", about.mtime(), about.mtime_nsec()));
        let around = surroundings(source.time_limit().is_some());
        let parts = [cache.stamp(), &path, &changed, &timeout.as_millis().to_string(), &around];
        Question { key: sha256(&parts), is_new: self.request.refresh }
    }

    /// Obtains a token while others wait, and stores it.
    fn renew(&self, mut cache: Cache, lock: &Lock) -> Result<Access> {
        let question = self.question(&cache);
        if lock.contended {
            // Meanwhile the personal access token itself may have been rotated: what is cached is of the new one then.
            cache = Cache::find(self.profile);
            if let Some(record) = cache.read().filter(|record| self.accepts(record)) {
                return Ok(record.access);
            }
            if self.request.refresh {
                gather()?;
            }
        }
        check_signals()?;
        let record = self.fetch(&cache).inspect_err(|error| lock.tell_failure(&question, error))?;
        store(&cache, &record);
        // A signal that came in too late to end a wait still ends the program: a shell's loop would go on otherwise.
        check_signals()?;
        Ok(record.access)
    }

    fn fetch(&self, cache: &Cache) -> Result<Record> {
        let Self { profile, request, console, .. } = *self;
        if let Some(pat) = kept(profile, request, console) {
            let done = self.exchange(cache, &pat);
            if !done.as_ref().is_err_and(|error| error.kind.is_rejection()) {
                return done;
            }
            console.note("keep: it was rejected, so the source is asked");
        }
        self.exchange(cache, &from_source(profile, request, console)?)
    }

    /// Exchanges a personal access token. One that is rejected is kept no longer.
    fn exchange(&self, cache: &Cache, pat: &Pat) -> Result<Record> {
        let (profile, console) = (self.profile, self.console);
        console.note(format_args!("exchange: asking {}", profile.server));
        let access = exchange::refresh(profile, &pat.token, console).map_err(|mut error| {
            if error.kind.is_rejection() {
                keep::forget(profile);
                error = rescue::with_rotation(profile, error);
            }
            profile.with_profile(error)
        })?;
        console.note(format_args!("exchange: obtained a token that is valid for {} s", access.life.as_secs()));
        Ok(cache.record(access, pat))
    }
}

/// Stores the token; one that cannot be stored is used all the same.
fn store(cache: &Cache, record: &Record) {
    if record.access.life.is_zero() {
        warn("the token does not say how long it is valid, so it is not cached");
    } else if let Err(error) = cache.store(record) {
        warn(format_args!("the token is not cached: {}", error.to_line()));
    }
}

/// Holds a refresh back for a moment when others are refreshing too: those that start meanwhile will find a token that was
/// obtained after they began, and need no exchange of their own.
fn gather() -> Result<()> {
    let mut spinner = Spinner::begin("other refreshes".into());
    while spinner.elapsed() < REFRESH_WINDOW {
        spinner.tick()?;
        std::thread::sleep(TICK);
    }
    Ok(())
}
