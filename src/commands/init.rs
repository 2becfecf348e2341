//! `ls-token init`, `completions` and `man`: the files in `shell/`, and what the build made of the command line.

use crate::cli::Shell;

pub(crate) const MANUAL: &str = include_str!(concat!(env!("OUT_DIR"), "/man"));

pub(crate) struct ShellFiles {
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) plugin: &'static str,
    pub(crate) completions: &'static str,
    /// The line of a start-up file that loads the plugin.
    pub(crate) load: &'static str,
    /// What the shell reads when it starts, below the home directory or ZDOTDIR. A directory stands for the files in it.
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
        startup: &[".zshenv", ".zprofile", ".zshrc", ".zsh_plugins.txt", ".zimrc", ".config/sheldon/plugins.toml"],
        copies: &[".oh-my-zsh/custom/plugins/ls-token/ls-token.plugin.zsh", ".zprezto/contrib/ls-token/init.zsh"],
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

pub(crate) fn files_of(shell: Shell) -> &'static ShellFiles {
    let [zsh, bash, fish] = &SHELLS;
    match shell {
        Shell::Zsh => zsh,
        Shell::Bash => bash,
        Shell::Fish => fish,
    }
}
