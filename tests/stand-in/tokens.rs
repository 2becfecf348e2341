//! Tokens as Label Studio makes them. Every one made in this process is kept, for the canary scan.

use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::lock;

/// Every personal access token made in this process, for the canary scan.
static PATS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Every access token made in this process, for the canary scan.
static ACCESS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Returns every personal access token made in this process.
pub(crate) fn every_pat() -> Vec<String> {
    lock(&PATS).clone()
}

/// Returns every access token made in this process.
pub(crate) fn every_access_token() -> Vec<String> {
    lock(&ACCESS).clone()
}

/// Adds a made-up secret to those that the canary scan looks for.
pub(crate) fn remember_pat(secret: &str) {
    lock(&PATS).push(secret.to_owned());
}

/// Makes a JWT with these claims. Its signature is random: only the server that made it can tell that it is good.
pub(crate) fn jwt(claims: &Value) -> String {
    let random: Vec<u8> = (0..32).map(|_| fastrand::u8(..)).collect();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let token =
        format!("{}.{}.{}", part(&json!({"alg": "HS256", "typ": "JWT"})), part(claims), URL_SAFE_NO_PAD.encode(random));
    let registry = if claims.get("token_type").and_then(Value::as_str) == Some("access") { &ACCESS } else { &PATS };
    lock(registry).push(token.clone());
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
