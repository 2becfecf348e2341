//! Looks at a personal access token before it is sent, so that a mix-up is explained here instead of by a 401.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Error, Kind, Result};
use crate::types::jwt;
use crate::types::secret::Secret;

/// The longest personal access token that is taken, in bytes. Label Studio's have about 232.
const LONGEST: usize = 16 * 1024;

/// Where a new one is made; below the server's URL.
pub(crate) const PAGE: &str = "/user/account/personal-access-token";

/// A personal access token that looks like one.
pub(crate) struct Pat {
    /// The token.
    pub(crate) token: Secret,
    /// When it expires, in seconds since 1970, where it says so.
    pub(crate) expires: Option<u64>,
}

/// Checks what a source gave and returns it without the white space around it, which the server would strip as well.
pub(crate) fn examine(given: &Secret) -> Result<Pat> {
    let token = given.expose().trim();
    let fault = |what: &str, hint: &str| Err(Error::new(Kind::Denied, what).hint(hint));
    let page = "a personal access token is made in Label Studio under Account & Settings > Personal Access Token";
    if token.is_empty() {
        return fault("the personal access token is empty", page);
    }
    if token.len() > LONGEST {
        return fault(
            "the personal access token is longer than 16 KiB, which none is",
            "does the source print more than the token?",
        );
    }
    if token.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return fault(
            "there is more than one word where the personal access token should be",
            "give the token alone: no `Bearer`, no line break inside, nothing behind it",
        );
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return fault(
            "the personal access token has characters in it that no token has",
            "it may have been damaged when it was saved: copy it again",
        );
    }
    if token.len() == 40 && token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return fault("this is a legacy token, which cannot be exchanged", page);
    }
    if token.matches('.').count() == 1 && token.split('.').all(|part| !part.is_empty() && jwt::is_base64url(part)) {
        return fault(
            "the personal access token is cut short: its signature, the third part, is missing",
            "the list of tokens in Label Studio's API shows them without it; the whole one is shown once, when it is made",
        );
    }
    let Some(claims) = jwt::claims(token) else {
        return fault("this does not look like a personal access token (it starts with eyJ and has two dots)", page);
    };
    match claims.token_type.as_deref() {
        Some("access") => {
            return fault("this is an access token, not a personal access token", page);
        }
        None | Some("refresh") => {}
        Some(_) => {
            return fault("this JWT is neither a personal access token nor made for Label Studio", page);
        }
    }
    if let Some(expires) = claims.expires
        && let Some(date) = UNIX_EPOCH.checked_add(Duration::from_secs(expires))
        && date <= SystemTime::now()
    {
        let date = humantime::format_rfc3339_seconds(date);
        return fault(
            &format!("the personal access token expired at {date}"),
            "make a new one (or mend this machine's clock)",
        );
    }
    Ok(Pat { token: Secret::new(token.to_owned()), expires: claims.expires })
}

/// Tells whether a text that may be shown or kept has a token in it: a JWT, or a legacy token alone.
pub(crate) fn is_in(text: &str) -> bool {
    /// The beginning of every JWT: `{"` in base64url.
    const BEGINNING: &str = "eyJ";
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut words = text.split(|c| !is_part(c));
    words.any(|word| word.starts_with(BEGINNING) && word.len() >= 20)
        || (text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
