//! The shells: whether a start-up file loads the plugin, and which one; helpers of one's own that do the same worse. What
//! the shell that called has loaded cannot be seen from a program that it runs.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::report::{Check, Report};
use crate::cli::Shell;
use crate::commands::init;
use crate::error::Result;
use crate::system::environment::{Environment, KEY_VARIABLE};
use crate::system::shell_variables::Surroundings;

/// The most that is read of a start-up file, in bytes.
const MOST: u64 = 1 << 20;

/// The shells that there is a plugin for, with the plugin's file name.
const SHELLS: [(&str, Shell, &str); 3] = [
    ("zsh", Shell::Zsh, "ls-token.plugin.zsh"),
    ("bash", Shell::Bash, "ls-token.bash"),
    ("fish", Shell::Fish, "ls-token.fish"),
];

/// Looks at variables that every program sees, or that make programs tell secrets.
pub(super) fn variables(around: &Surroundings) -> Check {
    let name = "environment";
    if around.telling.is_empty() {
        return Check::ok(name, "no variable holds or tells a secret");
    }
    let hint = if around.telling.contains(&KEY_VARIABLE) {
        "keep the personal access token out of the environment (ls-token login), and let `ls-token exec` set it for the one program that needs it"
    } else {
        "unset SSLKEYLOGFILE: it has programs write down the keys of their connections"
    };
    let set = around.telling.join(" and ");
    Check::warn(name, format!("{set} set: every program that is started sees what is in it"), hint)
}

/// A line of a start-up file.
struct Line {
    /// The file and the line's number.
    place: String,
    /// The line, without the blanks around it.
    text: String,
}

/// Looks at the start-up files.
pub(super) fn examine(report: &mut Report, environment: &Environment, around: &Surroundings) -> Result<()> {
    let Some(home) = environment.home() else {
        report.add(Check::skipped("plugin", "needs a home folder"))?;
        return report.add(Check::skipped("helpers", "needs a home folder"));
    };
    let files = startup_files(home, around);
    let lines: Vec<Line> = files.iter().flat_map(|path| lines_of(path)).collect();
    report.add(plugin(home, around, &lines))?;
    report.add(helpers(&lines))
}

/// Lists the files that shells read when they start.
fn startup_files(home: &Path, around: &Surroundings) -> Vec<PathBuf> {
    const OF_ZSH: [&str; 4] = [".zshenv", ".zprofile", ".zshrc", ".zsh_plugins.txt"];
    const OTHERS: [&str; 8] = [
        ".bashrc",
        ".bash_profile",
        ".bash_login",
        ".profile",
        ".bash_aliases",
        ".aliases",
        ".config/fish/config.fish",
        ".config/sheldon/plugins.toml",
    ];
    let zsh = around.zdotdir.as_deref().unwrap_or(home);
    let mut files: Vec<PathBuf> = OF_ZSH.iter().map(|name| zsh.join(name)).collect();
    files.extend(OTHERS.iter().map(|name| home.join(name)));
    for folder in ["conf.d", "functions"] {
        let entries = fs::read_dir(home.join(".config/fish").join(folder));
        files.extend(entries.into_iter().flatten().flatten().map(|entry| entry.path()));
    }
    files
}

