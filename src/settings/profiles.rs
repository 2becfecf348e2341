//! Every profile that there is, and which of them is meant by a name, a URL, or nothing at all.

use std::path::PathBuf;

use super::file;
use super::profile::{ENVIRONMENT, Profile, sdk_profile, shown_url};
use crate::error::{Error, Kind, Result};
use crate::source::Source;
use crate::system::environment::{Environment, KEY_VARIABLE, URL_VARIABLE, shown};
use crate::system::stderr::Console;
use crate::types::escape::foreign;
use crate::types::origin::Origin;
use crate::types::server::Server;

/// What the command line says of the choice of a profile.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choice {
    /// `--profile`.
    pub(crate) profile: Option<String>,
    /// `--url`.
    pub(crate) url: Option<String>,
}

/// Returns the profile to use: `--profile`, `--url`, `LS_TOKEN_PROFILE`, `LABEL_STUDIO_URL`, the file's default, in
/// this order.
pub(crate) fn choose(environment: &Environment, choice: &Choice, console: Console) -> Result<Profile> {
    let chosen = if choice.profile.is_none()
        && choice.url.is_none()
        && environment.profile.is_none()
        && let Some(pair) = sdk_profile(environment)?
    {
        pair
    } else {
        Profiles::load(environment)?.choose(environment, choice, console)?
    };
    chosen.tell(console);
    Ok(chosen)
}

/// Every profile that there is.
#[derive(Debug)]
pub(crate) struct Profiles {
    /// Those of the settings file, and before them the environment's.
    list: Vec<Profile>,
    /// The name of the one to use where nothing else is said.
    default: Option<String>,
    /// `LS_TOKEN_PROFILE`: the one to use of several for a URL.
    preferred: Option<String>,
    /// The settings file that was looked for, for messages.
    file: Option<PathBuf>,
}

impl Profiles {
    /// Reads the environment's profile and the settings file.
    pub(crate) fn load(environment: &Environment) -> Result<Self> {
        let file = file::read(environment)?;
        // A pair that is no good counts where it would be used, and nowhere else.
        let mut list: Vec<Profile> = sdk_profile(environment).ok().flatten().into_iter().collect();
        list.extend(file.profiles);
        let mut all = Self {
            list,
            default: file.default,
            preferred: environment.profile.clone(),
            file: environment.config.clone(),
        };
        let mut hidden: Vec<String> = all.secret_variables().map(str::to_owned).collect();
        hidden.push(KEY_VARIABLE.into());
        for profile in &mut all.list {
            profile.leave_key_of_another_server(environment);
            profile.secret_variables.clone_from(&hidden);
        }
        Ok(all)
    }

    /// Returns the profile to use, by the order that `choose` names.
    pub(crate) fn choose(&self, environment: &Environment, choice: &Choice, console: Console) -> Result<Profile> {
        if environment.api_key.is_some() && environment.url.is_none() {
            console.note(format_args!(
                "settings: {KEY_VARIABLE} without {URL_VARIABLE} is passed over, unless a profile names it"
            ));
        }
        let by_name = choice.profile.as_ref().or(environment.profile.as_ref().filter(|_| choice.url.is_none()));
        if let Some(name) = by_name {
            if name == ENVIRONMENT {
                sdk_profile(environment)?;
            }
            let profile = self.named(name)?;
            if let Some(url) = &choice.url {
                let (origin, path) = parse_url(url, "--url")?;
                if !profile.server.holds(&origin, &path) {
                    return Err(Error::new(
                        Kind::Settings,
                        format!("--url is not the server of profile {name}, and gets no token of it"),
                    )
                    .with("--url", url)
                    .with("server", &profile.server)
                    .hint("leave out one of --url and --profile"));
                }
            }
            return Ok(profile.clone());
        }
        if let Some(url) = &choice.url {
            return self.by_url(url, "--url");
        }
        if let Some(url) = &environment.url {
            sdk_profile(environment)?;
            return self.by_url(url, URL_VARIABLE);
        }
        self.usual()
    }

    /// Returns the profile that the origin and path lie under: the one with the longest base path.
    pub(crate) fn holding(&self, origin: &Origin, path: &str) -> Result<Option<&Profile>> {
        let held = || self.list.iter().filter(|profile| profile.server.holds(origin, path));
        let Some(longest) = held().map(|profile| profile.server.base.len()).max() else {
            return Ok(None);
        };
        let best: Vec<_> = held().filter(|profile| profile.server.base.len() == longest).collect();
        let of_name = |name: Option<&str>| {
            let mut named = best.iter().filter(|profile| Some(profile.name.as_str()) == name);
            named.next()
        };
        let preferred = of_name(self.preferred.as_deref())
            .or_else(|| of_name(Some(ENVIRONMENT)))
            .or_else(|| of_name(self.default.as_deref()));
        match best.as_slice() {
            [only] => Ok(Some(only)),
            several => match preferred {
                Some(profile) => Ok(Some(profile)),
                None => {
                    Err(Error::new(Kind::Settings, format!("several profiles are for {origin}: {}", names(several)))
                        .with("file", self.file())
                        .hint("say which with --profile (before `curl`), or with LS_TOKEN_PROFILE for lscurl"))
                }
            },
        }
    }

