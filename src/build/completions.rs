//! Makes the completions: clap's, with what it cannot know added and what it gets wrong corrected. That goes by clap's
//! text, which is why Cargo.toml pins its version: text that no longer fits stops the build.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, Command, ValueHint};
use clap_complete::{Shell, generate};

/// Prints the names of the profiles, which `--profile` takes: in the command substitution of zsh and bash.
const NAMES: &str = "$(command ls-token completions --list profiles 2>/dev/null)";

/// The same for the servers of the profiles, which `--url` takes.
const SERVERS: &str = "$(command ls-token completions --list servers 2>/dev/null)";

/// Completes what follows `exec` in bash: a command, and that command's arguments.
const EXEC: &str = r#"            local at=1
            while [[ ${COMP_WORDS[at]} != exec ]]; do at=$((at + 1)); done
            while at=$((at + 1)) && ((at < COMP_CWORD)); do
                case ${COMP_WORDS[at]} in
                    --) at=$((at + 1)) && break ;;
                    --profile | --url) at=$((at + 1)) ;;
                    -*) ;;
                    *) break ;;
                esac
            done
            if ((at < COMP_CWORD)) || [[ ${at}/${cur} == "${COMP_CWORD}/"[!-]* || ${prev} == -- ]]; then
                # The first is of bash-completion 2.12, the second older.
                if declare -F _comp_command_offset >/dev/null; then _comp_command_offset "${at}"
                elif declare -F _command_offset >/dev/null; then _command_offset "${at}"
                elif ((at == COMP_CWORD)); then COMPREPLY=($(compgen -c -- "${cur}"))
                fi
                return 0
            fi
"#;

/// Writes the completions of each shell into a file that is named like it.
pub(crate) fn write(command: &Command, directory: &Path) -> io::Result<()> {
    let mut command = command.clone().mut_subcommand("credential", |credential| {
        // Any other is accepted, too, and ignored.
        credential.mut_arg("operation", |operation| operation.value_parser(["get", "store", "erase", "capability"]))
    });
    // clap's own has a section for each command, which makes a quarter of the text.
    let names: Vec<&'static str> = command.get_subcommands().map(|one| &*one.get_name().to_owned().leak()).collect();
    let help = Command::new("help").about("Print this message or the help of a command").disable_help_flag(true);
    let help = help.arg(Arg::new("command").value_parser(PossibleValuesParser::new(names)));
    command = command.disable_help_subcommand(true).subcommand(help);
    let mut generated = |shell| {
        let mut text = Vec::new();
        generate(shell, &mut command, "ls-token", &mut text);
        String::from_utf8_lossy(&text).into_owned()
    };
    fs::write(directory.join("zsh"), zsh(&generated(Shell::Zsh))?)?;
    fs::write(directory.join("bash"), bash(&generated(Shell::Bash))?)?;
    let text = generated(Shell::Fish);
    fs::write(directory.join("fish"), fish(&text, &command)?)
}

/// Corrects those of zsh: behind `curl`, curl's own are wanted.
fn zsh(text: &str) -> io::Result<String> {
    let text = without(text, &["'*--list=["])?;
    // Which would be left behind when the plugin is unloaded, and asks for a zsh that everybody has.
    let text = without(&text, &["autoload -U is-at-least"])?;
    let text = replaced(&text, "if is-at-least 5.2; then", "if true; then")?;
    let text = replaced(&text, ":NAME:_default'", &format!(":NAME:({NAMES})'"))?;
    let text = replaced(&text, "this server]:URL:'", &format!("this server]:URL:({SERVERS})'"))?;
    let curl = "if (( ${+functions[__ls_token_complete]} )); then __ls_token_complete; else _normal; fi && ret=0\n";
    between(&text, "            (curl)\n", ";;\n(exec)\n", curl)
}

