//! The git credential protocol (git-credential(1), gitcredentials(7)): a token for a profile's server, and no other.

use std::io::{BufRead as _, Read as _, stdin};

use super::Session;
use crate::cli::Options;
use crate::error::{Error, Kind, Result};
use crate::settings::Profile;
use crate::system::{Console, stdout};
use crate::token;
use crate::token::cache::Cache;
use crate::types::{Access, Moment, Secret, server, split};

/// The longest line that git takes or sends, in bytes and with its line break (git-credential(1)).
const MAX_LINE_BYTES: usize = 65_535;

/// The most lines that are read: git sends a dozen.
const MAX_LINES: usize = 1000;

const MAX_IGNORED_BYTES: u64 = 1 << 20;

/// The user name for a git that knows no `authtype`, where it did not ask for one: Label Studio has none to give.
const USER: &str = "token";

pub(crate) fn run(options: &Options, operation: &str) -> Result<()> {
    match operation {
        "capability" => stdout::print("version 0\ncapability authtype\n"),
        "get" | "erase" => {
            let (request, console) = (Request::read()?, options.console());
            let Some(profile) = request.profile(options)? else {
                console.note("credential: the request is for no profile's server, so there is no answer");
                return Ok(());
            };
            if operation == "erase" {
                return request.erase(&Cache::find(&profile), console);
            }
            let access = token::obtain(&profile, &options.request(), console)?;
            stdout::print(request.answer(&access).expose())
        }
        // `store` has nothing to store, and others are to be ignored. Unread, a request would break its writer's pipe.
        _ => {
            let _ = std::io::copy(&mut stdin().take(MAX_IGNORED_BYTES), &mut std::io::sink());
            Ok(())
        }
    }
}

#[derive(Debug, Default)]
struct Request {
    protocol: String,
    host: String,
    /// The path, without a slash before it; git tells it only with `credential.useHttpPath`.
    path: String,
    username: Option<String>,
    password: Option<Secret>,
    credential: Option<Secret>,
    takes_authtype: bool,
}

impl Request {
    /// Reads a request from stdin: up to an empty line, or the end.
    fn read() -> Result<Self> {
        let mut request = Self::default();
        let mut input = stdin().lock();
        for _ in 0..MAX_LINES {
            let mut line = Vec::new();
            let read = input.by_ref().take(MAX_LINE_BYTES as u64 + 1).read_until(b'\n', &mut line);
            read.map_err(|error| Error::new(Kind::Io, format!("cannot read standard input: {error}")))?;
            if line.len() > MAX_LINE_BYTES {
                return Err(malformed("a line of more than 65,535 bytes"));
            }
            line.pop_if(|last| *last == b'\n');
            if line.is_empty() {
                return Ok(request);
            }
            if line.contains(&b'\r') || line.contains(&0) {
                return Err(malformed("a line with a carriage return or NUL in it"));
            }
            // Other bytes than UTF-8 may stand in a value; none that is looked for here has any.
            let text = String::from_utf8_lossy(&line);
            let (name, value) = text.split_once('=').ok_or_else(|| malformed("a line without `=`"))?;
            request.take(name, value)?;
        }
        Err(malformed("more than 1,000 lines"))
    }

    fn take(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "protocol" => value.clone_into(&mut self.protocol),
            "host" => value.clone_into(&mut self.host),
            "path" => value.clone_into(&mut self.path),
            "username" => self.username = Some(value.to_owned()),
            "password" => self.password = Some(Secret::new(value.to_owned())),
            "credential" => self.credential = Some(Secret::new(value.to_owned())),
            // An empty value empties the list.
            "capability[]" => {
                self.takes_authtype = value == "authtype" || (self.takes_authtype && !value.is_empty());
            }
            "url" => self.take_url(value)?,
            _ => {}
        }
        Ok(())
    }

    /// Takes the parts of a URL, of which each replaces what came before it (git-credential(1)).
    fn take_url(&mut self, url: &str) -> Result<()> {
        let (protocol, rest) = url.split_once("://").ok_or_else(|| malformed("a url without a scheme"))?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        for (name, value) in [("protocol", protocol), ("host", host), ("path", path)] {
            self.take(name, value)?;
        }
        self.username = user.and_then(|user| user.split(':').next()).map(str::to_owned);
        Ok(())
    }

    /// Returns the profile whose server is meant; `None` for any other server, and for what is no server at all.
    fn profile(&self, options: &Options) -> Result<Option<Profile>> {
        let url = format!("{}://{}/", self.protocol, self.host);
        // A path that leads out of a base path is not below it.
        let leads_out = self.path.split(['/', '?', '#']).any(server::is_dots);
        let Some((origin, "/")) = split(&url).ok().filter(|_| !leads_out) else { return Ok(None) };
        let path = format!("/{}", self.path.trim_start_matches('/'));
        let session = Session::begin(options);
        let profile = session.profile_for(&session.profiles()?, &origin, &path)?;
        Ok(profile.filter(|profile| !profile.server.is_left_by(&path)))
    }

    /// Removes the cached token, if it is the one that was rejected.
    fn erase(&self, cache: &Cache, console: Console) -> Result<()> {
        let rejected = self.credential.as_ref().or(self.password.as_ref());
        if cache.read().is_none_or(|record| Some(&record.access.token) != rejected) {
            return Ok(());
        }
        console.note("cache: the token was rejected, so it is removed");
        cache.forget()
    }

    /// Returns the answer: a bearer token where git accepts one, else a user name and a password.
    fn answer(&self, access: &Access) -> Secret {
        let token = access.token.expose();
        let expiry = access.left(&Moment::now()).map(|_| format!("password_expiry_utc={}\n", access.expires_at()));
        let expiry = expiry.unwrap_or_default();
        if self.takes_authtype {
            let bearer = "capability[]=authtype\nauthtype=Bearer";
            return Secret::new(format!("{bearer}\ncredential={token}\nephemeral=1\n{expiry}\n"));
        }
        let known = |name: &&str| !name.is_empty() && !name.contains('\u{fffd}');
        let user = self.username.as_deref().filter(known).unwrap_or(USER);
        Secret::new(format!("username={user}\npassword={token}\n{expiry}\n"))
    }
}

fn malformed(what: &str) -> Error {
    let hint = "see git-credential(1): lines of name=value, then an empty line";
    Error::usage(format!("the credential request has {what}"), hint)
}
