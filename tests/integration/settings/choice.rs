//! Which profile is used: `--profile`, `--url`, `LS_TOKEN_PROFILE`, `LABEL_STUDIO_URL` with its key, that URL alone, the
//! file's default, the only one.

use serde_json::Value;

use super::{profile, used, with_three};
use crate::sandbox::Sandbox;
use crate::server::{Gate, PROJECTS, REFRESH, Reply, Server, Setup};

#[test]
fn the_order_is_profile_url_variable_pair_url_alone_default() {
    let (sandbox, servers) = with_three();
    let pair = Server::start();
    let (two, three) = (servers[1].url(), servers[2].url());
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let call = sandbox.ls_token(&[&["-v"], arguments].concat());
        let done = variables.iter().fold(call, |call, (name, value)| call.env(name, value)).run();
        done.token();
        used(&done).to_owned()
    };
    let url_and_key = [("LABEL_STUDIO_URL", pair.url()), ("LABEL_STUDIO_API_KEY", pair.pat().to_owned())];
    let both = url_and_key.each_ref().map(|(name, value)| (*name, value.as_str()));
    let named = ("LS_TOKEN_PROFILE", "two");
    assert_eq!(run(&[], &[]), "one");
    assert_eq!(run(&[], &[("LABEL_STUDIO_URL", &two)]), "two");
    assert_eq!(run(&[], &both), "environment");
    assert_eq!(run(&[], &[both[0], both[1], named]), "two");
    assert_eq!(run(&[], &[("LABEL_STUDIO_URL", &three), named]), "two");
    assert_eq!(run(&["--url", &three], &[both[0], both[1], named]), "three");
    assert_eq!(run(&["--url", &pair.url()], &[both[0], both[1], named]), "environment");
    assert_eq!(run(&["--profile", "one"], &[both[0], both[1], named]), "one");
    assert_eq!(run(&["--profile=environment"], &[both[0], both[1], named]), "environment");
    assert_eq!(run(&["--profile", "three", "--url", &three], &[both[0], both[1], named]), "three");
}

#[test]
fn the_only_profile_needs_no_default_and_of_several_one_has_to_be_named() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.settings(&profile(&sandbox, "single", &server, ""));
    assert_eq!(used(&sandbox.ls_token(&["-v"]).run()), "single");
    let text = profile(&sandbox, "a", &server, "") + &profile(&sandbox, "b", &server, "");
    sandbox.settings(&text);
    let done = sandbox.ls_token(&[]).run();
    done.fails(78).says("several profiles and none is the default").says("config.toml").says("one of a, b");
    sandbox.settings(&format!("default = \"b\"\n{text}"));
    assert_eq!(used(&sandbox.ls_token(&["-v"]).run()), "b");
}

#[test]
fn a_bad_url_in_the_environment_does_not_stand_in_the_way_of_a_profile_that_is_named() {
    let (sandbox, servers) = with_three();
    for url in ["http://label.example.com", "label.example.com", "https://user:hunter2@h"] {
        sandbox.set("LABEL_STUDIO_URL", url);
        sandbox.set("LABEL_STUDIO_API_KEY", servers[0].pat());
        let done = sandbox.ls_token(&["-v", "--profile", "two"]).run();
        assert_eq!(used(&done), "two", "LABEL_STUDIO_URL={url}");
        let done = sandbox.ls_token(&["-v"]).env("LS_TOKEN_PROFILE", "two").run();
        assert_eq!(used(&done), "two", "LABEL_STUDIO_URL={url}");
    }
}

#[test]
fn a_variable_that_is_empty_counts_as_not_set() {
    let (sandbox, servers) = with_three();
    let mut call = sandbox.ls_token(&["-v"]);
    for name in [
        "LS_TOKEN_PROFILE",
        "LABEL_STUDIO_URL",
        "LABEL_STUDIO_API_KEY",
        "LS_TOKEN_CONFIG",
        "XDG_CONFIG_HOME",
        "LS_TOKEN_CACHE_DIR",
    ] {
        call = call.env(name, "");
    }
    let done = call.run();
    assert_eq!(used(&done), "one");
    done.does_not_say("LABEL_STUDIO_API_KEY");
    assert!(sandbox.cache_file().exists());
    let done =
        sandbox.ls_token(&["-v"]).env("LABEL_STUDIO_URL", servers[1].url()).env("LABEL_STUDIO_API_KEY", "").run();
    assert_eq!(used(&done), "two");
}

