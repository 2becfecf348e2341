//! `ls-token completions`, which the plugins load, and `ls-token init`: what the real shells make of it. The Tab key
//! itself is pressed in tests/shell.

use crate::sandbox::{Done, Sandbox, need};

/// A sandbox with three profiles, and the completions of that shell in the file `completions`.
fn with_completions(shell: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let profile = |name: &str| format!("[profiles.{name}]\nurl = \"https://{name}.example.com\"\npat = \"stored\"\n");
    sandbox.settings(&["prod", "lab", "prod-2"].map(profile).concat());
    let done = sandbox.ls_token(&["completions", shell]).run();
    assert_eq!(done.quiet().code, Some(0));
    sandbox.file("completions", &done.stdout, 0o600);
    std::os::unix::fs::symlink(crate::sandbox::LS_TOKEN, sandbox.bin().join("ls-token")).unwrap();
    sandbox
}

/// Returns what bash would offer for the last word of a line, after `set -eu`, sorted.
#[track_caller]
fn bash(sandbox: &Sandbox, line: &str) -> Vec<String> {
    need("bash");
    let script = r#"set -eu
. ../completions
read -ra COMP_WORDS <<<"$1"
[[ $1 != *' ' ]] || COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
function_of=$(complete -p ls-token) && function_of=${function_of##* -F } && function_of=${function_of%% *}
"$function_of" ls-token "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"}"#;
    offered(&sandbox.program("bash", &["--norc", "-c", script, "bash", line]).run())
}

/// Returns what fish would offer for the last word of a line, sorted.
#[track_caller]
fn fish(sandbox: &Sandbox, line: &str) -> Vec<String> {
    need("fish");
    let script = "source ../completions; complete -C $argv[1] | string split --fields 1 \\t";
    offered(&sandbox.program("fish", &["--no-config", "-c", script, line]).run())
}

