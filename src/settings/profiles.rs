//! Every profile that there is, and which of them is meant by a name, a URL, or nothing at all.

use std::mem::ManuallyDrop;
use std::rc::Rc;

use super::file;
use super::profile::{ENVIRONMENT, Profile, names, sdk_profile, shown_url};
use crate::error::{Error, Fact, Kind, Result};
use crate::system::{Console, Environment, KEY_VARIABLE, URL_VARIABLE};
use crate::types::{Origin, Server, untrusted};

/// What the command line says of the choice of a profile.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProfileSelector {
    pub(crate) profile: Option<String>,
    pub(crate) url: Option<String>,
}

impl ProfileSelector {
    pub(crate) fn is_empty(&self) -> bool {
        self.profile.is_none() && self.url.is_none()
    }
}

#[derive(Debug)]
pub(crate) struct Profiles<'a> {
    environment: &'a Environment,
    /// Those of the settings file, and before them the environment's.
    list: Vec<Profile>,
    /// The name of the one to use where nothing else is said.
    default: Option<String>,
    /// Why the environment's two variables are no profile, though both are set.
    pair_fault: Option<Error>,
    /// Why the settings file is ignored: the two variables do without it.
    file_fault: Option<Error>,
}

/// Returns the profile to use.
pub(crate) fn choose(environment: &Environment, selector: &ProfileSelector, console: Console) -> Result<Profile> {
    // Not freed, as the process ends a moment later: a thousand profiles are work that a cache hit can do without.
    let profiles = ManuallyDrop::new(Profiles::load(environment)?);
    let (chosen, _) = profiles.choose(selector, console)?;
    chosen.log(console);
    Ok(chosen)
}

impl<'a> Profiles<'a> {
    /// Reads the profiles. Where the environment's two variables are both set, settings that cannot be read do no harm.
    pub(crate) fn load(environment: &'a Environment) -> Result<Self> {
        let (file, file_fault) = match file::read(environment) {
            Err(fault) if environment.has_pair() => (file::File::default(), Some(fault)),
            read => (read?, None),
        };
        // A pair that is no good counts where it would be used, and nowhere else.
        let (pair, pair_fault) = match sdk_profile(environment, &file.profiles, file.default.as_deref()) {
            Ok(pair) => (pair, None),
            Err(fault) => (None, Some(fault)),
        };
        let pair_fault = pair_fault.map(|fault| match &file_fault {
            Some(ignored) => fault.hint(format!("the settings are ignored: {}", ignored.to_line())),
            None => fault,
        });
        let file::File { default, profiles: mut list } = file;
        if let Some(pair) = pair {
            list.insert(0, pair);
        }
        finish(environment, &mut list);
        Ok(Self { environment, list, default, pair_fault, file_fault })
    }

    /// Returns the profile to use, and what decided that: the first that is there.
    pub(crate) fn choose(&self, selector: &ProfileSelector, console: Console) -> Result<(Profile, &'static str)> {
        let environment = self.environment;
        if environment.has_api_key && environment.url.is_none() {
            console.note(format_args!(
                "settings: {KEY_VARIABLE} without {URL_VARIABLE} is ignored, unless a profile names it"
            ));
        }
        if let Some(fault) = &self.file_fault {
            console.note(format_args!("settings: ignored, as both variables are set: {}", fault.to_line()));
        }
        let (profile, because) = if let Some(name) = &selector.profile {
            (self.by_option(name, selector.url.as_deref()), "by --profile")
        } else if let Some(url) = &selector.url {
            (self.by_url(url, "--url"), "by --url")
        } else if let Some(name) = &environment.profile {
            (self.named(name), "by LS_TOKEN_PROFILE")
        } else if let Some(url) = &environment.url {
            self.check_pair()?;
            let both = "by LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY";
            (self.by_url(url, URL_VARIABLE), if environment.has_pair() { both } else { "by LABEL_STUDIO_URL" })
        } else {
            (self.default_profile(), "by the settings: the default, or the only one")
        };
        Ok((profile?.clone(), because))
    }

    /// Fails where the environment's two variables are set, and are no good.
    pub(crate) fn check_pair(&self) -> Result<()> {
        self.pair_fault.clone().map_or(Ok(()), Err)
    }

    /// Returns why the settings file is ignored, where it is.
    pub(crate) fn file_fault(&self) -> Option<&Error> {
        self.file_fault.as_ref()
    }

    /// Returns the profile that covers the origin and path: the one with the longest base path.
    pub(crate) fn for_url(&self, origin: &Origin, path: &str) -> Result<Option<&Profile>> {
        let covering = || self.list.iter().filter(|profile| profile.server.covers(origin, path));
        let Some(longest) = covering().map(|profile| profile.server.base.len()).max() else { return Ok(None) };
        let best: Vec<_> = covering().filter(|profile| profile.server.base.len() == longest).collect();
        let named = |name: Option<&str>| best.iter().find(|profile| Some(profile.name.as_str()) == name);
        let preferred = named(self.environment.profile.as_deref())
            .or_else(|| named(Some(ENVIRONMENT)))
            .or_else(|| named(self.default.as_deref()));
        match (best.as_slice(), preferred) {
            ([only], _) => Ok(Some(only)),
            (_, Some(profile)) => Ok(Some(profile)),
            (several, None) => Err(self
                .error(format!("several profiles are for {origin}: {}", names(several.iter().copied())))
                .hint("choose one with --profile (before `curl`), or with LS_TOKEN_PROFILE for lscurl")),
        }
    }

