//! What Label Studio answers when it does not do what it was asked, and what that means. The answers are those measured
//! of Label Studio 1.21 and 1.23, and the bare forms of older deployments.

use reqwest::header::{CONTENT_TYPE, LOCATION};
use serde_json::Value;

use super::client::Response;
use crate::error::{Error, Kind};
use crate::settings::Profile;
use crate::types::{PAGE, Server, split, untrusted};

/// What Label Studio says of a token that is no longer valid, in lower case: newer and older versions. A gateway in front
/// of it may call its own credentials invalid, which is no word about the token.
const OF_DEAD_TOKENS: [&str; 4] = ["token is blacklisted", "token is invalid", "token is expired", "token not valid"];

/// The oldest Label Studio that has the exchange.
const NEEDS: &str = "token exchange needs Label Studio 1.17 or newer";

/// Where to look when something other than Label Studio answers.
const CHECK_URL: &str = "check the url; a proxy or login page may be answering instead";

impl Response {
    /// Makes the error of an answer that is no success.
    pub(crate) fn refusal(&self, profile: &Profile) -> Error {
        match self.status {
            300..=399 => self.redirected(&profile.server),
            429 | 500..=599 => self.in_trouble(),
            _ => self.rejected(profile),
        }
    }

    /// Makes the error of a success that is not Label Studio's: what came instead of what was to come.
    pub(crate) fn unexpected_body(&self, came: &str, wanted: &str) -> Error {
        let what = format!("the server answered {} with {came} instead of {wanted}", self.status);
        Error::new(Kind::BadResponse, what).hint(CHECK_URL)
    }

