//! What is saved: the token in a private place, the profile in the settings, and every other byte as it was.

use std::fs;
use std::os::unix::fs::symlink;

use super::{config, interrupt_rotation, login, rescued, stored, stored_token};
use crate::cache::mode;
use crate::sandbox::{Sandbox, read};
use crate::server::{Gate, REFRESH, Reply, Server};
use crate::tls::Authority;

#[test]
fn a_login_saves_a_profile_and_the_token_and_keeps_the_first_access_token() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let done = login(&sandbox, &server, server.pat(), &[]).run();
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""), "{done:?}");
    done.says(&format!("ls-token: logged in to {} as someone@example.com", server.url()))
        .says("valid until 2226-")
        .says("profile 127-0-0-1 is saved in ")
        .says("and is the default");
    let url = server.url();
    assert_eq!(
        read(&config(&sandbox)),
        format!("default = \"127-0-0-1\"\n\n[profiles.127-0-0-1]\nurl = \"{url}\"\npat = \"stored\"\n")
    );
    assert_eq!(stored_token(&sandbox), server.pat());
    let data = sandbox.home().join(".local/share/ls-token");
    let private = [data, stored(&sandbox)[0].clone(), config(&sandbox).parent().unwrap().to_owned(), config(&sandbox)];
    assert_eq!(private.map(|path| mode(&path)), [0o700, 0o600, 0o700, 0o600]);
    assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), server.issued()[0]);
    assert_eq!(server.exchanges(), 1, "the token of the trial is kept");
    sandbox.ls_token(&["--refresh"]).run().quiet().token();
    assert_eq!(server.requests().last().unwrap().text(), format!("{{\"refresh\":\"{}\"}}", server.pat()));
}

#[test]
fn the_modes_are_private_whatever_the_umask() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let script = format!("umask 000; exec \"$LS_TOKEN\" login {} --with-token", server.url());
    let done = sandbox.shell(&script).stdin(server.pat()).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!((mode(&config(&sandbox)), mode(&stored(&sandbox)[0])), (0o600, 0o600));
}

#[test]
fn logging_in_again_replaces_the_token_and_keeps_the_rest() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let url = server.url();
    let before = format!(
        "# mine\n\n[profiles.lab] # this one\nurl = '{url}/'   # note\ntimeout = 7\npat = 'env:NONE' # where\n# end\n"
    );
    sandbox.settings(&before);
    assert_eq!(login(&sandbox, &server, server.pat(), &[]).run().code, Some(0));
    assert_eq!(read(&config(&sandbox)), before.replace("'env:NONE'", "\"stored\""));
    let first = sandbox.ls_token(&[]).run().quiet().token();
    let other = server.new_pat();
    assert_eq!(login(&sandbox, &server, &other, &[]).run().code, Some(0));
    assert_eq!(stored_token(&sandbox), other);
    assert_eq!(read(&config(&sandbox)), before.replace("'env:NONE'", "\"stored\""));
    let second = sandbox.ls_token(&[]).run().quiet().token();
    assert_ne!(first, second, "f34: the token of another user is not served");
    assert_eq!(second, server.issued()[1]);
}

#[test]
fn a_second_server_is_a_second_profile_and_the_first_stays_the_default() {
    let (sandbox, server, other) = (Sandbox::new(), Server::start(), Server::start());
    assert_eq!(login(&sandbox, &server, server.pat(), &["--profile", "one"]).run().code, Some(0));
    login(&sandbox, &other, other.pat(), &["--profile", "two"]).run().says("used with --profile two");
    assert_eq!(stored(&sandbox).len(), 2);
    assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), server.issued()[0]);
    assert_eq!(sandbox.ls_token(&["--profile", "two"]).run().quiet().token(), other.issued()[0]);
    assert!(read(&config(&sandbox)).starts_with("default = \"one\"\n"));
}

#[test]
fn a_profile_that_was_the_only_one_stays_the_one_that_is_used() {
    let (sandbox, server, other) = (Sandbox::new(), Server::start(), Server::start());
    sandbox.use_file(&server, "");
    assert_eq!(login(&sandbox, &other, other.pat(), &[]).run().code, Some(0));
    stored(&sandbox);
    assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), server.issued()[0]);
}

