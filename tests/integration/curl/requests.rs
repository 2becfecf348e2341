//! What people do with `lscurl` every day, with the real curl.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::kit::{asked, assert_own_tokens, curl, profile, starts, targets, values, watch, with_server};
use crate::record::age;
use crate::sandbox::{Sandbox, wait_until};
use crate::server::{PROJECTS, Reply, Server, Setup, access_token_in};

/// A sandbox with two servers, `one` and `two`, of which the first is the default.
fn with_two() -> (Sandbox, Server, Server) {
    let (sandbox, one, two) = (Sandbox::new(), Server::start(), Server::start());
    watch(&sandbox);
    let profiles = profile(&sandbox, "one", &one, "") + &profile(&sandbox, "two", &two, "");
    sandbox.settings(&format!("default = \"one\"\n{profiles}"));
    (sandbox, one, two)
}

#[test]
fn a_path_is_joined_to_the_profiles_url() {
    let (sandbox, server) = with_server();
    let done = curl(&sandbox, &["-sS", "-f", PROJECTS]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.quiet().stdout.contains("\"count\":0"), "{done:?}");
    assert_eq!(targets(&server), [PROJECTS]);
    assert_own_tokens(&server);
    assert_eq!((server.exchanges(), starts(&sandbox)), (1, 1));
}

#[test]
fn a_path_is_joined_below_the_base_path() {
    let sandbox = Sandbox::new();
    watch(&sandbox);
    let server = Setup { base: "/label-studio".into(), ..Setup::default() }.start();
    sandbox.use_env(&server);
    let done = curl(&sandbox, &["-sSf", "/api/projects/?page=2"]).run();
    assert!(done.quiet().stdout.contains("\"count\":0"), "{done:?}");
    assert_eq!(targets(&server), ["/label-studio/api/projects/?page=2"]);
    assert_own_tokens(&server);
}

#[test]
fn a_full_url_picks_its_own_profile() {
    let (sandbox, one, two) = with_two();
    let done = curl(&sandbox, &["-sSf", &format!("{}{PROJECTS}", two.url())]).run();
    assert_eq!(done.quiet().code, Some(0), "{done:?}");
    assert_eq!((targets(&two), targets(&one)), (vec![PROJECTS.into()], Vec::<String>::new()));
    assert_eq!(one.exchanges(), 0);
    assert_own_tokens(&two);
    let done = curl(&sandbox, &["-sSf", PROJECTS]).run();
    assert_eq!(done.quiet().code, Some(0), "{done:?}");
    assert_own_tokens(&one);
    assert_eq!(targets(&one), [PROJECTS]);
}

#[test]
fn f05_each_part_between_next_has_its_own_token_on_its_own_pipe() {
    let (sandbox, one, two) = with_two();
    let (first, second) = (format!("{}{PROJECTS}", one.url()), format!("{}{PROJECTS}", two.url()));
    let line = ["-sSf", "-A", "first", &first, "--next", "-sSf", &second, "-:", "-sSf", "-XHEAD", "-I", "/health"];
    let done = curl(&sandbox, &line).run();
    assert_eq!(done.quiet().code, Some(0), "{done:?}");
    assert_eq!(targets(&one), [PROJECTS, "/health"]);
    assert_eq!(targets(&two), [PROJECTS]);
    assert_own_tokens(&one);
    assert_own_tokens(&two);
    assert_eq!(asked(&one)[0].header("user-agent"), Some("first"));
    assert!(asked(&two)[0].header("user-agent").unwrap().starts_with("curl/"));
    assert_eq!(asked(&one)[1].method, "HEAD");
    assert_eq!((one.exchanges(), two.exchanges(), starts(&sandbox)), (1, 1, 1));
}

#[test]
fn f05_two_servers_in_one_part_are_refused() {
    let (sandbox, one, two) = with_two();
    let (one, two) = (one.expect_no_calls(), two.expect_no_calls());
    let line = [&format!("{}/x", one.url()), &format!("{}/y", two.url())];
    let done = curl(&sandbox, &line.map(String::as_str)).run();
    done.fails(2).says("profile two").says("profile one").says("hint: put --next between");
    let done = curl(&sandbox, &["/x", &format!("{}/y", two.url())]).run();
    done.fails(2).says("hint: put --next between");
    assert_eq!(starts(&sandbox), 0);
}

