//! What Label Studio is asked beside the exchange: version, user, revocation, rotation. No request is tried again.

use std::fmt;
use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde_json::Value;
use zeroize::Zeroizing;

use super::client::{self, Response, Retry, TransportError};
use super::response::{CHECK_URL, described_field};
use crate::error::{Error, Fact, Kind, Result};
use crate::settings::Profile;
use crate::types::{MAX_PAT_BYTES, PAGE, Secret, untrusted};

const VERSION: &str = "/api/version";

/// How long the answer to a rotation is waited for, at the least: a new token is lost with it.
pub(crate) const ROTATION_TIMEOUT: Duration = Duration::from_secs(60);

/// A request that carries an access token, and what messages call it.
#[derive(PartialEq, Eq)]
struct Endpoint {
    path: &'static str,
    name: &'static str,
}

/// <https://api.labelstud.io/api-reference/api-reference/users/whoami>
const WHOAMI: Endpoint = Endpoint { path: "/api/current-user/whoami", name: "whoami" };
/// <https://api.labelstud.io/api-reference/api-reference/tokens/blacklist>
const REVOCATION: Endpoint = Endpoint { path: "/api/token/blacklist/", name: "revocation" };
/// <https://api.labelstud.io/api-reference/api-reference/tokens/rotate>
const ROTATION: Endpoint = Endpoint { path: "/api/token/rotate/", name: "rotation" };

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: u64,
    pub(crate) email: String,
    pub(crate) organization: Option<u64>,
}

/// Says it in words: `someone@example.com (user 1, organization 1)`.
impl fmt::Display for User {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let email = if self.email.is_empty() { "someone" } else { &self.email };
        let organization = self.organization.map_or_else(String::new, |id| format!(", organization {id}"));
        write!(out, "{email} (user {}{organization})", self.id)
    }
}

/// Why there is no new personal access token.
#[derive(Debug)]
pub(crate) struct RotationError {
    pub(crate) error: Error,
    /// Whether the server may have made a new token all the same, and revoked the old one.
    pub(crate) maybe_rotated: bool,
}

/// Returns the answer to a question that needs no token: which version the server is of.
pub(crate) fn version(profile: &Profile) -> Result<Response> {
    let client = client::client(profile)?;
    Ok(send_once(profile, client.get(profile.server.join(VERSION)), true)?)
}

/// Returns whose the access token is. A rejection says that the server does not accept it.
pub(crate) fn whoami(profile: &Profile, token: &Secret) -> Result<User> {
    let response = send_once(profile, request(profile, &WHOAMI, token, None)?, true)?;
    if response.status != 200 {
        return Err(with_server(profile, refusal(&response, profile, &WHOAMI)));
    }
    user(&response).map_err(|came| with_server(profile, response.unexpected_body(&came, "a user")))
}

/// Revokes the personal access token for good; `false` where the server says that it is none of its own, or revoked
/// already. Label Studio with `PyJWT` 2.14 or newer says so of every token.
pub(crate) fn revoke(profile: &Profile, token: &Secret, pat: &Secret) -> Result<bool> {
    let response = send_once(profile, request(profile, &REVOCATION, token, Some(pat))?, true)?;
    match response.status {
        200..=299 => Ok(true),
        404 if response.detail().is_some() => Ok(false),
        _ => Err(with_server(profile, refusal(&response, profile, &REVOCATION))),
    }
}

/// Rotates the personal access token: returns a new one as it came; the old one is revoked from then on. It goes on to its
/// end whatever signal comes in, because a new token is lost with the answer.
pub(crate) fn rotate(profile: &Profile, token: &Secret, pat: &Secret) -> Result<Secret, RotationError> {
    let profile = &Profile { timeout: profile.timeout.max(ROTATION_TIMEOUT), ..profile.clone() };
    let failed = |maybe_rotated: bool| move |error: Error| RotationError { error, maybe_rotated };
    let request = request(profile, &ROTATION, token, Some(pat)).map_err(failed(false))?;
    let response = send_once(profile, request, false).map_err(|lost| failed(lost.maybe_sent)(lost.error))?;
    // Refusals come before anything is changed; of any other answer nobody knows.
    let maybe_rotated = !matches!(response.status, 300..=499);
    let pat = match response.status {
        200..=299 => new_pat(&response).map_err(|came| response.unexpected_body(&came, "a new personal access token")),
        _ => Err(refusal(&response, profile, &ROTATION)),
    };
    pat.map_err(|error| failed(maybe_rotated)(with_server(profile, error)))
}

