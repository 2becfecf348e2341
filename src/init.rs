//! Prints the plugin of a shell: the very files that lie in `shell/`.

use crate::cli::Shell;
use crate::error::Result;
use crate::output;

/// Prints the plugin.
pub(crate) fn print(shell: Shell) -> Result<()> {
    output::print(match shell {
        Shell::Zsh => include_str!("../shell/ls-token.plugin.zsh"),
        Shell::Bash => include_str!("../shell/ls-token.bash"),
        Shell::Fish => include_str!("../shell/ls-token.fish"),
    })
}
