//! `ls-token`: prints a valid access token, in the format that was asked for.

use std::time::Duration;

use serde_json::json;

use super::Session;
use crate::cli::{Format, Options};
use crate::error::Result;
use crate::settings::Profile;
use crate::system::stdout;
use crate::token;
use crate::types::{Access, Moment, rfc3339};

pub(crate) fn run(options: &Options) -> Result<()> {
    let session = Session::begin(options);
    let profile = session.profile()?;
    let access = token::obtain(&profile, &options.request(), session.console)?;
    let token = access.token.expose();
    stdout::print(&match options.format {
        Format::Token => format!("{token}\n"),
        Format::Header => format!("{}\n", access.header().expose()),
        Format::Curl => access.curl_config().expose().to_owned(),
        Format::Json => format!("{}\n", to_json(&access, &profile)),
    })
}

fn to_json(access: &Access, profile: &Profile) -> serde_json::Value {
    let obtained = humantime::format_rfc3339_seconds(access.obtained.later(Duration::ZERO));
    let known = !access.life.is_zero();
    json!({
        "token": access.token.expose(),
        "token_type": "Bearer",
        "url": profile.server.to_string(),
        "profile": profile.name,
        "obtained_at": obtained.to_string(),
        "expires_at": known.then(|| rfc3339(access.expires_at())),
        "expires_in": known.then(|| access.left(&Moment::now()).unwrap_or_default().as_secs()),
    })
}