#[test]
fn the_place_of_a_token_is_tried_and_only_the_place_is_saved() {
    let item = "op://Development/Label Studio PAT/credential";
    for source in [item, "env:MY_PAT", "file:~/label studio.pat", "cmd:give 'a b'"] {
        let (sandbox, server) = (Sandbox::new(), Server::start());
        let pat = server.pat();
        sandbox.one_password(item, pat);
        sandbox.pat_file(pat);
        sandbox.command("give", r#"[ "$1" = "a b" ] && cat "$HOME/label studio.pat""#);
        let done = sandbox.ls_token(&["login", &server.url(), "--source", source]).env("MY_PAT", pat).run();
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(read(&config(&sandbox)).ends_with(&format!("pat = {source:?}\n")));
        assert!(stored(&sandbox).is_empty());
        assert_eq!(sandbox.ls_token(&[]).env("MY_PAT", pat).run().quiet().token(), server.issued()[0], "{source}");
    }
}

#[test]
fn a_token_that_nothing_leads_to_any_more_is_deleted() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    assert_eq!(login(&sandbox, &server, server.pat(), &[]).run().code, Some(0));
    assert_eq!(stored(&sandbox).len(), 1);
    let done = sandbox.ls_token(&["login", &server.url(), "--source", "env:MY_PAT"]).env("MY_PAT", server.pat()).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    done.says("is in env:MY_PAT, and").says("profile 127-0-0-1 got it from stored before");
    assert!(stored(&sandbox).is_empty());
    assert_eq!(sandbox.cache_files().len(), 1, "the cached token of the old place is gone too");
}

#[test]
fn a_host_alone_is_taken_as_https_with_the_authority_that_is_named() {
    let sandbox = Sandbox::new();
    let authority = Authority::new();
    authority.file(&sandbox);
    let server = authority.server(&["127.0.0.1"]);
    let host = server.url().replace("https://", "");
    // A path relative to the current directory is the user's own here, and saved as a whole one.
    let done =
        sandbox.ls_token(&["login", &host, "--with-token", "--ca-file", "../authority.pem"]).stdin(server.pat()).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    stored(&sandbox);
    assert!(read(&config(&sandbox)).contains(&format!("url = \"https://{host}\"")));
    sandbox.ls_token(&["--refresh"]).run().quiet().token();
}

#[test]
fn f04_plain_http_to_another_machine_takes_a_word() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let url = format!("http://0.0.0.0:{}", server.port());
    let arguments = ["login", &url, "--with-token"];
    let done = sandbox.ls_token(&arguments).stdin(server.pat()).run();
    done.fails(78).says("plain http to ").says("hint: use https, or pass --allow-http");
    assert_eq!(server.connections(), 0);
    let done = sandbox.ls_token(&arguments).arg("--allow-http").stdin(server.pat()).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(read(&config(&sandbox)).contains("\nallow_http = true\n"));
    // Once said, it holds.
    assert_eq!(sandbox.ls_token(&arguments).stdin(server.pat()).run().code, Some(0));
    stored(&sandbox);
    sandbox.ls_token(&["--refresh"]).run().quiet().token();
}

#[test]
fn settings_that_are_a_symbolic_link_stay_one() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let dotfiles = sandbox.file("dotfiles/ls-token.toml", "# mine\n", 0o640);
    fs::create_dir_all(config(&sandbox).parent().unwrap()).unwrap();
    symlink(&dotfiles, config(&sandbox)).unwrap();
    assert_eq!(login(&sandbox, &server, server.pat(), &[]).run().code, Some(0));
    stored(&sandbox);
    assert!(config(&sandbox).is_symlink());
    assert!(read(&dotfiles).starts_with("# mine\ndefault = "));
    assert_eq!(mode(&dotfiles), 0o640, "its mode is kept");
    assert_eq!(fs::read_dir(dotfiles.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    sandbox.ls_token(&[]).run().quiet().token();
}

#[test]
fn f79_settings_from_windows_stay_what_they_are() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let file = sandbox.settings("\u{feff}# mine\r\n");
    assert_eq!(login(&sandbox, &server, server.pat(), &["--profile", "lab"]).run().code, Some(0));
    stored(&sandbox);
    let after = "# mine\ndefault = \"lab\"\n\n[profiles.lab]\nurl = \"URL\"\npat = \"stored\"\n";
    let after = format!("\u{feff}{}", after.replace('\n', "\r\n").replace("URL", &server.url()));
    assert_eq!(read(&file), after);
    sandbox.ls_token(&[]).run().quiet().token();
    assert_eq!(sandbox.ls_token(&["logout"]).run().code, Some(0));
    assert_eq!(read(&file), "\u{feff}# mine\r\n");
}

