//! The end of the line: one whole token goes to stdout, or nothing does and the exit status says so.

use std::mem::ManuallyDrop;

use rustix::io::{Errno, write};
use rustix::stdio::stdout;
use serde_json::json;

use crate::cache::Access;
use crate::cli::Format;
use crate::clock::{Moment, rfc3339};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::settings::Profile;

/// Prints the token in the format.
pub(crate) fn print_token(access: &Access, profile: &Profile, format: Format) -> Result<()> {
    let token = access.token.expose();
    let line = match format {
        Format::Token => format!("{token}\n"),
        Format::Header => format!("{}\n", header(&access.token)),
        Format::Curl => curl_config(&access.token),
        Format::Json => format!("{}\n", to_json(access, profile)),
    };
    // The process ends next, and the line with it.
    print(ManuallyDrop::new(line).as_str())
}

/// Returns the header that a request carries (RFC 6750, section 2.1).
fn header(token: &Secret) -> String {
    format!("Authorization: Bearer {}", token.expose())
}

/// Returns the line of a curl configuration file. A token has no character that would need escaping there.
pub(crate) fn curl_config(token: &Secret) -> String {
    format!("header = \"{}\"\n", header(token))
}

/// Returns the token with its times and its profile.
fn to_json(access: &Access, profile: &Profile) -> serde_json::Value {
    let obtained = humantime::format_rfc3339_seconds(access.obtained.later(std::time::Duration::ZERO)).to_string();
    let known = !access.life.is_zero();
    json!({
        "token": access.token.expose(),
        "token_type": "Bearer",
        "url": profile.server.to_string(),
        "profile": profile.name,
        "obtained_at": obtained,
        "expires_at": known.then(|| rfc3339(access.expires_at())),
        "expires_in": known.then(|| access.left(&Moment::now()).unwrap_or_default().as_secs()),
    })
}

/// Writes a text to stdout, whole. Not by `std::io::stdout`, which takes a closed stdout for a success.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match write(stdout(), rest) {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::PIPE) => {
                return Err(Error::new(Kind::Interrupted(signal_hook::consts::SIGPIPE), "nobody reads"));
            }
            Err(error) => {
                return Err(Error::new(Kind::Files, format!("cannot write to standard output: {error}"))
                    .hint("is it closed, or the disk full?"));
            }
        }
    }
    Ok(())
}
