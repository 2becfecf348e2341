//! How `ls-token curl` ends: with curl's own status once curl runs, with ls-token's where it must not run.

use std::fs;
use std::time::Duration;

use super::kit::{asked, assert_own_tokens, curl, profile, real_curl, starts, watch, with_server};
use crate::sandbox::Sandbox;
use crate::server::{PROJECTS, REFRESH, Reply, Server};

#[test]
fn curls_exit_status_is_kept() {
    let (sandbox, server) = with_server();
    server.always("/silent", Reply::Silence);
    server.always("/empty", Reply::raw(Vec::new()));
    server.always("/nonsense", Reply::raw(b"nonsense\r\n\r\n".to_vec()));
    server.always("/short", Reply::raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx".to_vec()));
    server.always("/loop", Reply::redirect(302, "/loop"));
    server.always("/away", Reply::redirect(302, "http://127.0.0.2:1/"));
    for (line, status) in [
        (&["-f", "/nowhere"][..], 22),
        (&["/nowhere"], 0),
        (&["-m", "1", "/silent"], 28),
        (&["-o", "no such directory/x", "/health"], 23),
        (&["-T", "no such file", "/x"], 26),
        (&["/empty"], 52),
        (&["/nonsense"], 1),
        (&["/short"], 18),
        (&["-L", "--max-redirs", "3", "/loop"], 47),
        (&["-L", "/away"], 7),
        (&["--max-filesize", "10", "/nowhere"], 63),
        (&["/x[1-"], 3),
        (&["--max-time", "soon", "/x"], 2),
        (&["--cacert"], 2),
    ] {
        let done = curl(&sandbox, &[&["-sS"], line].concat()).run();
        assert_eq!(done.code, Some(status), "{line:?}: {done:?}");
    }
    assert_own_tokens(&server);
}

#[test]
fn a_server_that_is_gone_is_curls_status_7_while_there_is_a_token() {
    let (sandbox, server) = with_server();
    assert_eq!(curl(&sandbox, &["-sSf", PROJECTS]).run().quiet().code, Some(0));
    drop(server);
    let done = curl(&sandbox, &["-sS", PROJECTS]).run();
    assert_eq!(done.code, Some(7), "{done:?}");
    assert!(done.stderr.starts_with("curl: (7)"), "{done:?}");
}

#[test]
fn where_there_is_no_token_curl_never_starts_and_the_status_says_why() {
    let (sandbox, server) = with_server();
    server.revoke(server.pat());
    curl(&sandbox, &[PROJECTS]).run().fails(77).says("blacklisted").says("hint: ");
    server.always(REFRESH, Reply::body(200, "text/html", "<html>"));
    sandbox.settings(&profile(&sandbox, "other", &server, "timeout = 5"));
    curl(&sandbox, &[PROJECTS]).run().fails(76);
    server.always(REFRESH, Reply::error(500, "broken"));
    curl(&sandbox, &[PROJECTS]).run().fails(69);
    sandbox.settings("[profiles.x]\nurl = 1\n");
    curl(&sandbox, &[PROJECTS]).run().fails(78);
    sandbox.settings("");
    curl(&sandbox, &[PROJECTS]).run().fails(78);
    assert_eq!((starts(&sandbox), asked(&server).len()), (0, 0));
}

#[test]
fn where_the_second_token_is_missing_the_first_request_is_not_sent_either() {
    let (sandbox, one, two) = (Sandbox::new(), Server::start(), Server::start());
    watch(&sandbox);
    let profiles = profile(&sandbox, "one", &one, "") + &profile(&sandbox, "two", &two, "");
    sandbox.settings(&profiles);
    two.revoke(two.pat());
    let line = [format!("{}/x", one.url()), "--next".into(), format!("{}/y", two.url())];
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    curl(&sandbox, &line).run().fails(77).says(&format!("server: {}", two.url())).says("profile: two");
    assert_eq!((starts(&sandbox), asked(&one).len()), (0, 0));
}

#[test]
fn where_curl_is_missing_the_status_is_127_and_nothing_is_asked() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.use_env(&server);
    sandbox.set("PATH", sandbox.bin());
    curl(&sandbox, &[PROJECTS]).run().fails(127).says("curl is not in PATH").says("hint: ");
    sandbox.file("bin/curl", "not executable", 0o600);
    curl(&sandbox, &[PROJECTS]).run().fails(127).says("curl is not in PATH");
    fs::remove_file(sandbox.bin().join("curl")).unwrap();
    fs::create_dir(sandbox.bin().join("curl")).unwrap();
    curl(&sandbox, &[PROJECTS]).run().fails(127).says("curl is not in PATH");
}

#[test]
fn f18_a_planted_curl_is_not_run() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_env(&server);
    let planted = "#!/bin/sh\ntouch \"$HOME/planted\"\nexit 99\n";
    for place in ["work/curl", "work/bin/curl", "work/~/curl"] {
        sandbox.file(place, planted, 0o755);
    }
    sandbox.command("curl", &format!("exec '{}' \"$@\"", real_curl().display()));
    let good = sandbox.bin();
    for before in [".", "", "bin", "./bin", "..", "~", ".:bin:"] {
        for path in [format!("{before}:{}", good.display()), format!("{}:{before}", good.display())] {
            let done = curl(&sandbox, &["-sSf", PROJECTS]).env("PATH", &path).run();
            assert_eq!(done.code, Some(0), "PATH={path}: {done:?}");
        }
        let done = curl(&sandbox, &["-sSf", PROJECTS]).env("PATH", before).run();
        done.fails(127).says("relative directories in PATH are ignored");
    }
    assert!(!sandbox.home().join("planted").exists());
    // It would have been seen.
    let done = sandbox.program("/bin/sh", &["-c", "PATH=.:/bin; curl"]).run();
    assert_eq!(done.code, Some(99));
    assert!(sandbox.home().join("planted").exists());
}

