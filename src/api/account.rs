//! What a user's account at Label Studio is asked beside the exchange: whose an access token is, whether it counts, and
//! to revoke a personal access token or to swap it for a new one. Each request is sent once, and none is tried again.

use std::fmt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::api::client::{self, Answer, Trouble};
use crate::api::response::kind_of;
use crate::error::{Error, Kind, Result};
use crate::settings::Profile;
use crate::types::escape::foreign;
use crate::types::pat::PAGE;
use crate::types::secret::Secret;

/// Whose a token is: <https://api.labelstud.io/api-reference/api-reference/users/whoami>.
const WHOAMI: &str = "/api/current-user/whoami";

/// Whether a token counts: Simple JWT's own endpoint, which not every Label Studio has.
const VERIFY: &str = "/api/token/verify/";

/// Revokes a personal access token: <https://api.labelstud.io/api-reference/api-reference/tokens/blacklist>.
const BLACKLIST: &str = "/api/token/blacklist/";

/// Swaps a personal access token: <https://api.labelstud.io/api-reference/api-reference/tokens/rotate>.
const ROTATE: &str = "/api/token/rotate/";

/// Which version the server is of.
const VERSION: &str = "/api/version";

/// How long the answer to a rotation is waited for, at the least: a new token is lost with it.
pub(crate) const ROTATION: Duration = Duration::from_secs(60);

/// The longest personal access token that is taken from a server, in bytes.
const LONGEST: usize = 16 * 1024;

/// Whose an access token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Who {
    /// The user's number.
    pub(crate) id: u64,
    /// The user's e-mail address, safe to show.
    pub(crate) email: String,
    /// The number of the organization that the user works in, where there is one.
    pub(crate) organization: Option<u64>,
}

/// Says it in words: `someone@example.com (user 1, organization 1)`.
impl fmt::Display for Who {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let email = if self.email.is_empty() { "someone" } else { &self.email };
        write!(out, "{email} (user {}", self.id)?;
        if let Some(organization) = self.organization {
            write!(out, ", organization {organization}")?;
        }
        out.write_str(")")
    }
}

/// Why there is no new personal access token.
#[derive(Debug)]
pub(crate) struct Lost {
    /// What went wrong.
    pub(crate) error: Error,
    /// Whether the server may have made a new token all the same, and revoked the old one.
    pub(crate) perhaps_done: bool,
}

/// Returns the answer to a question that needs no token: which version the server is of.
pub(crate) fn version(profile: &Profile) -> Result<Answer> {
    let client = client::client(profile)?;
    let request = client.get(profile.server.join(VERSION));
    Ok(ask(profile, request, true)?)
}

/// Returns whose the access token is. An error of the kind `Denied` says that the server does not take it.
pub(crate) fn whoami(profile: &Profile, token: &Secret) -> Result<Who> {
    let client = client::client(profile)?;
    let request = client.get(profile.server.join(WHOAMI));
    let answer = ask(profile, request.header(AUTHORIZATION, bearer(token)?), true)?;
    if answer.status != 200 {
        return Err(at(profile, refusal(&answer, profile, "whoami")));
    }
    who(&answer).map_err(|came| at(profile, answer.nonsense(&came, "a user")))
}

/// Asks the server whether the access token counts; `false` where it has no such endpoint, which a proxy may say in ways
/// of its own. A rejection alone is an error.
pub(crate) fn verify(profile: &Profile, token: &Secret) -> Result<bool> {
    let client = client::client(profile)?;
    let answer = ask(profile, post(&client, profile, VERIFY, "token", token), true)?;
    match answer.status {
        200..=299 => Ok(true),
        401 => Err(at(profile, refusal(&answer, profile, "verification"))),
        _ => Ok(false),
    }
}

/// Revokes the personal access token for good; `false` where the server says that it is none of its own, or revoked
/// already. Label Studio with `PyJWT` 2.14 or newer says so of every token.
pub(crate) fn blacklist(profile: &Profile, token: &Secret, pat: &Secret) -> Result<bool> {
    let client = client::client(profile)?;
    let request = post(&client, profile, BLACKLIST, "refresh", pat);
    let answer = ask(profile, request.header(AUTHORIZATION, bearer(token)?), true)?;
    match answer.status {
        200..=299 => Ok(true),
        404 if answer.detail().is_some() => Ok(false),
        _ => Err(at(profile, refusal(&answer, profile, "revocation"))),
    }
}

