//! curl's log (`-v`, `--trace` and their like): all of it comes, in order and at once, and `[token]` is in the token's
//! place, however curl writes it.

use std::fs;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;

use super::kit::{
    CURLRC, assert_no_token, assert_own_tokens, curl, profile, targets, watch, with_secure_server, with_server, words,
};
use crate::sandbox::{Call, Done, LS_TOKEN, Sandbox, need, need_from, read, wait_until};
use crate::server::{Gate, PROJECTS, Reply, Server};

/// Every way to make curl log, with `F` for a file, and where its log goes.
#[rustfmt::skip]
const FORMS: &[(&str, Place)] = &[
    ("-v", Place::Stderr), ("-sv", Place::Stderr), ("--verbose", Place::Stderr), ("-v -v", Place::Stderr),
    ("-vv", Place::Stderr), ("-vvv", Place::Stderr), ("-svvvv", Place::Stderr),
    ("--trace %", Place::Stderr), ("--trace-ascii %", Place::Stderr), ("--trace-time -v", Place::Stderr),
    ("--trace-time --trace-ascii=%", Place::Stderr), ("-v --no-verbose -v", Place::Stderr),
    ("--trace F -v", Place::Stderr), ("-vo /dev/null", Place::Stderr), ("-vi -w %{http_code}", Place::Stderr),
    ("-v --trace-ascii -", Place::Stdout), ("--trace -", Place::Stdout), ("--trace-ascii -", Place::Stdout),
    ("-v --stderr -", Place::Stdout), ("--stderr - --trace %", Place::Stdout),
    ("--trace-time --trace=-", Place::Stdout), ("--trace - -o /dev/null", Place::Stdout),
    ("--trace F", Place::File), ("--trace=F", Place::File), ("--trace-ascii F", Place::File),
    ("--trace-time --trace F", Place::File), ("--trace-time --trace-ascii F", Place::File), ("-v --trace F", Place::File),
    ("-v --stderr F", Place::File), ("--stderr F -v", Place::File), ("--stderr F --trace %", Place::File),
    ("--stderr F --trace-ascii %", Place::File), ("-v --stderr % --stderr F", Place::File),
];

/// The same for what not every curl has.
#[rustfmt::skip]
const NEWER: &[(&str, Place)] = &[
    ("--trace-ids -v", Place::Stderr), ("--trace-ids --trace-time --trace %", Place::Stderr),
    ("--trace-ids --trace-ascii -", Place::Stdout), ("--trace-ids --trace F", Place::File),
    ("--trace-config all -v", Place::Stderr), ("--trace-config all --trace-ascii %", Place::Stderr),
    ("-v --trace-config ids,time,protocol,read,write", Place::Stderr), ("--trace-config all --trace F", Place::File),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Stderr,
    Stdout,
    File,
}

/// Lists the filters that a run has started: they are in its group, and live on a moment longer.
fn filters(group: u32) -> Vec<String> {
    let is_one = |id: &String| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let mut behind_name = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let (state, of_group) = (behind_name.next(), behind_name.nth(1));
        let arguments = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        arguments == b"ls-token\0curl-log\0" && state != Some("Z") && of_group == Some(&group.to_string())
    };
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name());
    processes.filter_map(|name| name.into_string().ok()).filter(is_one).collect()
}

/// Waits until a run and its filters have ended.
fn wait_for_all(call: Call) -> Done {
    let mut running = call.start();
    wait_until("curl ends", || running.has_ended());
    wait_until("the filters end", || filters(running.id()).is_empty());
    running.wait()
}

/// Returns what a reader of dumps could put together of a log: the bytes in hexadecimal, and the characters beside them.
fn put_together(log: &str) -> [String; 2] {
    let (mut bytes, mut shown) = (Vec::new(), String::new());
    for text in log.lines().filter_map(|line| Some(line.split_once(": ")?.1)) {
        let byte =
            |cell| Some(cell).filter(|cell: &&str| cell.len() == 2).and_then(|cell| u8::from_str_radix(cell, 16).ok());
        let before = bytes.len();
        bytes.extend(text.split(' ').take(16).filter(|cell| *cell != "--").map_while(byte));
        shown += if bytes.len() > before || text.starts_with("-- ") { text.get(48..).unwrap_or(text) } else { text };
    }
    [String::from_utf8_lossy(&bytes).into_owned(), shown]
}