#[test]
fn settings_that_a_variable_names_are_created() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let file = sandbox.root().join("new directory/ls token.toml");
    sandbox.set("LS_TOKEN_CONFIG", &file);
    assert_eq!(login(&sandbox, &server, server.pat(), &[]).run().code, Some(0));
    stored(&sandbox);
    assert!(file.exists() && !config(&sandbox).exists());
    sandbox.ls_token(&[]).run().quiet().token();
}

#[test]
fn logins_at_once_all_count() {
    const COUNT: usize = 8;
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.settings("# mine\n");
    let names: Vec<String> = (0..COUNT).map(|number| format!("p{number}")).collect();
    let running: Vec<_> =
        names.iter().map(|name| login(&sandbox, &server, server.pat(), &["--profile", name]).start()).collect();
    for run in running {
        let done = run.wait();
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    assert_eq!(stored(&sandbox).len(), COUNT);
    let names_there = sandbox.ls_token(&["completions", "--list", "profiles"]).run().stdout;
    assert_eq!(names_there.lines().collect::<Vec<_>>(), names);
    assert!(read(&config(&sandbox)).starts_with("# mine\n"));
}

#[test]
fn variables_that_come_before_the_profile_are_named() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_env(&server);
    let done = login(&sandbox, &server, server.pat(), &[]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    done.says("LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY are set, and take precedence over every profile");
    stored(&sandbox);
}

#[test]
fn the_server_may_come_from_the_environment_or_the_profile() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let done = sandbox
        .ls_token(&["login", "--with-token", "--profile", "lab"])
        .env("LABEL_STUDIO_URL", server.url())
        .stdin(server.pat())
        .run();
    assert_eq!(done.code, Some(0), "{done:?}");
    let other = server.new_pat();
    let done = sandbox.ls_token(&["login", "--with-token", "--profile", "lab"]).stdin(&other).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(stored_token(&sandbox), other);
}

#[test]
fn a_token_that_an_interrupted_rotation_left_does_not_come_in_place_of_the_new_one() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    assert_eq!(login(&sandbox, &server, server.pat(), &[]).run().code, Some(0));
    interrupt_rotation(&sandbox, &server);
    let new = server.new_pat();
    let done = login(&sandbox, &server, &new, &[]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    done.says("the token that an interrupted rotation left was dropped");
    assert!(rescued(&sandbox).is_empty());
    assert_eq!(stored_token(&sandbox), new);
    let done = sandbox.ls_token(&["rotate"]).run();
    assert!(done.stdout.starts_with("rotated: "), "{done:?}");
}

#[test]
fn a_run_that_still_exchanges_the_old_token_does_not_leave_its_own_in_the_cache() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.command("give", r#"cat "$here/pat""#);
    sandbox.file("pat", server.pat(), 0o600);
    sandbox.use_source(&server, "cmd:give", "");
    let gate = Gate::default();
    server.script(REFRESH, [Reply::Usual.when(&gate)]);
    let old = sandbox.ls_token(&[]).start();
    server.wait_for_exchanges(1);
    sandbox.file("pat", server.new_pat(), 0o600);
    let new = sandbox.ls_token(&["login", &server.url(), "--source", "cmd:give"]).start();
    server.wait_for_exchanges(2);
    new.wait_until_it_waits();
    gate.open();
    let done = new.wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    let old = old.wait().token();
    let tokens = server.issued();
    assert_eq!(tokens.len(), 2);
    let new = tokens.into_iter().find(|token| *token != old).unwrap();
    assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), new, "f34");
}

#[test]
fn streams_that_are_closed_do_not_end_up_in_the_settings() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let before = sandbox.settings("# mine\n");
    for closed in ["2>&-", ">&-", ">&- 2>&-"] {
        let script = format!("exec \"$LS_TOKEN\" -v login {} --with-token {closed}", server.url());
        let done = sandbox.shell(&script).stdin(server.pat()).run();
        assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""), "{done:?}");
        assert_eq!(stored_token(&sandbox), server.pat());
        let text = read(&before);
        assert!(text.starts_with("# mine\ndefault = ") && !text.contains("ls-token:"), "{text}");
    }
    sandbox.ls_token(&[]).run().quiet().token();
}

#[test]
fn the_address_of_any_page_of_label_studio_will_do() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    for page in
        ["/user/account/personal-access-token", "/projects/12/data?tab=3&task=7", "/projects", "/organization#x"]
    {
        let done =
            sandbox.ls_token(&["login", &format!("{}{page}", server.url()), "--with-token"]).stdin(server.pat()).run();
        assert_eq!(done.code, Some(0), "{page}: {done:?}");
        assert!(read(&config(&sandbox)).contains(&format!("url = \"{}\"", server.url())), "{page}");
    }
    stored(&sandbox);
}
