//! Tokens as Label Studio makes them. Every one made in this process is kept, for the canary scan.

use std::sync::{LazyLock, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::canary::Canaries;
use super::lock;

/// Every personal access token made in this process, for the canary scan.
static PATS: LazyLock<Mutex<Canaries>> = LazyLock::new(|| Mutex::new(Canaries::new()));

/// Every access token made in this process, for the canary scan.
static ACCESS: LazyLock<Mutex<Canaries>> = LazyLock::new(|| Mutex::new(Canaries::new()));

/// Returns every access token made in this process.
pub(crate) fn every_access_token() -> Vec<String> {
    lock(&ACCESS).secrets().to_vec()
}

/// Adds a made-up secret to those that the canary scan looks for.
pub(crate) fn remember_pat(secret: &str) {
    lock(&PATS).add(secret);
}

/// Returns the personal access token, or the telling part of one, that is in the text.
pub(crate) fn pat_in(text: impl AsRef<[u8]>) -> Option<String> {
    lock(&PATS).find(text.as_ref()).map(str::to_owned)
}

/// Returns the access token, or the telling part of one, that is in the text.
pub(crate) fn access_token_in(text: impl AsRef<[u8]>) -> Option<String> {
    lock(&ACCESS).find(text.as_ref()).map(str::to_owned)
}

/// Returns a text as a message may show it: with no token in it, be it known or not, and not too long.
pub(crate) fn redacted(text: impl AsRef<[u8]>) -> String {
    const LONGEST: usize = 2000;
    let text = String::from_utf8_lossy(text.as_ref());
    let is_of_token = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let mut shown = String::new();
    let mut rest = text.as_ref();
    // What every JWT begins with: `{"` in base64url.
    while let Some((before, after)) = rest.split_once("eyJ") {
        shown.push_str(before);
        shown.push_str("eyJ…");
        rest = after.trim_start_matches(is_of_token);
    }
    shown.push_str(rest);
    while let Some(secret) = pat_in(&shown).or_else(|| access_token_in(&shown)) {
        shown = shown.replace(&secret, "[redacted]");
    }
    if shown.len() > LONGEST {
        let begin: String = shown.chars().take(LONGEST).collect();
        shown = format!("{begin}… ({} bytes)", shown.len());
    }
    shown
}

/// Makes a JWT with these claims. Its signature is random: only the server that made it can tell that it is good.
pub(crate) fn jwt(claims: &Value) -> String {
    let random: Vec<u8> = (0..32).map(|_| fastrand::u8(..)).collect();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let token =
        format!("{}.{}.{}", part(&json!({"alg": "HS256", "typ": "JWT"})), part(claims), URL_SAFE_NO_PAD.encode(random));
    let registry = if claims.get("token_type").and_then(Value::as_str) == Some("access") { &ACCESS } else { &PATS };
    lock(registry).add(&token);
    token
}

/// Returns the claims of a JWT.
pub(crate) fn claims_of(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap_or_default();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("claims")
}

/// Returns the seconds since 1970.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

/// Returns the whole seconds since 1970.
#[allow(clippy::cast_possible_truncation, reason = "a time of this century fits")]
pub(crate) fn now_seconds() -> i64 {
    now() as i64
}

/// Makes claims as Label Studio does: with `user_id` as a string.
pub(super) fn usual_claims(kind: &str, issued: i64, life: i64) -> Value {
    let jti = format!("{:032x}", fastrand::u128(..));
    json!({"token_type": kind, "exp": issued + life, "iat": issued, "jti": jti, "user_id": "1"})
}