/// Asserts that a log tells the request and the answer, and no piece of a token of these servers.
#[track_caller]
fn assert_good_log(log: &str, servers: &[&Server], what: &str) {
    let [bytes, shown] = put_together(log);
    let all = [log, bytes.as_str(), shown.as_str()];
    for text in all {
        assert_no_token(text, what);
    }
    for token in servers.iter().flat_map(|server| server.issued()) {
        let is_there = |piece: &[u8]| all.iter().any(|text| text.as_bytes().windows(8).any(|window| window == piece));
        let (begin, end) = (&token.as_bytes()[..8], &token.as_bytes()[token.len() - 8..]);
        assert!(!is_there(begin) && !is_there(end), "a piece of a token in {what}");
    }
    let tells = |text: &str| all.iter().any(|all| all.contains(text));
    assert!(log.contains("[token]") && tells("Authorization: Bearer "), "{what}: {log}");
    assert!(tells("GET /api/projects/ HTTP/") && tells("HTTP/1.1 200 OK") && tells("left intact"), "{what}: {log}");
}

/// Runs curl with each form of a log, and asserts that it is where it belongs, and nowhere else.
fn assert_all_forms(sandbox: &Sandbox, server: &Server) {
    let file = sandbox.work().join("F");
    let mut logged = 0;
    for (form, place) in FORMS.iter().chain(NEWER) {
        let line = words(&format!("{form} {PROJECTS}"));
        let done = wait_for_all(curl(sandbox, &line.iter().map(String::as_str).collect::<Vec<_>>()));
        if done.stderr.contains("is unknown") && NEWER.iter().any(|(newer, _)| newer == form) {
            assert_eq!(done.code, Some(2), "{form}: {done:?}");
            let _ = fs::remove_file(&file);
            continue;
        }
        logged += 1;
        assert_eq!(done.code, Some(0), "{form}: {done:?}");
        let in_file = fs::read_to_string(&file).unwrap_or_default();
        let _ = fs::remove_file(&file);
        let log = match place {
            Place::Stderr => &done.stderr,
            Place::Stdout => &done.stdout,
            Place::File => &in_file,
        };
        assert_good_log(log, &[server], form);
        for (other, text) in [(Place::Stderr, &done.stderr), (Place::Stdout, &done.stdout), (Place::File, &in_file)] {
            assert!(other == *place || !text.contains("[token]"), "{form}: the log is in {other:?}, too: {text}");
        }
        assert!(form.contains("/dev/null") || done.stdout.contains("{\"count\":"), "{form}: {done:?}");
        let is_there = fs::remove_file(file.with_file_name("%")).is_ok();
        assert_eq!(is_there, form.contains("--stderr %"), "{form}: % is a file's name for --stderr alone");
    }
    assert!(logged == FORMS.len() || logged == FORMS.len() + NEWER.len(), "{logged} forms");
    assert_eq!(targets(server), vec![PROJECTS; logged]);
    assert_own_tokens(server);
}

#[test]
fn f15_every_log_of_curls_shows_the_request_and_no_token() {
    let (sandbox, server) = with_server();
    assert_all_forms(&sandbox, &server);
}

#[test]
fn f15_curl_by_itself_shows_the_token_in_each_form() {
    let (sandbox, server) = with_server();
    let token = sandbox.ls_token(&[]).run().token();
    for form in ["-v", "--trace -", "--trace-ascii -"] {
        let script = format!("curl -s {form} -H 'Authorization: Bearer {token}' {}{PROJECTS} 2>&1", server.url());
        let log = sandbox.shell(&script).run().stdout;
        let [bytes, shown] = put_together(&log);
        assert!([&log, &bytes, &shown].iter().any(|text| text.contains(&token)), "{form}: the reader does not see it");
    }
}

#[test]
fn f15_the_same_goes_for_https() {
    let (sandbox, server, _) = with_secure_server();
    assert_all_forms(&sandbox, &server);
}

#[test]
fn f45_a_log_that_curlrc_asks_for_shows_no_token_either() {
    let (sandbox, server) = with_server();
    let file = sandbox.work().join("F");
    for (lines, in_file) in [
        ("verbose", false),
        ("-v", false),
        ("--verbose\ntrace-time", false),
        ("trace = %", false),
        ("trace-ascii = \"%\"", false),
        ("trace = F", true),
        ("--trace-ascii F", true),
        ("stderr = F\nverbose", true),
    ] {
        sandbox.file(CURLRC, lines, 0o600);
        let done = wait_for_all(curl(&sandbox, &["-s", PROJECTS]));
        assert_eq!((done.code, done.stdout.starts_with("{\"count\":")), (Some(0), true), "{lines}: {done:?}");
        let log = if in_file { read(&file) } else { done.stderr };
        assert_good_log(&log, &[&server], lines);
    }
    sandbox.file(CURLRC, "verbose\ntrace = F\n", 0o600);
    let done = wait_for_all(curl(&sandbox, &["-q", "-s", PROJECTS]));
    done.quiet();
    assert_own_tokens(&server);
}

