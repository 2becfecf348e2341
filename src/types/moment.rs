//! Two clocks for one question, how old something is: the wall clock, which people set, and the boot clock, which
//! nobody sets and which goes on during suspend. The older answer counts, so that neither can make a token look young.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};
use rustix::system::uname;

/// Linux's clock that counts suspend; elsewhere the monotonic one.
#[cfg(target_os = "linux")]
const BOOT: ClockId = ClockId::CLOCK_BOOTTIME;
#[cfg(not(target_os = "linux"))]
const BOOT: ClockId = ClockId::CLOCK_MONOTONIC;

/// A moment, as both clocks of a machine show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Milliseconds since 1970 on the wall clock.
    pub(crate) wall: i64,
    /// Milliseconds since boot.
    pub(crate) boot: i64,
    /// The machine's name, nothing for this one's: another's boot clock tells nothing, and a cache may be on a network.
    pub(crate) host: String,
}

/// How far the clocks may differ before it is asked why: they are read one after the other, and a wall clock is slewed.
const TOLERANCE: u64 = 1000;

impl Moment {
    /// Reads the clocks of this machine. Its name is not asked for: that costs a system call, and is rarely needed.
    pub(crate) fn now() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let boot = clock_gettime(BOOT).map_or(Duration::ZERO, Duration::from);
        Self {
            wall: i64::try_from(wall.as_millis()).unwrap_or(i64::MAX),
            boot: i64::try_from(boot.as_millis()).unwrap_or(i64::MAX),
            host: String::new(),
        }
    }

    /// Returns how long ago the other moment was, by the clock that makes it longest; `None` if one has it in the future.
    pub(crate) fn since(&self, earlier: &Self) -> Option<Duration> {
        let wall = self.wall.checked_sub(earlier.wall)?;
        let boot = self.boot.checked_sub(earlier.boot)?;
        let agree = wall.abs_diff(boot) <= TOLERANCE;
        let boot = if agree || self.host() == earlier.host() { boot } else { wall };
        if wall.min(boot) < 0 {
            return None;
        }
        u64::try_from(wall.max(boot)).ok().map(Duration::from_millis)
    }

    pub(crate) fn was_here(&self) -> bool {
        self.host.is_empty() || self.host == this_machine()
    }

    fn host(&self) -> Cow<'_, str> {
        if self.host.is_empty() { Cow::Owned(this_machine()) } else { Cow::Borrowed(&self.host) }
    }

    pub(crate) fn later(&self, by: Duration) -> SystemTime {
        let wall = UNIX_EPOCH + Duration::from_millis(u64::try_from(self.wall).unwrap_or(0));
        wall.checked_add(by).unwrap_or(wall)
    }

    /// Writes the moment as one line's worth of words.
    pub(crate) fn to_words(&self) -> String {
        format!("{} {} {}", self.wall, self.boot, self.host())
    }

    /// Reads what `to_words` wrote.
    pub(crate) fn from_words(text: &str) -> Option<Self> {
        let mut words = text.splitn(3, ' ');
        let (wall, boot, host) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?.to_owned());
        Some(Self { wall, boot, host })
    }
}

fn this_machine() -> String {
    uname().nodename().to_string_lossy().split_whitespace().collect()
}

/// Returns a duration in seconds, cut to tenths. Not as a float: what prints those weighs 15 KB.
pub(crate) fn tenths(duration: Duration) -> String {
    format!("{}.{}", duration.as_secs(), duration.subsec_millis() / 100)
}

/// Returns a date in RFC 3339, which has four digits for the year: of seconds since 1970.
pub(crate) fn rfc3339(seconds: u64) -> Option<String> {
    const YEAR_10000: u64 = 253_402_300_800;
    let date = UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
    (seconds < YEAR_10000).then(|| humantime::format_rfc3339_seconds(date).to_string())
}
