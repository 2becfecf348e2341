//! What a login is for: which server, under which name, and what it replaces. Everything that has to be known before a
//! token is asked for.

use super::name::{check_name, confirm, name_for};
use crate::cli::{LoginOptions, Options, Store};
use crate::error::{Error, Fact, Kind, Result};
use crate::settings::{Profile, ProfileEntry, present, shown_url};
use crate::source::Source;
use crate::system::{Environment, program, prompt::Terminal};
use crate::types::{Server, pat};

/// How often a question is asked anew.
const TRIES: usize = 3;

pub(super) struct Plan {
    pub(super) server: Server,
    pub(super) name: String,
    pub(super) replaced: Option<Profile>,
    /// Whether 1Password's command is there.
    pub(super) has_one_password: bool,
    /// Whether plain http to another machine is allowed from now on.
    allow_http: bool,
    /// The file of trusted certificates, where one is given.
    ca_file: Option<String>,
    /// Where a token that is given is kept.
    store: &'static str,
}

impl Plan {
    /// Makes the plan, asking for what is missing where there is a terminal.
    pub(super) fn make(environment: &Environment, options: &Options, wanted: &LoginOptions) -> Result<Self> {
        let (profiles, default) = present(environment)?;
        let terminal = if wanted.with_token { None } else { Terminal::open() };
        let asked_for = options.profile.as_ref();
        let asked_for = asked_for.and_then(|name| profiles.iter().find(|one| one.name == *name));
        let usual = match profiles.as_slice() {
            [only] => Some(only),
            several => several.iter().find(|one| Some(&one.name) == default.as_ref()),
        };
        let usual = usual.map(|profile| &profile.server);
        let server = server(environment, options, wanted, asked_for, usual, terminal.as_ref())?;
        let name = match &options.profile {
            Some(name) => check_name(name)?,
            None => name_for(&server, &profiles, default.as_deref(), terminal.as_ref())?,
        };
        let replaced = profiles.into_iter().find(|profile| profile.name == name);
        if let Some(old) = replaced.as_ref().filter(|old| old.server != server) {
            confirm(old, &server, terminal.as_ref())?;
        }
        let was_allowed = replaced.as_ref().is_some_and(|old| old.server.origin == server.origin);
        if !server.origin.secure && !server.origin.is_loopback() && !wanted.allow_http && !was_allowed {
            return Err(Error::new(
                Kind::Settings,
                format!("plain http to {} would show the personal access token to the network", server.origin),
            )
            .hint("use https, or pass --allow-http if you trust every hop"));
        }
        let kept_in_keyring = matches!(replaced.as_ref().map(|old| &old.source), Some(Source::Keyring(_)));
        let store = match wanted.store {
            Some(Store::Keyring) => "keyring",
            None if kept_in_keyring => "keyring",
            Some(Store::File) | None => "stored",
        };
        let ca_file = wanted.ca_file.as_ref().map(|path| absolute(path)).transpose()?;
        Ok(Self {
            allow_http: wanted.allow_http && !server.origin.secure,
            has_one_password: program::find("op").is_ok(),
            server,
            name,
            replaced,
            ca_file,
            store,
        })
    }

    /// Returns where a token that is given is kept, as the settings say it.
    pub(super) fn store(&self) -> &'static str {
        self.store
    }

    /// Returns the profile as it is to stand in the settings, with the place of its token.
    pub(super) fn entry(&self, pat: &str) -> ProfileEntry {
        ProfileEntry {
            name: self.name.clone(),
            url: self.server.to_string(),
            pat: pat.to_owned(),
            allow_http: self.allow_http,
            ca_file: self.ca_file.clone(),
        }
    }
}

/// Returns the server: of the argument, of the named profile, of the environment, or of who is at the terminal, where that
/// of the profile in use is offered.
fn server(
    environment: &Environment,
    options: &Options,
    wanted: &LoginOptions,
    named: Option<&Profile>,
    usual: Option<&Server>,
    terminal: Option<&Terminal>,
) -> Result<Server> {
    let given = match (&wanted.server, &options.url) {
        (Some(one), Some(other)) if parse(one).ok() != parse(other).ok() => {
            return Err(Error::usage("the URL and --url name different servers", "leave out one of them"));
        }
        (one, other) => one.as_ref().or(other.as_ref()),
    };
    if let Some(url) = given {
        return parse(url).map_err(|why| {
            Error::new(Kind::Usage, format!("the URL {why}"))
                .with(Fact::Address, shown_url(url))
                .hint("write it as https://label.example.com")
        });
    }
    if let Some(profile) = named {
        return Ok(profile.server.clone());
    }
    let offered = environment.url().and_then(|url| Server::parse(url).ok());
    let Some(terminal) = terminal else {
        return offered.ok_or_else(|| {
            Error::usage(
                "no URL was given, and stdin is not a terminal",
                "run `ls-token login https://label.example.com`",
            )
        });
    };
    let offered = offered.or_else(|| usual.cloned());
    let question = match &offered {
        Some(server) => format!("URL of Label Studio [{server}]: "),
        None => "URL of Label Studio: ".into(),
    };
    for _ in 0..TRIES {
        let url = terminal.ask(&question)?;
        if let (true, Some(server)) = (url.is_empty(), &offered) {
            return Ok(server.clone());
        }
        match parse(&url) {
            Ok(server) => return Ok(server),
            Err(why) => terminal.tell(&format!("the URL {why}; write it as https://label.example.com\n")),
        }
    }
    Err(Error::usage("no URL was given", "run `ls-token login https://label.example.com`"))
}

/// Parses a URL; a host alone stands for https.
fn parse(url: &str) -> std::result::Result<Server, String> {
    if pat::contains_token(url) {
        return Err("contains a token; paste that when asked for it".into());
    }
    if url.is_empty() {
        return Err("is empty".into());
    }
    if url.contains("://") {
        return Server::parse(url);
    }
    Server::parse(&format!("https://{url}"))
}

/// Returns a path as it may stand in the settings: from / on.
fn absolute(path: &std::path::Path) -> Result<String> {
    let path = std::path::absolute(path).map_err(|error| Error::file("find the file", path, &error))?;
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| Error::usage("the path of --ca-file is not UTF-8", "rename the file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_alone_stands_for_https() {
        assert_eq!(parse("label.example.com/ls/").unwrap().to_string(), "https://label.example.com/ls");
        assert!(parse("").is_err() && parse("ftp://h").is_err() && parse("a b").is_err());
    }
}
