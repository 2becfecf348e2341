//! The two variables of Label Studio's SDK as a set-up of their own: what a profile of the same server adds, what nothing
//! can stop, and what is said of values that are not what they should be.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use rustix::process::geteuid;
use serde_json::Value;

use super::profile;
use crate::record::age;
use crate::sandbox::{LS_TOKEN, Sandbox, ready};
use crate::server::{REFRESH, Reply, Server};
use crate::tls::Authority;

const README: &str = include_str!("../../../README.md");

/// Returns the block of README that begins with a line, without its indentation.
fn block(first: &str) -> String {
    let lines = README.lines().skip_while(|line| line.trim() != first);
    let block: Vec<&str> = lines.map_while(|line| line.strip_prefix("    ")).collect();
    assert!(!block.is_empty(), "README has no block that begins with {first}");
    block.join("\n")
}

#[test]
fn f71_a_profile_of_the_same_server_lends_its_keys_to_the_pair() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let url = format!("http://0.0.0.0:{}", server.port());
    sandbox.set("LABEL_STUDIO_URL", &url);
    sandbox.set("LABEL_STUDIO_API_KEY", server.pat());
    sandbox
        .ls_token(&[])
        .run()
        .fails(78)
        .says("hint: use https, or write a profile of this server into the settings: url, pat = ");
    // Its own token is another one, which nobody asks for.
    sandbox.settings(&format!(
        "[profiles.lab]\nurl = \"{url}/\"\npat = \"file:/nowhere\"\nallow_http = true\nmin_ttl = 200\ntimeout = 7\n"
    ));
    let done = sandbox.ls_token(&["--format", "json"]).run();
    let json: Value = serde_json::from_str(&done.quiet().stdout).unwrap();
    assert_eq!(json["profile"], "environment");
    age(&sandbox.cache_file(), Duration::from_secs(120));
    sandbox.ls_token(&[]).run().token();
    assert_eq!(server.exchanges(), 2, "min_ttl counts");
    server.always(REFRESH, Reply::Silence);
    sandbox.settings(&format!("[profiles.lab]\nurl = \"{url}\"\npat = \"stored\"\nallow_http = true\ntimeout = 1\n"));
    sandbox.ls_token(&["--refresh"]).run().fails(69).says("did not answer within 1 s");
    // A profile of another server, or of another path, lends nothing.
    for other in ["http://0.0.0.0:1".to_owned(), format!("{url}/label-studio")] {
        sandbox.settings(&format!("[profiles.lab]\nurl = \"{other}\"\npat = \"stored\"\nallow_http = true\n"));
        sandbox.ls_token(&[]).run().fails(78).says("plain http would show");
    }
}

#[test]
fn f71_of_several_profiles_the_default_lends() {
    let (sandbox, server) = ready();
    server.always(REFRESH, Reply::Silence);
    let profiles = profile(&sandbox, "a", &server, "timeout = 60") + &profile(&sandbox, "b", &server, "timeout = 1");
    sandbox.settings(&format!("default = \"b\"\n{profiles}"));
    sandbox.ls_token(&[]).run().fails(69).says("did not answer within 1 s");
}

