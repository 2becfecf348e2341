//! `ls-token init`, `completions` and `man`: what the shells load, and the manual page. The plugins are the very files that
//! lie in `shell/`; the build made the rest from the command line's definition.

use crate::cli::Shell;
use crate::error::Result;
use crate::settings::Profiles;
use crate::system::{Environment, stdout};

pub(crate) struct ShellFiles {
    pub(crate) shell: Shell,
    pub(crate) name: &'static str,
    /// The plugin's file name, and what it holds.
    pub(crate) file: &'static str,
    pub(crate) plugin: &'static str,
    completions: &'static str,
    /// The line of a start-up file that loads the plugin.
    pub(crate) load: &'static str,
    /// The files that the shell reads when it starts: below the home directory, or, of zsh, below ZDOTDIR. A directory
    /// stands for the files in it.
    pub(crate) startup: &'static [&'static str],
    /// Where plugin managers want a copy of the plugin: below the home directory.
    pub(crate) copies: &'static [&'static str],
}

/// Every shell; a test holds that none is left out.
pub(crate) const SHELLS: [ShellFiles; 3] = [
    ShellFiles {
        shell: Shell::Zsh,
        name: "zsh",
        file: "ls-token.plugin.zsh",
        plugin: include_str!("../../shell/ls-token.plugin.zsh"),
        completions: include_str!(concat!(env!("OUT_DIR"), "/zsh")),
        load: "eval \"$(ls-token init zsh)\"",
        startup: &[".zshenv", ".zprofile", ".zshrc", ".zsh_plugins.txt", ".config/sheldon/plugins.toml"],
        copies: &[".oh-my-zsh/custom/plugins/ls-token/ls-token.plugin.zsh"],
    },
    ShellFiles {
        shell: Shell::Bash,
        name: "bash",
        file: "ls-token.bash",
        plugin: include_str!("../../shell/ls-token.bash"),
        completions: include_str!(concat!(env!("OUT_DIR"), "/bash")),
        load: "eval \"$(ls-token init bash)\"",
        startup: &[".bashrc", ".bash_profile", ".bash_login", ".profile", ".bash_aliases", ".aliases"],
        copies: &[".oh-my-bash/custom/plugins/ls-token/ls-token.plugin.bash", ".bash_it/custom/ls-token.bash"],
    },
    ShellFiles {
        shell: Shell::Fish,
        name: "fish",
        file: "ls-token.fish",
        plugin: include_str!("../../shell/ls-token.fish"),
        completions: include_str!(concat!(env!("OUT_DIR"), "/fish")),
        load: "ls-token init fish | source",
        startup: &[".config/fish/config.fish", ".config/fish/conf.d", ".config/fish/functions"],
        copies: &[".config/fish/conf.d/ls-token.fish"],
    },
];

pub(crate) fn print_plugin(shell: Shell) -> Result<()> {
    stdout::print(of(shell, |files| files.plugin))
}

pub(crate) fn print_completions(shell: Shell) -> Result<()> {
    stdout::print(of(shell, |files| files.completions))
}

fn of(shell: Shell, what: impl Fn(&ShellFiles) -> &'static str) -> &'static str {
    SHELLS.iter().find(|files| files.shell == shell).map_or("", what)
}

pub(crate) fn print_manual() -> Result<()> {
    stdout::print(include_str!(concat!(env!("OUT_DIR"), "/man")))
}

/// Prints the names of the profiles, one a line. Those that a shell reads otherwise than as one plain word are left out:
/// bash expands what it is offered as completions, commands in it included.
pub(crate) fn print_profile_names() -> Result<()> {
    let environment = Environment::read()?;
    let profiles = Profiles::load(&environment)?;
    let is_plain = |name: &&str| name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    stdout::print(&profiles.names().filter(is_plain).flat_map(|name| [name, "\n"]).collect::<String>())
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_has_its_files() {
        for shell in Shell::value_variants() {
            assert!(SHELLS.iter().any(|files| files.shell == *shell && files.plugin.len() > 1000), "{shell:?}");
        }
    }
}
