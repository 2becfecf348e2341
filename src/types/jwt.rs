//! JSON Web Tokens (RFC 7519): three parts, and the claims in the middle one. Signatures are the server's to check.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    /// `token_type`: `refresh` in a personal access token, `access` in an access token.
    pub(crate) token_type: Option<String>,
    /// `exp`: when it expires, in seconds since 1970.
    pub(crate) expires: Option<u64>,
    /// `iat`: when it was issued, in seconds since 1970.
    pub(crate) issued: Option<u64>,
}

/// Reads the claims of a token; `None` when it is no JWT.
pub(crate) fn claims(token: &str) -> Option<Claims> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = *parts.as_slice() else { return None };
    if [header, signature].iter().any(|part| part.is_empty() || !is_base64url(part)) {
        return None;
    }
    let Ok(Value::Object(claims)) = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?) else { return None };
    let seconds = |name: &str| claims.get(name).and_then(numeric_date);
    Some(Claims {
        token_type: claims.get("token_type").and_then(Value::as_str).map(str::to_owned),
        expires: seconds("exp"),
        issued: seconds("iat"),
    })
}

/// Reads a `NumericDate` (RFC 7519, section 2) without its fraction: none that is negative or no exact double.
fn numeric_date(value: &Value) -> Option<u64> {
    const MAX_EXACT: u64 = 1 << 53;
    let fractional = || Some(Duration::try_from_secs_f64(value.as_f64()?).ok()?.as_secs());
    let seconds = value.as_u64().or_else(fractional)?;
    (seconds <= MAX_EXACT).then_some(seconds)
}

/// Returns whether the text has the alphabet of base64url (RFC 4648, section 5).
pub(crate) fn is_base64url(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7515, appendix A.1.
    const PUBLISHED: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    #[test]
    fn the_published_example_is_read() {
        assert_eq!(claims(PUBLISHED), Some(Claims { token_type: None, expires: Some(1_300_819_380), issued: None }));
    }

    #[test]
    fn f37_dates_that_cannot_be_trusted_are_none() {
        let date = |text: &str| numeric_date(&serde_json::from_str(text).unwrap());
        assert_eq!(date("1.9"), Some(1));
        assert_eq!(date("5000000000"), Some(5_000_000_000));
        for odd in ["-1", "-0.5", "1e300", "9007199254740993", "99999999999999999999999", "\"5\"", "null", "[]", "true"]
        {
            assert_eq!(date(odd), None, "{odd}");
        }
    }
}