/// Sends one request and returns the answer. A signal ends it only where `heeds_signals`.
fn send_once(profile: &Profile, request: RequestBuilder, heeds_signals: bool) -> Result<Response, TransportError> {
    let request = request.timeout(profile.timeout);
    let work = async { Ok(client::send(request, profile).await) };
    let ended = |error: Error| TransportError {
        // Else there was no way to send it.
        maybe_sent: matches!(error.kind, Kind::Interrupted(_)),
        error,
        retry: Retry::Never,
    };
    let result = client::follow(profile, work, heeds_signals).map_err(ended)?;
    result.map_err(|failure| TransportError { error: with_server(profile, failure.error), ..failure })
}

/// Makes a request that carries the access token; one about a personal access token has that in its body.
fn request(profile: &Profile, endpoint: &Endpoint, token: &Secret, pat: Option<&Secret>) -> Result<RequestBuilder> {
    let client = client::client(profile)?;
    let request = match pat {
        Some(pat) => client::post(&client, profile, endpoint.path, pat),
        None => client.get(profile.server.join(endpoint.path)),
    };
    Ok(request.header(AUTHORIZATION, bearer(token)?))
}

/// Returns the value of the header that carries an access token (RFC 6750, section 2.1), marked so that nothing logs it.
fn bearer(token: &Secret) -> Result<HeaderValue> {
    let text = Zeroizing::new(format!("Bearer {}", token.expose()));
    let mut value = HeaderValue::from_str(&text).map_err(|_| {
        Error::new(Kind::BadResponse, "the access token has characters that no header can carry")
            .hint("get another: ls-token --refresh")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Reads whose a token is, or says what came instead.
fn user(response: &Response) -> Result<User, String> {
    let value = response.object()?;
    let id = value.get("id").and_then(Value::as_u64);
    let email = value.get("email").and_then(Value::as_str);
    Ok(User {
        id: id.ok_or("JSON without the `id` of a user")?,
        email: untrusted(email.unwrap_or_default()),
        organization: value.get("active_organization").and_then(Value::as_u64),
    })
}

/// Reads a new personal access token, or says what came instead. It is judged later: first of all it must not be lost.
fn new_pat(response: &Response) -> Result<Secret, String> {
    match response.object()?.get("refresh") {
        Some(Value::String(pat)) if pat.is_empty() || pat.len() > MAX_PAT_BYTES => {
            Err(format!("a `refresh` of {} bytes", pat.len()))
        }
        Some(Value::String(pat)) if !pat.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err("a `refresh` that is no token".into())
        }
        Some(Value::String(pat)) => Ok(Secret::new(pat.clone())),
        Some(other) => Err(described_field("refresh", other)),
        None => Err("JSON without `refresh`".into()),
    }
}

fn refusal(response: &Response, profile: &Profile, endpoint: &Endpoint) -> Error {
    let (status, name, said) = (response.status, endpoint.name, response.saying());
    let page = profile.server.join(PAGE);
    if let Some(error) = response.refused_in_front() {
        return error;
    }
    match status {
        400 if *endpoint != WHOAMI => {
            Error::new(Kind::Rejected, format!("Label Studio rejected the personal access token{said}"))
                .hint(format!("it may be revoked or belong to another server; your tokens: {page}"))
        }
        400 => Error::new(Kind::BadResponse, format!("the server rejected the request ({name}, status 400){said}"))
            .hint(CHECK_URL),
        401 => Error::new(Kind::Rejected, format!("Label Studio rejected the access token{said}")).hint(
            "check that the organization allows personal access tokens (Organization > Access Token Settings), and that no proxy strips the Authorization header",
        ),
        403 => Error::new(Kind::Rejected, format!("the server refused {name} (403 Forbidden){said}"))
            .hint("ask an administrator of the organization, and check firewalls and proxies"),
        404 | 405 => Error::new(Kind::BadResponse, format!("this server has no {name} endpoint ({status})"))
            .hint("set the url to the server's own address, without the path of a page; personal access tokens need Label Studio 1.18 or newer"),
        500 if *endpoint == WHOAMI => response
            .refusal(profile)
            .hint("Label Studio also fails like this when the token's user was removed from the organization"),
        _ => response.refusal(profile),
    }
}

fn with_server(profile: &Profile, error: Error) -> Error {
    error.with(Fact::Server, &profile.server)
}
