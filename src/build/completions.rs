//! Makes the completions: clap's, with what clap cannot know and what it gets wrong mended. A change of clap's that a mend
//! no longer fits stops the build.

use std::fmt::Write as _;
use std::io;

use clap::builder::PossibleValue;
use clap::{Command, ValueHint};
use clap_complete::{Shell, generate};

/// Prints the names of the profiles, which `--profile` takes: in the command substitution of zsh and bash.
const NAMES: &str = "$(command ls-token completions --profile-names 2>/dev/null)";

/// Returns the completions of a shell.
pub(crate) fn completions(shell: Shell, command: &Command) -> io::Result<String> {
    let mut text = Vec::new();
    generate(shell, &mut command.clone(), "ls-token", &mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    match shell {
        Shell::Zsh => zsh(&text),
        Shell::Bash => bash(&text),
        _ => fish(&text, command),
    }
}

/// Mends those of zsh.
fn zsh(text: &str) -> io::Result<String> {
    let text = replaced(text, ":NAME:_default'", &format!(":NAME:({NAMES})'"))?;
    without(&text, &["'--profile-names["])
}

/// Mends those of bash. Its function looks for commands by a label that it never sets, as the program's name has a hyphen.
fn bash(text: &str) -> io::Result<String> {
    let text = replaced(text, "ls__subcmd__token", "ls__token")?;
    let text = replaced(&text, " --profile-names --", " --")?;
    let files = "--profile)\n                    COMPREPLY=($(compgen -f \"${cur}\"))";
    let names = format!(
        "--profile)\n                    COMPREPLY=($(compgen -W \"{NAMES}\" -- \"${{cur}}\"))"
    );
    replaced(&text, files, &names)
}

/// Mends those of fish: they know no values of arguments that are no options, and their condition for an option of every
/// command does not hold while it has no value yet.
fn fish(text: &str, command: &Command) -> io::Result<String> {
    let of_all = "-n \"__fish_ls_token_needs_command\" ";
    let about = "-l profile -d 'Use this profile of the settings file'";
    let names = NAMES.trim_start_matches('$');
    let text = without(text, &["-l profile-names "])?;
    let text = without(&text, &["using_subcommand", about])?;
    let text = replaced(
        &text,
        &format!("{of_all}{about} -r"),
        &format!("{about} -x -a \"{names}\""),
    )?;
    let mut text = replaced(&text, &format!("{of_all}-l format"), "-l format")?;
    for command in command.get_subcommands() {
        for argument in command.get_positionals() {
            let values = argument.get_possible_values();
            let values: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
            let offer = if argument.get_value_hint() == ValueHint::CommandWithArguments {
                // Behind two words, those of options not counted; a word with one hyphen ends fish's own options.
                "-x -a \"(__fish_complete_subcommand --fcs-skip=2 -p --profile --url)\"".to_owned()
            } else if values.is_empty() {
                continue;
            } else {
                format!("-f -a \"{}\"", values.join(" "))
            };
            let condition = format!("__fish_ls_token_using_subcommand {}", command.get_name());
            let _ = writeln!(text, "complete -c ls-token -n \"{condition}\" {offer}");
        }
    }
    Ok(text)
}

/// Replaces what must be there.
fn replaced(text: &str, generated: &str, wanted: &str) -> io::Result<String> {
    if text.contains(generated) {
        return Ok(text.replace(generated, wanted));
    }
    Err(io::Error::other(format!(
        "the completions have no longer {generated:?}"
    )))
}

/// Leaves out the lines that have all of the parts; there must be one.
fn without(text: &str, parts: &[&str]) -> io::Result<String> {
    let is_unwanted = |line: &&str| parts.iter().all(|part| line.contains(part));
    if !text.lines().any(|line| is_unwanted(&line)) {
        return Err(io::Error::other(format!(
            "the completions have no longer {parts:?}"
        )));
    }
    let kept = text.lines().filter(|line| !is_unwanted(line));
    Ok(kept.flat_map(|line| [line, "\n"]).collect())
}