/// Corrects those of bash: behind `curl`, curl's own are wanted. The hyphen in the program's name breaks its labels.
fn bash(text: &str) -> io::Result<String> {
    let text = replaced(text, "ls__subcmd__token", "ls__token")?;
    let text = replaced(&text, " --list --", " --")?;
    let option = "--profile)\n                    COMPREPLY=($(compgen ";
    let names = format!("{option}-W \"{NAMES}\" -- \"${{cur}}\"))");
    let text = replaced(&text, &format!("{option}-f \"${{cur}}\"))"), &names)?;
    let url = |reply: &str| format!("--url)\n                    COMPREPLY=({reply}");
    let nospace = "\"${cur}\")\n                    if [[ \"${BASH_VERSINFO[0]}\" -ge 4 ]]; then\n                        compopt -o nospace\n                    fi\n";
    let servers = format!("$(compgen -W \"{SERVERS}\" -- \"${{cur}}\"))\n");
    let text = replaced(&text, &url(nospace), &url(&servers))?;
    let exec = "        ls__token__subcmd__exec)\n";
    let text = replaced(&text, exec, &format!("{exec}{EXEC}"))?;
    let text = replaced(&text, " -o default ls-token\n", " -o default ls-token ls_token\n")?;
    // Where `=` ends a word, it stands between an option and its value.
    let before = "    prev=\"$3\"\n";
    let corrected = format!("{before}    if [[ ${{prev}} == \"=\" ]]; then prev=${{COMP_WORDS[COMP_CWORD - 2]}}; fi\n");
    let text = replaced(&text, before, &corrected)?;
    // Names with blanks are one word each, and a directory is not the end.
    let corrected = "compopt -o filenames 2>/dev/null; local IFS=$'\\n'; COMPREPLY=($(compgen -f -- \"${cur}\"))";
    let text = replaced(&text, "COMPREPLY=($(compgen -f \"${cur}\"))", corrected)?;
    let curl = "            if declare -F __ls_token_complete >/dev/null; then __ls_token_complete \"$1\" \"${cur}\" \"${prev}\"; fi";
    between(&text, "        ls__token__subcmd__curl)\n", "\n            return 0\n            ;;\n", curl)
}

/// Corrects those of fish: no positional argument has values, and a global option's condition fails until it has one.
fn fish(text: &str, command: &Command) -> io::Result<String> {
    let of_all = "-n \"__fish_ls_token_needs_command\" ";
    let about = "-l profile -d 'Use this profile of the settings file'";
    let names = NAMES.trim_start_matches('$');
    let text = without(text, &["-l list "])?;
    let text = without(&text, &["using_subcommand", about])?;
    let text = replaced(&text, &format!("{of_all}{about} -r"), &format!("{about} -x -a \"{names}\""))?;
    let text = replaced(&text, &format!("{of_all}-l format"), "-l format")?;
    let about = "-l url -d 'Use the profile of this server'";
    let servers = SERVERS.trim_start_matches('$');
    let text = without(&text, &["using_subcommand", about])?;
    let text = replaced(&text, &format!("{of_all}{about} -r -f"), &format!("{about} -x -a \"{servers}\""))?;
    // Behind `curl`, curl's own are wanted.
    let mut text = without(&text, &["__fish_ls_token_using_subcommand curl\""])?;
    let curl = "if functions -q __ls_token_complete; __ls_token_complete; else; __fish_complete_subcommand --fcs-skip=1 -p --profile --url; end";
    let _ = writeln!(text, "complete -c ls-token -n \"__fish_ls_token_using_subcommand curl\" -x -a \"({curl})\"");
    for command in command.get_subcommands() {
        for argument in command.get_positionals() {
            let values = argument.get_possible_values();
            let values: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
            let offer = match values.as_slice() {
                // Behind two words, those of options not counted; a word with one hyphen ends fish's own options.
                [] if argument.get_value_hint() == ValueHint::CommandWithArguments => {
                    "-x -a \"(__fish_complete_subcommand --fcs-skip=2 -p --profile --url)\"".to_owned()
                }
                [] => continue,
                values => format!("-f -a \"{}\"", values.join(" ")),
            };
            let condition = format!("__fish_ls_token_using_subcommand {}", command.get_name());
            let _ = writeln!(text, "complete -c ls-token -n \"{condition}\" {offer}");
        }
    }
    Ok(text)
}

fn replaced(text: &str, generated: &str, wanted: &str) -> io::Result<String> {
    if text.contains(generated) { Ok(text.replace(generated, wanted)) } else { Err(missing(generated)) }
}

/// Replaces what stands between a beginning and the first end behind it.
fn between(text: &str, beginning: &str, end: &str, wanted: &str) -> io::Result<String> {
    let parts = text.split_once(beginning).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
    let (before, after) = parts.ok_or_else(|| missing(beginning))?;
    Ok(format!("{before}{beginning}{wanted}{end}{after}"))
}

/// Leaves out the lines that have all of the parts; there must be one.
fn without(text: &str, parts: &[&str]) -> io::Result<String> {
    let (unwanted, kept): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| parts.iter().all(|part| line.contains(part)));
    if unwanted.is_empty() {
        return Err(missing(&parts.join(" … ")));
    }
    Ok(kept.iter().flat_map(|line| [line, "\n"]).collect())
}

fn missing(generated: &str) -> io::Error {
    io::Error::other(format!("clap's completions no longer have {generated:?}"))
}
