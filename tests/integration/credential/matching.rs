//! For whom `ls-token credential get` has an answer: protocol, host, port and path lie under a profile's URL. For anyone
//! else it has none, and says nothing.

use super::{WITHOUT, assert_silent, get, operation, request_for, values};
use crate::sandbox::{Sandbox, ready};
use crate::server::{Server, Setup};
use crate::settings::profile;

#[test]
fn f02_a_host_that_is_no_profiles_gets_no_answer() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.use_file(&server, "");
    let (address, port) = (server.address(), server.port());
    for request in [
        "protocol=https\nhost=github.com\n".to_owned(),
        format!("protocol=https\nhost={address}\n"),
        "protocol=http\nhost=127.0.0.1\n".to_owned(),
        format!("protocol=http\nhost=127.0.0.1:{}\n", port ^ 1),
        format!("protocol=http\nhost=127.0.0.2:{port}\n"),
        format!("protocol=http\nhost=localhost:{port}\n"),
        format!("protocol=ssh\nhost={address}\n"),
        format!("protocol=\nhost={address}\n"),
        format!("host={address}\n"),
        "protocol=http\n".to_owned(),
        "protocol=http\nhost=\n".to_owned(),
        "protocol=cert\nhost=\npath=/path/to/file\n".to_owned(),
        String::new(),
        "\n".to_owned(),
        format!("\nprotocol=http\nhost={address}\n"),
        format!("Protocol=http\nHost={address}\n"),
        format!("protocol =http\nhost={address}\n"),
    ] {
        assert_silent(&get(&sandbox, request.clone() + "\n"), &request);
        let with_password = format!("{request}password=x\n\n");
        assert_silent(&operation(&sandbox, "erase", with_password).run(), &request);
    }
    let verbose = sandbox.ls_token(&["-v", "credential", "get"]).stdin("protocol=https\nhost=github.com\n\n").run();
    verbose.says("ls-token: credential: the request is for no profile's server");
    assert_eq!(verbose.stdout, "");
}

#[test]
fn f03_tricks_with_the_host_get_no_answer() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.use_file(&server, "");
    let address = server.address();
    for host in [
        format!("someone@{address}"),
        format!("{address}@evil.example"),
        format!("evil.example@{address}"),
        format!("{address}.evil.example"),
        format!("{address}/"),
        format!("{address}/x"),
        format!("{address}?x"),
        format!("{address}#x"),
        format!("{address}\\@evil.example"),
        format!(" {address}"),
        format!("{address} "),
        format!("{address}\t"),
        format!("{address}\u{200b}"),
        format!("http://{address}"),
        format!("[::ffff:127.0.0.1]:{}", server.port()),
        format!("2130706433:{}", server.port()),
        format!("127.1:{}", server.port()),
        format!("%31%32%37.0.0.1:{}", server.port()),
    ] {
        assert_silent(&get(&sandbox, format!("protocol=http\nhost={host}\n\n")), &host);
    }
    for protocol in ["http://x", "http:", "http://127.0.0.1/", "http "] {
        assert_silent(&get(&sandbox, format!("protocol={protocol}\nhost={address}\n\n")), protocol);
    }
}

#[test]
fn f03_spellings_of_a_profiles_host_are_answered() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let port = server.port();
    let pat = sandbox.pat_file(server.pat());
    sandbox
        .settings(&format!("[profiles.test]\nurl = \"http://localhost:{port}\"\npat = \"file:{}\"\n", pat.display()));
    for request in [
        format!("protocol=http\nhost=localhost:{port}\n"),
        format!("host=LocalHost:{port}\nprotocol=HTTP\n"),
        format!("protocol=http\nhost=localhost:{port}\npath=\n"),
        format!("protocol=http\nhost=localhost:{port}\npath=any/repository.git\n"),
        format!("protocol=https\nhost=github.com\nprotocol=http\nhost=localhost:{port}\n"),
        format!("url=http://localhost:{port}\n"),
        format!("url=http://localhost:{port}/any/repository.git?x#y\n"),
        format!("url=http://localhost:{port}?x\n"),
        format!("protocol=https\nhost=github.com\nurl=http://localhost:{port}/\n"),
        format!("wwwauth[]=Bearer realm=\"x\"\nwwwauth[]=Basic\nprotocol=http\nhost=localhost:{port}\nunknown=1\n"),
    ] {
        let [_, password, _] = values(&get(&sandbox, request + "\n"), WITHOUT);
        assert_eq!(vec![password], server.issued());
    }
    let with_user = format!("url=http://someone:secret@localhost:{port}/\n\n");
    assert_eq!(values(&get(&sandbox, with_user), WITHOUT)[0], "someone");
    // What is said of the host after the URL counts.
    assert_silent(&get(&sandbox, format!("url=http://localhost:{port}\nhost=github.com\n\n")), "host");
    assert_silent(&get(&sandbox, format!("protocol=http\nhost=localhost:{port}\nurl=https://github.com\n\n")), "url");
}