#[test]
fn f05_a_profile_of_the_file_called_environment_is_not_taken_for_that_of_the_variables() {
    let (sandbox, one, two) = (Sandbox::new(), Server::start(), Server::start());
    watch(&sandbox);
    let (one, two) = (one.expect_anything(), two.expect_anything());
    sandbox.settings(&profile(&sandbox, "environment", &two, ""));
    sandbox.use_env(&one);
    let _ = curl(&sandbox, &["-sS", "/x", &format!("{}/y", two.url())]).run();
    for request in asked(&two) {
        let bearer = request.header("authorization").unwrap_or_default();
        let foreign = one.issued().iter().any(|token| bearer.contains(token.as_str()));
        assert!(!foreign, "the token of {} was sent to {}", one.url(), two.url());
    }
}

#[test]
fn stdin_stays_free_for_data() {
    let (sandbox, server) = with_server();
    let project = json!({"title": "from stdin", "description": "ä\n\"'\\"});
    let json_type = "Content-Type: application/json";
    let done =
        curl(&sandbox, &["-sSf", "-H", json_type, "--data-binary", "@-", PROJECTS]).stdin(project.to_string()).run();
    let made: Value = serde_json::from_str(&done.quiet().stdout).unwrap();
    assert_eq!(made["title"], project["title"]);
    assert_eq!(server.projects()[0]["description"], project["description"]);
    let done = curl(&sandbox, &["-sS", "-T", "-", "/put"]).stdin("by -T -").run();
    assert_eq!(done.quiet().code, Some(0));
    let done = curl(&sandbox, &["-sS", "-F", "file=@-;filename=x", "/form"]).stdin("by -F").run();
    assert_eq!(done.quiet().code, Some(0));
    let asked = asked(&server);
    assert_eq!((asked[1].method.as_str(), asked[1].text().as_str()), ("PUT", "by -T -"));
    assert!(asked[2].text().contains("by -F") && asked[2].text().contains("filename=\"x\""));
    assert_own_tokens(&server);
}

#[test]
fn several_addresses_share_a_token_and_go_to_their_own_files() {
    let (sandbox, server) = with_server();
    for name in ["one", "two", "three"] {
        server.always(&format!("/{name}"), Reply::body(200, "text/plain", name));
    }
    let line = ["-sS", "-o", "1.txt", "/one", "/two", "-o2.txt", "--url", "/three", "--output=3.txt"];
    assert_eq!(curl(&sandbox, &line).run().quiet().code, Some(0));
    for (file, text) in [("1.txt", "one"), ("2.txt", "two"), ("3.txt", "three")] {
        assert_eq!(fs::read_to_string(sandbox.work().join(file)).unwrap(), text);
    }
    assert_eq!(server.exchanges(), 1);
    assert_own_tokens(&server);
}

#[test]
fn globs_behind_the_host_and_their_output_names_work() {
    let (sandbox, server) = with_server();
    let line = ["-sS", "-o", "#1-#2.txt", "/api/tasks/[1-3]/{a,b}/"];
    assert_eq!(curl(&sandbox, &line).run().quiet().code, Some(0));
    let mut seen = targets(&server);
    seen.sort();
    let wanted: Vec<String> =
        (1..=3).flat_map(|n| ["a", "b"].map(|letter| format!("/api/tasks/{n}/{letter}/"))).collect();
    assert_eq!(seen, wanted);
    assert!(sandbox.work().join("3-b.txt").exists());
    assert_own_tokens(&server);
}