#[test]
fn f71_the_pair_trusts_the_ca_file_of_a_profile_of_its_server() {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let server = authority.server(&["localhost"]);
    let url = server.url().replace("127.0.0.1", "localhost");
    let ca_file = sandbox.file("ca.pem", &authority.pem, 0o644);
    sandbox.set("LABEL_STUDIO_URL", &url);
    sandbox.set("LABEL_STUDIO_API_KEY", server.pat());
    sandbox.ls_token(&[]).run().fails(69).says("unknown CA");
    sandbox.settings(&format!("[profiles.lab]\nurl = \"{url}\"\npat = \"stored\"\nca_file = {ca_file:?}\n"));
    sandbox.ls_token(&[]).run().quiet().token();
    let done = sandbox.ls_token(&["curl", "-sSf", "/api/projects/"]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
}

#[test]
fn f71_the_recipe_for_containers_works_as_it_stands_in_readme() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let recipe = block("[profiles.label-studio]");
    let url = format!("http://0.0.0.0:{}", server.port());
    assert!(recipe.contains("http://label-studio:8080"));
    let file = sandbox.file("ls-token.toml", recipe.replace("http://label-studio:8080", &url), 0o444);
    sandbox.set("LS_TOKEN_CONFIG", &file);
    sandbox.set("LABEL_STUDIO_URL", &url);
    sandbox.set("LABEL_STUDIO_API_KEY", server.pat());
    sandbox.ls_token(&[]).run().quiet().token();
    let done = sandbox.ls_token(&["curl", "-sSf", "/api/projects/"]).run();
    assert_eq!(done.quiet().code, Some(0), "{done:?}");
    sandbox.command("given", r#"echo "$LABEL_STUDIO_URL""#);
    assert_eq!(sandbox.ls_token(&["exec", "--", "given"]).run().quiet().line(), url);
    assert_eq!(sandbox.ls_token(&["doctor"]).run().code, Some(0));
}

/// Runs everything that the pair is to be enough for.
#[track_caller]
fn assert_enough(sandbox: &Sandbox, what: &str) {
    for arguments in [
        &[][..],
        &["--refresh"],
        &["curl", "-sSf", "/api/projects/"],
        &["exec", "true"],
        &["status"],
        &["verify"],
        &["doctor"],
    ] {
        let done = sandbox.ls_token(arguments).run();
        assert_eq!(done.code, Some(0), "{what}, {arguments:?}: {done:?}");
    }
    let done = sandbox.ls_token(&["-v"]).run();
    done.says("settings: ignored, as both variables are set");
}

#[test]
fn f72_with_the_pair_nothing_about_the_settings_file_stops_anything() {
    let (sandbox, _server) = ready();
    let path = sandbox.settings("");
    for (what, text) in [
        ("no TOML", "nonsense".to_owned()),
        ("an unknown key", "[profiles.a]\nurl = \"https://h\"\npat = \"stored\"\ntoken = 1\n".into()),
        ("a default that is not there", "default = \"nobody\"\n".into()),
        ("too large", "# note\n".repeat(200_000)),
    ] {
        fs::write(&path, text).unwrap();
        assert_enough(&sandbox, what);
    }
    fs::write(&path, b"\xff").unwrap();
    assert_enough(&sandbox, "no UTF-8");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    assert_enough(&sandbox, "open to others");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_enough(&sandbox, "a directory");
    fs::remove_dir(&path).unwrap();
    std::os::unix::fs::symlink(&path, &path).unwrap();
    assert_enough(&sandbox, "a link to itself");
    for value in ["relative.toml", "/nowhere/at/all.toml", "/dev/null/x"] {
        sandbox.set("LS_TOKEN_CONFIG", value);
        assert_enough(&sandbox, value);
    }
}

#[test]
fn f72_a_home_that_cannot_be_entered_stops_nothing() {
    let (sandbox, server) = ready();
    let home = sandbox.directory("closed");
    fs::set_permissions(&home, fs::Permissions::from_mode(0o000)).unwrap();
    // Root enters it all the same; another user does not.
    let (user, cache) = (if geteuid().is_root() { "65534" } else { "" }, sandbox.directory("cache"));
    let call = if user.is_empty() {
        sandbox.ls_token(&["curl", "-sSf", "/api/projects/"])
    } else {
        std::os::unix::fs::chown(&cache, Some(65534), None).unwrap();
        std::os::unix::fs::chown(&home, Some(65534), None).unwrap();
        fs::set_permissions(sandbox.root(), fs::Permissions::from_mode(0o755)).unwrap();
        sandbox.program("setpriv", &["--reuid", user, "--clear-groups", LS_TOKEN, "curl", "-sSf", "/api/projects/"])
    };
    let done = call.env("HOME", &home).env("LS_TOKEN_CACHE_DIR", &cache).run();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(done.quiet().code, Some(0), "{done:?}");
    assert_eq!(server.exchanges(), 1);
}

#[test]
fn f72_what_is_asked_of_every_profile_still_needs_the_file() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.use_env(&server);
    sandbox.settings("nonsense");
    for arguments in [&["status", "--all"][..], &["logout", "--all"], &["--profile", "lab"]] {
        sandbox.ls_token(arguments).run().fails(78).says("the settings are not TOML");
    }
}

#[test]
fn f73_what_files_of_variables_leave_around_a_value_does_no_harm() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let wrap: [&dyn Fn(&str) -> String; 8] = [
        &|value| format!("\"{value}\""),
        &|value| format!("'{value}'"),
        &|value| format!("{value}\r"),
        &|value| format!("\u{feff}{value}\r\n"),
        &|value| format!("  {value}\t"),
        &|value| format!("\"{value}\"\r"),
        &|value| format!("\" {value} \""),
        &|value| format!("\u{a0}{value}\u{3000}"),
    ];
    for wrapped in wrap {
        let (url, pat) = (wrapped(&server.url()), wrapped(server.pat()));
        let call = sandbox.ls_token(&["--refresh"]).env("LABEL_STUDIO_URL", &url).env("LABEL_STUDIO_API_KEY", &pat);
        call.run().quiet().token();
        let call = sandbox.ls_token(&["exec", "printenv", "LABEL_STUDIO_URL"]);
        let done = call.env("LABEL_STUDIO_URL", &url).env("LABEL_STUDIO_API_KEY", &pat).run();
        assert_eq!(done.line(), server.url());
        // The same for a file's content, and for a profile's name.
        sandbox.file("home of someone/test.pat", &pat, 0o600);
        let call = sandbox.ls_token(&["--no-cache"]).env("LS_TOKEN_PROFILE", wrapped("test"));
        sandbox.settings(&format!("[profiles.test]\nurl = \"{}\"\npat = \"file:~/test.pat\"\n", server.url()));
        call.run().quiet().token();
    }
}

