//! The shells: whether a start-up file loads the plugin, and which one; helpers of the user's own that do the same worse. What
//! the shell that called has loaded cannot be seen from a program that it runs.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::report::{Check, Report};
use crate::commands::init::{SHELLS, ShellFiles};
use crate::error::Result;
use crate::system::{Environment, KEY_VARIABLE, ShellVars};

/// The most that is read of a start-up file, in bytes.
const MAX_STARTUP_BYTES: u64 = 1 << 20;

/// Looks at variables that every program sees, or that make programs tell secrets.
pub(super) fn variables(vars: &ShellVars) -> Check {
    let name = "environment";
    if vars.revealing.is_empty() {
        return Check::ok(name, "no variable holds or reveals a secret");
    }
    let hint = if vars.revealing.contains(&KEY_VARIABLE) {
        "keep the personal access token out of the environment (ls-token login), and let `ls-token exec` set it for the one program that needs it"
    } else {
        "unset SSLKEYLOGFILE: it makes programs write down the keys of their connections"
    };
    let set = vars.revealing.join(" and ");
    Check::warn(name, format!("every program that you start can read {set}"), hint)
}

struct Line {
    place: String,
    /// The line, without the blanks vars it.
    text: String,
}

pub(super) fn examine(report: &mut Report, environment: &Environment, vars: &ShellVars) -> Result<()> {
    let Some(home) = environment.home() else {
        report.add(Check::skipped("plugin", "needs a home directory"))?;
        return report.add(Check::skipped("helpers", "needs a home directory"));
    };
    let files = startup_files(home, vars);
    let lines: Vec<Line> = files.iter().flat_map(|path| lines_of(path)).collect();
    report.add(plugin(home, vars, &lines))?;
    report.add(helpers(&lines))
}

/// Lists the files that shells read when they start.
fn startup_files(home: &Path, vars: &ShellVars) -> Vec<PathBuf> {
    let zsh = vars.zdotdir.as_deref().unwrap_or(home);
    let mut files = Vec::new();
    for shell in &SHELLS {
        for name in shell.startup {
            let is_zsh = shell.name == "zsh" && !name.contains('/');
            let path = if is_zsh { zsh } else { home }.join(name);
            match fs::read_dir(&path) {
                Ok(entries) => files.extend(entries.flatten().map(|entry| entry.path())),
                Err(_) => files.push(path),
            }
        }
    }
    files
}

/// Reads a text file; `None` where it is not there, or none.
pub(super) fn read_text(path: &Path) -> Option<String> {
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MAX_STARTUP_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the lines of a file that are no comments. A copy of the plugin itself is ignored.
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
fn plugin(home: &Path, vars: &ShellVars, lines: &[Line]) -> Check {
    let name = "plugin";
    let (mut found, mut stale) = (Vec::new(), Vec::new());
    for shell in &SHELLS {
        let mut compare = |path: &Path| {
            let list = if read_text(path).as_deref() == Some(shell.plugin) { &mut found } else { &mut stale };
            list.push(format!("{} from {}", shell.name, path.display()));
        };
        let mut by_init = Vec::new();
        for line in lines {
            if line.text.contains(&format!("ls-token init {}", shell.name)) {
                by_init.push(format!("{} by init ({})", shell.name, line.place));
            } else if let Some(path) = path_in(&line.text, shell.file, home) {
                compare(&path);
            }
        }
        copies(home, vars, shell).iter().filter(|path| path.exists()).for_each(|path| compare(path));
        found.extend(by_init);
    }
    if !stale.is_empty() {
        return Check::warn(
            name,
            format!("from another version than this program: {}", stale.join(", ")),
            "write it again: ls-token init SHELL > that file",
        );
    }
    if !found.is_empty() {
        let found = found.join(", ");
        return Check::ok(name, format!("loaded by {found}; to see whether this very shell has it, type lscurl"));
    }
    let [zsh, ..] = &SHELLS;
    let shell = SHELLS.iter().find(|shell| shell.name == vars.shell).unwrap_or(zsh);
    Check::ok(name, format!("not found in your start-up files; to load it in {}, add: {}", shell.name, shell.load))
}

/// Returns the path of the file that a line names, by itself or by its directory, as plugin managers take it; `~` and `$HOME`
/// are the home directory.
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
fn copies(home: &Path, vars: &ShellVars, shell: &ShellFiles) -> Vec<PathBuf> {
    let custom = vars.zsh_custom.as_deref();
    let place = |copy: &&str| match (copy.strip_prefix(".oh-my-zsh/custom/"), custom) {
        (Some(below), Some(custom)) => custom.join(below),
        _ => home.join(copy),
    };
    shell.copies.iter().map(place).collect()
}

/// Looks for functions and aliases that hide this program's own, and for tokens in plain sight.
fn helpers(lines: &[Line]) -> Check {
    let name = "helpers";
    let mut odd = Vec::new();
    for line in lines {
        if defines(&line.text) {
            odd.push(format!("your own function shadows the plugin's ({})", line.place));
        } else if line.text.contains("/api/token/refresh") {
            odd.push(format!("an exchange by hand ({})", line.place));
        } else if line.text.contains(KEY_VARIABLE) && line.text.contains("eyJ") {
            odd.push(format!("a personal access token in plain text ({})", line.place));
        }
    }
    if odd.is_empty() {
        return Check::ok(name, "none in your start-up files");
    }
    Check::warn(name, odd.join("; "), "remove it: ls_token and lscurl do the same, and keep tokens out of sight")
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