#[test]
fn a_key_alone_is_not_used_and_v_says_so() {
    let (sandbox, servers) = with_three();
    let call = |arguments: &[&str]| sandbox.ls_token(arguments).env("LABEL_STUDIO_API_KEY", servers[2].pat()).run();
    let done = call(&["-v", "--format", "json"]);
    assert_eq!(used(&done), "one");
    done.says("LABEL_STUDIO_API_KEY without LABEL_STUDIO_URL is ignored");
    let json: Value = serde_json::from_str(done.line()).unwrap();
    assert_eq!((json["profile"].as_str(), json["url"].as_str()), (Some("one"), Some(servers[0].url().as_str())));
    call(&[]).quiet();
    assert_eq!((servers[0].exchanges(), servers[2].exchanges()), (1, 0));
    sandbox.settings("");
    call(&["-v"])
        .fails(78)
        .says("is ignored")
        .says("LABEL_STUDIO_API_KEY is set, and LABEL_STUDIO_URL, which says for which server, is not")
        .says(
            "hint: export LABEL_STUDIO_URL=https://label.example.com, the server that LABEL_STUDIO_API_KEY belongs to",
        );
    // Unless a profile names it.
    sandbox.settings(&format!("[profiles.x]\nurl = \"{}\"\npat = \"env:LABEL_STUDIO_API_KEY\"\n", servers[2].url()));
    call(&[]).token();
    assert_eq!(servers[2].exchanges(), 1);
}

#[test]
fn a_url_picks_the_profile_with_the_longest_base_path() {
    let sandbox = Sandbox::new();
    let server = Setup { base: "/label-studio".into(), ..Setup::default() }.start();
    let pat = sandbox.pat_file(server.pat());
    let entry = |name: &str, base: &str| {
        format!("[profiles.{name}]\nurl = \"{}{base}\"\npat = \"file:{}\"\n", server.origin(), pat.display())
    };
    sandbox.settings(
        &[entry("root", "/"), entry("under", "/label-studio/"), entry("deep", "/label-studio/deep")].concat(),
    );
    for (path, name) in [
        ("/label-studio", "under"),
        ("/label-studio/", "under"),
        ("/label-studio/api", "under"),
        ("/label-studio/deep", "deep"),
        ("/label-studio/deeper", "under"),
        ("/label-studio/deep/x", "deep"),
        ("/label-studio-evil", "root"),
        ("/Label-Studio", "root"),
        ("", "root"),
        ("/", "root"),
        ("/other", "root"),
    ] {
        let url = format!("{}{path}", server.origin());
        assert_eq!(used(&sandbox.ls_token(&["-v", "--url", &url]).run()), name, "--url {url}");
        let by_variable = sandbox.ls_token(&["-v"]).env("LABEL_STUDIO_URL", &url).run();
        assert_eq!(used(&by_variable), name, "LABEL_STUDIO_URL={url}");
    }
    assert!(server.count("POST", REFRESH) >= 1);
}

#[test]
fn a_url_that_two_profiles_are_for_is_an_error_that_names_both() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let text = profile(&sandbox, "mine", &server, "") + &profile(&sandbox, "yours", &server, "");
    sandbox.settings(&text);
    let done = sandbox.ls_token(&["--url", &server.url()]).run();
    done.fails(78)
        .says("several profiles are for")
        .says("mine, yours")
        .says("config.toml")
        .says("hint: choose one with --profile");
    sandbox.ls_token(&[]).env("LABEL_STUDIO_URL", server.url()).run().fails(78).says("mine, yours");
    sandbox.settings(&format!("default = \"yours\"\n{text}"));
    assert_eq!(used(&sandbox.ls_token(&["-v", "--url", &server.url()]).run()), "yours");
    assert_eq!(used(&sandbox.ls_token(&["-v", "--url", &server.url(), "--profile", "mine"]).run()), "mine");
}

#[test]
fn of_two_profiles_for_a_url_ls_token_profile_says_which_as_the_hint_promises() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let text = profile(&sandbox, "mine", &server, "") + &profile(&sandbox, "yours", &server, "");
    sandbox.settings(&text);
    let done = sandbox.ls_token(&["-v", "--url", &server.url()]).env("LS_TOKEN_PROFILE", "mine").run();
    assert_eq!(used(&done), "mine");
}

#[test]
fn ls_token_profile_says_which_for_a_full_url_on_curls_command_line_too() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.command("curl", "exit 0");
    let other = sandbox.file("home of someone/other.pat", server.new_pat(), 0o600);
    let text = format!(
        "{}[profiles.yours]\nurl = \"{}\"\npat = \"file:{}\"\n",
        profile(&sandbox, "mine", &server, ""),
        server.url(),
        other.display()
    );
    sandbox.settings(&format!("default = \"mine\"\n{text}"));
    let url = format!("{}{PROJECTS}", server.url());
    let done = sandbox.ls_token(&["-v", "curl", &url]).env("LS_TOKEN_PROFILE", "yours").run();
    done.says(&format!("source: reading file:{}", other.display()));
}

#[test]
fn f80_four_thousand_profiles_take_little_memory() {
    let (sandbox, server, gate) = (Sandbox::new(), Server::start(), Gate::default());
    let one = |number| format!("[profiles.p{number}]\nurl = \"https://h{number}.example\"\npat = \"env:P{number}\"\n");
    let many = (0..4_000).map(one).collect::<Vec<_>>().concat();
    sandbox.settings(&format!("default = \"last\"\n{many}{}", profile(&sandbox, "last", &server, "")));
    server.script(REFRESH, [Reply::Usual.when(&gate)]);
    let running = sandbox.ls_token(&[]).start();
    server.wait_for_exchanges(1);
    let peak = running.peak_memory().unwrap();
    gate.open();
    running.wait().quiet().token();
    assert!(peak < 64 * 1024, "{peak} KiB");
}