#[test]
fn curls_everyday_options_mean_what_they_mean_to_curl() {
    let (sandbox, server) = with_server();
    server.always("/export/data.json", Reply::body(200, "application/json", "{}"));
    let run = |line: &[&str]| {
        let done = curl(&sandbox, line).run();
        assert_eq!(done.code, Some(0), "{line:?}: {done:?}");
        done
    };
    run(&["-sSO", "/export/data.json"]);
    assert_eq!(fs::read_to_string(sandbox.work().join("data.json")).unwrap(), "{}");
    let done = run(&["-s", "-o", "/dev/null", "-w", "%{http_code} %{num_connects}\\n", "/export/data.json"]);
    assert_eq!(done.line(), "200 1");
    run(&["-sS", "-G", "-d", "a=1", "--data-urlencode", "b=x y&", "/get"]);
    run(&["-sS", "-F", "name=value", "-F", "file=@data.json", "/form"]);
    run(&["-sS", "-T", "data.json", "/put/"]);
    run(&["-sS", "-X", "PATCH", "-H", "Content-Type: application/json", "-d", "{}", "/patch"]);
    run(&["-sS", "--json", "{\"a\":1}", "/json"]);
    let head = run(&["-sSI", "/health"]).stdout;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let with_head = run(&["-sSi", "/health"]).stdout;
    assert!(with_head.contains("\r\n\r\n{"), "{with_head}");
    run(&["-sS", "-D", "head.txt", "-o", "/dev/null", "/health"]);
    assert!(fs::read_to_string(sandbox.work().join("head.txt")).unwrap().starts_with("HTTP/1.1 200"));
    let stdout = run(&["-sS", "--parallel", "/api/version", "/health", "/api/version"]).stdout;
    assert_eq!(stdout.matches("1.21.0").count(), 2);
    let asked = asked(&server);
    let by_path = |path: &str| asked.iter().find(|request| request.path() == path).unwrap();
    assert_eq!(
        by_path("/get").target,
        "/get?a=1&b=x%20y%26".replace("%20", if by_path("/get").target.contains('+') { "+" } else { "%20" })
    );
    assert!(by_path("/form").text().contains("name=\"file\"; filename=\"data.json\""));
    assert_eq!((by_path("/put/data.json").method.as_str(), by_path("/put/data.json").text().as_str()), ("PUT", "{}"));
    assert_eq!(by_path("/patch").method, "PATCH");
    assert_eq!(values(by_path("/json"), "content-type"), ["application/json"]);
    assert_own_tokens(&server);
    assert_eq!(server.exchanges(), 1);
}

#[test]
fn curls_own_retry_works() {
    let (sandbox, server) = with_server();
    server.script("/flaky", [Reply::error(503, "later"), Reply::error(503, "later")]);
    server.always("/flaky", Reply::body(200, "text/plain", "at last"));
    let done = curl(&sandbox, &["-sS", "--retry", "3", "--retry-delay", "1", "--retry-max-time", "20", "/flaky"]).run();
    assert!(done.stdout.ends_with("at last"), "{done:?}");
    assert_eq!(targets(&server), ["/flaky"; 3]);
    assert_own_tokens(&server);
}

#[test]
fn a_server_on_ipv6_is_reached_with_globs_too() {
    let sandbox = Sandbox::new();
    watch(&sandbox);
    let server = Setup { on_ipv6: true, ..Setup::default() }.start();
    sandbox.use_env(&server);
    let other_spelling = format!("http://[0:0:0:0::1]:{}/full", server.port());
    let done = curl(&sandbox, &["-sS", "/{a,b}", &other_spelling]).run();
    assert_eq!(done.quiet().code, Some(0), "{done:?}");
    assert_eq!(targets(&server), ["/a", "/b", "/full"]);
    assert_own_tokens(&server);
}

