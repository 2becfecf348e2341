//! What Label Studio answers when it does not do what it was asked, and what that means. The answers are those measured
//! of Label Studio 1.21 and 1.23, and the bare forms of older deployments.

use reqwest::header::{CONTENT_TYPE, LOCATION};
use serde_json::Value;

use super::client::Response;
use crate::error::{Error, Kind, Result};
use crate::settings::Profile;
use crate::types::{PAGE, Server, split, untrusted};

/// What Label Studio says of a token that is no longer valid, in lower case: newer and older versions. A gateway in front
/// of it may call its own credentials invalid, which is no word about the token.
const OF_DEAD_TOKENS: [&str; 4] = ["token is blacklisted", "token is invalid", "token is expired", "token not valid"];

/// What Label Studio says, with status 500, of a token whose user was deleted, and of one whose user is inactive.
const DELETED_USER: &str = "user matching query does not exist";
const INACTIVE_USER: &str = "no active account found";

/// The keys of Label Studio's own errors: the envelope's, and those of older versions and of single fields.
const OWN_KEYS: [&str; 4] = ["detail", "validation_errors", "refresh", "non_field_errors"];

/// Where to look when something other than Label Studio answers.
pub(super) const CHECK_URL: &str = "check the url; a proxy or login page may be answering instead";

impl Response {
    pub(crate) fn refusal(&self, profile: &Profile) -> Error {
        if let Some(error) = self.refused_in_front() {
            return error;
        }
        let is_explained = self.detail().is_some() || self.body.is_empty();
        match self.status {
            300..=399 => self.redirected(&profile.server),
            400 if is_explained => self.rejected_token(profile),
            401 => self.rejected_token(profile),
            403 => Error::new(Kind::Rejected, format!("the server forbids the exchange (status 403){}", self.saying()))
                .hint("an administrator can allow personal access tokens under Organization > Access Token Settings; a firewall or proxy may forbid it too"),
            500 if self.says(DELETED_USER) => self.rejected_token(profile),
            _ => self.failed(),
        }
    }

    /// Returns the error of a success that is not Label Studio's: what came instead of what was to come.
    pub(crate) fn unexpected_body(&self, came: &str, wanted: &str) -> Error {
        let what = format!("the server answered {} with {came} instead of {wanted}", self.status);
        Error::new(Kind::BadResponse, what).hint(CHECK_URL)
    }

    /// Reads the body as a JSON object, or says what came instead.
    pub(crate) fn object(&self) -> Result<Value, String> {
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
        } else if serde_json::from_slice::<Value>(&self.body).is_ok() {
            "JSON that is not Label Studio's".into()
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

    /// Returns whether the server says a text of Label Studio's, in lower case.
    fn says(&self, text: &str) -> bool {
        self.detail().is_some_and(|detail| detail.to_ascii_lowercase().contains(text))
    }

    /// Returns the error of something in front of Label Studio, whose answers have a body that is not Label Studio's.
    pub(super) fn refused_in_front(&self) -> Option<Error> {
        let is_own = |value: Value| OWN_KEYS.iter().any(|key| value.get(key).is_some());
        if self.body.is_empty() || serde_json::from_slice(&self.body).is_ok_and(is_own) {
            return None;
        }
        let wants_certificate = String::from_utf8_lossy(&self.body).contains("SSL certificate");
        let (why, hint) = match self.status {
            400 if wants_certificate => {
                ("wants a client certificate", "ls-token has none to send; /api/ must be reachable without one")
            }
            401 => (
                "wants a login",
                "check the url; a proxy in front of Label Studio must let /api/ through without a login of its own",
            ),
            403 => (
                "refused the request",
                "check the url; a proxy or firewall in front of Label Studio must let /api/ through",
            ),
            _ => return None,
        };
        let what =
            format!("something in front of Label Studio {why} (status {}) and sent {}", self.status, self.described());
        Some(Error::new(Kind::Rejected, what).hint(hint))
    }

    /// Returns the error for a redirect, which is never followed: it would take the token along.
    fn redirected(&self, server: &Server) -> Error {
        let location = self.header(LOCATION);
        let target = split(&location).map(|(origin, _)| origin);
        let shown = match &target {
            Ok(origin) if *origin != server.origin => origin.to_string(),
            Err(_) if !location.starts_with('/') || location.starts_with("//") => "an invalid address".into(),
            _ => "another path of the same server".to_owned(),
        };
        let what = format!("the server redirects ({}) to {shown}; no token was sent on", self.status);
        Error::new(Kind::BadResponse, what).hint(match target {
            Ok(origin) if origin.host == server.origin.host && origin.secure && !server.origin.secure => {
                format!("set the profile's url to https: {origin}{}", server.base)
            }
            _ => "if Label Studio moved, set the profile's url to its new address; otherwise a login page or proxy is answering instead".into(),
        })
    }

    /// Returns the error of a status that is no word about the token.
    fn failed(&self) -> Error {
        let (why, hint) = match self.status {
            400 => (
                "the server rejected the request",
                "check the url, and that the port is for its scheme (http or https); a proxy may be answering instead",
            ),
            404 => (
                "there is no token exchange at this address",
                "set the url to the server's own address, without the path of a page; token exchange needs Label Studio 1.17 or newer",
            ),
            405 => ("this address does not exchange tokens", CHECK_URL),
            407 => (
                "a proxy on the way wants a login",
                "check the proxy's variable; a login goes into it: https_proxy=http://NAME:PASSWORD@HOST:PORT",
            ),
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
            501..=599 => ("the server failed", "see Label Studio's log"),
            _ => ("the server rejected the request", CHECK_URL),
        };
        let kind = if matches!(self.status, 407 | 429 | 500..=599) { Kind::Unreachable } else { Kind::BadResponse };
        Error::new(kind, format!("{why} (status {}){}", self.status, self.saying())).hint(hint)
    }

    fn rejected_token(&self, profile: &Profile) -> Error {
        let detail = self.detail().unwrap_or_default().to_ascii_lowercase();
        let is_dead = self.status == 401 && OF_DEAD_TOKENS.iter().any(|text| detail.contains(text));
        let (kind, why) = match self.status {
            500 => (Kind::Dead, "its user was deleted"),
            401 if detail.contains(INACTIVE_USER) => {
                (Kind::Rejected, "its user is inactive; an administrator can activate it")
            }
            401 if detail.contains("blacklisted") => (Kind::Revoked, "it was revoked or rotated"),
            401 if detail.contains("wrong type") => (Kind::Rejected, "it is not a personal access token"),
            401 if detail.contains("expired") => (Kind::Dead, "it may have expired"),
            _ => (Kind::Dead, "it may be incomplete, or belong to another server"),
        };
        let kind = if is_dead || self.status == 500 { kind } else { Kind::Rejected };
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
