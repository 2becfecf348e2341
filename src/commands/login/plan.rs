//! What has to be known before a token is asked for: which server, under which name, and what it replaces.

use super::TRIES;
use crate::cli::{LoginOptions, Options, Store};
use crate::error::{Error, Fact, Kind, Result};
use crate::settings::{ENVIRONMENT, Profile, ProfileEntry, present, shown_url};
use crate::source::Source;
use crate::system::{Environment, prompt::Terminal};
use crate::types::{Server, pat};

const FORM: &str = "write it as https://label.example.com";

pub(super) struct Plan {
    /// What the settings are to say, if a token is given: one that is kept elsewhere has another `pat`.
    pub(super) entry: ProfileEntry,
    pub(super) replaced: Option<Profile>,
}

impl Plan {
    /// Makes the plan, asking for what is missing where there is a terminal.
    pub(super) fn make(environment: &Environment, options: &Options, wanted: &LoginOptions) -> Result<Self> {
        let (profiles, default) = present(environment)?;
        let named = |name: Option<&String>| profiles.iter().find(|profile| Some(&profile.name) == name);
        let terminal = if wanted.with_token { None } else { Terminal::open() };
        let terminal = terminal.as_ref();
        let server = match (given(options, wanted)?, named(options.profile.as_ref())) {
            (Some(server), _) => server,
            (None, Some(profile)) => profile.server.clone(),
            (None, None) => {
                let usual = if let [only] = profiles.as_slice() { Some(only) } else { named(default.as_ref()) };
                ask(environment, usual, terminal)?
            }
        };
        let name = match &options.profile {
            Some(name) => check_name(name)?,
            None => name_for(&server, &profiles, default.as_deref(), terminal)?,
        };
        let replaced = profiles.into_iter().find(|profile| profile.name == name);
        if let Some(old) = replaced.as_ref().filter(|old| old.server != server) {
            confirm(old, &server, terminal)?;
        }
        let was_allowed = replaced.as_ref().is_some_and(|old| old.server.origin == server.origin);
        if !server.origin.secure && !server.origin.is_loopback() && !wanted.allow_http && !was_allowed {
            let what = format!("plain http to {} would show the personal access token to the network", server.origin);
            return Err(Error::new(Kind::Settings, what).hint("use https, or pass --allow-http if you trust every hop"));
        }
        let pat = match (wanted.store, replaced.as_ref().map(|old| &old.source)) {
            (Some(Store::Keyring), _) | (None, Some(Source::Keyring(_))) => "keyring",
            _ => "stored",
        };
        let entry = ProfileEntry {
            name,
            url: server.to_string(),
            pat: pat.into(),
            allow_http: wanted.allow_http && !server.origin.secure,
            ca_file: wanted.ca_file.as_ref().map(|path| absolute(path)).transpose()?,
        };
        Ok(Self { entry, replaced })
    }
}

fn given(options: &Options, wanted: &LoginOptions) -> Result<Option<Server>> {
    let url = match (&wanted.server, &options.url) {
        (Some(one), Some(other)) if parse(one).ok() != parse(other).ok() => {
            return Err(Error::usage("the URL and --url name different servers", "leave out one of them"));
        }
        (one, other) => one.as_ref().or(other.as_ref()),
    };
    let parse = |url: &String| {
        parse(url).map_err(|why| Error::usage(format!("the URL {why}"), FORM).with(Fact::Address, shown_url(url)))
    };
    url.map(parse).transpose()
}

/// Returns the server of the environment, or of who is at the terminal, where that or the one in use is offered.
fn ask(environment: &Environment, usual: Option<&Profile>, terminal: Option<&Terminal>) -> Result<Server> {
    const HINT: &str = "run `ls-token login https://label.example.com`";
    let offered = environment.url.as_deref().and_then(|url| Server::parse(url).ok());
    let Some(terminal) = terminal else {
        return offered.ok_or_else(|| Error::usage("no URL was given, and stdin is not a terminal", HINT));
    };
    let offered = offered.or_else(|| Some(usual?.server.clone()));
    let shown = offered.as_ref().map_or_else(String::new, |server| format!(" [{server}]"));
    for _ in 0..TRIES {
        let url = terminal.ask(&format!("URL of Label Studio{shown}: "))?;
        if let (true, Some(server)) = (url.is_empty(), &offered) {
            return Ok(server.clone());
        }
        match parse(&url) {
            Ok(server) => return Ok(server),
            Err(why) => terminal.tell(&format!("the URL {why}; {FORM}\n")),
        }
    }
    Err(Error::usage("no URL was given", HINT))
}

