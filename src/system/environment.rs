//! The environment, read once. No other module asks for a variable.

use std::env::{split_paths, var_os};
use std::ffi::OsString;
use std::path::PathBuf;

use super::files::Purpose;
use crate::error::{Error, Fact, Kind, Result};
use crate::types::{Secret, untrusted};

/// The variables that the Label Studio SDK reads: <https://api.labelstud.io/api-reference/introduction/getting-started>.
pub(crate) const URL_VARIABLE: &str = "LABEL_STUDIO_URL";
pub(crate) const KEY_VARIABLE: &str = "LABEL_STUDIO_API_KEY";

/// What the environment says. What is rarely needed is asked for when it is.
#[derive(Debug)]
pub(crate) struct Environment {
    /// The settings file; none without a home directory.
    pub(crate) config: Option<PathBuf>,
    /// Whether `LS_TOKEN_CONFIG` named it, so that it must be there.
    pub(crate) config_is_named: bool,
    pub(crate) home: Option<PathBuf>,
    pub(crate) profile: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) has_api_key: bool,
}

impl Environment {
    /// Reads the environment. A variable that is set but empty counts as not set.
    pub(crate) fn read() -> Result<Self> {
        let home = dirs::home_dir().filter(|home| home.is_absolute());
        let named = absolute("LS_TOKEN_CONFIG")?;
        // Not `dirs::config_dir`: on macOS that is ~/Library, where nobody looks for a command's settings.
        let directory =
            path("XDG_CONFIG_HOME").filter(|path| path.is_absolute()).or_else(|| Some(home.as_ref()?.join(".config")));
        let config_is_named = named.is_some();
        let config = named.or_else(|| Some(directory?.join("ls-token/config.toml")));
        Ok(Self {
            config,
            config_is_named,
            home,
            profile: text("LS_TOKEN_PROFILE")?,
            url: text(URL_VARIABLE)?,
            has_api_key: text(KEY_VARIABLE)?.is_some(),
        })
    }

    /// Returns the settings file for a message.
    pub(crate) fn shown_config(&self) -> String {
        self.config.as_ref().map_or_else(
            || "none: there is no home directory, and LS_TOKEN_CONFIG is not set".into(),
            |path| path.display().to_string(),
        )
    }

    /// Returns the settings file for a message, and whether it is there.
    pub(crate) fn described_config(&self) -> String {
        let is_there = self.config.as_ref().is_none_or(|path| path.exists());
        format!("{}{}", self.shown_config(), if is_there { "" } else { " (does not exist)" })
    }

    /// Returns whether `LABEL_STUDIO_URL` and `LABEL_STUDIO_API_KEY` make a profile of their own.
    pub(crate) fn has_pair(&self) -> bool {
        self.url.is_some() && self.has_api_key
    }

    /// Returns the cache directory that `LS_TOKEN_CACHE_DIR` names.
    pub(crate) fn named_cache_directory() -> Result<Option<PathBuf>> {
        absolute("LS_TOKEN_CACHE_DIR")
    }

    /// Lists the directories that caches may be made in: the user's in memory (`XDG_RUNTIME_DIR`), then that for caches.
    pub(crate) fn cache_parents() -> impl Iterator<Item = PathBuf> {
        [dirs::runtime_dir, dirs::cache_dir]
            .into_iter()
            .filter_map(|directory| directory().filter(|path| path.is_absolute()))
    }

    /// Lists the places where curl looks for `.curlrc`, in curl's order: <https://curl.se/docs/manpage.html#-K>.
    pub(crate) fn curlrc_places(&self) -> Vec<PathBuf> {
        // A relative one would be another directory in each place that this is run in.
        let absolute = |name| path(name).filter(|path| path.is_absolute());
        let (curl_home, xdg, home) = (&absolute("CURL_HOME"), &absolute("XDG_CONFIG_HOME"), &self.home);
        let places = [(curl_home, ".curlrc"), (xdg, "curlrc"), (xdg, ".curlrc"), (home, ".curlrc")].into_iter();
        let without_xdg = [(curl_home, ".config/curlrc"), (home, ".config/curlrc")];
        let places = places.chain(without_xdg.into_iter().filter(|_| xdg.is_none()));
        places.filter_map(|(directory, name)| Some(directory.as_ref()?.join(name))).collect()
    }
}

