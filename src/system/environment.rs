//! The environment, read once. No other module asks for a variable.

use std::env::{split_paths, var_os};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustix::process::getsid;

use super::files::Purpose;
use super::process::user;
use crate::error::{Error, Fact, Kind, Result};
use crate::types::{Secret, untrusted, unwrapped};

/// The variables that the Label Studio SDK reads: <https://api.labelstud.io/api-reference/introduction/getting-started>.
const CONFIG_VARIABLE: &str = "LS_TOKEN_CONFIG";
pub(crate) const URL_VARIABLE: &str = "LABEL_STUDIO_URL";
pub(crate) const KEY_VARIABLE: &str = "LABEL_STUDIO_API_KEY";

/// What the environment says. What is rarely needed is asked for when it is.
#[derive(Debug)]
pub(crate) struct Environment {
    config: Option<PathBuf>,
    /// Whether `LS_TOKEN_CONFIG` named it, so that it must be there.
    pub(crate) config_is_named: bool,
    pub(crate) home: Option<PathBuf>,
    pub(crate) profile: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) has_api_key: bool,
}

impl Environment {
    /// Reads the environment. A variable that is set but empty counts as not set. What is wrong with a value is told where
    /// the value is used: one that is of no concern stops nothing.
    pub(crate) fn read() -> Self {
        let home = dirs::home_dir().filter(|home| home.is_absolute());
        let named = path(CONFIG_VARIABLE);
        // Not `dirs::config_dir`: on macOS that is ~/Library, where nobody looks for a command's settings.
        let directory =
            path("XDG_CONFIG_HOME").filter(|path| path.is_absolute()).or_else(|| Some(home.as_ref()?.join(".config")));
        let config_is_named = named.is_some();
        let config = named.or_else(|| Some(directory?.join("ls-token/config.toml")));
        let (profile, url) = (text("LS_TOKEN_PROFILE"), text(URL_VARIABLE));
        Self { config, config_is_named, home, profile, url, has_api_key: text(KEY_VARIABLE).is_some() }
    }

    /// Returns the settings file, which may not depend on the current directory; none without a home directory.
    pub(crate) fn config(&self) -> Result<Option<&Path>> {
        self.config.as_deref().map(|path| check_absolute(CONFIG_VARIABLE, path)).transpose()
    }

    /// Returns what is to be said of a variable of the pair that is set but empty, as a secret that a job does not get.
    pub(crate) fn empty_variable() -> Option<String> {
        let is_empty = |name: &&&str| var_os(name).is_some() && text(name).is_none();
        let name = [URL_VARIABLE, KEY_VARIABLE].iter().find(is_empty)?;
        Some(format!("{name} is set but empty: check that its value reaches this process"))
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
        let name = "LS_TOKEN_CACHE_DIR";
        path(name).map(|path| check_absolute(name, path)).transpose()
    }

    /// Lists the directories that caches may be made in: the user's in memory (`XDG_RUNTIME_DIR`), then that for caches.
    pub(crate) fn cache_parents() -> impl Iterator<Item = PathBuf> {
        [dirs::runtime_dir, dirs::cache_dir]
            .into_iter()
            .filter_map(|directory| directory().filter(|path| path.is_absolute()))
    }

    /// Lists the directories for the cache of a user who has no place for one, as in a container: below those that are
    /// everybody's.
    pub(crate) fn shared_cache_directories() -> impl Iterator<Item = PathBuf> {
        let parents = [std::env::temp_dir(), PathBuf::from("/dev/shm")].into_iter().filter(|path| path.is_absolute());
        parents.map(|parent| parent.join(format!("ls-token-{}", user())))
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

/// The variables that differ between calls that ask for the same.
const OF_ONE_CALL: [&str; 6] = ["_", "COLUMNS", "LINES", "OLDPWD", "PWD", "SHLVL"];

/// Describes what around a process decides whether it reaches a server: variables, and the network that it is in; and where
/// it runs a program for the token, all that the program may look at: every variable, and the session, which has a terminal.
pub(crate) fn surroundings(runs_programs: bool) -> String {
    let matters = |name: &str| {
        let of_network = name.ends_with("proxy") || name.ends_with("PROXY") || name.starts_with("SSL_CERT");
        // GNU parallel numbers its jobs.
        of_network || runs_programs && !OF_ONE_CALL.contains(&name) && !name.starts_with("PARALLEL")
    };
    let variables = std::env::vars_os().filter(|(name, _)| matters(&name.to_string_lossy()));
    let variables = variables.map(|(name, value)| format!("{}={}\0", name.to_string_lossy(), value.to_string_lossy()));
    // A version manager in front of the program may go by the directory.
    let place = std::env::current_dir().ok().filter(|_| runs_programs).map(|path| path.to_string_lossy().into_owned());
    let session = getsid(None).ok().filter(|_| runs_programs).map(|id| id.as_raw_nonzero().to_string());
    let network = std::fs::read_link("/proc/self/ns/net").ok().map(|name| name.to_string_lossy().into_owned());
    variables.chain(place).chain(session).chain(network).collect()
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
    let given = value(name).map(OsString::into_string).transpose();
    let given = given.map_err(|_| Error::new(Kind::NoCredential, format!("the variable {name} is not UTF-8")))?;
    Ok(given.filter(|text| !unwrapped(text).is_empty()).map(Secret::new))
}

/// Returns the absolute directories of PATH, so that nothing is ever run from the current directory.
pub(crate) fn search_path() -> Vec<PathBuf> {
    let path = var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    split_paths(&path).filter(|directory| directory.is_absolute()).collect()
}

/// Refuses a path in a variable that depends on the current directory.
fn check_absolute<P: AsRef<Path>>(name: &str, path: P) -> Result<P> {
    if path.as_ref().is_absolute() {
        return Ok(path);
    }
    Err(Error::new(Kind::Settings, format!("{name} depends on the current directory"))
        .with(Fact::From, untrusted(&format!("{name}={}", path.as_ref().display())))
        .hint("use an absolute path"))
}

fn value(name: &str) -> Option<OsString> {
    var_os(name).filter(|value| !value.is_empty())
}

fn path(name: &str) -> Option<PathBuf> {
    value(name).map(PathBuf::from)
}

/// Returns the text of a variable; what is not UTF-8 in it is replaced, and fails where it is used.
fn text(name: &str) -> Option<String> {
    let value = value(name)?;
    Some(unwrapped(&value.to_string_lossy()).to_owned()).filter(|text| !text.is_empty())
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
