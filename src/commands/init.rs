//! `ls-token init`, `completions` and `man`: what the shells load, and the manual page. The plugins are the files in
//! `shell/`; the build made the rest from the command line's definition.

use crate::cli::Shell;
use crate::error::Result;
use crate::settings::Profiles;
use crate::system::{Environment, stdout};

pub(crate) struct ShellFiles {
    pub(crate) name: &'static str,
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

pub(crate) static SHELLS: [ShellFiles; 3] = [
    ShellFiles {
        name: "zsh",
        file: "ls-token.plugin.zsh",
        plugin: include_str!("../../shell/ls-token.plugin.zsh"),
        completions: include_str!(concat!(env!("OUT_DIR"), "/zsh")),
        load: "eval \"$(ls-token init zsh)\"",
        startup: &[".zshenv", ".zprofile", ".zshrc", ".zsh_plugins.txt", ".config/sheldon/plugins.toml"],
        copies: &[".oh-my-zsh/custom/plugins/ls-token/ls-token.plugin.zsh"],
    },
    ShellFiles {
        name: "bash",
        file: "ls-token.bash",
        plugin: include_str!("../../shell/ls-token.bash"),
        completions: include_str!(concat!(env!("OUT_DIR"), "/bash")),
        load: "eval \"$(ls-token init bash)\"",
        startup: &[".bashrc", ".bash_profile", ".bash_login", ".profile", ".bash_aliases", ".aliases"],
        copies: &[".oh-my-bash/custom/plugins/ls-token/ls-token.plugin.bash", ".bash_it/custom/ls-token.bash"],
    },
    ShellFiles {
        name: "fish",
        file: "ls-token.fish",
        plugin: include_str!("../../shell/ls-token.fish"),
        completions: include_str!(concat!(env!("OUT_DIR"), "/fish")),
        load: "ls-token init fish | source",
        startup: &[".config/fish/config.fish", ".config/fish/conf.d", ".config/fish/functions"],
        copies: &[".config/fish/conf.d/ls-token.fish"],
    },
];

fn files_of(shell: Shell) -> &'static ShellFiles {
    let [zsh, bash, fish] = &SHELLS;
    match shell {
        Shell::Zsh => zsh,
        Shell::Bash => bash,
        Shell::Fish => fish,
    }
}

pub(crate) fn print_plugin(shell: Shell) -> Result<()> {
    stdout::print(files_of(shell).plugin)
}

pub(crate) fn print_completions(shell: Shell) -> Result<()> {
    stdout::print(files_of(shell).completions)
}

pub(crate) fn print_manual() -> Result<()> {
    stdout::print(include_str!(concat!(env!("OUT_DIR"), "/man")))
}

/// Prints the names of the profiles, one a line, but none that is more than a plain word to a shell: bash expands what
/// it is offered as completions, commands included.
pub(crate) fn print_profile_names() -> Result<()> {
    let environment = Environment::read()?;
    let profiles = Profiles::load(&environment)?;
    let is_plain = |name: &&str| name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    stdout::print(&profiles.names().filter(is_plain).flat_map(|name| [name, "\n"]).collect::<String>())
}
