//! `ls-token status --all`: a line or an object for each profile.

use serde_json::{Value, json};

use super::cached;
use crate::record::age;
use crate::sandbox::{Sandbox, need};
use crate::server::Server;
use crate::settings::profile;

/// Returns the lines of the table.
#[track_caller]
fn lines(sandbox: &Sandbox) -> Vec<String> {
    let done = sandbox.ls_token(&["status", "--all"]).run();
    assert_eq!(done.quiet().code, Some(0), "{done:?}");
    assert!(!done.stdout.contains('\x1b'), "colour");
    done.stdout.lines().map(str::to_owned).collect()
}

/// Returns a profile that is never used.
fn idle(name: &str, url: &str, pat: &str) -> String {
    format!("[profiles.\"{name}\"]\nurl = \"{url}\"\npat = \"{pat}\"\n")
}

/// Returns how many columns a terminal takes for a text of this test: East Asian characters and emoji take two, marks
/// that are put on others none.
fn columns(text: &str) -> usize {
    text.chars()
        .map(|c| match c {
            '\u{300}'..='\u{36f}' | '\u{200d}' => 0,
            '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{ffdc}' | '\u{1f300}'..='\u{1faff}' => 2,
            _ => 1,
        })
        .sum()
}

#[test]
fn every_profile_has_a_line_with_its_state() {
    let (sandbox, one, two) = (Sandbox::new(), Server::start(), Server::start());
    let three = Server::start().expect_no_calls();
    let profiles = ["one", "two", "three"].iter().zip([&one, &two, &three]);
    let toml: String = profiles.map(|(name, server)| profile(&sandbox, name, server, "")).collect();
    sandbox.settings(&format!("default = \"one\"\n{toml}"));
    sandbox.ls_token(&["--profile", "two"]).run().token();
    age(&sandbox.cache_file(), std::time::Duration::from_secs(301));
    sandbox.ls_token(&["--profile", "one"]).run().token();
    let lines = lines(&sandbox);
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["PROFILE", "SERVER", "SOURCE", "TOKEN"]);
    assert_eq!(lines.len(), 4, "{lines:#?}");
    let line = |name: &str| lines.iter().find(|line| line.starts_with(&format!("{name} "))).unwrap();
    assert!(line("one").contains(&one.url()) && line("one").contains("  valid for "), "{lines:#?}");
    assert!(line("two").ends_with("  expired") && line("three").ends_with("  none"), "{lines:#?}");
    let done = sandbox.ls_token(&["status", "--json", "--all"]).run();
    let list: Value = serde_json::from_str(done.quiet().line()).unwrap();
    let cached: Vec<_> = list.as_array().unwrap().iter().map(|one| (&one["profile"], &one["cached"])).collect();
    let (yes, no) = (json!(true), json!(false));
    assert_eq!(cached, [(&json!("one"), &yes), (&json!("three"), &no), (&json!("two"), &no)]);
    assert!(list.as_array().unwrap().iter().all(|one| one.as_object().unwrap().len() == 11), "{list}");
}

#[test]
fn the_environments_pair_is_among_them() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.settings(&idle("lab", "https://label.example.com", "stored"));
    sandbox.use_env(&server);
    let lines = lines(&sandbox);
    assert_eq!(lines.len(), 3);
    assert!(lines[1].starts_with("environment  ") && lines[2].starts_with("lab  "), "{lines:#?}");
    assert!(lines[2].contains("  stored  "), "{lines:#?}");
}

#[test]
fn long_and_wide_names_line_up() {
    let sandbox = Sandbox::new();
    let long = "a very long name of a profile ".repeat(3) + "that somebody thought of";
    let names = ["x", "實驗室", "cafe\u{301}", "ｗｉｄｅ", "labor🧪", "Ünïcödé", "with space", &long];
    let toml: String = names
        .iter()
        .enumerate()
        .map(|(number, name)| {
            let url = format!("https://{}label.example.com:{number}0", "sub.".repeat(number));
            idle(name, &url, &format!("env:{}", "V".repeat(number + 1)))
        })
        .collect();
    sandbox.settings(&toml.replacen(":00", ":1", 1));
    let lines = lines(&sandbox);
    assert_eq!(lines.len(), names.len() + 1);
    for (column, mark) in [(1, "https://"), (2, "env:"), (3, "none")] {
        let head = ["PROFILE", "SERVER", "SOURCE", "TOKEN"][column];
        let place = columns(&lines[0][..lines[0].find(head).unwrap()]);
        for line in &lines[1..] {
            assert_eq!(columns(&line[..line.rfind(mark).unwrap()]), place, "{line}\n{lines:#?}");
        }
    }
    assert!(lines.iter().all(|line| line.trim_end() == line), "white space at the end: {lines:#?}");
}

#[test]
fn a_value_longer_than_any_line_does_no_harm() {
    let sandbox = Sandbox::new();
    let long = "V".repeat(70_000);
    sandbox
        .settings(&(idle("a", "https://a.example", &format!("env:{long}")) + &idle("b", "https://b.example", "env:B")));
    let lines = lines(&sandbox);
    assert_eq!(lines.len(), 3);
    assert!(lines[1].contains(&long) && lines[2].ends_with("  none"));
}

#[test]
fn without_any_profile_it_says_so_and_the_list_is_empty() {
    let sandbox = Sandbox::new();
    let lines = lines(&sandbox);
    assert_eq!(lines.len(), 1);
    let settings = sandbox.home().join(".config/ls-token/config.toml");
    assert_eq!(lines[0], format!("no profiles: neither in the environment nor in {}", settings.display()));
    assert_eq!(sandbox.ls_token(&["status", "--all", "--json"]).run().quiet().line(), "[]");
}

#[test]
fn all_and_one_contradict_each_other() {
    let sandbox = Sandbox::new();
    for more in [["--profile", "x"], ["--url", "https://h"]] {
        let done = sandbox.ls_token(&["status", "--all"]).arg(more[0]).arg(more[1]).run();
        done.fails(2).says("omit --all, or --profile and --url");
    }
}

#[test]
fn there_is_colour_on_a_terminal_alone_and_not_with_no_color() {
    need("script");
    let (sandbox, _server) = cached();
    let on_a_terminal = |arguments: &str, no_color: &str| {
        let command = format!("\"$LS_TOKEN\" {arguments}; tty");
        let done = sandbox
            .program("script", &["-qec", &command, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env("NO_COLOR", no_color)
            .run();
        assert!(done.stdout.contains("test") && done.stdout.contains("/dev/pts/"), "not on a terminal: {done:?}");
        done.stdout
    };
    for arguments in ["status", "status --all"] {
        let coloured = on_a_terminal(arguments, "");
        assert!(coloured.contains("\x1b[32m") && coloured.contains("\x1b[0m\r\n"), "{coloured:?}");
        assert!(!on_a_terminal(arguments, "1").contains('\x1b'));
    }
    assert!(!on_a_terminal("status --json", "").contains('\x1b'));
    for arguments in [&["status"][..], &["status", "--all"]] {
        assert!(!sandbox.ls_token(arguments).run().stdout.contains('\x1b'));
    }
}