/// The variables that name a proxy for https, and those that exempt from it, in curl's order: the first that is set counts.
pub(crate) const PROXIES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
pub(crate) const NO_PROXIES: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// Returns the first of the variables that is set, and its value.
pub(crate) fn first_set(names: &[&'static str]) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| Some((*name, value(name)?.to_string_lossy().into_owned())))
}

/// The variables that name CAs for every program, as OpenSSL reads them:
/// <https://docs.openssl.org/3.0/man7/openssl-env>.
pub(crate) const CA_FILE: &str = "SSL_CERT_FILE";
pub(crate) const CA_DIRECTORIES: &str = "SSL_CERT_DIR";

/// The variables that name a file of CAs for curl, and for Python's requests.
pub(crate) const CA_BUNDLES: [&str; 2] = ["CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"];

/// Returns the file and the directories of CAs that the environment names.
pub(crate) fn ca_variables() -> (Option<PathBuf>, Option<OsString>) {
    (path(CA_FILE), value(CA_DIRECTORIES))
}

/// What only `doctor` and `status` look at. Secrets are not read, but noticed.
#[derive(Debug)]
pub(crate) struct ShellVars {
    /// The user's shell, by `SHELL`: its name alone.
    pub(crate) shell: String,
    /// Whether `NO_COLOR` is set: <https://no-color.org>.
    pub(crate) no_color: bool,
    /// The directory of zsh's start-up files, where that is not the home directory: `ZDOTDIR`.
    pub(crate) zdotdir: Option<PathBuf>,
    /// The directory of the user's own plugins for oh-my-zsh: `ZSH_CUSTOM`.
    pub(crate) zsh_custom: Option<PathBuf>,
    /// The proxy variables that are set, and their values without user and password.
    pub(crate) proxies: Vec<(&'static str, String)>,
    /// The variables that name a file of CAs for some programs alone, where they are set.
    pub(crate) ca_bundles: Vec<(&'static str, PathBuf)>,
    /// The variables that make a program show secrets: they are set.
    pub(crate) revealing: Vec<&'static str>,
}

impl ShellVars {
    pub(crate) fn read() -> Self {
        let text = |name: &str| Some(value(name)?.to_string_lossy().into_owned());
        let ca_bundles = CA_BUNDLES.into_iter().filter_map(|name| Some((name, path(name)?))).collect();
        let path = |name: &str| path(name).filter(|path| path.is_absolute());
        let shell = text("SHELL").unwrap_or_default();
        let proxies =
            PROXIES.into_iter().chain(NO_PROXIES).filter_map(|name| Some((name, without_login(&text(name)?))));
        let revealing = [KEY_VARIABLE, "SSLKEYLOGFILE"];
        Self {
            shell: shell.rsplit('/').next().unwrap_or_default().to_owned(),
            no_color: value("NO_COLOR").is_some(),
            zdotdir: path("ZDOTDIR"),
            zsh_custom: path("ZSH_CUSTOM"),
            proxies: proxies.collect(),
            ca_bundles,
            revealing: revealing.into_iter().filter(|name| value(name).is_some()).collect(),
        }
    }
}

/// The directory that `data_directory` returns.
pub(crate) const TOKEN_DIRECTORY: Purpose =
    Purpose { name: "the directory of stored tokens", remedy: "set XDG_DATA_HOME to a directory of your own" };

/// Returns the directory for tokens that are kept: `ls-token` in the user's directory for data.
pub(crate) fn data_directory() -> Result<PathBuf> {
    match dirs::data_dir().filter(|data| data.is_absolute()) {
        Some(data) => Ok(data.join("ls-token")),
        None => Err(Error::new(Kind::Settings, "there is no home directory for stored tokens").hint("set HOME")),
    }
}

/// Returns the value of a variable that holds a token.
pub(crate) fn secret(name: &str) -> Result<Option<Secret>> {
    Ok(text(name)?.map(Secret::new))
}

/// Returns the absolute directories of PATH, so that nothing is ever run from the current directory.
pub(crate) fn search_path() -> Vec<PathBuf> {
    let path = var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    split_paths(&path).filter(|directory| directory.is_absolute()).collect()
}

/// Returns the value of a variable that names a path, which may not depend on the current directory.
fn absolute(name: &str) -> Result<Option<PathBuf>> {
    match path(name) {
        Some(path) if !path.is_absolute() => {
            let what = format!("{name} depends on the current directory");
            Err(Error::new(Kind::Settings, what)
                .with(Fact::From, untrusted(&format!("{name}={}", path.display())))
                .hint("use an absolute path"))
        }
        path => Ok(path),
    }
}

fn value(name: &str) -> Option<OsString> {
    var_os(name).filter(|value| !value.is_empty())
}

fn path(name: &str) -> Option<PathBuf> {
    value(name).map(PathBuf::from)
}

fn text(name: &str) -> Result<Option<String>> {
    let text = value(name).map(OsString::into_string).transpose();
    text.map_err(|_| Error::new(Kind::Settings, format!("the variable {name} is not UTF-8")))
}

/// Returns a proxy's address without the user and password that it may hold.
pub(crate) fn without_login(value: &str) -> String {
    match (value.split_once("://"), value.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f07_a_proxys_password_is_not_shown() {
        assert_eq!(without_login("http://user:secret@proxy:3128"), "http://proxy:3128");
        assert_eq!(without_login("user:se@cret@proxy:3128"), "proxy:3128");
        assert_eq!(without_login("http://proxy:3128"), "http://proxy:3128");
    }
}
