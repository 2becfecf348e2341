//! `ls-token verify`: asks the server whether it accepts the token, and whose it is.

use serde_json::json;

use super::Session;
use crate::api::account::{self, User};
use crate::cli::Options;
use crate::error::Result;
use crate::settings::Profile;
use crate::system::{Console, stdout, warn};
use crate::token::{self, TokenRequest};
use crate::types::{Access, Moment};

pub(crate) fn run(options: &Options, as_json: bool) -> Result<()> {
    let session = Session::begin(options);
    let profile = session.profile()?;
    let (access, user, renewed) = ask(&profile, &options.request(), session.console)?;
    let left = access.left(&Moment::now()).map(|left| left.as_secs());
    if as_json {
        let object = json!({
            "profile": profile.name,
            "url": profile.server.to_string(),
            "user": {"id": user.id, "email": user.email, "organization": user.organization},
            "expires_in": left,
            "renewed": renewed,
        });
        return stdout::print(&format!("{object}\n"));
    }
    let left = left.map_or_else(String::new, |left| format!(", token valid for {left} s"));
    stdout::print(&format!("{user} at {}{left}\n", profile.server))
}

/// Asks whose the token is, and if the server rejects a cached one, gets a new one: the last value tells of that.
fn ask(profile: &Profile, request: &TokenRequest, console: Console) -> Result<(Access, User, bool)> {
    let began = Moment::now();
    let access = token::obtain(profile, request, console)?;
    let is_new = access.obtained.since(&began).is_some();
    let whoami = |access: &Access| account::whoami(profile, &access.token).map_err(|error| profile.with_profile(error));
    let error = match whoami(&access) {
        Err(error) if error.kind.is_rejection() && !is_new => error,
        user => return Ok((access, user?, false)),
    };
    console.note(format_args!("verify: {}", error.message()));
    let access = token::obtain(profile, &TokenRequest { refresh: true, ..request.clone() }, console)
        .map_err(|error| error.context("the server rejected the cached token, and there is no new one"))?;
    let user = whoami(&access)?;
    warn("the server rejected the cached token; this is a new one, which is cached now");
    Ok((access, user, true))
}
