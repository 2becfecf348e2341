//! `ls-token man`: one page that renders everywhere, has everything that `--help` has, and refers to nothing else.

use std::collections::BTreeSet;

use crate::sandbox::{Done, Sandbox, need};

/// README, whose table of exit statuses the page has.
const README: &str = include_str!("../../README.md");

/// Returns the page.
fn page(sandbox: &Sandbox) -> String {
    sandbox.settings("this is no TOML, and the manual does not need it");
    let done = sandbox.ls_token(&["man"]).run();
    assert_eq!(done.quiet().code, Some(0));
    done.stdout
}

/// Returns the page as a reader sees it on a terminal of 80 columns.
fn rendered(sandbox: &Sandbox) -> String {
    need("man");
    let run = sandbox.program("man", &["--warnings", "-l", "-"]).stdin(page(sandbox));
    let done = run.env("LC_ALL", "C.UTF-8").env("MANWIDTH", "80").env("MANPAGER", "cat").run();
    assert_eq!(done.quiet().code, Some(0), "{done:?}");
    done.stdout
}

/// Returns the names of the commands that `--help` lists.
fn commands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = lines.map(|line| line.split_whitespace().next().unwrap().to_owned());
    let names: Vec<String> = names.filter(|name| name != "help").collect();
    assert!(names.len() >= 7, "{names:?}: the test lost its subject");
    names
}

/// Returns the options that a help lists.
fn options(help: &str) -> BTreeSet<String> {
    let lines = help.lines().map(str::trim_start);
    let listed = lines.filter(|line| line.starts_with('-') && !line.starts_with("- "));
    // `-v, --verbose` or `--profile <NAME>`.
    let words = listed.flat_map(|line| line.split([' ', ',']).take(3));
    let options = words.filter(|word| word.starts_with('-'));
    options.map(|word| word.trim_end_matches('.').to_owned()).collect()
}

#[test]
fn it_renders_without_a_warning() {
    let sandbox = Sandbox::new();
    let page = page(&sandbox);
    need("groff");
    let quiet = |done: Done| {
        assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (Some(0), "", ""));
    };
    quiet(sandbox.program("groff", &["-man", "-ww", "-z", "-Kutf8"]).stdin(&page).run());
    quiet(sandbox.program("groff", &["-man", "-ww", "-z", "-Tascii", "-Kutf8"]).stdin(&page).run());
    need("mandoc");
    let done = sandbox.program("mandoc", &["-Tlint", "-Wwarning"]).stdin(&page).run();
    // The page has the version of the program instead of a date, and clap_mangen's break around an empty line is one.
    let expected = ["missing date", "skipping paragraph macro: br "];
    let lines = done.stdout.lines().filter(|line| !expected.iter().any(|text| line.contains(text)));
    let complaints: Vec<&str> = lines.collect();
    assert_eq!(complaints, [""; 0]);
    assert!(page.is_ascii(), "some formatters take nothing else");
}

#[test]
fn it_reads_well_on_eighty_columns() {
    let text = rendered(&Sandbox::new());
    let titles: Vec<&str> = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase())).collect();
    let wanted = [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "COMMANDS",
        "SETTINGS",
        "ENVIRONMENT",
        "FILES",
        "EXIT STATUS",
        "EXAMPLES",
        "SEE ALSO",
    ];
    assert_eq!(titles[1..], wanted, "behind {:?}", titles[0]);
    assert!(text.lines().last().unwrap().starts_with(concat!("ls-token ", env!("CARGO_PKG_VERSION"))), "{text}");
    let (before, examples) = text.split_once("EXAMPLES").unwrap();
    assert!(before.lines().all(|line| line.chars().count() <= 80), "{before}");
    // Commands are to be copied: not broken, and with the characters that a shell knows.
    for command in [
        "curl -H \"Authorization: Bearer $(ls-token)\" https://label.example.com/api/projects/",
        "t=$(ls-token) && use \"$t\"",
        "eval \"$(ls-token init zsh)\"",
    ] {
        assert!(examples.lines().any(|line| line.trim() == command), "{command} is not in {examples}");
    }
    assert!(!text.contains(['`', '\u{2010}', '\u{2019}', '\u{2212}', '\\']), "{text}");
    assert!(text.contains("url = \"https://label.example.com\"\n"), "{text}");
}