#[test]
fn f15_each_transfers_token_is_hidden_and_one_that_comes_back_as_well() {
    let (sandbox, one, two) = (Sandbox::new(), Server::start(), Server::start());
    watch(&sandbox);
    sandbox.settings(&(profile(&sandbox, "one", &one, "") + &profile(&sandbox, "two", &two, "")));
    let tokens = ["one", "two"].map(|name| sandbox.ls_token(&["--profile", name]).run().token());
    // The server repeats both, cut anywhere and by themselves.
    let signature = tokens[1].rsplit('.').next().unwrap();
    let body =
        format!("{}{}\n\"{signature}\"\n{}", "x".repeat(60), tokens.join(","), &tokens[0][..tokens[0].len() / 2]);
    one.always("/echo", Reply::body(200, "text/plain", body.clone()).with("X-Echo", &tokens.join(" ")));
    two.always("/away", Reply::redirect(302, &format!("{}/echo?{}", one.url(), "a".repeat(50))));
    let addresses = ["/echo".to_owned(), PROJECTS.to_owned()].map(|path| format!("{}{path}", one.url()));
    let away = format!("{}/away", two.url());
    for form in ["-v", "--trace %", "--trace-ascii %", "--trace-time --trace %"] {
        let line = format!("-s {form} {} {} --next -sL {away}", addresses[0], addresses[1]);
        let line = words(&line);
        let done = wait_for_all(curl(&sandbox, &line.iter().map(String::as_str).collect::<Vec<_>>()));
        assert_eq!(done.code, Some(0), "{form}: {done:?}");
        assert_good_log(&done.stderr, &[&one, &two], form);
        let [_, shown] = put_together(&done.stderr);
        let text = if form == "-v" { &done.stderr } else { &shown };
        assert_eq!(text.matches("X-Echo: [token] [token]").count(), 2, "{form}: {text}");
        // The answer itself is the user's own.
        assert_eq!(done.stdout.matches(&body).count(), 2, "{form}: {done:?}");
    }
    assert_own_tokens(&two);
}

#[test]
fn f15_a_large_upload_is_logged_whole() {
    let (sandbox, server) = with_server();
    let token = sandbox.ls_token(&[]).run().token();
    let text = "one of many lines\n".repeat(20_000);
    sandbox.file("work/upload", format!("{text}{token}\n{text}"), 0o600);
    for form in ["--trace", "--trace-ascii"] {
        let line = ["-s", form, "F", "-X", "POST", "-H", "Expect:", "--data-binary", "@upload", "/x"];
        let done = wait_for_all(curl(&sandbox, &line));
        assert_eq!(done.quiet().code, Some(0), "{form}: {done:?}");
        let log = read(&sandbox.work().join("F"));
        let [bytes, shown] = put_together(&log);
        for text in [&log, &bytes, &shown] {
            assert_no_token(text, form);
        }
        let lines = |text: &str| text.matches("many lines").count();
        assert_eq!(lines(if form == "--trace" { &bytes } else { &shown }), 40_000, "{form}");
        assert!(log.matches("[token]").count() >= 2, "{form}");
    }
    assert_own_tokens(&server);
}

#[test]
fn the_log_comes_at_once_and_whoever_reads_to_its_end_gets_all_of_it() {
    let (sandbox, server) = with_server();
    for form in ["-v", "--trace-ascii", "--trace"] {
        let gate = Gate::default();
        server.script("/slow", [Reply::json(200, &serde_json::json!({"a": 1})).when(&gate)]);
        let value = if form == "-v" { "-s" } else { "%" };
        let mut running = curl(&sandbox, &["-s", form, value, "/slow"]).start();
        let has_request = |log: &str| {
            let end = if form == "-v" { "\n> \r\n" } else { "Bearer [token]" };
            log.contains(end) && !log.contains("HTTP/1.1 200")
        };
        wait_until("the request is logged", || has_request(&running.stderr_so_far()));
        assert!(!running.has_ended());
        gate.open();
        assert_eq!(running.wait().code, Some(0));
        let script = format!("\"$LS_TOKEN\" curl -s {form} {value} /health 2>&1 | cat");
        let done = sandbox.shell(&script).run();
        assert!(done.stdout.contains("UP") && done.stdout.contains("left intact"), "{form}: {}", done.stdout);
    }
    assert_own_tokens(&server);
}

