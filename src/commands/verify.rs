//! Asks the server whether it takes the token, and whose it is.

use serde_json::json;

use crate::api::account::{self, Who};
use crate::cli::Options;
use crate::error::{Error, Kind, Result};
use crate::settings::{self, Profile};
use crate::system::environment::Environment;
use crate::system::stderr::{Console, warn};
use crate::system::stdout;
use crate::token::{self, Wish};
use crate::types::access::Access;
use crate::types::moment::Moment;

/// What the server says of a token that it takes.
struct Taken {
    /// The token.
    access: Access,
    /// Whose it is.
    who: Who,
    /// Whether the server's own check was asked; not every server has one.
    checked: bool,
    /// Whether the cached token was not taken, so that this is a new one.
    renewed: bool,
}

/// Prints whose the token is.
pub(crate) fn print(options: &Options, as_json: bool) -> Result<()> {
    let console = options.console();
    let environment = Environment::read()?;
    let profile = settings::choose(&environment, &options.choice(), console)?;
    let taken = ask(&profile, &options.wish(), console)?;
    let left = taken.access.left(&Moment::now()).map(|left| left.as_secs());
    if as_json {
        let object = json!({
            "profile": profile.name,
            "url": profile.server.to_string(),
            "user": {"id": taken.who.id, "email": taken.who.email, "organization": taken.who.organization},
            "expires_in": left,
            "checked": taken.checked,
            "renewed": taken.renewed,
        });
        return stdout::print(&format!("{object}\n"));
    }
    let left = left.map_or_else(String::new, |left| format!(", token good for {left} s"));
    stdout::print(&format!("{} at {}{left}\n", taken.who, profile.server))
}

/// Asks the server about a token, and where it does not take a cached one, about a new one.
fn ask(profile: &Profile, wish: &Wish, console: Console) -> Result<Taken> {
    let began = Moment::now();
    let access = token::obtain(profile, wish, console)?;
    let is_new = access.obtained.since(&began).is_some();
    match check(profile, access, console) {
        Err(error) if error.kind == Kind::Denied && !is_new => {
            console.note(format_args!("verify: {}", error.what));
            let wish = Wish { refresh: true, ..wish.clone() };
            let access = token::obtain(profile, &wish, console).map_err(|error| Error {
                what: format!("the server does not take the cached token, and gives no other: {}", error.what),
                ..error
            })?;
            let taken = check(profile, access, console)?;
            warn("the server did not take the cached token; this is about a new one, which is cached now");
            Ok(Taken { renewed: true, ..taken })
        }
        result => result,
    }
}

/// Asks the server about one token.
fn check(profile: &Profile, access: Access, console: Console) -> Result<Taken> {
    let named = |error| profile.name_in(error);
    let who = account::whoami(profile, &access.token).map_err(named)?;
    let checked = account::verify(profile, &access.token).map_err(named)?;
    if !checked {
        console.note("verify: the server has no /api/token/verify/ that answers; whoami is what counts");
    }
    Ok(Taken { access, who, checked, renewed: false })
}