#[test]
fn it_has_every_command_and_every_option() {
    let sandbox = Sandbox::new();
    let text = rendered(&sandbox);
    let help = |arguments: &[&str]| sandbox.ls_token(arguments).run().stdout;
    let words: BTreeSet<&str> = text.split([' ', '\n', ',', ';', ':', '.', ')', '(']).collect();
    let main = help(&["--help"]);
    let mut all = options(main.split("Examples:").next().unwrap());
    for command in commands(&main) {
        assert!(text.contains(&format!("\n   ls-token {command} [OPTIONS]")), "no section of {command}: {text}");
        assert!(text.contains(&format!("\n       ls-token {command} [OPTIONS]")), "{command} is not in the synopsis");
        if command != "curl" {
            all.extend(options(&help(&["help", &command])));
        }
    }
    assert!(
        all.contains("--min-ttl") && all.contains("--json") && all.len() > 10,
        "{all:?}: the test lost its subject"
    );
    for option in all {
        assert!(words.contains(option.as_str()), "{option} is not in {text}");
    }
    assert!(!text.contains("--list"), "that is for the completions alone");
}

#[test]
fn it_has_every_exit_status_variable_and_file() {
    let sandbox = Sandbox::new();
    let text = rendered(&sandbox);
    let section = |title: &str| {
        let lines = text.lines().skip_while(|line| *line != title).skip(1);
        lines.take_while(|line| line.is_empty() || line.starts_with(' ')).map(str::trim).collect::<Vec<_>>()
    };
    let statuses = section("EXIT STATUS");
    let rows = README.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()?.parse::<u8>().ok());
    let rows: Vec<u8> = rows.collect();
    assert!(rows.len() >= 10, "{rows:?}");
    for status in rows {
        assert!(
            statuses.iter().any(|line| line.starts_with(&format!("{status} "))),
            "{status} is not in {statuses:#?}"
        );
    }
    let help = sandbox.ls_token(&["--help"]).run().stdout;
    let names = help.split([' ', '\n', '/', '$', '(']).filter(|word| {
        let prefix = ["LS_TOKEN_", "LABEL_STUDIO_", "XDG_"].iter().any(|prefix| word.starts_with(prefix));
        prefix && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
    });
    let names: BTreeSet<&str> = names.collect();
    assert!(names.len() >= 6, "{names:?}");
    for name in names {
        assert!(section("ENVIRONMENT").contains(&name), "{name} is not in {:#?}", section("ENVIRONMENT"));
    }
    for file in ["~/.config/ls-token/config.toml", "$XDG_RUNTIME_DIR/ls-token/, ~/.cache/ls-token/", "~/.curlrc"] {
        assert!(section("FILES").contains(&file), "{file} is not in {:#?}", section("FILES"));
    }
}

#[test]
fn it_refers_to_pages_of_other_programs_only() {
    let text = rendered(&Sandbox::new());
    let pages = text.split_whitespace().map(|word| word.trim_end_matches([',', '.']));
    let pages: BTreeSet<&str> = pages
        .filter(|word| {
            let section = word.strip_suffix(')').and_then(|word| word.rsplit_once('('));
            section.is_some_and(|(name, section)| !name.is_empty() && section.parse::<u8>().is_ok())
        })
        .collect();
    let wanted = ["LS-TOKEN(1)", "curl(1)", "git-credential(1)", "gitcredentials(7)"];
    assert_eq!(pages.into_iter().collect::<Vec<_>>(), wanted);
}