/// Returns the lines that were printed, sorted; nothing else may have been.
#[track_caller]
fn offered(done: &Done) -> Vec<String> {
    assert_eq!(done.stderr, "", "{done:?}");
    let mut lines: Vec<String> = done.stdout.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// Asserts what the shell offers for a few lines.
fn assert_offers(sandbox: &Sandbox, shell: fn(&Sandbox, &str) -> Vec<String>) {
    let has = |line: &str, wanted: &[&str]| {
        let offered = shell(sandbox, line);
        for word in wanted {
            assert!(offered.iter().any(|has| has == word), "{word} is not among {offered:?} for {line:?}");
        }
    };
    let help = sandbox.ls_token(&["--help"]).run().stdout;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<&str> = listed.map(|line| line.split_whitespace().next().unwrap()).collect();
    assert!(commands.len() > 7, "{commands:?}");
    has("ls-token ", &commands);
    has(
        "ls-token --",
        &["--profile", "--url", "--format", "--min-ttl", "--refresh", "--no-cache", "--verbose", "--help", "--version"],
    );
    has("ls-token status --", &["--json", "--all"]);
    has("ls-token --format ", &["token", "header", "curl", "json"]);
    has("ls-token --profile ", &["lab", "prod", "prod-2"]);
    let exactly = |line: &str, wanted: &[&str]| assert_eq!(shell(sandbox, line), wanted, "{line:?}");
    exactly("ls-token stat", &["status"]);
    exactly("ls-token --prof", &["--profile"]);
    exactly("ls-token --profile pro", &["prod", "prod-2"]);
    exactly("ls-token status --profile l", &["lab"]);
    exactly("ls-token --format h", &["header"]);
    exactly("ls-token init z", &["zsh"]);
    exactly("ls-token completions b", &["bash"]);
}

#[test]
fn behind_exec_bash_offers_commands_and_flags_before_them() {
    let sandbox = with_completions("bash");
    sandbox.command("command-of-mine", "");
    for before in ["exec -- ", "exec ", "--profile prod exec ", "exec --profile prod -- ", "exec -v "] {
        assert_eq!(bash(&sandbox, &format!("ls-token {before}command-of-m")), ["command-of-mine"], "{before}");
    }
    assert_eq!(bash(&sandbox, "ls-token exec --verb"), ["--verbose"]);
    assert_eq!(bash(&sandbox, "ls-token exec --profile l"), ["lab"]);
    assert_eq!(bash(&sandbox, "ls-token exec -- command-of-mine --verb"), [""; 0]);
    // bash-completion knows the arguments of commands, and the files of those that it does not know.
    let script = r#". /usr/share/bash-completion/bash_completion; . ../completions
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9; read -ra COMP_WORDS <<<"$1"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_ls__token ls-token "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" 2>/dev/null; echo "${COMPREPLY[@]}""#;
    sandbox.file("work/file-of-mine", "", 0o600);
    let done = sandbox.program("bash", &["--norc", "-c", script, "bash", "ls-token exec -- cat file-of"]).run();
    assert_eq!(offered(&done), ["file-of-mine"]);
}

#[test]
fn servers_are_offered_behind_url() {
    let servers = ["lab", "prod-2", "prod"].map(|name| format!("https://{name}.example.com"));
    for line in ["ls-token --url ", "ls-token status --url "] {
        assert_eq!(bash(&with_completions("bash"), line), servers);
        assert_eq!(fish(&with_completions("fish"), line), servers);
    }
}

#[test]
fn addresses_are_offered_where_an_address_may_stand() {
    let sandbox = Sandbox::new();
    let list = |words: &[&str]| sandbox.ls_token(&[&["completions", "--list"], words].concat()).run();
    sandbox.settings("[profiles.a]\nurl = \"https://label.example.com/ls\"\npat = \"stored\"\n");
    for before in ["lscurl", "-s", "-sS", "--next", "--url", "-k", "-Xpost", "/api/projects/", ""] {
        let done = list(&["addresses", before]);
        let lines: Vec<&str> = done.quiet().stdout.lines().collect();
        assert!(lines.contains(&"/api/projects/"), "{before}: {lines:?}");
        assert!(lines.contains(&"https://label.example.com/ls/api/projects/"), "{before}: {lines:?}");
    }
    for before in ["-o", "-sSo", "-X", "--output", "--request", "--nonsense", "-H", "--data"] {
        assert_eq!(list(&["addresses", before]).quiet().stdout, "", "{before}");
    }
    assert_eq!(list(&["nonsense"]).quiet().stdout, "");
    let refused = list(&["refused"]).stdout;
    let is_refused = |option: &str| refused.lines().any(|line| line == option);
    assert!(["--location-trusted", "--insecure", "-k", "--user", "-u"].into_iter().all(is_refused), "{refused}");
    assert!(!["--location", "-L", "--silent", "-s", "--proxy"].into_iter().any(is_refused), "{refused}");
}

#[test]
fn bash_offers_commands_flags_values_and_profiles() {
    assert_offers(&with_completions("bash"), bash);
}

#[test]
fn fish_offers_commands_flags_values_and_profiles() {
    assert_offers(&with_completions("fish"), fish);
}

#[test]
fn fish_offers_commands_and_their_arguments_behind_exec() {
    let sandbox = with_completions("fish");
    sandbox.command("command-of-mine", "");
    assert_eq!(fish(&sandbox, "ls-token exec command-of-m"), ["command-of-mine"]);
    sandbox.file("work/file-of-mine", "", 0o600);
    assert_eq!(fish(&sandbox, "ls-token exec cat file-of"), ["file-of-mine"]);
    assert_eq!(fish(&sandbox, "ls-token --profile prod exec command-of-m"), ["command-of-mine"]);
}

#[test]
fn zsh_loads_it_in_silence_and_knows_whose_it_is() {
    need("zsh");
    let sandbox = with_completions("zsh");
    let directory = sandbox.root().join("functions");
    std::fs::create_dir(&directory).unwrap();
    std::fs::rename(sandbox.root().join("completions"), directory.join("_ls-token")).unwrap();
    let check = sandbox.program("zsh", &["-f", "-n"]).arg(directory.join("_ls-token")).run();
    assert_eq!((check.code, check.stdout.as_str(), check.stderr.as_str()), (Some(0), "", ""));
    let script = "setopt warn_create_global no_unset; fpath=($1 $fpath); autoload -Uz compinit; compinit -u -D
autoload -Uz +X _ls-token && print -r -- $_comps[ls-token]; print -r -- $functions[_ls-token] | grep -c -- --min-ttl";
    let done = sandbox.program("zsh", &["-f", "-c", script, "zsh"]).arg(&directory).run();
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    let (first, count) = done.stdout.trim_end().split_once('\n').unwrap();
    assert!(first == "_ls-token" && count.parse::<u32>().unwrap() > 0, "{done:?}");
}

#[test]
fn each_shell_loads_it_in_silence_whatever_is_set() {
    for (shell, options, load) in [
        ("bash", &["--norc", "-euo", "pipefail"][..], "source ../completions"),
        ("bash", &["--posix", "--norc"], ". ../completions"),
        ("zsh", &["-f", "-e", "-u"], "autoload -Uz compinit; compinit -u -D; source ../completions"),
        ("fish", &["--no-config"], "source ../completions"),
    ] {
        need(shell);
        let sandbox = with_completions(shell);
        let done = sandbox.program(shell, options).arg("-c").arg(load).run();
        assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (Some(0), "", ""), "{shell} {options:?}");
    }
}

