//! What the environment says that only `doctor` and `status` look at. Secrets in it are not read, but noticed.

use std::env::var_os;
use std::path::PathBuf;

use super::environment::KEY_VARIABLE;

/// The variables that name a proxy, as curl and the exchange read them.
const PROXIES: [&str; 6] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"];

#[derive(Debug)]
pub(crate) struct ShellVars {
    /// The user's shell, by `SHELL`: its name alone.
    pub(crate) shell: String,
    /// Whether `NO_COLOR` is set: <https://no-color.org>.
    pub(crate) no_color: bool,
    /// The directory of zsh's start-up files, where that is not the home directory: `ZDOTDIR`.
    pub(crate) zdotdir: Option<PathBuf>,
    /// The directory of oh-my-zsh's plugins of one's own: `ZSH_CUSTOM`.
    pub(crate) zsh_custom: Option<PathBuf>,
    /// The proxy variables that are set, and their values without user and password.
    pub(crate) proxies: Vec<(&'static str, String)>,
    /// The variables that make a program show secrets: they are set.
    pub(crate) revealing: Vec<&'static str>,
}

impl ShellVars {
    pub(crate) fn read() -> Self {
        let text = |name: &str| {
            let value = var_os(name).filter(|value| !value.is_empty())?;
            Some(value.to_string_lossy().into_owned())
        };
        let path = |name: &str| {
            let path = PathBuf::from(var_os(name)?);
            Some(path).filter(|path| path.is_absolute())
        };
        let shell = text("SHELL").unwrap_or_default();
        let shell = shell.rsplit('/').next().unwrap_or_default().to_owned();
        let proxies = PROXIES.into_iter().filter_map(|name| Some((name, without_login(&text(name)?))));
        let revealing = [KEY_VARIABLE, "SSLKEYLOGFILE"];
        Self {
            shell,
            no_color: text("NO_COLOR").is_some(),
            zdotdir: path("ZDOTDIR"),
            zsh_custom: path("ZSH_CUSTOM"),
            proxies: proxies.collect(),
            revealing: revealing.into_iter().filter(|name| text(name).is_some()).collect(),
        }
    }
}

/// Returns a proxy's address without the user and password that it may hold.
fn without_login(value: &str) -> String {
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
        for (value, shown) in [
            ("http://user:secret@proxy:3128", "http://proxy:3128"),
            ("user:se@cret@proxy:3128", "proxy:3128"),
            ("http://proxy:3128", "http://proxy:3128"),
        ] {
            assert_eq!(without_login(value), shown);
        }
    }
}
