//! Which plugin the shells' start-up files load, and what else is in them. What a shell has loaded cannot be seen here.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::report::{Finding, Report};
use crate::commands::init::{SHELLS, ShellFiles};
use crate::error::Result;
use crate::system::{Environment, KEY_VARIABLE, ShellVars, files};

const MAX_STARTUP_BYTES: u64 = 1 << 20;

/// Looks at variables that every program sees, or that make programs tell secrets.
pub(super) fn variables(vars: &ShellVars) -> Finding {
    if vars.revealing.is_empty() {
        return Finding::ok("no variable holds or reveals a secret");
    }
    let hint = if vars.revealing.contains(&KEY_VARIABLE) {
        "keep the personal access token out of the environment (ls-token login), and let `ls-token exec` set it for the one program that needs it"
    } else {
        "unset SSLKEYLOGFILE: it makes programs write down the keys of their connections"
    };
    Finding::warn(format!("every program that you start can read {}", vars.revealing.join(" and ")), hint)
}

/// A line of a shell's start-up file that is no comment.
struct Line {
    shell: &'static str,
    place: String,
    text: String,
}

pub(super) fn examine(report: &mut Report, environment: &Environment, vars: &ShellVars) -> Result<()> {
    let Some(home) = &environment.home else {
        report.add("plugin", Finding::skipped("a home directory"))?;
        return report.add("helpers", Finding::skipped("a home directory"));
    };
    let lines: Vec<Line> = startup_files(home, vars).iter().flat_map(|(shell, path)| lines_of(shell, path)).collect();
    report.add("plugin", plugin(home, vars, &lines))?;
    report.add("helpers", helpers(&lines))
}

/// Lists the files that each shell reads when it starts.
fn startup_files(home: &Path, vars: &ShellVars) -> Vec<(&'static str, PathBuf)> {
    let zsh = vars.zdotdir.as_deref().unwrap_or(home);
    let mut files = Vec::new();
    for shell in &SHELLS {
        for name in shell.startup {
            let is_zsh = shell.name == "zsh" && !name.contains('/');
            let path = if is_zsh { zsh } else { home }.join(name);
            match fs::read_dir(&path) {
                Ok(entries) => files.extend(entries.flatten().map(|entry| (shell.name, entry.path()))),
                Err(_) => files.push((shell.name, path)),
            }
        }
    }
    files
}

/// Reads the beginning of a text file; `None` where there is none.
fn read_text(path: &Path) -> Option<String> {
    if !path.is_file() {
        return None;
    }
    let bytes = files::read_up_to(&File::open(path).ok()?, MAX_STARTUP_BYTES).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the lines of a file. A copy of the plugin itself is ignored.
fn lines_of(shell: &'static str, path: &Path) -> Vec<Line> {
    let text = read_text(path).unwrap_or_default();
    if text.contains("function __ls_token_") {
        return Vec::new();
    }
    let lines = text.lines().map(str::trim).enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let place = |number| format!("{}, line {}", path.display(), number + 1);
    lines.map(|(number, line)| Line { shell, place: place(number), text: line.to_owned() }).collect()
}

/// Says how each shell's plugin is loaded, and whether it is the one that belongs to this program.
fn plugin(home: &Path, vars: &ShellVars, lines: &[Line]) -> Finding {
    let (mut found, mut stale) = (Vec::new(), Vec::new());
    for shell in &SHELLS {
        let init = format!("ls-token init {}", shell.name);
        let lines = lines.iter().filter(|line| line.shell == shell.name);
        let (by_init, others): (Vec<&Line>, Vec<&Line>) = lines.partition(|line| line.text.contains(&init));
        let named = others.iter().filter_map(|line| path_in(&line.text, shell.file, home));
        for path in named.chain(copies(home, vars, shell)) {
            let list = if read_text(&path).as_deref() == Some(shell.plugin) { &mut found } else { &mut stale };
            list.push(format!("{} from {}", shell.name, path.display()));
        }
        found.extend(by_init.iter().map(|line| format!("{} by init ({})", shell.name, line.place)));
    }
    if !stale.is_empty() {
        let text = format!("from another version than this program: {}", stale.join(", "));
        return Finding::warn(text, "write it again: ls-token init SHELL > that file");
    }
    if !found.is_empty() {
        return Finding::ok(format!("loaded by {}", found.join(", ")));
    }
    let [zsh, ..] = &SHELLS;
    let shell = SHELLS.iter().find(|shell| shell.name == vars.shell).unwrap_or(zsh);
    Finding::ok(format!("not found in your start-up files; to load it in {}, add: {}", shell.name, shell.load))
}

/// Returns the path of the file that a line names, by itself or by its directory, as plugin managers do.
fn path_in(line: &str, file: &str, home: &Path) -> Option<PathBuf> {
    shell_words::split(line).ok()?.iter().find_map(|word| {
        let word = word.trim_end_matches(',');
        let below = ["~/", "$HOME/", "${HOME}/"].iter().find_map(|start| word.strip_prefix(start));
        let path = below.map_or_else(|| PathBuf::from(word), |below| home.join(below));
        let path = if word.ends_with(file) { path } else { path.join(file) };
        Some(path).filter(|path| path.is_absolute() && path.exists())
    })
}

/// Lists the copies that are where plugin managers want them.
fn copies(home: &Path, vars: &ShellVars, shell: &ShellFiles) -> impl Iterator<Item = PathBuf> {
    let place = |copy: &&str| match (copy.strip_prefix(".oh-my-zsh/custom/"), &vars.zsh_custom) {
        (Some(below), Some(custom)) => custom.join(below),
        _ => home.join(copy),
    };
    shell.copies.iter().map(place).filter(|path| path.exists())
}

/// Looks for functions and aliases that hide this program's own, and for tokens in plain sight.
fn helpers(lines: &[Line]) -> Finding {
    let odd = lines.iter().filter_map(|Line { place, text, .. }| {
        let what = if defines(text) {
            "your own function or alias hides ls-token's"
        } else if text.contains("/api/token/refresh") {
            "an exchange by hand"
        } else if text.contains(KEY_VARIABLE) && text.contains("eyJ") {
            "a personal access token in plain text"
        } else {
            return None;
        };
        Some(format!("{what} ({place})"))
    });
    let odd: Vec<String> = odd.collect();
    if odd.is_empty() {
        return Finding::ok("none in your start-up files");
    }
    Finding::warn(odd.join("; "), "remove it: ls_token and lscurl do the same, and keep tokens out of sight")
}

/// Returns whether a line defines one of this program's names as something else.
fn defines(line: &str) -> bool {
    ["ls_token", "lscurl", "ls-token"].iter().any(|name| {
        let behind = |start: &str| Some(line.strip_prefix(start)?.trim_start().strip_prefix(name)?.trim_start());
        behind("").is_some_and(|rest| rest.starts_with("()"))
            || behind("alias ")
                .is_some_and(|rest| rest.starts_with(['=', '\'', '"']) && !rest.contains("noglob lscurl"))
            || behind("function ").is_some_and(|rest| rest.is_empty() || rest.starts_with(['(', '{', '-', ';', '#']))
    })
}