    /// Returns all of them, and fails where those of the settings file are not among them.
    pub(crate) fn into_list(self) -> Result<Vec<Profile>> {
        self.file_fault.map_or(Ok(self.list), Err)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|profile| profile.name.as_str())
    }

    /// Lists the variables that hold a personal access token.
    pub(crate) fn secret_variables(&self) -> impl Iterator<Item = &str> {
        self.list.iter().filter_map(|profile| profile.source.variable()).map(|name| &**name)
    }

    pub(crate) fn servers(&self) -> String {
        self.list.iter().map(|profile| profile.server.to_string()).collect::<Vec<_>>().join(", ")
    }

    /// Returns the profile of `--profile`, which must be for the server of `--url` where both are given.
    fn by_option(&self, name: &str, url: Option<&str>) -> Result<&Profile> {
        let profile = self.named(name)?;
        let Some(url) = url else { return Ok(profile) };
        let (origin, path) = parse_url(url, "--url")?;
        if profile.server.covers(&origin, &path) {
            return Ok(profile);
        }
        Err(Error::new(Kind::Settings, "--url and --profile name different servers")
            .with(Fact::Url, shown_url(url))
            .with(Fact::Profile, name)
            .with(Fact::Server, &profile.server)
            .hint("omit one of --url and --profile"))
    }

    fn named(&self, name: &str) -> Result<&Profile> {
        if name == ENVIRONMENT {
            self.check_pair()?;
        }
        self.list.iter().find(|profile| profile.name == name).ok_or_else(|| {
            if let Some(fault) = &self.file_fault {
                return fault.clone();
            }
            let available = if self.list.is_empty() { "none".to_owned() } else { names(&self.list) };
            let is_preferred = self.environment.profile.as_deref() == Some(name);
            let whence = match is_preferred {
                true if name.contains(char::REPLACEMENT_CHARACTER) => " (LS_TOKEN_PROFILE, which is not UTF-8)",
                true => " (LS_TOKEN_PROFILE)",
                false => "",
            };
            self.error(format!("there is no profile {}{whence}", untrusted(name)))
                .hint(format!("available profiles: {available}"))
        })
    }

    fn by_url(&self, url: &str, whence: &str) -> Result<&Profile> {
        let (origin, path) = parse_url(url, whence)?;
        if let Some(profile) = self.for_url(&origin, &path)? {
            return Ok(profile);
        }
        let what = format!("no personal access token belongs to {origin}{}, so none is sent there", untrusted(&path));
        let login = format!("run `ls-token login {}`", untrusted(url));
        let hint = match self.list.iter().find(|profile| profile.name == ENVIRONMENT) {
            Some(pair) => {
                format!("{KEY_VARIABLE} belongs to {} ({URL_VARIABLE}): change both together", pair.server)
            }
            None if self.environment.has_api_key => format!("{login}, or {}", export_of(url)),
            None if self.list.is_empty() => format!("{login}, or export {KEY_VARIABLE} beside {URL_VARIABLE}"),
            None => format!("{login}; there are profiles for {}", self.servers()),
        };
        Err(self.error(what).with(Fact::From, whence).hint(hint))
    }

    /// Returns the profile to use where nothing says which.
    fn default_profile(&self) -> Result<&Profile> {
        if let Some(name) = &self.default {
            return self.named(name);
        }
        match self.list.as_slice() {
            [only] => Ok(only),
            [] if self.environment.has_api_key => Err(self
                .error(format!("{KEY_VARIABLE} is set, and {URL_VARIABLE}, which says for which server, is not"))
                .hint(export_of("https://label.example.com"))),
            [] => Err(self
                .error("no Label Studio server is set up")
                .hint(format!("run `ls-token login`, or export {URL_VARIABLE} and {KEY_VARIABLE}"))),
            several => Err(self.error("there are several profiles and none is the default").hint(format!(
                "use --profile (for lscurl, LS_TOKEN_PROFILE=NAME), or write `default = \"NAME\"` with one of {}",
                names(several)
            ))),
        }
    }

    fn error(&self, what: impl Into<String>) -> Error {
        let error = Error::new(Kind::Settings, what).with(Fact::File, self.environment.described_config());
        match Environment::empty_variable() {
            Some(empty) => error.hint(empty),
            None => error,
        }
    }
}

/// Returns the line that says which server the key in the environment is of.
pub(crate) fn export_of(url: &str) -> String {
    format!("export {URL_VARIABLE}={}, the server that {KEY_VARIABLE} belongs to", untrusted(url))
}

/// Gives profiles what they have of the environment, and of each other.
pub(super) fn finish(environment: &Environment, profiles: &mut [Profile]) {
    let variables = profiles.iter().filter_map(|profile| profile.source.variable());
    let hidden: Rc<[Rc<str>]> = variables.cloned().chain([KEY_VARIABLE.into()]).collect();
    for profile in profiles {
        profile.drop_foreign_api_key(environment);
        profile.hidden = Rc::clone(&hidden);
    }
}

/// Parses a URL that is to pick a profile; `whence` is where the user wrote it.
fn parse_url(url: &str, whence: &str) -> Result<(Origin, String)> {
    let server = Server::parse(url).map_err(|fault| {
        Error::new(Kind::Settings, format!("the URL {fault}"))
            .with(Fact::From, format_args!("{whence} {}", shown_url(url)))
            .hint("write it as https://label.example.com")
    })?;
    Ok((server.origin, format!("{}/", server.base)))
}
