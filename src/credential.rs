//! The git credential protocol (git-credential(1), gitcredentials(7)) on stdin and stdout, so that git and scripts in its
//! style get a token for a profile's server, and nothing for any other.

use std::io::{BufRead as _, Read as _, stdin};

use crate::cache::{Access, Cache};
use crate::cli::Options;
use crate::clock::Moment;
use crate::error::{Error, Kind, Result};
use crate::escape::foreign;
use crate::output;
use crate::secret::Secret;
use crate::server;
use crate::settings::{Environment, Profile, Profiles};
use crate::token;

/// The longest line that git takes or sends, in bytes (git's credential.c).
const LONGEST_LINE: u64 = 65_535;

/// The most lines that are read: git sends a dozen.
const MOST_LINES: usize = 1000;

/// The most that is read of a request that is not answered, in bytes.
const MOST_IGNORED: u64 = 1 << 20;

/// The user name for a git that knows no `authtype`, where it did not ask for one: Label Studio has none to give.
const USER: &str = "token";

/// Does one operation.
pub(crate) fn serve(options: &Options, operation: &str) -> Result<()> {
    match operation {
        "capability" => output::print("version 0\ncapability authtype\n"),
        "get" => get(options, &Request::read()?),
        "erase" => erase(options, &Request::read()?),
        // `store` has nothing to store; what a newer git asks for is to be ignored. Its request is read all the same, or
        // who writes it would die of a broken pipe.
        _ => {
            let _ = std::io::copy(&mut stdin().take(MOST_IGNORED), &mut std::io::sink());
            Ok(())
        }
    }
}

/// Answers with a token, if the request is for a profile's server.
fn get(options: &Options, request: &Request) -> Result<()> {
    let Some(profile) = request.profile(options)? else {
        return Ok(());
    };
    let console = options.console();
    let access = token::obtain(&profile, &options.wish(), console)?;
    output::print(request.answer(&access).expose())
}

/// Forgets the cached token, if it is the one that was rejected.
fn erase(options: &Options, request: &Request) -> Result<()> {
    let Some(profile) = request.profile(options)? else {
        return Ok(());
    };
    let console = options.console();
    let cache = Cache::find(&profile);
    let rejected = request.credential.as_ref().or(request.password.as_ref());
    match cache.read() {
        Some(record) if Some(&record.access.token) == rejected => {
            console.note("cache: the token was rejected, and is forgotten");
            cache.forget()
        }
        _ => Ok(()),
    }
}

/// What git asks.
#[derive(Debug, Default)]
struct Request {
    /// `https` or `http`.
    protocol: String,
    /// The host, with its port where that is not the usual one.
    host: String,
    /// The path, without a slash before it; only with `credential.useHttpPath`.
    path: String,
    /// The user name that the URL has.
    username: Option<String>,
    /// The password that was rejected.
    password: Option<Secret>,
    /// The credential that was rejected, with `authtype`.
    credential: Option<Secret>,
    /// Whether git takes other than basic authentication.
    takes_authtype: bool,
}

impl Request {
    /// Reads a request from stdin: up to an empty line, or the end.
    fn read() -> Result<Self> {
        let mut request = Self::default();
        let mut input = stdin().lock();
        for _ in 0..MOST_LINES {
            let mut line = Vec::new();
            let read = input
                .by_ref()
                .take(LONGEST_LINE + 1)
                .read_until(b'\n', &mut line);
            read.map_err(|error| {
                Error::new(Kind::Files, format!("cannot read standard input: {error}"))
            })?;
            let ended = line.pop_if(|last| *last == b'\n').is_some();
            if line.is_empty() {
                return Ok(request);
            }
            if !ended && line.len() as u64 > LONGEST_LINE {
                return Err(malformed("a line of more than 65,535 bytes"));
            }
            let text = str::from_utf8(&line).map_err(|_| malformed("a line that is not UTF-8"))?;
            if text.contains(['\r', '\0']) {
                return Err(malformed("a line with a carriage return or NUL in it"));
            }
            let (name, value) = text
                .split_once('=')
                .ok_or_else(|| malformed("a line without `=`"))?;
            request.take(name, value)?;
        }
        Err(malformed("more than 1,000 lines"))
    }

    /// Takes one attribute in.
    fn take(&mut self, name: &str, value: &str) -> Result<()> {
        let text = value.to_owned();
        match name {
            "protocol" => self.protocol = text,
            "host" => self.host = text,
            "path" => self.path = text,
            "username" => self.username = Some(text),
            "password" => self.password = Some(Secret::new(text)),
            "credential" => self.credential = Some(Secret::new(text)),
            "capability[]" => self.takes_authtype |= value == "authtype",
            // A URL in one piece stands for its parts (git-credential(1)).
            "url" => {
                let (protocol, rest) = value
                    .split_once("://")
                    .ok_or_else(|| malformed("a url without a scheme"))?;
                let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
                let host = authority
                    .rsplit_once('@')
                    .map_or(authority, |(_, host)| host);
                (self.protocol, self.host, self.path) = (protocol.into(), host.into(), path.into());
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns the profile whose server is meant; `None` for any other server, and for what is no server at all.
    fn profile(&self, options: &Options) -> Result<Option<Profile>> {
        let url = format!("{}://{}/", self.protocol, self.host);
        let Ok((origin, path)) = server::split(&url) else {
            return Ok(None);
        };
        if path != "/" {
            return Ok(None);
        }
        let path = format!("/{}", self.path);
        let environment = Environment::read()?;
        let profiles = Profiles::load(&environment)?;
        let choice = options.choice();
        if choice.profile.is_none() && choice.url.is_none() {
            return Ok(profiles.holding(&origin, &path)?.cloned());
        }
        let chosen = profiles.choose(&environment, &choice, options.console())?;
        Ok(Some(chosen).filter(|profile| profile.server.holds(&origin, &path)))
    }

    /// Returns the answer: a bearer token where git takes one, else a user name and a password.
    fn answer(&self, access: &Access) -> Secret {
        let token = access.token.expose();
        let expiry = match access.left(&Moment::now()) {
            Some(_) => {
                let end = access.obtained.later(access.life);
                let end = end
                    .duration_since(std::time::UNIX_EPOCH)
                    .unwrap_or_default();
                format!("password_expiry_utc={}\n", end.as_secs())
            }
            None => String::new(),
        };
        Secret::new(if self.takes_authtype {
            format!(
                "capability[]=authtype\nauthtype=Bearer\ncredential={token}\nephemeral=1\n{expiry}\n"
            )
        } else {
            let user = self
                .username
                .as_deref()
                .filter(|name| !name.is_empty())
                .unwrap_or(USER);
            format!("username={user}\npassword={token}\n{expiry}\n")
        })
    }
}

/// Makes the error for input that is not of the protocol.
fn malformed(what: &str) -> Error {
    Error::new(
        Kind::Usage,
        format!("the credential request has {}", foreign(what)),
    )
    .hint("see git-credential(1): lines of name=value, then an empty line")
}
