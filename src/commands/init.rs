//! Prints what the shells load: the plugins, which are the very files that lie in `shell/`, the completions and the manual
//! page, which the build made from the command line's definition.

use crate::cli::Shell;
use crate::error::Result;
use crate::settings::Profiles;
use crate::system::environment::Environment;
use crate::system::stdout;

/// Prints the plugin.
pub(crate) fn print_plugin(shell: Shell) -> Result<()> {
    stdout::print(plugin(shell))
}

/// Returns the plugin.
pub(crate) fn plugin(shell: Shell) -> &'static str {
    match shell {
        Shell::Zsh => include_str!("../../shell/ls-token.plugin.zsh"),
        Shell::Bash => include_str!("../../shell/ls-token.bash"),
        Shell::Fish => include_str!("../../shell/ls-token.fish"),
    }
}

/// Prints the completions.
pub(crate) fn print_completions(shell: Shell) -> Result<()> {
    stdout::print(match shell {
        Shell::Zsh => include_str!(concat!(env!("OUT_DIR"), "/zsh")),
        Shell::Bash => include_str!(concat!(env!("OUT_DIR"), "/bash")),
        Shell::Fish => include_str!(concat!(env!("OUT_DIR"), "/fish")),
    })
}

/// Prints the manual page.
pub(crate) fn print_manual() -> Result<()> {
    stdout::print(include_str!(concat!(env!("OUT_DIR"), "/man")))
}

/// Prints the names of the profiles, one a line. Those that a shell reads otherwise than as one plain word are left out:
/// bash expands what it is offered as completions, commands in it included.
pub(crate) fn print_profile_names() -> Result<()> {
    let profiles = Profiles::load(&Environment::read()?)?;
    let is_plain = |name: &&str| name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let names: Vec<&str> = profiles.names().filter(is_plain).collect();
    let mut lines = names.join("\n");
    if !lines.is_empty() {
        lines.push('\n');
    }
    stdout::print(&lines)
}
