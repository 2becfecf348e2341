//! Exchanges a personal access token for an access token: POST /api/token/refresh/, with a bounded number of
//! tries in a bounded time.

use std::time::{Duration, Instant};

use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::Value;
use tokio::time::sleep;
use zeroize::Zeroizing;

use super::client::{self, Response, Retry, TransportError};
use super::response::described_field;
use crate::error::{Error, Result};
use crate::settings::Profile;
use crate::system::Console;
use crate::types::{Access, Moment, Secret, jwt};

/// The endpoint, below the server's URL: <https://api.labelstud.io/api-reference/introduction/getting-started>.
const ENDPOINT: &str = "/api/token/refresh/";

/// How often it is tried in all.
const MAX_TRIES: u32 = 3;

/// The pause before the second try; the third waits twice as long. Each is jittered by half.
const FIRST_PAUSE: Duration = Duration::from_millis(300);

/// The longest `Retry-After` that is waited for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(10);

/// The longest access token that is accepted, in bytes. Label Studio's have 231; proxies take headers of 8 KiB.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

enum Attempt {
    Token(Access),
    /// It failed, and will again.
    Final(Error),
    /// It failed, and may not the next time; after the pause that the server asked for, if there is time for that and for
    /// what the next one needs.
    Again(Error, Option<Duration>, Duration),
}

/// Exchanges the token, with retries where the server or the way to it may recover within the profile's time limit.
pub(crate) fn refresh(profile: &Profile, pat: &Secret, console: Console) -> Result<Access> {
    let client = client::client(profile)?;
    client::run(profile, attempts(&client, profile, pat, console))
}

/// Tries until there is an access token, or an error that will not go away, or the time is up.
async fn attempts(client: &Client, profile: &Profile, pat: &Secret, console: Console) -> Result<Access> {
    let end = Instant::now() + profile.timeout;
    let mut tried = 0;
    loop {
        tried += 1;
        let left = end.saturating_duration_since(Instant::now());
        let (error, pause, needs) = match attempt(client, profile, pat, left).await {
            Attempt::Token(access) => return Ok(access),
            Attempt::Final(error) => return Err(error),
            Attempt::Again(error, asked, needs) => (error, asked, needs),
        };
        let usual = FIRST_PAUSE.mul_f64(f64::from(tried) * (0.75 + fastrand::f64() / 2.0));
        let pause = pause.unwrap_or(usual);
        if tried == MAX_TRIES || pause > MAX_RETRY_AFTER || Instant::now() + pause + needs >= end {
            let tried = if tried == 1 { String::new() } else { format!("; tried {tried} times") };
            return Err(Error { what: format!("{}{tried}", error.message()), cause: None, ..error });
        }
        console.note(format_args!("exchange: {}; trying again in {:.1} s", error.what, pause.as_secs_f64()));
        sleep(pause).await;
    }
}

async fn attempt(client: &Client, profile: &Profile, pat: &Secret, limit: Duration) -> Attempt {
    let obtained = Moment::now();
    let body = Zeroizing::new(serde_json::json!({ "refresh": pat.expose() }).to_string());
    let request = client.post(profile.server.join(ENDPOINT)).timeout(limit);
    let request = request.header(CONTENT_TYPE, "application/json").body(body.as_bytes().to_vec());
    match client::send(request, profile).await {
        Ok(response) => classify(&response, obtained, profile),
        Err(TransportError { error, retry, .. }) => match retry {
            Retry::Never => Attempt::Final(error),
            Retry::Soon => Attempt::Again(error, None, Duration::ZERO),
            Retry::WithTimeToConnect => Attempt::Again(error, None, client::connect_timeout(profile)),
        },
    }
}

fn classify(response: &Response, obtained: Moment, profile: &Profile) -> Attempt {
    match response.status {
        200..=299 => match read_token(response) {
            Ok(token) => {
                let claims = jwt::claims(&token);
                let issued = claims.as_ref().and_then(|claims| claims.issued);
                let expires = claims.and_then(|claims| claims.expires);
                Attempt::Token(Access::new(Secret::new(token), obtained, issued, expires))
            }
            Err(came) => Attempt::Final(response.unexpected_body(&came, "an access token")),
        },
        429 | 502..=504 => {
            let pause = response.header(RETRY_AFTER).trim().parse().ok();
            Attempt::Again(response.refusal(profile), pause.map(Duration::from_secs), Duration::ZERO)
        }
        _ => Attempt::Final(response.refusal(profile)),
    }
}

/// Returns the access token, or says what came instead.
fn read_token(response: &Response) -> std::result::Result<String, String> {
    let value = response.object()?;
    let access = value.get("access").ok_or("JSON without `access`")?;
    let Value::String(token) = access else {
        return Err(described_field("access", access));
    };
    if token.len() > MAX_TOKEN_BYTES {
        return Err("an `access` of more than 8 KiB".into());
    }
    let parts: Vec<_> = token.split('.').collect();
    if parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && jwt::is_base64url(part)) {
        return Ok(token.clone());
    }
    Err("an `access` that is not a JWT".into())
}
