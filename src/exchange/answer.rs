//! What a server answers to an exchange, and what that means. The answers are those measured of Label Studio 1.21 and
//! 1.23, and the bare forms of older deployments.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use serde_json::Value;

use crate::cache::Access;
use crate::clock::Moment;
use crate::error::{Error, Kind};
use crate::escape::foreign;
use crate::jwt;
use crate::pat::PAGE;
use crate::secret::Secret;
use crate::server::{Server, split};

/// The longest access token that is taken, in bytes. Label Studio's have 231; proxies take headers of 8 KiB.
const LONGEST: usize = 8 * 1024;

/// What an attempt came to.
pub(super) enum Verdict {
    /// There is a token.
    Token(Access),
    /// It failed, and will again.
    Final(Error),
    /// It failed, and may not the next time; after the pause that the server asked for.
    Again(Error, Option<Duration>),
}

/// A server's answer.
pub(super) struct Answer {
    /// The HTTP status.
    status: u16,
    /// The media type, without parameters.
    media_type: String,
    /// Where a redirect points.
    location: String,
    /// The seconds of `Retry-After`, where those are given.
    retry_after: Option<Duration>,
    /// The body, or its beginning.
    pub(super) body: Vec<u8>,
    /// Whether there was more of the body than is read.
    pub(super) too_long: bool,
}

impl Answer {
    /// Takes the head of an answer in.
    pub(super) fn new(status: u16, headers: &HeaderMap) -> Self {
        let header = |name: HeaderName| {
            headers
                .get(name)
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .unwrap_or_default()
        };
        Self {
            status,
            media_type: header(CONTENT_TYPE)
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase(),
            location: header(LOCATION),
            retry_after: header(RETRY_AFTER)
                .trim()
                .parse()
                .ok()
                .map(Duration::from_secs),
            body: Vec::new(),
            too_long: false,
        }
    }

    /// Says what the answer means.
    pub(super) fn judge(&self, obtained: Moment, server: &Server) -> Verdict {
        match self.status {
            200..=299 => match self.token() {
                Ok(token) => {
                    let claims = jwt::claims(&token);
                    let (issued, expires) = claims.map_or((None, None), |claims| (claims.issued, claims.expires));
                    Verdict::Token(Access::new(Secret::new(token), obtained, issued, expires))
                }
                Err(came) => Verdict::Final(
                    Error::new(Kind::Nonsense, format!("the server answered {} with {came} instead of an access token", self.status))
                        .hint("is this Label Studio's own address, and does a login page or proxy stand before it?"),
                ),
            },
            300..=399 => Verdict::Final(self.redirected(server)),
            429 | 502..=504 => Verdict::Again(self.in_trouble(), self.retry_after),
            500..=599 => Verdict::Final(self.in_trouble()),
            _ => Verdict::Final(self.rejected(server)),
        }
    }

    /// Returns the access token, or says what came instead.
    fn token(&self) -> Result<String, String> {
        if self.too_long {
            return Err("more than 64 KiB".into());
        }
        if self.body.trim_ascii().is_empty() {
            return Err("an empty body".into());
        }
        let Ok(value) = serde_json::from_slice::<Value>(&self.body) else {
            return Err(self.described());
        };
        let access = match &value {
            Value::Object(fields) => fields.get("access").ok_or("JSON without `access`")?,
            other => return Err(format!("JSON that is {}, not an object,", kind_of(other))),
        };
        let Value::String(token) = access else {
            return Err(format!("`access` being {}", kind_of(access)));
        };
        if token.len() > LONGEST {
            return Err("an `access` of more than 8 KiB".into());
        }
        let parts: Vec<_> = token.split('.').collect();
        if parts.len() == 3
            && parts
                .iter()
                .all(|part| !part.is_empty() && jwt::is_base64url(part))
        {
            return Ok(token.clone());
        }
        Err("an `access` that is not a JWT".into())
    }

    /// Describes a body that is not JSON.
    fn described(&self) -> String {
        let start =
            String::from_utf8_lossy(self.body.trim_ascii_start().get(..64).unwrap_or(&self.body))
                .to_ascii_lowercase();
        let start = start.trim_start();
        if self.media_type == "text/html"
            || start.starts_with("<!doctype")
            || start.starts_with("<html")
        {
            "an HTML page".into()
        } else if self.media_type == "application/json" || start.starts_with('{') {
            "broken JSON".into()
        } else if self.media_type.is_empty() {
            "something that is not JSON".into()
        } else {
            format!(
                "something of type {} that is not JSON",
                foreign(&self.media_type)
            )
        }
    }

