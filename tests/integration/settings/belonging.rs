//! A personal access token goes to its own server or nowhere, and over plain http to this machine alone.

use super::{profile, with_three};
use crate::sandbox::Sandbox;
use crate::server::{Server, Setup};

#[test]
fn f02_a_url_from_elsewhere_never_gets_a_profiles_token() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let stranger = Server::start().expect_no_calls();
    sandbox.settings(&profile(&sandbox, "test", &server, ""));
    let urls = [
        stranger.url(),
        stranger.url().replace("127.0.0.1", "localhost"),
        format!("http://127.0.0.2:{}", server.port()),
        format!("https://127.0.0.1:{}", server.port()),
        format!("http://localhost:{}", server.port()),
    ];
    for url in &urls {
        for done in [
            sandbox.ls_token(&["--url", url]).run(),
            sandbox.ls_token(&[]).env("LABEL_STUDIO_URL", url).run(),
            sandbox.ls_token(&["curl", "/x"]).env("LABEL_STUDIO_URL", url).run(),
            sandbox.ls_token(&["--url", url, "curl", "/x"]).run(),
        ] {
            done.fails(78).says("no personal access token belongs to").says("so none is sent there").says("  hint: ");
        }
    }
    // A token that is in the cache already goes nowhere else either.
    sandbox.ls_token(&[]).run().token();
    sandbox.ls_token(&["--url", &stranger.url()]).run().fails(78);
    assert_eq!(server.connections(), 1);
}

#[test]
fn f02_an_exported_key_never_goes_to_another_url() {
    let (sandbox, server, stranger) = (Sandbox::new(), Server::start(), Server::start().expect_no_calls());
    sandbox.use_env(&server);
    for arguments in [
        &["--url", &stranger.url()][..],
        &["--url", &stranger.url(), "curl", "/x"],
        &["--refresh", "--url", &format!("{}/x", stranger.url())],
    ] {
        let done = sandbox.ls_token(arguments).run();
        done.fails(78).says("so none is sent there").says("change both together");
    }
    let done = sandbox.ls_token(&["curl", &stranger.url()]).run();
    done.fails(2).says("belongs to no profile's server, so it gets no token");
    sandbox.ls_token(&["--url", &server.url()]).run().token();
}

#[test]
fn f02_a_base_path_belongs_to_the_token_too() {
    let sandbox = Sandbox::new();
    let server = Setup { base: "/label-studio".into(), ..Setup::default() }.start();
    sandbox.use_env(&server);
    for path in ["", "/", "/other", "/label-studi", "/label-studio-evil", "/Label-Studio"] {
        let url = format!("{}{path}", server.origin());
        sandbox.ls_token(&["--url", &url]).run().fails(78).says("so none is sent there");
    }
    assert_eq!(server.connections(), 0);
    sandbox.ls_token(&["--url", &format!("{}/api/", server.url())]).run().token();
}

#[test]
fn f02_a_profile_and_a_url_that_is_not_its_own_are_refused() {
    let (sandbox, servers) = with_three();
    let (one, two) = (servers[0].url(), servers[1].url());
    let done = sandbox.ls_token(&["--profile", "one", "--url", &two]).run();
    done.fails(78)
        .says("name different servers")
        .says(&format!("url: {two}"))
        .says(&format!("server: {one}"))
        .says("hint: omit one of");
    let done = sandbox.ls_token(&["--profile", "two", "curl", &format!("{one}/x")]).run();
    done.fails(2).says("belongs to no profile's server");
    assert_eq!(servers.iter().map(Server::connections).sum::<usize>(), 0);
}

#[test]
fn f04_plain_http_to_another_machine_needs_allow_http() {
    // 0.0.0.0 is not loopback by its number, and leads to this machine all the same.
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let url = format!("http://0.0.0.0:{}", server.port());
    let pat = sandbox.pat_file(server.pat());
    let text = format!("[profiles.x]\nurl = \"{url}\"\npat = \"file:{}\"\n", pat.display());
    let file = sandbox.settings(&text);
    for more in ["", "allow_http = false\n"] {
        sandbox.settings(&format!("{text}{more}"));
        let done = sandbox.ls_token(&[]).run();
        done.fails(78)
            .says("plain http to http://0.0.0.0")
            .says(&format!("{}, line 2", file.display()))
            .says("`allow_http = true`");
    }
    let by_variables = sandbox.ls_token(&[]).env("LABEL_STUDIO_URL", &url).env("LABEL_STUDIO_API_KEY", server.pat());
    by_variables.run().fails(78).says("plain http would show the personal access token");
    assert_eq!(server.connections(), 0);
    sandbox.settings(&format!("{text}allow_http = true\n"));
    sandbox.ls_token(&[]).run().token();
    for host in ["128.0.0.1", "localhost.evil.example", "127.0.0.1.evil.example"] {
        sandbox.settings(&format!("[profiles.x]\nurl = \"http://{host}\"\npat = \"file:/nowhere\"\n"));
        sandbox.ls_token(&[]).run().fails(78).says("plain http to ");
    }
    for host in
        ["http://127.0.0.1", "http://localhost", "http://[::1]", "http://127.255.255.254", "https://label.example.com"]
    {
        sandbox.settings(&format!("[profiles.x]\nurl = \"{host}\"\npat = \"file:/nowhere\"\n"));
        sandbox.ls_token(&[]).run().fails(77);
    }
}
