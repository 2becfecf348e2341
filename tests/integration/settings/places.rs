//! Where the settings are read from: where the variables say, never in the current directory.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{profile, used};
use crate::sandbox::Sandbox;
use crate::server::Server;

#[test]
fn f18_settings_are_never_read_from_the_current_directory() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let planted = format!("[profiles.planted]\nurl = \"{}\"\npat = \"cmd:touch /nowhere\"\n", server.url());
    for place in [
        "config.toml",
        "ls-token.toml",
        ".ls-token.toml",
        "ls-token/config.toml",
        ".config/ls-token/config.toml",
        "~/.config/ls-token/config.toml",
    ] {
        sandbox.file(&format!("work/{place}"), &planted, 0o600);
    }
    for (name, value) in [
        ("HOME", ""),
        ("XDG_CONFIG_HOME", "."),
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_CONFIG_HOME", "./"),
        ("XDG_CONFIG_HOME", "~/.config"),
        ("PWD", "/"),
    ] {
        let done = sandbox.ls_token(&[]).env(name, value).run();
        done.fails(78).says("no Label Studio server is set");
    }
}

#[test]
fn f18_a_relative_home_or_settings_variable_is_not_the_current_directory() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let planted = format!("[profiles.planted]\nurl = \"{}\"\npat = \"cmd:touch /nowhere\"\n", server.url());
    for place in ["config.toml", ".config/ls-token/config.toml"] {
        sandbox.file(&format!("work/{place}"), &planted, 0o600);
    }
    for (name, value) in [
        ("HOME", "."),
        ("HOME", "./"),
        ("HOME", "../work"),
        ("LS_TOKEN_CONFIG", "config.toml"),
        ("LS_TOKEN_CONFIG", "./config.toml"),
    ] {
        let done = sandbox.ls_token(&[]).env(name, value).run();
        assert_eq!(done.code, Some(78), "{name}={value}: {done:?}");
        done.does_not_say("planted");
    }
}

#[test]
fn the_settings_are_where_the_variables_say() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let text = |name: &str| profile(&sandbox, name, &server, "");
    sandbox.settings(&text("home"));
    sandbox.file("xdg/ls-token/config.toml", text("xdg"), 0o600);
    let named = sandbox.file("elsewhere/any name.toml", text("named"), 0o600);
    let run = |variables: &[(&str, &str)]| {
        let call = variables.iter().fold(sandbox.ls_token(&["-v"]), |call, (name, value)| call.env(name, value));
        used(&call.run()).to_owned()
    };
    let (xdg, named) = (sandbox.root().join("xdg").display().to_string(), named.display().to_string());
    assert_eq!(run(&[]), "home");
    assert_eq!(run(&[("XDG_CONFIG_HOME", &xdg)]), "xdg");
    assert_eq!(run(&[("XDG_CONFIG_HOME", &xdg), ("LS_TOKEN_CONFIG", &named)]), "named");
    assert_eq!(run(&[("XDG_CONFIG_HOME", "relative")]), "home");
    // A directory without settings in it has none; the home's are not taken in their place.
    let done = sandbox.ls_token(&[]).env("XDG_CONFIG_HOME", sandbox.work()).run();
    done.fails(78).says("no Label Studio server is set").says("work/ls-token/config.toml");
}

#[test]
fn a_tilde_is_the_home_directory() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.file("home of someone/secrets/lab.pat", server.pat(), 0o600);
    sandbox.settings(&format!(
        "[profiles.lab]\nurl = \"{}\"\npat = \"file:~/secrets/lab.pat\"\nca_file = \"~/no such file\"\n",
        server.url()
    ));
    sandbox.ls_token(&[]).run().token();
    sandbox.settings(&format!("[profiles.lab]\nurl = \"{}\"\npat = \"file:~/missing.pat\"\n", server.url()));
    let done = sandbox.ls_token(&[]).run();
    done.fails(77).says(&format!("{}/missing.pat", sandbox.home().display()));
}

#[test]
fn f51_settings_that_someone_else_may_have_written_are_refused() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let file = sandbox.settings(&profile(&sandbox, "test", &server, ""));
    let set_mode = |mode: u32| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    for mode in [0o400, 0o600, 0o640, 0o644, 0o755] {
        set_mode(mode);
        sandbox.ls_token(&[]).run().quiet().token();
    }
    for mode in [0o660, 0o664, 0o646, 0o602, 0o620] {
        set_mode(mode);
        for words in [&[][..], &["status"], &["exec", "true"], &["curl", "/x"]] {
            let done = sandbox.ls_token(words).run();
            done.fails(78).says("other users can write to the file; run chmod go-w ").says("config.toml");
        }
    }
    assert_eq!(server.exchanges(), 1);
}