#[test]
fn names_of_profiles_that_a_shell_would_expand_are_not_offered() {
    for (shell, complete) in [("bash", bash as fn(&Sandbox, &str) -> Vec<String>), ("fish", fish)] {
        let sandbox = with_completions(shell);
        let names = [
            "$(touch planted)",
            "`touch planted`",
            "a;touch planted",
            "$HOME",
            "~",
            "*",
            "two words",
            "{a,b}",
            "plain",
            "über.1_2-3",
        ];
        let profile = |name: &str| format!("[profiles.'{name}']\nurl = \"https://h\"\npat = \"stored\"\n");
        sandbox.settings(&names.map(profile).concat());
        assert_eq!(complete(&sandbox, "ls-token --profile "), ["plain", "über.1_2-3"], "{shell}");
        assert!(!sandbox.work().join("planted").exists(), "{shell} ran a command");
    }
}

#[test]
fn settings_that_are_broken_or_missing_offer_nothing_and_say_nothing() {
    for (shell, complete) in [("bash", bash as fn(&Sandbox, &str) -> Vec<String>), ("fish", fish)] {
        let sandbox = with_completions(shell);
        for toml in ["this is no TOML", ""] {
            sandbox.settings(toml);
            assert_eq!(complete(&sandbox, "ls-token --profile "), [""; 0], "{shell}");
        }
    }
}

#[test]
fn init_prints_the_very_file_of_the_plugin() {
    let sandbox = Sandbox::new();
    sandbox.settings("this is no TOML, and the plugin does not need it");
    for (shell, file) in [
        ("zsh", include_str!("../../shell/ls-token.plugin.zsh")),
        ("bash", include_str!("../../shell/ls-token.bash")),
        ("fish", include_str!("../../shell/ls-token.fish")),
    ] {
        let done = sandbox.ls_token(&["init", shell]).run();
        assert_eq!((done.quiet().code, done.stdout == file), (Some(0), true), "{shell}");
    }
    let done = sandbox.ls_token(&["init", "csh"]).run();
    done.fails(2).says("csh").says("zsh, bash, fish").says("hint: any other shell needs no plugin");
    sandbox.ls_token(&["completions"]).run().fails(2);
    sandbox.ls_token(&["completions", "csh"]).run().fails(2);
}