#[test]
fn f18_a_curl_of_someone_who_may_not_run_it_does_not_hide_the_real_one() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_env(&server);
    watch(&sandbox);
    sandbox.file("first/curl", "not executable", 0o600);
    let path = format!("{}:{}:/bin", sandbox.root().join("first").display(), sandbox.bin().display());
    let done = curl(&sandbox, &["-sSf", PROJECTS]).env("PATH", path).run();
    assert_eq!(done.code, Some(0), "{done:?}");
}

#[test]
fn curls_help_and_version_need_no_settings() {
    let sandbox = Sandbox::new();
    watch(&sandbox);
    sandbox.settings("this is no TOML");
    for line in [&["--version"][..], &["-V"], &["-sV"], &["-V", "http://127.0.0.2:1/"], &["/x", "--version"]] {
        let done = curl(&sandbox, line).run();
        assert!(done.code == Some(0) && done.stdout.starts_with("curl "), "{line:?}: {done:?}");
    }
    for line in [&["--help"][..], &["-h"], &["-h", "http"], &["--help", "all"], &["/x", "--help"]] {
        let done = curl(&sandbox, line).run();
        assert!(done.code == Some(0) && done.stdout.contains("--"), "{line:?}: {done:?}");
    }
    // Some are built without the manual; either way it is curl that answers.
    assert!(!curl(&sandbox, &["--manual"]).run().stderr.contains("ls-token"));
}

#[test]
fn no_argument_at_all_is_a_usage_error() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.use_env(&server);
    watch(&sandbox);
    for line in [&[][..], &["-s"], &["--"], &["-q"], &["-o", "/x"], &["--url"]] {
        curl(&sandbox, line).run().fails(2);
    }
    curl(&sandbox, &[]).run().says("there is no address").says("hint: give a path such as /api/projects/");
    assert_eq!(starts(&sandbox), 0);
}

#[test]
fn ls_tokens_own_options_stand_before_the_word_curl() {
    let (sandbox, server) = with_server();
    let done = sandbox.ls_token(&["-v", "--refresh", "--profile=test", "curl", "-sS", "/health"]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    done.says("ls-token: curl: http://127.0.0.1").says("ls-token: exchange: obtained a token");
    for line in [&["--profile", "test", "/x"][..], &["--refresh", "/x"], &["--min-ttl=5", "/x"], &["--no-cache", "/x"]]
    {
        curl(&sandbox, line)
            .run()
            .fails(2)
            .says("is ls-token's own option, and goes before `curl`")
            .says("LS_TOKEN_PROFILE=NAME lscurl");
    }
    sandbox.ls_token(&["--profile", "nobody", "curl", "/x"]).run().fails(78).says("no profile nobody");
    assert_eq!((server.exchanges(), starts(&sandbox)), (1, 1));
}

#[test]
fn curl_runs_with_streams_closed() {
    let (sandbox, server) = with_server();
    for (number, closed) in ["<&-", "2>&-", "<&- 2>&-"].into_iter().enumerate() {
        let script = format!("\"$LS_TOKEN\" --refresh curl -sSf -o out{number} {PROJECTS} {closed}");
        let done = sandbox.shell(&script).run();
        assert_eq!(done.code, Some(0), "{closed}: {done:?}");
        assert!(fs::read_to_string(sandbox.work().join(format!("out{number}"))).unwrap().contains("count"));
    }
    assert_own_tokens(&server);
}

#[test]
fn a_descriptor_of_the_caller_is_still_there_for_curl() {
    let (sandbox, server) = with_server();
    sandbox.file("work/data", "by descriptor 3", 0o600);
    let done = sandbox.shell("\"$LS_TOKEN\" curl -sS -d @/dev/fd/3 /x 3<data").run();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(asked(&server)[0].text(), "by descriptor 3");
    assert_own_tokens(&server);
}

#[test]
fn two_hundred_parts_are_possible_and_too_many_fail_before_anything_is_sent() {
    let (sandbox, server) = with_server();
    let line: Vec<&str> = ["-sS", "/health"].into_iter().chain(["--next", "-sS", "/health"].repeat(199)).collect();
    let done = curl(&sandbox, &line).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!((asked(&server).len(), server.exchanges()), (200, 1));
    assert_own_tokens(&server);
    let done = sandbox.shell(&format!("ulimit -n 40; exec \"$LS_TOKEN\" curl {}", line.join(" "))).run();
    done.fails(74).says("cannot make a pipe").within(Duration::from_secs(20));
    assert_eq!((asked(&server).len(), starts(&sandbox)), (200, 1));
}

#[test]
fn curl_runs_where_few_descriptors_are_allowed() {
    let (sandbox, server) = with_server();
    for allowed in [48, 64, 128, 256] {
        for _ in 0..3 {
            let script = format!("ulimit -n {allowed}; exec \"$LS_TOKEN\" curl -sSf /health --next -sSf /health");
            let done = sandbox.shell(&script).run();
            assert_eq!(done.code, Some(0), "ulimit -n {allowed}: {done:?}");
        }
    }
    assert_own_tokens(&server);
}

#[test]
fn a_curl_that_cannot_be_run_is_a_clear_error() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_env(&server);
    sandbox.file("bin/curl", "#!/no such interpreter\n", 0o755);
    curl(&sandbox, &[PROJECTS]).run().fails(127).says("cannot run curl");
}
