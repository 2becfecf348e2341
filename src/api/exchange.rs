//! Exchanges a personal access token for an access token, with a bounded number of tries in a bounded time.

use std::time::{Duration, Instant};

use reqwest::Client;
use reqwest::header::RETRY_AFTER;
use serde_json::Value;
use tokio::time::sleep;

use super::client::{self, Response, Retry, connect_timeout};
use super::response::described_field;
use crate::error::{Error, Fact, Result};
use crate::settings::Profile;
use crate::system::Console;
use crate::types::{Access, Moment, Secret, jwt, tenths};

/// The endpoint, below the server's URL: <https://api.labelstud.io/api-reference/introduction/getting-started>.
const ENDPOINT: &str = "/api/token/refresh/";

const MAX_TRIES: u32 = 3;

/// The pause before the second try; the third waits twice as long. Each is jittered by half.
const FIRST_PAUSE: Duration = Duration::from_millis(300);

const MAX_RETRY_AFTER: Duration = Duration::from_secs(10);

/// The longest access token that is accepted, in bytes. Label Studio's have 231; proxies take headers of 8 KiB.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Exchanges the token, with retries where the server or the way to it may recover within the profile's time limit.
pub(crate) fn refresh(profile: &Profile, pat: &Secret, console: Console) -> Result<Access> {
    let client = client::client(profile)?;
    client::follow(profile, attempts(&client, profile, pat, console), true)
        .map_err(|error| error.with(Fact::Server, &profile.server))
}

/// Tries until there is an access token, or an error that will not go away, or the time is up.
async fn attempts(client: &Client, profile: &Profile, pat: &Secret, console: Console) -> Result<Access> {
    let end = Instant::now() + profile.timeout;
    let mut tried = 0;
    loop {
        tried += 1;
        let left = end.saturating_duration_since(Instant::now());
        let (error, retry) = match attempt(client, profile, pat, left).await {
            Ok(access) => return Ok(access),
            Err(failed) => failed,
        };
        let pause = match retry {
            Retry::Never => return Err(error),
            Retry::After(seconds) => Duration::from_secs(seconds.into()),
            _ => FIRST_PAUSE.mul_f64(f64::from(tried) * (0.75 + fastrand::f64() / 2.0)),
        };
        let needs = if retry == Retry::WithTimeToConnect { connect_timeout(profile) } else { Duration::ZERO };
        if tried == MAX_TRIES || pause > MAX_RETRY_AFTER || Instant::now() + pause + needs >= end {
            let tried = if tried == 1 { String::new() } else { format!("; tried {tried} times") };
            return Err(Error { what: format!("{}{tried}", error.message()), cause: None, ..error });
        }
        console.note(format_args!("exchange: {}; trying again in {} s", error.what, tenths(pause)));
        sleep(pause).await;
    }
}

async fn attempt(client: &Client, profile: &Profile, pat: &Secret, limit: Duration) -> Result<Access, (Error, Retry)> {
    let obtained = Moment::now();
    let request = client::post(client, profile, ENDPOINT, pat).timeout(limit);
    let response = client::send(request, profile).await.map_err(|lost| (lost.error, lost.retry))?;
    let retry = match response.status {
        200..=299 => {
            let unexpected = |came: String| (response.unexpected_body(&came, "an access token"), Retry::Never);
            let token = read_token(&response).map_err(unexpected)?;
            let claims = jwt::claims(&token);
            let issued = claims.as_ref().and_then(|claims| claims.issued);
            let expires = claims.and_then(|claims| claims.expires);
            return Ok(Access::new(Secret::new(token), obtained, issued, expires));
        }
        429 | 502..=504 => {
            let asked = response.header(RETRY_AFTER).trim().parse::<u64>();
            asked.map_or(Retry::Soon, |seconds| Retry::After(u32::try_from(seconds).unwrap_or(u32::MAX)))
        }
        _ => Retry::Never,
    };
    Err((response.refusal(profile), retry))
}

/// Returns the access token, or says what came instead.
fn read_token(response: &Response) -> Result<String, String> {
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