#[test]
fn f53_a_base_path_must_be_asked_for() {
    let (sandbox, server) = (Sandbox::new(), Setup { base: "/label-studio".into(), ..Setup::default() }.start());
    sandbox.use_file(&server, "");
    for path in [
        "label-studio",
        "label-studio/",
        "label-studio/any.git",
        "/label-studio/x",
        "label-studio?x",
        "label-studio/a;b/c%2fd",
    ] {
        let [_, password, _] = values(&get(&sandbox, format!("{}path={path}\n\n", request_for(&server))), WITHOUT);
        assert_eq!(vec![password], server.issued(), "{path}");
    }
    for path in [
        "",
        "label-studio-evil/x",
        "Label-Studio/x",
        "x/label-studio",
        "label-studi",
        "label-studio/../evil.git",
        "label-studio/x/../../evil.git",
        "label-studio/..",
        "label-studio/..?x",
        "label-studio/%2e%2E/evil.git",
        "label-studio/./x",
        // What nginx and Tomcat take for a way out (`lscurl` refuses the same).
        "label-studio/..;/x",
        "label-studio/a/..;b=c/..;/x",
        "label-studio/%2e%2e;/x",
        "label-studio/..%2fx",
        "label-studio/..%2Fx",
        "label-studio/..%5cx",
        "label-studio/..\\x",
        "label-studio/%252e%252e/x",
        "label-studio/..%25252fx",
    ] {
        assert_silent(&get(&sandbox, format!("{}path={path}\n\n", request_for(&server))), path);
    }
    assert_silent(&get(&sandbox, request_for(&server)), "no path");
}

#[test]
fn of_several_profiles_the_one_with_the_longest_path_answers() {
    let sandbox = Sandbox::new();
    let server = Server::start();
    let file = |name: &str, pat: &str| sandbox.file(&format!("{name}.pat"), pat, 0o600).display().to_string();
    let (one, two) = (file("one", server.pat()), file("two", &server.new_pat()));
    let url = server.url();
    let of = |name: &str, url: &str, file: &str| format!("[profiles.{name}]\nurl = \"{url}\"\npat = \"file:{file}\"\n");
    // The longer path has a server of its own that answers nothing: that it was asked is seen by its failure.
    sandbox.settings(&(of("one", &url, &one) + &of("deep", &format!("{url}/deep"), &two)));
    values(&get(&sandbox, request_for(&server) + "path=x\n\n"), WITHOUT);
    get(&sandbox, request_for(&server) + "path=deep/x\n\n").fails(76);
    assert_eq!(server.count("POST", "/deep/api/token/refresh/"), 1);
    // Of two that are equal one must be preferred.
    sandbox.settings(&(of("one", &url, &one) + &of("two", &url, &two)));
    get(&sandbox, request_for(&server)).fails(78).says("several profiles are for").says("one, two");
    let preferred = operation(&sandbox, "get", request_for(&server)).env("LS_TOKEN_PROFILE", "two").run();
    values(&preferred, WITHOUT);
    let named = sandbox.ls_token(&["credential", "--profile", "two", "get"]).stdin(request_for(&server)).run();
    assert_eq!(named.quiet().stdout, preferred.stdout);
}

#[test]
fn a_profile_that_is_named_answers_for_its_own_server_only() {
    let sandbox = Sandbox::new();
    let (one, two) = (Server::start(), Server::start().expect_no_calls());
    sandbox.settings(&(profile(&sandbox, "one", &one, "") + &profile(&sandbox, "two", &two, "")));
    for (arguments, server, answered) in [
        (["--profile", "one"], &one, true),
        (["--profile", "two"], &one, false),
        (["--url", &one.url()], &one, true),
        (["--url", &two.url()], &one, false),
    ] {
        let done = sandbox
            .ls_token(&["credential", "get"])
            .arg(arguments[0])
            .arg(arguments[1])
            .stdin(request_for(server))
            .run();
        assert_eq!((done.quiet().code, !done.stdout.is_empty()), (Some(0), answered), "{arguments:?}");
    }
    let unknown = sandbox.ls_token(&["credential", "--profile", "three", "get"]).stdin(request_for(&one)).run();
    unknown.fails(78).says("there is no profile three");
}

#[test]
fn the_environments_pair_answers_for_its_own_server_only() {
    let (sandbox, server) = ready();
    let other = Server::start().expect_no_calls();
    values(&get(&sandbox, request_for(&server)), WITHOUT);
    assert_silent(&get(&sandbox, request_for(&other)), "another server");
    assert_silent(&get(&Sandbox::new(), request_for(&other)), "no profile at all");
}