    /// Returns the settings file for a message.
    fn file(&self) -> String {
        shown(self.file.as_deref())
    }

    /// Returns the profiles.
    pub(crate) fn into_list(self) -> Vec<Profile> {
        self.list
    }

    /// Names the profiles.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|profile| profile.name.as_str())
    }

    /// Names the variables that hold a personal access token.
    pub(crate) fn secret_variables(&self) -> impl Iterator<Item = &str> {
        variables_of(&self.list)
    }

    /// Lists the servers, for messages.
    pub(crate) fn servers(&self) -> String {
        self.list.iter().map(|profile| profile.server.to_string()).collect::<Vec<_>>().join(", ")
    }

    /// Returns the profile of that name.
    fn named(&self, name: &str) -> Result<&Profile> {
        self.list.iter().find(|profile| profile.name == name).ok_or_else(|| {
            let have =
                if self.list.is_empty() { "none".to_owned() } else { names(&self.list.iter().collect::<Vec<_>>()) };
            let whence = match &self.preferred {
                Some(preferred) if preferred == name => " (LS_TOKEN_PROFILE)",
                _ => "",
            };
            Error::new(Kind::Settings, format!("there is no profile {}{whence}", foreign(name)))
                .with("file", self.file())
                .hint(format!("profiles there are: {have}"))
        })
    }

    /// Returns the profile that the URL belongs to.
    fn by_url(&self, url: &str, whence: &str) -> Result<Profile> {
        let (origin, path) = parse_url(url, whence)?;
        if let Some(profile) = self.holding(&origin, &path)? {
            return Ok(profile.clone());
        }
        let refusal = Error::new(
            Kind::Settings,
            format!("no personal access token belongs to {origin}{}, so none is sent there", foreign(&path)),
        )
        .with("from", whence)
        .with("file", self.file());
        Err(match self.list.iter().find(|profile| profile.name == ENVIRONMENT) {
            Some(pair) => refusal
                .hint(format!("{KEY_VARIABLE} belongs to {} ({URL_VARIABLE}): change both together", pair.server)),
            None if self.list.is_empty() => refusal
                .hint(format!("run `ls-token login {}`, or export {KEY_VARIABLE} beside {URL_VARIABLE}", foreign(url))),
            None => refusal.hint(format!(
                "run `ls-token login {}`; there are profiles for {}",
                foreign(url),
                self.servers()
            )),
        })
    }

    /// Returns the profile to use where nothing says which.
    fn usual(&self) -> Result<Profile> {
        if let Some(name) = &self.default {
            return self.named(name).cloned();
        }
        match self.list.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(Error::new(Kind::Settings, "no Label Studio server is set")
                .with("file", format_args!("{} (has no profile)", self.file()))
                .hint(format!("run `ls-token login`, or export {URL_VARIABLE} and {KEY_VARIABLE}"))),
            several => Err(Error::new(Kind::Settings, "there are several profiles and none is the default")
                .with("file", self.file())
                .hint(format!(
                    "say --profile, or write `default = \"NAME\"` with one of {}",
                    names(&several.iter().collect::<Vec<_>>())
                ))),
        }
    }
}

/// Names the variables that hold the personal access tokens of these profiles.
pub(super) fn variables_of(profiles: &[Profile]) -> impl Iterator<Item = &str> {
    let sources = profiles.iter().map(|profile| &profile.source);
    sources.filter_map(|source| match source {
        Source::Environment(name, _) => Some(name.as_str()),
        _ => None,
    })
}

/// Parses a URL that is to pick a profile; `whence` is where the user wrote it.
fn parse_url(url: &str, whence: &str) -> Result<(Origin, String)> {
    let server = Server::parse(url).map_err(|fault| {
        Error::new(Kind::Settings, format!("the URL {fault}"))
            .with("from", format_args!("{whence} {}", shown_url(url)))
            .hint("write it as https://label.example.com")
    })?;
    Ok((server.origin, format!("{}/", server.base)))
}

/// Lists the names of profiles.
fn names(profiles: &[&Profile]) -> String {
    profiles.iter().map(|profile| profile.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Says what decides which profile is used.
pub(crate) fn reason(environment: &Environment, choice: &Choice) -> &'static str {
    if choice.profile.is_some() {
        "by --profile"
    } else if choice.url.is_some() {
        "by --url"
    } else if environment.profile.is_some() {
        "by LS_TOKEN_PROFILE"
    } else if environment.has_pair() {
        "by LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY"
    } else if environment.url.is_some() {
        "by LABEL_STUDIO_URL"
    } else {
        "by the settings: the default, or the only one"
    }
}