    /// Reads the body as a JSON object, or says what came instead.
    pub(crate) fn object(&self) -> std::result::Result<Value, String> {
        if self.too_long {
            return Err("more than 64 KiB".into());
        }
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(value) if value.is_object() => Ok(value),
            Ok(other) => Err(format!("JSON that is {}, not an object,", kind_of(&other))),
            Err(_) if self.body.trim_ascii().is_empty() => Err("an empty body".into()),
            Err(_) => Err(self.described()),
        }
    }

    /// Describes a body that is not JSON.
    pub(crate) fn described(&self) -> String {
        let content_type = self.header(CONTENT_TYPE).to_ascii_lowercase();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let start =
            String::from_utf8_lossy(self.body.trim_ascii_start().get(..64).unwrap_or(&self.body)).to_ascii_lowercase();
        let start = start.trim_start();
        if media_type == "text/html" || start.starts_with("<!doctype") || start.starts_with("<html") {
            "an HTML page".into()
        } else if media_type == "application/json" || start.starts_with('{') {
            "broken JSON".into()
        } else if media_type.is_empty() {
            "a body that is not JSON".into()
        } else {
            format!("a body of type {} that is not JSON", untrusted(media_type))
        }
    }

    /// Returns what the server says of an error: Label Studio's envelope, or the bare form of older versions.
    pub(crate) fn detail(&self) -> Option<String> {
        let value: Value = serde_json::from_slice(&self.body).ok()?;
        let of_field = |value: &Value| match value.get("refresh").or(value.get("non_field_errors"))? {
            Value::Array(texts) => texts.first()?.as_str().map(str::to_owned),
            other => other.as_str().map(str::to_owned),
        };
        let field = value.get("validation_errors").and_then(of_field).or_else(|| of_field(&value));
        let detail = field.or_else(|| value.get("detail")?.as_str().map(str::to_owned))?;
        Some(untrusted(&detail)).filter(|detail| !detail.is_empty())
    }

    /// Returns `: ` and what the server says, or nothing.
    pub(crate) fn saying(&self) -> String {
        self.detail().map(|detail| format!(": {detail}")).unwrap_or_default()
    }

    /// Tells whether there is a body, and it is not JSON: Label Studio's own answers are.
    fn is_foreign(&self) -> bool {
        !self.body.is_empty() && serde_json::from_slice::<Value>(&self.body).is_err()
    }

    /// Makes the error for a redirect, which is never followed: it would take the token along.
    fn redirected(&self, server: &Server) -> Error {
        let location = self.header(LOCATION);
        let target = split(&location).map(|(origin, _)| origin);
        let shown = match &target {
            Ok(origin) if *origin == server.origin => "another path of the same server".to_owned(),
            Ok(origin) => origin.to_string(),
            Err(_) if location.starts_with('/') && !location.starts_with("//") => {
                "another path of the same server".into()
            }
            Err(_) => "an invalid address".into(),
        };
        let what = format!("the server redirects ({}) to {shown}; no token was sent on", self.status);
        Error::new(Kind::BadResponse, what).hint(match target {
            Ok(origin) if origin.host == server.origin.host && origin.secure && !server.origin.secure => {
                format!("set the profile's url to https: {origin}{}", server.base)
            }
            _ => "if Label Studio moved, set the profile's url to its new address; otherwise a login page or proxy is answering instead".into(),
        })
    }

    fn in_trouble(&self) -> Error {
        let (why, hint) = match self.status {
            429 => (
                "the server asks for fewer requests",
                "wait a little; if it persists, look for something that calls it without the cache",
            ),
            500 => ("the server failed internally", "see Label Studio's log"),
            502 => (
                "the proxy in front of the server could not reach it",
                "check that Label Studio is up, and the proxy's address for it",
            ),
            503 => ("the server is not available", "it may be starting or under maintenance; try again"),
            504 => (
                "the server did not answer the proxy in front of it in time",
                "check that Label Studio is up and not overloaded",
            ),
            _ => ("the server failed", "see Label Studio's log"),
        };
        Error::new(Kind::Unreachable, format!("{why} (status {}){}", self.status, self.saying())).hint(hint)
    }

    /// Makes the error for a token or request that the server did not accept.
    fn rejected(&self, profile: &Profile) -> Error {
        let odd = |why: &str, hint: &str| {
            Error::new(Kind::BadResponse, format!("{why} (status {}){}", self.status, self.saying())).hint(hint)
        };
        match self.status {
            407 => odd(
                "a proxy on the way wants a login",
                "check the proxy's variable; a login goes into it: https_proxy=http://NAME:PASSWORD@HOST:PORT",
            ),
            401 if self.is_foreign() => {
                let what = format!("something in front of Label Studio wants a login (status 401) and sent {}", self.described());
                Error::new(Kind::Rejected, what)
                    .hint("check the url; a proxy in front of Label Studio must let /api/ through without a login of its own")
            }
            400 if self.is_foreign() => odd(
                "the server rejected the request",
                "check the url, and that the port is for its scheme (http or https); a proxy may be answering instead",
            ),
            400 | 401 => self.rejected_token(profile),
            403 => Error::new(Kind::Rejected, format!("the server forbids the exchange (status 403){}", self.saying()))
                .hint("an administrator can allow personal access tokens under Organization > Access Token Settings; a firewall or proxy may forbid it too"),
            404 => odd(
                "there is no token exchange at this address",
                &format!("set the url to the server's own address, without the path of a page; {NEEDS}"),
            ),
            405 => odd("this address does not exchange tokens", CHECK_URL),
            _ => odd("the server rejected the request", CHECK_URL),
        }
    }

    /// Makes the error for a personal access token that Label Studio did not accept.
    fn rejected_token(&self, profile: &Profile) -> Error {
        let detail = self.detail().unwrap_or_default().to_ascii_lowercase();
        let is_dead = self.status == 401 && OF_DEAD_TOKENS.iter().any(|text| detail.contains(text));
        let (kind, why) = match self.status {
            401 if detail.contains("blacklisted") => (Kind::Revoked, "it was revoked or rotated"),
            401 if detail.contains("wrong type") => (Kind::Rejected, "it is not a personal access token"),
            401 if detail.contains("expired") => (Kind::Dead, "it may have expired"),
            _ if is_dead => (Kind::Dead, "it may be incomplete, or belong to another server"),
            _ => (Kind::Rejected, "it may be incomplete, or belong to another server"),
        };
        let kind = if is_dead { kind } else { Kind::Rejected };
        let (page, then) = (profile.server.join(PAGE), profile.source.how_to_replace());
        Error::new(kind, format!("Label Studio rejected the personal access token{}", self.saying()))
            .hint(format!("{why}; create a new one at {page}, and {then}"))
    }
}

/// Says what a field of an answer is, instead of what it should be.
pub(super) fn described_field(name: &str, value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => format!("`{name}: {value}`"),
        other => format!("`{name}` as {}", kind_of(other)),
    }
}

/// Names the kind of a JSON value.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