#[test]
fn f43_curl_is_the_process_that_answers_signals_and_the_filter_tells_its_last_word() {
    let (sandbox, server) = with_server();
    server.always("/silent", Reply::Silence);
    sandbox.ls_token(&[]).run().token();
    for (number, signal) in [Signal::INT, Signal::TERM, Signal::HUP, Signal::KILL, Signal::QUIT].into_iter().enumerate()
    {
        for to_group in [false, true] {
            let mut running = curl(&sandbox, &["-v", "/silent"]).start();
            let id = running.id();
            wait_until("curl waits", || server.count("GET", "/silent") > 2 * number + usize::from(to_group));
            wait_until("the request is logged", || running.stderr_so_far().contains("\n> \r\n"));
            let name = |id: &str| fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
            assert_eq!((name(&id.to_string()).trim(), filters(id).len()), ("curl", 1));
            if to_group {
                // As Ctrl-C does it.
                let pid = rustix::process::Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
                rustix::process::kill_process_group(pid, signal).unwrap();
            } else {
                running.send(signal);
            }
            wait_until("curl ends", || running.has_ended());
            wait_until("the filter ends", || filters(id).is_empty());
            let done = running.wait();
            assert_eq!(done.signal, Some(signal.as_raw()), "{done:?}");
        }
    }
}

#[test]
fn f43_curl_stops_and_goes_on_with_its_filter() {
    let (sandbox, server) = with_server();
    let gate = Gate::default();
    server.always("/slow", Reply::json(200, &serde_json::json!({"a": 1})).when(&gate));
    let running = curl(&sandbox, &["-sv", "/slow"]).start();
    wait_until("curl waits", || server.count("GET", "/slow") > 0);
    let filter = filters(running.id()).pop().expect("a filter");
    let group = rustix::process::Pid::from_raw(i32::try_from(running.id()).unwrap()).unwrap();
    let is_stopped = |id: &str| fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default().contains(") T ");
    // As Ctrl-Z does it.
    rustix::process::kill_process_group(group, Signal::TSTP).unwrap();
    wait_until("both stop", || is_stopped(&running.id().to_string()) && is_stopped(&filter));
    rustix::process::kill_process_group(group, Signal::CONT).unwrap();
    gate.open();
    let id = running.id();
    let done = running.wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    wait_until("the filter ends", || filters(id).is_empty());
}

#[test]
fn f11_a_log_that_nobody_takes_does_not_keep_curl_from_its_answer() {
    let (sandbox, server) = with_server();
    need("bash");
    for (number, stderr) in ["2>&-", "2>/dev/full", "2> >(:)", "2> >(read -r line)"].into_iter().enumerate() {
        for form in ["-v", "--trace %", "--trace-ascii %"] {
            let script = format!("\"$0\" curl -s {form} {PROJECTS} {stderr}; echo \" status $?\"");
            let done = sandbox.program("bash", &["-c", &script, LS_TOKEN]).run();
            assert!(
                done.stdout.starts_with("{\"count\"") && done.stdout.ends_with(" status 0\n"),
                "{number}: {done:?}"
            );
        }
    }
    let done = sandbox.shell(&format!("\"$LS_TOKEN\" curl -s --trace - {PROJECTS} >/dev/full")).run();
    assert_eq!(done.code, Some(23), "curl's own status where its answer cannot be written: {done:?}");
    curl(&sandbox, &["--trace", "no such directory/x", PROJECTS]).run().fails(74).says("open the file for curl's log");
    assert_own_tokens(&server);
}