    /// Returns what the server says of an error: Label Studio's envelope, or the bare form of older versions.
    fn detail(&self) -> Option<String> {
        let value: Value = serde_json::from_slice(&self.body).ok()?;
        let of_field = |value: &Value| match value.get("refresh")? {
            Value::Array(texts) => texts.first()?.as_str().map(str::to_owned),
            other => other.as_str().map(str::to_owned),
        };
        let field = value
            .get("validation_errors")
            .and_then(of_field)
            .or_else(|| of_field(&value));
        let detail = field.or_else(|| value.get("detail")?.as_str().map(str::to_owned))?;
        Some(foreign(&detail)).filter(|detail| !detail.is_empty())
    }

    /// Returns `: ` and what the server says, or nothing.
    fn saying(&self) -> String {
        self.detail()
            .map(|detail| format!(": {detail}"))
            .unwrap_or_default()
    }

    /// Makes the error for a redirect, which is never followed: it would take the token along.
    fn redirected(&self, server: &Server) -> Error {
        let target = match split(&self.location) {
            Ok((origin, _)) if origin == server.origin => {
                "another path of the same server".to_owned()
            }
            Ok((origin, _)) => origin.to_string(),
            Err(_) if self.location.starts_with('/') && !self.location.starts_with("//") => {
                "another path of the same server".into()
            }
            Err(_) => "an address that makes no sense".into(),
        };
        let error = Error::new(
            Kind::Nonsense,
            format!(
                "the server redirects ({}) to {target}; the personal access token was not sent on",
                self.status
            ),
        );
        match split(&self.location) {
            Ok((origin, _)) if origin.host == server.origin.host && origin.secure && !server.origin.secure => {
                error.hint(format!("write the profile's url with https: {origin}{}", server.base))
            }
            _ => error.hint("if Label Studio moved, write its new address as the profile's url; a login page or proxy may stand before it"),
        }
    }

    /// Makes the error for a server in trouble.
    fn in_trouble(&self) -> Error {
        let (why, hint) = match self.status {
            429 => (
                "asks for fewer requests",
                "wait a little; if it stays, something calls without the cache",
            ),
            500 => ("failed internally", "look at Label Studio's log"),
            502 => (
                "is not reached by the proxy before it",
                "is Label Studio up, and the proxy's address for it right?",
            ),
            503 => (
                "is not available",
                "is Label Studio starting, or under maintenance?",
            ),
            504 => (
                "did not answer the proxy before it in time",
                "is Label Studio up, or overloaded?",
            ),
            _ => ("is in trouble", "look at Label Studio's log"),
        };
        Error::new(
            Kind::Unreachable,
            format!("the server {why} (status {}){}", self.status, self.saying()),
        )
        .hint(hint)
    }

    /// Makes the error for a token or request that the server did not take.
    fn rejected(&self, server: &Server) -> Error {
        let page = server.join(PAGE);
        let denied = |hint: String| {
            Error::new(
                Kind::Denied,
                format!(
                    "Label Studio rejected the personal access token{}",
                    self.saying()
                ),
            )
            .hint(hint)
        };
        let odd = |why: &str, hint: &str| {
            Error::new(
                Kind::Nonsense,
                format!("{why} (status {}){}", self.status, self.saying()),
            )
            .hint(hint)
        };
        let detail = self.detail().unwrap_or_default().to_ascii_lowercase();
        match self.status {
            401 if detail.contains("blacklisted") => denied(format!("it was revoked or rotated away; create a new one at {page}")),
            401 if detail.contains("wrong type") => denied(format!("it is not a personal access token; create one at {page}")),
            401 if detail.contains("expired") => denied(format!("it may have expired; create a new one at {page}")),
            400 | 401 => denied(format!("was it copied whole, and made on this server? Create a new one at {page}")),
            403 => Error::new(Kind::Denied, format!("the server forbids the exchange (status 403){}", self.saying()))
                .hint("an administrator can allow personal access tokens under Organization > Access Token Settings; or a firewall or proxy forbids it"),
            404 => odd("there is no token exchange at this address", "is the url right, with the path that Label Studio lives under? It came with Label Studio 1.18"),
            405 => odd("this address takes no exchange", "is the url right? Something other than Label Studio answers"),
            _ => odd("the server did not take the request", "is the url right, and does a proxy stand before it?"),
        }
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