/// Parses a URL; a host alone stands for https.
fn parse(url: &str) -> Result<Server, String> {
    match url {
        "" => Err("is empty".into()),
        _ if pat::contains_token(url) => Err("contains a token; paste that when asked for it".into()),
        _ if url.contains("://") => Server::parse(&without_page(url)),
        host => Server::parse(&without_page(&format!("https://{host}"))),
    }
}

/// Returns the address of the server whose page a URL is of, as it is copied from a browser.
fn without_page(url: &str) -> String {
    const PAGES: [&str; 4] = ["projects", "user", "organization", "api"];
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let is_page = |part: &&str| PAGES.contains(part);
    // The scheme, nothing, and the host come first.
    let parts: Vec<&str> = url.split('/').collect();
    let page = parts.iter().skip(3).position(is_page).map_or(parts.len(), |at| at + 3);
    parts.into_iter().take(page).collect::<Vec<_>>().join("/")
}

/// Returns a path as the settings may have it: from / on.
fn absolute(path: &std::path::Path) -> Result<String> {
    let path = std::path::absolute(path).map_err(|error| Error::file("find the file", path, &error))?;
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Error::usage("the path of --ca-file is not UTF-8", "rename the file"))
}

/// Returns the name of the profile that the server has, or else a name for one.
fn name_for(server: &Server, all: &[Profile], default: Option<&str>, terminal: Option<&Terminal>) -> Result<String> {
    let same: Vec<&str> = all.iter().filter(|one| one.server == *server).map(|one| one.name.as_str()).collect();
    match same.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => free_name(server, all, terminal),
        several => default.filter(|name| several.contains(name)).map(str::to_owned).ok_or_else(|| {
            let what = format!("several profiles are for {server}: {}", several.join(", "));
            Error::usage(what, "choose one with --profile")
        }),
    }
}

/// Returns a name for the server's profile: the first part of its host, or all of an address.
fn derived_name(server: &Server) -> String {
    let host = server.origin.host.trim_start_matches("www.");
    let is_address = host.ends_with(|last: char| last.is_ascii_digit());
    let part = if is_address { host } else { host.split('.').next().unwrap_or(host) };
    let name: String = part.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    match name.trim_matches('-') {
        "" | ENVIRONMENT => "label-studio".into(),
        name => name.to_owned(),
    }
}

/// Returns a name that no profile of another server has: the server's own, or one that is asked for.
fn free_name(server: &Server, profiles: &[Profile], terminal: Option<&Terminal>) -> Result<String> {
    let mut name = derived_name(server);
    for _ in 0..=TRIES {
        let Some(other) = profiles.iter().find(|profile| profile.name == name) else { return check_name(&name) };
        let Some(terminal) = terminal else {
            let hint = format!("name the one for {server} with --profile NAME");
            return Err(Error::usage(format!("profile {name} already exists, for {}", other.server), hint));
        };
        name = terminal.ask(&format!("profile {name} is for {}; name for the one for {server}: ", other.server))?;
    }
    Err(Error::usage("every name is taken", "name the profile with --profile NAME"))
}

/// Asks whether a profile may become that of another server.
fn confirm(old: &Profile, server: &Server, terminal: Option<&Terminal>) -> Result<()> {
    let name = &old.name;
    if let Some(terminal) = terminal {
        let answer = terminal.ask(&format!("profile {name} is for {}; change it to {server}? [y/N] ", old.server))?;
        if answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes") {
            return Ok(());
        }
    }
    let hint = "choose another name with --profile, or run `ls-token logout --profile NAME` first";
    Err(Error::usage(format!("profile {name} is for {}, not for {server}", old.server), hint))
}

/// Refuses a name that no profile may have; the settings' own check comes later.
fn check_name(name: &str) -> Result<String> {
    let what = match name {
        ENVIRONMENT => "the name environment is reserved for the profile that comes from the environment",
        _ if name.is_empty() || name.starts_with('-') => "this is not a valid profile name",
        _ => return Ok(name.to_owned()),
    };
    Err(Error::usage(what, "choose another name with --profile"))
}