#[test]
fn f73_a_value_that_is_something_else_is_said_to_be_that() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.set("LABEL_STUDIO_URL", server.url());
    for (key, what) in [
        ("op://Development/Label Studio PAT/credential", "this is a 1Password reference"),
        ("\"op://Vault/Item/field\"", "this is a 1Password reference"),
        ("$LABEL_STUDIO_PAT", "this is a variable that nothing has expanded"),
        ("${{ secrets.LABEL_STUDIO_PAT }}", "this is a variable that nothing has expanded"),
        (&format!("LABEL_STUDIO_API_KEY={}", server.pat()), "there is a name before the personal access token"),
        (&format!("Bearer {}", server.pat()), "more than one word"),
    ] {
        let done = sandbox.ls_token(&[]).env("LABEL_STUDIO_API_KEY", key).run();
        done.fails(77).says(what).says("  hint: ");
    }
    sandbox.set("LABEL_STUDIO_API_KEY", server.pat());
    for (url, what) in [
        ("LABEL_STUDIO_URL=https://h", "has a name and `=` before it"),
        ("\"https://h", "has a character that no URL has"),
        ("https://h https://i", "has white space in it"),
        ("$URL", "has no scheme"),
    ] {
        sandbox.ls_token(&[]).env("LABEL_STUDIO_URL", url).run().fails(78).says(what).says("from: LABEL_STUDIO_URL=");
    }
}

#[test]
fn f73_a_variable_that_is_set_but_empty_is_named() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    for empty in ["", " ", "\"\"", "\r", "\u{feff}"] {
        let call = sandbox.ls_token(&[]).env("LABEL_STUDIO_URL", server.url()).env("LABEL_STUDIO_API_KEY", empty);
        call.run()
            .fails(78)
            .says("hint: LABEL_STUDIO_API_KEY is set but empty: check that its value reaches this process");
        let call = sandbox.ls_token(&[]).env("LABEL_STUDIO_URL", empty).env("LABEL_STUDIO_API_KEY", server.pat());
        call.run().fails(78).says("hint: LABEL_STUDIO_URL is set but empty");
    }
}

#[test]
fn f73_a_variable_of_no_concern_stops_nothing() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.settings(&profile(&sandbox, "test", &server, ""));
    let odd = OsStr::from_bytes(b"\xff\xfe");
    for name in ["LABEL_STUDIO_URL", "LS_TOKEN_PROFILE"] {
        sandbox.ls_token(&["--profile", "test"]).env(name, odd).run().quiet().token();
        sandbox.ls_token(&["exec", "--profile", "test", "true"]).env(name, odd).run().quiet();
    }
    for name in ["LABEL_STUDIO_API_KEY", "EDITOR", "SHELL", "NO_COLOR"] {
        sandbox.ls_token(&[]).env(name, odd).run().quiet().token();
        sandbox.ls_token(&["curl", "-sSf", "/api/projects/"]).env(name, odd).run().quiet();
    }
}

#[test]
fn f74_a_key_without_a_url_is_told_which_line_to_add() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.set("LABEL_STUDIO_API_KEY", server.pat());
    let line = "hint: export LABEL_STUDIO_URL=https://label.example.com";
    sandbox.ls_token(&[]).run().fails(78).says(line);
    sandbox.ls_token(&["curl", "/api/projects/"]).run().fails(78).says(line);
    sandbox.ls_token(&["exec", "true"]).run().fails(78).says(line);
    sandbox.ls_token(&["curl", "https://label.example.com/api/projects/"]).run().fails(78).says(line);
    sandbox.ls_token(&["--url", "https://label.example.com"]).run().fails(78).says(&line[6..]);
}

#[test]
fn f74_a_legacy_token_is_told_how_to_get_another_without_a_browser() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.set("LABEL_STUDIO_URL", server.url());
    let legacy: String = (0..40).map(|_| char::from_digit(fastrand::u32(..16), 16).unwrap()).collect();
    let done = sandbox.ls_token(&[]).env("LABEL_STUDIO_API_KEY", &legacy).run();
    done.fails(77)
        .says("this is a legacy token")
        .says("/api/token/")
        .says("Authorization: Token")
        .does_not_say(&legacy);
}