#[test]
fn fifty_megabytes_pass_through_unchanged_in_both_directions() {
    const SIZE: usize = 50 * 1024 * 1024;
    let (sandbox, server) = with_server();
    let mut bytes = Vec::with_capacity(SIZE);
    let mut number = 1_u64;
    while bytes.len() < SIZE {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    server.always("/big", Reply::body(200, "application/octet-stream", bytes.clone()));
    let done = curl(&sandbox, &["-sS", "-o", "big", "/big"]).run();
    assert_eq!(done.quiet().code, Some(0), "{done:?}");
    let file = sandbox.work().join("big");
    assert!(fs::read(&file).unwrap() == bytes, "the download differs");
    server.always("/up", Reply::body(200, "text/plain", "ok"));
    let done = curl(&sandbox, &["-sS", "-T", "big", "/up"]).run();
    assert_eq!(done.quiet().stdout, "ok");
    let done = curl(&sandbox, &["-sS", "--data-binary", "@-", "/up"]).stdin(&bytes).run();
    assert_eq!(done.quiet().stdout, "ok");
    fs::remove_file(file).unwrap();
    let sent: Vec<_> = asked(&server).into_iter().filter(|request| request.path() == "/up").collect();
    assert!(sent.len() == 2 && sent.iter().all(|request| request.body == bytes), "an upload differs");
    assert_own_tokens(&server);
}

#[test]
fn curl_takes_the_place_of_ls_token() {
    let (sandbox, server) = with_server();
    server.always("/slow", Reply::Silence);
    let running = curl(&sandbox, &["-sS", "-A", "the one", "/slow"]).start();
    let arguments = format!("/proc/{}/cmdline", running.id());
    wait_until("the request is there", || !asked(&server).is_empty());
    let arguments = fs::read_to_string(arguments).unwrap();
    assert!(arguments.contains("\0-A\0the one\0"), "{arguments:?}");
    assert_own_tokens(&server);
    assert_eq!(access_token_in(&arguments), None);
    running.send(rustix::process::Signal::TERM);
    running.wait().dies_of(rustix::process::Signal::TERM);
}

#[test]
fn a_token_that_has_expired_meanwhile_is_renewed_before_curl_starts() {
    let (sandbox, server) = with_server();
    assert_eq!(curl(&sandbox, &["-sSf", PROJECTS]).run().quiet().code, Some(0));
    server.reject(&server.issued()[0]);
    age(&sandbox.cache_file(), Duration::from_secs(301));
    assert_eq!(curl(&sandbox, &["-sSf", PROJECTS]).run().quiet().code, Some(0));
    assert_eq!(server.exchanges(), 2);
}

#[test]
fn f61_a_body_from_a_file_a_pipe_or_a_form_gets_a_token_that_is_nearly_whole() {
    let (sandbox, server) = with_server();
    let file = sandbox.file("body", "{}", 0o600);
    let at = format!("@{}", file.display());
    let (form, encoded) = (format!("a={at}"), format!("a{at}"));
    let path = file.to_str().unwrap();
    let requests: [(&[&str], bool); 14] = [
        (&["-T", path, "/api/import"], true),
        (&["--upload-file", "-", "/api/import"], true),
        (&["-F", &form, "/api/import"], true),
        (&["--form", "a=<-", "/api/import"], true),
        (&["-F", "a=b", "/api/import"], true),
        (&["-d", &at, "/api/import"], true),
        (&["-d", "@-", "/api/import"], true),
        (&["--data-binary", &at, "/api/import"], true),
        (&["--data-urlencode", &encoded, "/api/import"], true),
        (&["--json", &at, "/api/import"], true),
        (&["-d", "a=b", "/api/import"], false),
        (&["--data-raw", "@b", "/api/import"], false),
        (&["--json", "{}", "/api/import"], false),
        (&["-o", "/dev/null", "/api/import"], false),
    ];
    curl(&sandbox, &["-sS", "/api/import"]).run();
    for (line, wants_a_whole_one) in requests {
        let before = server.exchanges();
        age(&sandbox.cache_file(), Duration::from_secs(29));
        curl(&sandbox, &[&["-sS"], line].concat()).run();
        assert_eq!(server.exchanges(), before, "{line:?}: it is nearly whole");
        age(&sandbox.cache_file(), Duration::from_secs(2));
        curl(&sandbox, &[&["-sS"], line].concat()).run();
        assert_eq!(server.exchanges(), before + usize::from(wants_a_whole_one), "{line:?}");
        if !wants_a_whole_one {
            sandbox.ls_token(&["--refresh"]).run().token();
        }
    }
}
