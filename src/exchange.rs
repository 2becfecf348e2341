//! Exchanges a personal access token for an access token: POST /api/token/refresh/. Nothing is followed, nothing is
//! kept, everything is bounded: time, size, tries.

mod answer;
mod transport;

use std::pin::pin;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Response};
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

use crate::cache::Access;
use crate::clock::Moment;
use crate::console::Console;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::settings::Profile;
use crate::waiting::{TICK, Waiting};
use answer::{Answer, Verdict};

/// The endpoint, below the server's URL: <https://api.labelstud.io/api-reference/introduction/getting-started>.
const ENDPOINT: &str = "/api/token/refresh/";

/// How often it is tried in all.
const TRIES: u32 = 3;

/// The pause before the second try; the third waits twice as long. Each is jittered by half.
const PAUSE: Duration = Duration::from_millis(300);

/// The longest `Retry-After` that is waited for.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The largest answer that is read, in bytes.
const LARGEST: usize = 64 * 1024;

/// Exchanges the token, with retries where the server or the way to it may recover within the profile's time limit.
pub(crate) fn refresh(profile: &Profile, pat: &Secret, console: Console) -> Result<Access> {
    let client = transport::client(profile)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime
        .map_err(|error| Error::new(Kind::Files, format!("cannot set up the network: {error}")))?;
    let mut waiting = Waiting::begin(profile.server.origin.to_string());
    let result = runtime.block_on(async {
        let mut work = pin!(attempts(&client, profile, pat, console));
        loop {
            match timeout(TICK, work.as_mut()).await {
                Ok(result) => return result,
                Err(_) => waiting.tick()?,
            }
        }
    });
    // A thread may be stuck in the resolver: it is not waited for.
    runtime.shutdown_background();
    result.map_err(|error| error.with("server", &profile.server))
}

/// Tries until there is an access token, or an error that will not go away, or the time is up.
async fn attempts(
    client: &Client,
    profile: &Profile,
    pat: &Secret,
    console: Console,
) -> Result<Access> {
    let end = Instant::now() + profile.timeout;
    let mut tried = 0;
    loop {
        tried += 1;
        let left = end.saturating_duration_since(Instant::now());
        let (error, pause) = match attempt(client, profile, pat, left).await {
            Verdict::Token(access) => return Ok(access),
            Verdict::Final(error) => return Err(error),
            Verdict::Again(error, asked) => (error, asked),
        };
        let usual = PAUSE.mul_f64(f64::from(tried) * (0.75 + fastrand::f64() / 2.0));
        let pause = pause.unwrap_or(usual);
        if tried == TRIES || pause > LONGEST_PAUSE || Instant::now() + pause >= end {
            let tried = if tried == 1 {
                String::new()
            } else {
                format!("; tried {tried} times")
            };
            return Err(Error {
                what: format!("{}{tried}", error.what),
                ..error
            });
        }
        console.note(format_args!(
            "exchange: {}; trying again in {:.1} s",
            error.what,
            pause.as_secs_f64()
        ));
        sleep(pause).await;
    }
}

/// Tries once.
async fn attempt(client: &Client, profile: &Profile, pat: &Secret, limit: Duration) -> Verdict {
    let obtained = Moment::now();
    let body = Zeroizing::new(serde_json::json!({ "refresh": pat.expose() }).to_string());
    let request = client
        .post(profile.server.join(ENDPOINT))
        .timeout(limit)
        .body(body.as_bytes().to_vec());
    let request = request
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json");
    match request.send().await {
        Err(error) => transport::explain(&error, profile),
        Ok(response) => match read(response).await {
            Err(error) => transport::explain(&error, profile),
            Ok(answer) => answer.judge(obtained, &profile.server),
        },
    }
}

/// Reads an answer, no more of its body than could be a token's.
async fn read(mut response: Response) -> reqwest::Result<Answer> {
    let mut answer = Answer::new(response.status().as_u16(), response.headers());
    while let Some(piece) = response.chunk().await? {
        answer.body.extend_from_slice(&piece);
        if answer.body.len() > LARGEST {
            answer.too_long = true;
            break;
        }
    }
    Ok(answer)
}
