//! Links that Label Studio wrote: from page to page, also where a proxy ends TLS or takes a path away.

use serde_json::json;

use super::kit::{assert_own_tokens, curl, targets, watch, with_server};
use crate::sandbox::{Sandbox, need};
use crate::server::{PROJECTS, Reply, Setup};

const README: &str = include_str!("../../../README.md");

#[test]
fn f70_a_path_that_has_the_base_path_already_is_not_joined_twice() {
    let sandbox = Sandbox::new();
    watch(&sandbox);
    let server = Setup { base: "/label-studio".into(), ..Setup::default() }.start();
    sandbox.use_env(&server);
    let lines = [
        ("/label-studio/api/projects/?page=2", "/label-studio/api/projects/?page=2"),
        ("/label-studio/../label-studio/api/x", "/label-studio/api/x"),
        ("/label-studio-2/x", "/label-studio/label-studio-2/x"),
        ("/api/projects/?page=3", "/label-studio/api/projects/?page=3"),
        ("/label-studio", "/label-studio"),
    ];
    for (number, (address, target)) in lines.into_iter().enumerate() {
        let done = curl(&sandbox, &["-sS", address]).run();
        assert_eq!(done.code, Some(0), "{address}: {done:?}");
        assert_eq!(targets(&server).get(number).map(String::as_str), Some(target), "{address}");
    }
    for address in ["/label-studio/../x", "/label-studio/%2e%2e/x", "/label-studio/..;/x", "/label-studio/..%2fx"] {
        curl(&sandbox, &["-sS", address]).run().fails(2).says("/label-studio");
    }
    assert_own_tokens(&server);
}

#[test]
fn f70_below_a_base_path_called_api_a_path_is_joined_all_the_same() {
    let sandbox = Sandbox::new();
    let server = Setup { base: "/api".into(), ..Setup::default() }.start();
    sandbox.use_env(&server);
    curl(&sandbox, &["-sS", "/api/projects/"]).run();
    assert_eq!(targets(&server), ["/api/api/projects/"]);
}

#[test]
fn f70_a_link_behind_a_proxy_is_refused_with_the_path_to_give() {
    let sandbox = Sandbox::new();
    sandbox.settings("[profiles.a]\nurl = \"https://label.example.com/label-studio\"\npat = \"env:NOT_SET\"\n");
    for link in [
        "http://label.example.com/label-studio/api/projects/?page=2&page_size=10",
        "http://label.example.com:443/label-studio/api/projects/?page=2",
        "https://label.example.com/api/projects/?page=2",
        "http://label.example.com/api/projects/?page=2",
        "http://app:8080/api/projects/?page=2",
    ] {
        let done = curl(&sandbox, &["-sS", link]).run();
        let path = link.splitn(4, '/').nth(3).unwrap();
        done.fails(2).says("belongs to no profile's server").says(&format!("give the path alone: '/{path}'"));
        done.does_not_say("http://label.example.com as").does_not_say("allow_http");
    }
    curl(&sandbox, &["-sS", "https://elsewhere.example/x"]).run().fails(2).does_not_say("give the path alone");
}

#[test]
fn f70_readmes_loop_over_pages_reads_all_of_them_wherever_the_links_lead() {
    need("jq");
    let first = "    next=/api/projects/";
    let recipe: Vec<&str> =
        README.lines().skip_while(|line| *line != first).map_while(|line| line.strip_prefix("    ")).collect();
    assert!(recipe.len() > 3, "README has no loop over pages");
    let script = format!("lscurl() {{ \"$LS_TOKEN\" curl \"$@\"; }}\n{}", recipe.join("\n"));
    let (sandbox, server) = with_server();
    let page = |title: &str, next: Option<String>| {
        Reply::json(200, &json!({"count": 3, "next": next, "previous": null, "results": [{"title": title}]}))
    };
    server.script(
        PROJECTS,
        [
            page("one", Some("http://app:8080/api/projects/?page=2&a=b%20c".into())),
            page("two", Some(format!("{}/api/projects/?page=3", server.url().replace("http:", "https:")))),
            page("three", None),
        ],
    );
    for shell in ["bash", "zsh", "sh"] {
        need(shell);
    }
    let done = sandbox.program("bash", &["-c", &script]).run();
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), "one\ntwo\nthree\n"), "{done:?}");
    assert_eq!(targets(&server), [PROJECTS, "/api/projects/?page=2&a=b%20c", "/api/projects/?page=3"]);
    for shell in ["zsh", "sh"] {
        server.script(PROJECTS, [page("one", Some("https://h/api/projects/?page=2".into())), page("two", None)]);
        let done = sandbox.program(shell, &["-c", &script]).run();
        assert_eq!((done.code, done.stdout.as_str()), (Some(0), "one\ntwo\n"), "{shell}: {done:?}");
        // A failure ends it, with curl's status.
        server.script(PROJECTS, [Reply::error(500, "x")]);
        assert_eq!(sandbox.program(shell, &["-c", &script]).run().code, Some(22), "{shell}");
    }
}