/// Reads a text file; `None` where it is not there, or none.
pub(super) fn read_text(path: &Path) -> Option<String> {
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MOST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the lines of a file that are no comments. A copy of the plugin itself is passed over.
fn lines_of(path: &Path) -> Vec<Line> {
    let text = read_text(path).unwrap_or_default();
    if text.contains("function __ls_token_") {
        return Vec::new();
    }
    let numbered = text.lines().enumerate().map(|(number, line)| Line {
        place: format!("{}, line {}", path.display(), number + 1),
        text: line.trim().to_owned(),
    });
    numbered.filter(|line| !line.text.is_empty() && !line.text.starts_with('#')).collect()
}

/// Says how each shell's plugin is loaded, and whether it is the one that belongs to this program.
fn plugin(home: &Path, around: &Surroundings, lines: &[Line]) -> Check {
    let name = "plugin";
    let mut found = Vec::new();
    let mut stale = Vec::new();
    for (shell, kind, file) in SHELLS {
        for line in lines {
            if line.text.contains(&format!("ls-token init {shell}")) {
                found.push(format!("{shell} by init ({})", line.place));
            } else if let Some(path) = path_in(&line.text, file, home) {
                judge(shell, kind, &path, &mut found, &mut stale);
            }
        }
        for path in copies(home, around, shell) {
            if path.exists() {
                judge(shell, kind, &path, &mut found, &mut stale);
            }
        }
    }
    let unseen = "whether this very shell has it: type lscurl";
    if !stale.is_empty() {
        return Check::warn(
            name,
            format!("of another version than this program: {}", stale.join(", ")),
            "write it anew: ls-token init SHELL > that file",
        );
    }
    if !found.is_empty() {
        return Check::ok(name, format!("loaded by {}; {unseen}", found.join(", ")));
    }
    let shell = SHELLS.iter().find(|(name, ..)| *name == around.shell);
    let shell = shell.map_or("zsh", |(name, ..)| name);
    let line = if shell == "fish" {
        "ls-token init fish | source".to_owned()
    } else {
        format!("eval \"$(ls-token init {shell})\"")
    };
    Check::ok(
        name,
        format!(
            "no start-up file that is looked at loads it; where lscurl is not there in {shell}, add the line {line}"
        ),
    )
}

/// Compares a plugin's file with the one that this program has.
fn judge(shell: &str, kind: Shell, path: &Path, found: &mut Vec<String>, stale: &mut Vec<String>) {
    let shown = format!("{shell} from {}", path.display());
    if read_text(path).as_deref() == Some(init::plugin(kind)) {
        found.push(shown);
    } else {
        stale.push(shown);
    }
}

/// Returns the path of the file that a line names, by itself or by its folder, as plugin managers take it; `~` and `$HOME`
/// are the home folder.
fn path_in(line: &str, file: &str, home: &Path) -> Option<PathBuf> {
    let words = shell_words::split(line).ok()?;
    let path_of = |word: &String| {
        let word = word.trim_end_matches(',');
        let below = ["~/", "$HOME/", "${HOME}/"].iter().find_map(|start| word.strip_prefix(start));
        let path = below.map_or_else(|| PathBuf::from(word), |below| home.join(below));
        let path = if word.ends_with(file) { path } else { path.join(file) };
        Some(path).filter(|path| path.is_absolute() && path.exists())
    };
    words.iter().find_map(path_of)
}

/// Lists the places where plugin managers want a copy.
fn copies(home: &Path, around: &Surroundings, shell: &str) -> Vec<PathBuf> {
    match shell {
        "zsh" => {
            let custom = around.zsh_custom.clone();
            let custom = custom.unwrap_or_else(|| home.join(".oh-my-zsh/custom"));
            vec![custom.join("plugins/ls-token/ls-token.plugin.zsh")]
        }
        "bash" => vec![
            home.join(".oh-my-bash/custom/plugins/ls-token/ls-token.plugin.bash"),
            home.join(".bash_it/custom/ls-token.bash"),
        ],
        _ => vec![home.join(".config/fish/conf.d/ls-token.fish")],
    }
}

/// Looks for functions and aliases that hide this program's own, and for tokens in plain sight.
fn helpers(lines: &[Line]) -> Check {
    let name = "helpers";
    let mut odd = Vec::new();
    for line in lines {
        if defines(&line.text) {
            odd.push(format!("a helper of one's own hides the plugin's ({})", line.place));
        } else if line.text.contains("/api/token/refresh") {
            odd.push(format!("an exchange by hand ({})", line.place));
        } else if line.text.contains(KEY_VARIABLE) && line.text.contains("eyJ") {
            odd.push(format!("a personal access token in plain text ({})", line.place));
        }
    }
    if odd.is_empty() {
        return Check::ok(name, "no start-up file has one of its own");
    }
    Check::warn(name, odd.join("; "), "take it out: ls_token and lscurl do the same, and keep the tokens out of sight")
}

/// Tells whether a line defines one of the plugin's names.
fn defines(line: &str) -> bool {
    ["ls_token", "lscurl", "ls-token"].iter().any(|name| {
        let after = |start: &str| {
            let rest = line.strip_prefix(start)?.trim_start().strip_prefix(name)?;
            Some(rest.trim_start())
        };
        let is_function =
            after("function ").is_some_and(|rest| rest.is_empty() || rest.starts_with(['(', '{', '-', ';', '#']));
        let is_plain = after("").is_some_and(|rest| rest.starts_with("()"));
        let is_alias = after("alias ").is_some_and(|rest| rest.starts_with(['=', '\'', '"']));
        is_function || is_plain || is_alias
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_told_from_calls() {
        for line in [
            "ls_token() {",
            "ls_token () { curl; }",
            "function ls_token {",
            "function lscurl",
            "alias lscurl='curl'",
            "function ls_token --description x",
        ] {
            assert!(defines(line), "{line}");
        }
        for line in [
            "ls_token",
            "t=$(ls_token)",
            "eval \"$(ls-token init zsh)\"",
            "ls_tokens() {",
            "function ls_token_old {",
            "lscurl /api/",
        ] {
            assert!(!defines(line), "{line}");
        }
    }
}