/// Swaps the personal access token for a new one, which is returned as it came; the old one is revoked from then on. It
/// goes on to its end whatever signal comes in, because a new token is lost with the answer.
pub(crate) fn rotate(profile: &Profile, token: &Secret, pat: &Secret) -> std::result::Result<Secret, Lost> {
    let profile = &Profile { timeout: profile.timeout.max(ROTATION), ..profile.clone() };
    let lost = |perhaps_done: bool| move |error: Error| Lost { error, perhaps_done };
    let client = client::client(profile).map_err(lost(false))?;
    let request =
        post(&client, profile, ROTATE, "refresh", pat).header(AUTHORIZATION, bearer(token).map_err(lost(false))?);
    let answer = ask(profile, request, false).map_err(|trouble| lost(trouble.arrived)(trouble.error))?;
    // Refusals come before anything is changed; of any other answer nobody knows.
    let perhaps_done = !matches!(answer.status, 300..=499);
    let pat = match answer.status {
        200..=299 => {
            let wanted = "a new personal access token";
            new_pat(&answer).map_err(|came| answer.nonsense(&came, wanted))
        }
        _ => Err(refusal(&answer, profile, "rotation")),
    };
    pat.map_err(|error| lost(perhaps_done)(at(profile, error)))
}

/// Sends one request and returns the answer. A signal ends it only where `heeds_signals`.
fn ask(profile: &Profile, request: RequestBuilder, heeds_signals: bool) -> std::result::Result<Answer, Trouble> {
    let request = request.timeout(profile.timeout);
    let work = async { Ok(client::send(request, profile).await) };
    let ended = |error: Error| Trouble {
        // Else there was no way to send it.
        arrived: matches!(error.kind, Kind::Interrupted(_)),
        error,
        passing: false,
    };
    let result = client::follow(profile, work, heeds_signals).map_err(ended)?;
    result.map_err(|trouble| Trouble { error: at(profile, trouble.error), ..trouble })
}

/// Makes a request that carries a secret as the only field of its body.
fn post(client: &Client, profile: &Profile, path: &str, name: &str, secret: &Secret) -> RequestBuilder {
    let body = Zeroizing::new(json!({ name: secret.expose() }).to_string());
    client.post(profile.server.join(path)).header(CONTENT_TYPE, "application/json").body(body.as_bytes().to_vec())
}

/// Returns the value of the header that carries an access token (RFC 6750, section 2.1), marked so that nothing logs it.
fn bearer(token: &Secret) -> Result<HeaderValue> {
    let text = Zeroizing::new(format!("Bearer {}", token.expose()));
    let mut value = HeaderValue::from_str(&text).map_err(|_| {
        Error::new(Kind::Nonsense, "the access token has characters in it that no header can carry")
            .hint("get another: ls-token --refresh")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Reads whose a token is, or says what came instead.
fn who(answer: &Answer) -> std::result::Result<Who, String> {
    let value = answer.object()?;
    let id = value.get("id").and_then(Value::as_u64);
    let email = value.get("email").and_then(Value::as_str);
    Ok(Who {
        id: id.ok_or("JSON without the `id` of a user")?,
        email: foreign(email.unwrap_or_default()),
        organization: value.get("active_organization").and_then(Value::as_u64),
    })
}

/// Reads a new personal access token, or says what came instead. Whether it is a good one is looked at later: first of
/// all it must not be lost.
fn new_pat(answer: &Answer) -> std::result::Result<Secret, String> {
    match answer.object()?.get("refresh") {
        Some(Value::String(pat)) if pat.is_empty() || pat.len() > LONGEST => {
            Err(format!("a `refresh` of {} bytes", pat.len()))
        }
        Some(Value::String(pat)) if !pat.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err("a `refresh` that is no token".into())
        }
        Some(Value::String(pat)) => Ok(Secret::new(pat.clone())),
        Some(other) => Err(format!("`refresh` being {}", kind_of(other))),
        None => Err("JSON without `refresh`".into()),
    }
}

/// Makes the error of an answer that is no success; `what` is what was asked for.
fn refusal(answer: &Answer, profile: &Profile, what: &str) -> Error {
    let (server, said) = (&profile.server, answer.saying());
    let page = server.join(PAGE);
    match answer.status {
        400 if matches!(what, "rotation" | "revocation") => Error::new(
            Kind::Denied,
            format!("Label Studio rejected the personal access token{said}"),
        )
        .hint(format!("it may be revoked, or of another server; there is the page of yours: {page}")),
        400 => Error::new(
            Kind::Nonsense,
            format!("the server did not take the request ({what}, status 400){said}"),
        )
        .hint("is the url right, and does a proxy stand before it?"),
        401 => Error::new(
            Kind::Denied,
            format!("Label Studio does not take the access token{said}"),
        )
        .hint("are personal access tokens allowed in this organization (Organization > Access Token Settings), and does no proxy take the Authorization header away?"),
        403 => Error::new(Kind::Denied, format!("the server forbids it ({what}, status 403){said}"))
            .hint("ask an administrator of the organization; or a firewall or proxy forbids it"),
        404 | 405 => Error::new(
            Kind::Nonsense,
            format!("this server has no such thing ({what}, status {})", answer.status),
        )
        .hint("is the url the server's own, without the path of a page? Personal access tokens came with Label Studio 1.18"),
        _ => answer.refusal(profile),
    }
}

/// Names the server in an error.
fn at(profile: &Profile, error: Error) -> Error {
    error.with("server", &profile.server)
}
