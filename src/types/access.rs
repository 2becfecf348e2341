//! An access token, and how long it is good.

use std::time::{Duration, UNIX_EPOCH};

use super::moment::Moment;
use super::secret::Secret;

/// The margin of a long-lived token: time for the request that it is meant for.
const MAX_MARGIN: Duration = Duration::from_secs(30);

/// The step of a token's own times.
const SECOND: Duration = Duration::from_secs(1);

/// The longest life that is believed: a token is kept for a day at most, whatever it says.
pub(crate) const MAX_LIFE: Duration = Duration::from_secs(86_400);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) token: Secret,
    /// When it was asked for: it was issued later than that, so this errs on the safe side.
    pub(crate) obtained: Moment,
    /// How long it lives, `exp - iat`; zero where that could not be told.
    pub(crate) life: Duration,
}

impl Access {
    /// Takes a new token in; dates that make no sense give no life.
    pub(crate) fn new(token: Secret, obtained: Moment, issued: Option<u64>, expires: Option<u64>) -> Self {
        let life = expires.zip(issued).and_then(|(expires, issued)| expires.checked_sub(issued)).unwrap_or(0);
        Self { token, obtained, life: Duration::from_secs(life).min(MAX_LIFE) }
    }

    /// Returns when the token expires by this machine's clock, in seconds since 1970.
    pub(crate) fn expires_at(&self) -> u64 {
        let end = self.obtained.later(self.life);
        end.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
    }

    /// Returns how long the token is still good; `None` when that is over or cannot be told.
    pub(crate) fn left(&self, now: &Moment) -> Option<Duration> {
        let left = self.life.checked_sub(now.since(&self.obtained)?)?;
        (!left.is_zero()).then_some(left)
    }

    /// Returns whether the token has more left than the margin: 30 seconds or a fifth of its lifetime, whichever is less,
    /// unless the user wants `min_ttl`; and a second at least, as its times are whole seconds.
    pub(crate) fn is_fresh(&self, now: &Moment, min_ttl: Option<Duration>) -> bool {
        let fifth = self.life / 5;
        // A token that is never fresh would be exchanged at every call: it is used for a second at least.
        let most = self.life.saturating_sub(SECOND);
        let margin = min_ttl.map_or(fifth.min(MAX_MARGIN), |wanted| wanted.min(most));
        self.left(now).is_some_and(|left| left > margin.max(SECOND))
    }

    /// Returns whether no more than a tenth of its lifetime is over, or a second: what a long upload needs, as Label Studio
    /// looks at the token when it has all of it.
    pub(crate) fn is_nearly_whole(&self, now: &Moment) -> bool {
        self.left(now).is_some_and(|left| left + (self.life / 10).max(SECOND) >= self.life)
    }

    /// Returns the header that a request carries (RFC 6750, section 2.1).
    pub(crate) fn header(&self) -> Secret {
        Secret::new(format!("Authorization: Bearer {}", self.token.expose()))
    }

    /// Returns the line of a curl configuration file. A token has no character that would need escaping there.
    pub(crate) fn curl_config(&self) -> Secret {
        Secret::new(format!("header = \"{}\"\n", self.header().expose()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token of that life, in seconds, and a moment that many milliseconds after it was obtained.
    fn aged(life: u64, age: i64) -> (Access, Moment) {
        let obtained = Moment { wall: 1_000_000, boot: 1_000, host: "a".into() };
        let now = Moment { wall: 1_000_000 + age, boot: 1_000 + age, host: "a".into() };
        (Access::new(Secret::new("t".into()), obtained, Some(100), Some(100 + life)), now)
    }

    fn fresh(life: u64, age: i64, min_ttl: Option<u64>) -> bool {
        let (access, now) = aged(life, age);
        access.is_fresh(&now, min_ttl.map(Duration::from_secs))
    }

    #[test]
    fn the_margin_is_a_fifth_of_the_life_and_thirty_seconds_at_most() {
        assert!(fresh(300, 269_000, None) && !fresh(300, 270_000, None));
        assert!(fresh(3600, 3_569_000, None) && !fresh(3600, 3_570_000, None));
        assert!(fresh(5, 3_900, None) && !fresh(5, 4_000, None));
        assert!(fresh(3, 1_900, None) && !fresh(3, 2_000, None));
        assert!(!fresh(1, 0, None));
    }

    #[test]
    fn f61_a_nearly_whole_token_has_nine_tenths_of_its_life() {
        let nearly_whole = |life, age| {
            let (access, now) = aged(life, age);
            access.is_nearly_whole(&now)
        };
        assert!(nearly_whole(300, 30_000) && !nearly_whole(300, 30_001));
        assert!(nearly_whole(5, 1_000) && !nearly_whole(5, 1_001) && !nearly_whole(300, -1));
    }

    #[test]
    fn min_ttl_replaces_the_margin_but_leaves_a_second_of_use() {
        assert!(fresh(300, 298_900, Some(0)) && !fresh(300, 299_000, Some(0)));
        assert!(fresh(300, 2_900, Some(297)) && !fresh(300, 3_100, Some(297)));
        assert!(fresh(300, 900, Some(100_000)) && !fresh(300, 1_100, Some(100_000)));
    }
}
