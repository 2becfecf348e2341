//! Looks at a personal access token before it is sent, so that a mix-up is explained here instead of by a 401.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Error, Kind, Result};
use crate::types::{Secret, jwt, unwrapped};

/// The longest personal access token that is accepted, in bytes. Label Studio's have about 232.
pub(crate) const MAX_PAT_BYTES: usize = 16 * 1024;

/// Where a new one is made; below the server's URL.
pub(crate) const PAGE: &str = "/user/account/personal-access-token";

/// A personal access token that looks like one.
pub(crate) struct Pat {
    pub(crate) token: Secret,
    /// When it expires, in seconds since 1970, where it says so.
    pub(crate) expires: Option<u64>,
}

/// What is wrong with a text that should be a personal access token: the test, what is said, and the hint.
type Fault = (fn(&str) -> bool, &'static str, &'static str);

const MAKE_ONE: &str =
    "create a personal access token in Label Studio under Account & Settings > Personal Access Token";

const MAKE_ONE_OF_LEGACY: &str = "create a personal access token in Label Studio, or with the legacy token: curl -X POST -H \"Authorization: Token $LEGACY\" URL/api/token/";

/// The faults that show before a token is decoded; the first that applies is said.
const FAULTS: [Fault; 9] = [
    (str::is_empty, "the personal access token is empty", MAKE_ONE),
    (
        |token| token.starts_with("op://"),
        "this is a 1Password reference, not a personal access token",
        "put it into a profile as `pat`, or start the command with `op run --`, which replaces it",
    ),
    (
        |token| token.starts_with('$'),
        "this is a variable that nothing has expanded, not a personal access token",
        "write the value itself, or let a shell expand it",
    ),
    (
        |token| token.split_once('=').is_some_and(|(name, value)| !value.is_empty() && is_name(name)),
        "there is a name before the personal access token",
        "give the value alone, without `NAME=`",
    ),
    (
        |token| token.len() > MAX_PAT_BYTES,
        "the personal access token is longer than 16 KiB, which none is",
        "check that the source prints nothing but the token",
    ),
    (
        |token| token.bytes().any(|byte| byte.is_ascii_whitespace()),
        "there is more than one word where the personal access token should be",
        "give the token alone: no `Bearer`, no line break inside, nothing behind it",
    ),
    (
        |token| !token.bytes().all(|byte| byte.is_ascii_graphic()),
        "the personal access token has characters that no token has",
        "copy it again; it may have been damaged when it was saved (a byte-order mark, a control character)",
    ),
    (is_legacy, "this is a legacy token, which cannot be exchanged", MAKE_ONE_OF_LEGACY),
    (
        |token| {
            token.matches('.').count() == 1 && token.split('.').all(|part| !part.is_empty() && jwt::is_base64url(part))
        },
        "the personal access token is incomplete: its signature, the third part, is missing",
        "copy the whole token when it is created; Label Studio's list of tokens shows them without the signature",
    ),
];

impl Pat {
    /// Checks what a source gave, without the white space around it, which the server would strip as well.
    pub(crate) fn parse(given: &Secret) -> Result<Self> {
        let token = unwrapped(given.expose());
        let fault = |what: &str, hint: &str| Err(Error::new(Kind::NoCredential, what).hint(hint));
        if let Some((_, what, hint)) = FAULTS.iter().find(|(applies, ..)| applies(token)) {
            return fault(what, hint);
        }
        let Some(claims) = jwt::claims(token) else {
            let what = "this does not look like a personal access token, which starts with eyJ and has two dots";
            return fault(what, MAKE_ONE);
        };
        match claims.token_type.as_deref() {
            None | Some("refresh") => {}
            Some("access") => return fault("this is an access token, not a personal access token", MAKE_ONE),
            Some(_) => return fault("this JWT is not a personal access token of Label Studio", MAKE_ONE),
        }
        if let Some(expires) = claims.expires
            && let Some(date) = UNIX_EPOCH.checked_add(Duration::from_secs(expires))
            && date <= SystemTime::now()
        {
            let date = humantime::format_rfc3339_seconds(date);
            let hint = "create a new one, or fix this machine's clock";
            return fault(&format!("the personal access token expired at {date}"), hint);
        }
        Ok(Self { token: Secret::new(token.to_owned()), expires: claims.expires })
    }
}

/// Returns whether a text that may be shown or kept contains a token: a JWT, or a legacy token alone.
pub(crate) fn contains_token(text: &str) -> bool {
    /// The beginning of every JWT: `{"` in base64url.
    const BEGINNING: &str = "eyJ";
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut words = text.split(|c| !is_part(c));
    is_legacy(text) || words.any(|word| word.starts_with(BEGINNING) && word.len() >= 20)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_legacy(token: &str) -> bool {
    token.len() == 40 && token.bytes().all(|byte| byte.is_ascii_hexdigit())
}
