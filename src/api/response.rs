//! What Label Studio answers when it does not do what it was asked, and what that means. The answers are those measured
//! of Label Studio 1.21 and 1.23, and the bare forms of older deployments.

use reqwest::header::{CONTENT_TYPE, LOCATION};
use serde_json::Value;

use crate::api::client::Answer;
use crate::error::{Error, Kind};
use crate::settings::Profile;
use crate::types::escape::foreign;
use crate::types::origin::split;
use crate::types::pat::PAGE;
use crate::types::server::Server;

/// What Label Studio says of a token that is good no more, in lower case: newer and older versions. A gateway before it may
/// call its own credentials invalid, which is no word about the token.
const OF_DEAD_TOKENS: [&str; 4] = ["token is blacklisted", "token is invalid", "token is expired", "token not valid"];

impl Answer {
    /// Makes the error of an answer that is no success.
    pub(crate) fn refusal(&self, profile: &Profile) -> Error {
        match self.status {
            300..=399 => self.redirected(&profile.server),
            429 | 500..=599 => self.in_trouble(),
            _ => self.rejected(profile),
        }
    }

    /// Makes the error of a success that makes no sense: what came instead of what was to come.
    pub(crate) fn nonsense(&self, came: &str, wanted: &str) -> Error {
        let what = format!("the server answered {} with {came} instead of {wanted}", self.status);
        Error::new(Kind::Nonsense, what)
            .hint("is this Label Studio's own address, and does a login page or proxy stand before it?")
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
            "something that is not JSON".into()
        } else {
            format!("something of type {} that is not JSON", foreign(media_type))
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
        Some(foreign(&detail)).filter(|detail| !detail.is_empty())
    }

    /// Returns `: ` and what the server says, or nothing.
    pub(crate) fn saying(&self) -> String {
        self.detail().map(|detail| format!(": {detail}")).unwrap_or_default()
    }

    /// Makes the error for a redirect, which is never followed: it would take the token along.
    fn redirected(&self, server: &Server) -> Error {
        let location = self.header(LOCATION);
        let target = match split(&location) {
            Ok((origin, _)) if origin == server.origin => "another path of the same server".to_owned(),
            Ok((origin, _)) => origin.to_string(),
            Err(_) if location.starts_with('/') && !location.starts_with("//") => {
                "another path of the same server".into()
            }
            Err(_) => "an address that makes no sense".into(),
        };
        let error = Error::new(
            Kind::Nonsense,
            format!("the server redirects ({}) to {target}; no token was sent on", self.status),
        );
        match split(&location) {
            Ok((origin, _)) if origin.host == server.origin.host && origin.secure && !server.origin.secure => {
                error.hint(format!("write the profile's url with https: {origin}{}", server.base))
            }
            _ => error.hint("if Label Studio moved, write its new address as the profile's url; a login page or proxy may stand before it"),
        }
    }

    /// Makes the error for a server in trouble.
    fn in_trouble(&self) -> Error {
        let (why, hint) = match self.status {
            429 => ("asks for fewer requests", "wait a little; if it stays, something calls without the cache"),
            500 => ("failed internally", "look at Label Studio's log"),
            502 => {
                ("is not reached by the proxy before it", "is Label Studio up, and the proxy's address for it right?")
            }
            503 => ("is not available", "is Label Studio starting, or under maintenance?"),
            504 => ("did not answer the proxy before it in time", "is Label Studio up, or overloaded?"),
            _ => ("is in trouble", "look at Label Studio's log"),
        };
        Error::new(Kind::Unreachable, format!("the server {why} (status {}){}", self.status, self.saying())).hint(hint)
    }

    /// Makes the error for a token or request that the server did not take.
    fn rejected(&self, profile: &Profile) -> Error {
        let page = profile.server.join(PAGE);
        let then = profile.source.remedy();
        let denied = |hint: String| {
            let what = format!("Label Studio rejected the personal access token{}", self.saying());
            Error::new(Kind::Denied, what).hint(hint)
        };
        let odd = |why: &str, hint: &str| {
            Error::new(Kind::Nonsense, format!("{why} (status {}){}", self.status, self.saying())).hint(hint)
        };
        let detail = self.detail().unwrap_or_default().to_ascii_lowercase();
        let is_dead = self.status == 401 && OF_DEAD_TOKENS.iter().any(|text| detail.contains(text));
        let error = match self.status {
            401 if detail.contains("blacklisted") => denied(format!("it was revoked or rotated away; create a new one at {page}, and {then}")),
            401 if detail.contains("wrong type") => denied(format!("it is not a personal access token; create one at {page}, and {then}")),
            401 if detail.contains("expired") => denied(format!("it may have expired; create a new one at {page}, and {then}")),
            407 => odd("a proxy on the way wants a login", "is the proxy's variable right? A login goes into it: https_proxy=http://NAME:PASSWORD@HOST:PORT"),
            401 if !self.body.is_empty() && serde_json::from_slice::<Value>(&self.body).is_err() => Error::new(Kind::Denied, format!("something before Label Studio wants a login (status 401) and sent {}", self.described()))
                .hint("is the url right? A proxy before Label Studio must let /api/ through without a login of its own"),
            400 if !self.body.is_empty() && serde_json::from_slice::<Value>(&self.body).is_err() => odd("the server did not take the request", "is the url right, with http or https as the port wants it, and does a proxy stand before it?"),
            400 | 401 => denied(format!("was it copied whole, and made on this server? Create a new one at {page}, and {then}")),
            403 => Error::new(Kind::Denied, format!("the server forbids the exchange (status 403){}", self.saying()))
                .hint("an administrator can allow personal access tokens under Organization > Access Token Settings; or a firewall or proxy forbids it"),
            404 => odd("there is no token exchange at this address", "is the url the server's own, without the path of a page? Token exchange came with Label Studio 1.18"),
            405 => odd("this address takes no exchange", "is the url right? Something other than Label Studio answers"),
            _ => odd("the server did not take the request", "is the url right, and does a proxy stand before it?"),
        };
        Error { token_is_dead: is_dead, ..error }
    }
}

/// Names the kind of a JSON value.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
