//! What the command line says of itself, and of itself used wrongly.

use crate::sandbox::Sandbox;

#[test]
fn help_teaches_by_examples_and_says_where_things_are() {
    let sandbox = Sandbox::new();
    sandbox.settings("this is no TOML, and help does not need it");
    let done = sandbox.ls_token(&["--help"]).run();
    assert_eq!(done.quiet().code, Some(0));
    for text in [
        "curl -H \"Authorization: Bearer $(ls-token)\"",
        "lscurl /api/projects/",
        "`ls-token curl`",
        "t=$(ls-token) &&",
        "ls-token --format curl | curl -K -",
        "eval \"$(ls-token init zsh)\"",
        "~/.config/ls-token/config.toml",
        "[profiles.prod]",
        "pat = \"op://",
        "LABEL_STUDIO_URL",
        "LABEL_STUDIO_API_KEY",
        "LS_TOKEN_CONFIG",
        "LS_TOKEN_PROFILE",
        "LS_TOKEN_CACHE_DIR",
        "$XDG_RUNTIME_DIR/ls-token",
        "Exit status",
    ] {
        assert!(done.stdout.contains(text), "{text:?} is missing in {}", done.stdout);
    }
    for status in [
        "  0  a token",
        "  2  wrong usage",
        " 69  ",
        " 74  ",
        " 75  ",
        " 76  ",
        " 77  ",
        " 78  ",
        "126  ",
        "127  ",
        "130  ",
    ] {
        assert!(done.stdout.contains(status), "{status:?} is missing in {}", done.stdout);
    }
    for option in
        ["--profile", "--url", "--format", "--min-ttl", "--refresh", "--no-cache", "--verbose", "curl", "init"]
    {
        assert!(done.stdout.contains(option), "{option:?} is missing in {}", done.stdout);
    }
    assert!(done.stdout.lines().all(|line| line.chars().count() <= 120), "{}", done.stdout);
    let short = sandbox.ls_token(&["-h"]).run();
    assert!(short.quiet().stdout.contains("--profile"));
}

#[test]
fn no_option_takes_a_secret() {
    let sandbox = Sandbox::new();
    let help = sandbox.ls_token(&["--help"]).run().stdout;
    for word in ["--pat", "--token", "--key", "--api-key", "--password", "--secret", "--refresh-token", "-p", "-k"] {
        assert!(!help.split_whitespace().any(|part| part == word), "{word} is in {help}");
        sandbox.ls_token(&[word, "x"]).run().fails(2);
        sandbox.ls_token(&[&format!("{word}=x")]).run().fails(2);
    }
    sandbox.ls_token(&["--refresh=x"]).run().fails(2);
}

#[test]
fn the_version_is_that_of_the_package() {
    let sandbox = Sandbox::new();
    for option in ["--version", "-V"] {
        let done = sandbox.ls_token(&[option]).run();
        assert_eq!(done.quiet().line(), concat!("ls-token ", env!("CARGO_PKG_VERSION")));
    }
}

#[test]
fn a_usage_error_is_status_2_with_nothing_on_stdout() {
    let sandbox = Sandbox::new();
    for line in [
        &["--nonsense"][..],
        &["nonsense"],
        &["--profile"],
        &["--url"],
        &["--min-ttl"],
        &["--min-ttl", "soon"],
        &["--min-ttl", "-1"],
        &["--min-ttl=86401"],
        &["--min-ttl", "1.5"],
        &["--min-ttl", ""],
        &["--format"],
        &["--format", "xml"],
        &["--format", "TOKEN"],
        &["--refresh", "--refresh"],
        &["--profile", "a", "--profile", "b"],
        &["--prof", "a"],
        &["-x"],
        &["-vx"],
        &["--", "--refresh"],
        &["init"],
        &["init", "csh"],
        &["init", "zsh", "bash"],
        &[""],
    ] {
        let done = sandbox.ls_token(line).run();
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{line:?}: {done:?}");
        assert!(done.stderr.starts_with("ls-token: "), "{line:?}: {done:?}");
    }
    let done = sandbox.ls_token(&["--min-ttl=5m"]).run();
    done.fails(2).says("it must be a whole number of seconds from 0 to 86400");
}

#[test]
fn an_argument_that_is_not_utf_8_is_a_usage_error() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let sandbox = Sandbox::new();
    for bytes in [&b"\xff"[..], b"--\xff", b"--profile=\xff", b"-\xff", b"--url=\xff"] {
        let done = sandbox.ls_token(&[]).arg(OsStr::from_bytes(bytes)).run();
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{bytes:?}: {done:?}");
    }
}

#[test]
fn other_tools_names_for_a_command_are_answered_with_ours() {
    let sandbox = Sandbox::new();
    for (name, ours) in [
        ("whoami", "ls-token verify"),
        ("revoke", "ls-token logout --revoke"),
        ("use", "ls-token --profile NAME"),
        ("config", "ls-token status"),
        ("refresh", "ls-token --refresh"),
        ("list", "ls-token status --all"),
    ] {
        let done = sandbox.ls_token(&[name]).run();
        done.fails(2).says(&format!("ls-token: there is no command {name}\n")).says(&format!("hint: run `{ours}`\n"));
        // What is advised is there.
        let words: Vec<&str> = ours.split(' ').skip(1).filter(|word| *word != "NAME").collect();
        let help = sandbox.ls_token(&[words[0], "--help"]).run();
        assert!(words[0].starts_with('-') || help.code == Some(0), "{ours}: {help:?}");
    }
    let done = sandbox.ls_token(&["statsu"]).run();
    done.fails(2).says("there is no command statsu\n").says("the commands are curl, exec, credential, login, logout,");
    sandbox.ls_token(&["a\u{1b}[31m\nb"]).run().fails(2).says("there is no command a\\u{1b}[31m\\nb\n");
}