#[test]
fn f13_the_filter_has_the_token_in_no_argument_or_variable_and_holds_nothing_of_curls() {
    let (sandbox, server) = with_server();
    need_from("strace", "strace");
    let trace = sandbox.root().join("trace");
    // Without the injection nobody but root could see the arguments of what the program starts.
    let options = ["-f", "-qq", "-s", "9999", "-e", "trace=execve,prctl", "-e", "inject=prctl:retval=0", "-o"];
    let call = sandbox.program("strace", &options).arg(&trace).arg(LS_TOKEN);
    let done = ["curl", "-v", "-s", PROJECTS].iter().fold(call, Call::arg).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    let trace = read(&trace);
    assert_no_token(&trace, "what is executed");
    let filter = trace.lines().find(|line| line.contains("\"curl-log\"")).unwrap_or_else(|| panic!("{trace}"));
    assert!(filter.contains("[\"ls-token\", \"curl-log\"]") && filter.contains("/* 0 vars */"), "{filter}");
    need_from("flock", "util-linux");
    // A lock of the caller's is free as soon as the caller gives it up, although the filter waits for its log.
    let script = "mkfifo log; exec 9>lock; flock 9; \"$LS_TOKEN\" curl-log <log 3<lock 8>&9 & \
        exec 5>log 9>&-; flock -w 100 lock true; echo \"status $?\"; printf 'a.token\\n\\nlog\\n' >&5; exec 5>&-; wait";
    let done = sandbox.shell(script).run();
    assert_eq!(done.quiet().stdout, "status 0\nlog\n");
    assert_own_tokens(&server);
}

#[test]
fn letters_reach_curl_in_one_word_and_without_a_log_there_is_no_filter() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_env(&server);
    sandbox.command("curl", "for word; do echo \"<$word>\"; done; readlink /proc/$$/fd/2; readlink /proc/$$/fd/1");
    let show = |line: &[&str]| wait_for_all(curl(&sandbox, line)).stdout;
    let shown = show(&["-svvv", "-vv", "--verbose", "/x"]);
    assert!(shown.contains("\n<-s>\n<-vvv>\n<-vv>\n<--verbose>\n"), "{shown}");
    assert!(shown.contains("\npipe:"), "{shown}");
    for line in [&["-sS", "/x"][..], &["-s", "--no-verbose", "/x"], &["--trace-time", "/x"], &["--stderr", "F", "/x"]] {
        let shown = show(line);
        assert!(!shown.contains("pipe:"), "{line:?}: {shown}");
    }
    assert!(!Path::new(&sandbox.work().join("F")).exists(), "curl opens it itself");
}

#[test]
fn a_file_of_a_log_is_the_users_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (sandbox, _server) = with_server();
    assert_eq!(wait_for_all(curl(&sandbox, &["-s", "--trace", "F", PROJECTS])).code, Some(0));
    assert_eq!(fs::metadata(sandbox.work().join("F")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn f15_a_log_of_parallel_transfers_is_refused() {
    let (sandbox, server) = with_server();
    for log in [&["-v"][..], &["--trace", "log"], &["--trace-ascii", "-"]] {
        for parallel in [&["-Z"][..], &["--parallel", "--parallel-immediate"]] {
            curl(&sandbox, &[log, parallel, &["/x", "/y"]].concat()).run().fails(2).says("log of parallel transfers");
        }
        assert_eq!(curl(&sandbox, &[log, &["-s", "--no-parallel", "/x"]].concat()).run().code, Some(0));
    }
    assert_eq!(curl(&sandbox, &["-s", "-Z", "/x", "/y"]).run().code, Some(0));
    drop(server);
}

#[test]
fn f15_what_curl_logs_is_not_read_back_before_the_filter_has_it() {
    let (sandbox, _server) = with_server();
    curl(&sandbox, &["-s", "/x"]).run();
    for line in
        [&["-T", "/dev/stderr"][..], &["-w", "@/dev/stderr"], &["-d", "@/dev/stderr"], &["-F", "a=@/dev/stderr"]]
    {
        curl(&sandbox, &[&["-sv"], line, &["/x"]].concat()).run().fails(2).says("names an open descriptor");
    }
    assert_eq!(curl(&sandbox, &["-s", "-o", "/dev/stderr", "/x"]).run().code, Some(0));
}

#[test]
fn f43_a_log_that_waits_for_a_fifos_reader_heeds_signals() {
    let (sandbox, _server) = with_server();
    let fifo = sandbox.root().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let line = ["--refresh", "curl", "-s", "--trace-ascii", fifo.to_str().unwrap(), "-o", "/dev/null", "/x"];
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let running = sandbox.ls_token(&line).start();
        running.wait_until_it_waits();
        running.send(signal);
        running.wait().dies_of(signal);
    }
    let running = sandbox.ls_token(&line).start();
    running.wait_until_it_waits();
    let log = fs::read_to_string(&fifo).unwrap();
    assert!(log.contains("Send header") && log.contains("[token]"), "{log}");
    assert_eq!(running.wait().code, Some(0));
}
