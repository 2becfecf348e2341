//! Requests that are none of git's: refused or passed over, and never a way to put a line of one's own into the answer.

use fastrand::Rng;

use super::{WITHOUT, assert_silent, get, operation, request_for, values};
use crate::sandbox::{Sandbox, ready};
use crate::server::Server;

/// A sandbox whose server must not be called.
fn untouched() -> (Sandbox, Server) {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.use_env(&server);
    (sandbox, server)
}

#[test]
fn f12_lines_that_the_protocol_does_not_have_are_refused() {
    let (sandbox, server) = untouched();
    let good = request_for(&server);
    let long = format!("path={}\n", "x".repeat(65_535 - 5));
    for (line, what) in [
        ("path=a\rb\n", "a line with a carriage return or NUL in it"),
        ("path=a\r\n", "a line with a carriage return or NUL in it"),
        ("\r\n", "a line with a carriage return or NUL in it"),
        ("path=a\0b\n", "a line with a carriage return or NUL in it"),
        ("\0\n", "a line with a carriage return or NUL in it"),
        ("path\n", "a line without `=`"),
        (" \n", "a line without `=`"),
        ("path", "a line without `=`"),
        ("url=github.com\n", "a url without a scheme"),
        (&long, "a line of more than 65,535 bytes"),
    ] {
        let before = format!("{line}{good}\n");
        let behind = format!("{good}{line}");
        // What has no line break would be one line with what follows.
        let requests = if line.ends_with('\n') { vec![before, behind] } else { vec![behind] };
        for request in requests {
            for name in ["get", "erase"] {
                let done = operation(&sandbox, name, &request).run();
                done.fails(2)
                    .says(&format!("ls-token: the credential request has {what}\n"))
                    .says("hint: see git-credential(1)");
            }
        }
    }
    let many = "x=y\n".repeat(1001) + &good;
    get(&sandbox, many).fails(2).says("more than 1,000 lines");
    let endless = sandbox.shell(r#"yes path=x | "$LS_TOKEN" credential get"#).run();
    endless.fails(2).says("more than 1,000 lines");
    let one_line = sandbox.shell(r#"tr '\0' x </dev/zero | "$LS_TOKEN" credential get"#).run();
    one_line.fails(2).says("more than 65,535 bytes");
}

#[test]
fn f12_what_the_protocol_has_is_taken() {
    let (sandbox, server) = ready();
    let good = request_for(&server);
    let longest = format!("path={}\n", "x".repeat(65_534 - 5));
    assert_eq!(longest.len(), 65_535);
    for request in [
        // No empty line at the end, and no line break.
        good.clone(),
        good.trim_end().to_owned(),
        longest + &good,
        format!("=\n=x\nx=\na=b=c\n{good}"),
        // What comes behind the empty line is not read.
        format!("{good}\nhost=github.com\njunk\0\r"),
        "x=y\n".repeat(900) + &good,
    ] {
        values(&get(&sandbox, request), WITHOUT);
    }
    for bytes in [&b"path=\xff\xfe\n"[..], b"wwwauth[]=Basic realm=\"\xe9\"\n", b"\xff=\xff\n"] {
        values(&get(&sandbox, [bytes, good.as_bytes()].concat()), WITHOUT);
    }
    let odd_user = [b"username=\xff\n", good.as_bytes()].concat();
    assert_eq!(values(&get(&sandbox, odd_user), WITHOUT)[0], "token");
    assert_silent(&get(&sandbox, [b"host=\xff\nprotocol=http\n" as &[u8], b"\n"].concat()), "a host in Latin-1");
}

#[test]
fn f12_an_input_that_is_not_ours_to_wait_for_ends_with_the_empty_line() {
    let (sandbox, server) = ready();
    // The writer keeps its end open, as git does until it has read the answer.
    let script = format!(
        r#"{{ printf 'protocol=http\nhost={}\n\n'; while [ ! -s ../answer ]; do sleep 0.02; done; }} | "$LS_TOKEN" credential get | tee ../answer"#,
        server.address()
    );
    let done = sandbox.shell(&script).run();
    values(&done, WITHOUT);
}

#[test]
fn f12_stdin_that_is_closed_is_an_empty_request() {
    let (sandbox, _server) = untouched();
    let done = sandbox.shell(r#""$LS_TOKEN" credential get </dev/null"#).run();
    assert_silent(&done, "an empty stdin");
    let done = sandbox.shell(r#""$LS_TOKEN" credential get <&-"#).run();
    assert!(done.stdout.is_empty() && matches!(done.code, Some(0 | 74)), "{done:?}");
    sandbox.shell(r#""$LS_TOKEN" credential get </"#).run().fails(74).says("cannot read standard input");
}

#[test]
fn f12_no_request_puts_a_line_of_its_own_into_the_answer() {
    let (sandbox, server) = ready();
    let address = server.address().to_string();
    let mut random = Rng::with_seed(12);
    let (mut answered, mut refused, mut passed_over) = (0, 0, 0);
    for number in 0..400 {
        let request = random_request(&mut random, &address);
        let name = if number % 8 == 7 { "erase" } else { "get" };
        let done = operation(&sandbox, name, &request).run();
        let shown = String::from_utf8_lossy(&request);
        match done.code {
            Some(0) if done.stdout.is_empty() => passed_over += 1,
            Some(0) => {
                assert_answer_is_whole(&done.stdout, &server.issued(), &shown);
                answered += 1;
            }
            Some(2) => {
                assert_eq!(done.stdout, "", "{shown}");
                refused += 1;
            }
            _ => panic!("{done:?} for {shown}"),
        }
        assert!(!done.stderr.chars().any(|c| c.is_control() && c != '\n'), "{done:?}");
    }
    assert!(
        answered > 40 && refused > 40 && passed_over > 40,
        "{answered}, {refused}, {passed_over}: the test lost its subject"
    );
}

/// Makes a request of pieces that mean something, some of which are damaged.
fn random_request(random: &mut Rng, address: &str) -> Vec<u8> {
    const NAMES: [&str; 10] =
        ["username", "path", "capability[]", "password", "credential", "url", "wwwauth[]", "state[]", "x", ""];
    const VALUES: [&str; 12] = [
        "authtype",
        "a",
        "",
        "a=b",
        "https://h/",
        "\u{202e}x",
        "..",
        "password=evil",
        "é",
        "%0apassword=evil",
        "x y",
        "\x1b[2J",
    ];
    const DAMAGE: [&[u8]; 6] = [b"\r", b"\0", b"\rpassword=evil", b"\xff", b"\npassword", b"\n\n"];
    let mut lines = vec![format!("protocol={}", random.choice(["http", "http", "http", "https"]).unwrap())];
    lines.push(format!("host={}", random.choice([address, address, address, "h"]).unwrap()));
    for _ in 0..random.usize(0..4) {
        lines.push(format!("{}={}", random.choice(NAMES).unwrap(), random.choice(VALUES).unwrap()));
    }
    random.shuffle(&mut lines);
    let mut bytes = lines.join("\n").into_bytes();
    bytes.push(b'\n');
    if random.u8(..3) == 0 {
        let place = random.usize(..bytes.len());
        let damage = random.choice(DAMAGE).unwrap().to_vec();
        bytes.splice(place..place, damage);
    }
    bytes
}

/// Asserts that an answer has the lines of one of the two forms, each once, and a token of the server.
fn assert_answer_is_whole(answer: &str, issued: &[String], request: &str) {
    let body = answer.strip_suffix("\n\n").unwrap_or_else(|| panic!("no end: {request}"));
    let lines: Vec<(&str, &str)> = body.split('\n').map(|line| line.split_once('=').unwrap()).collect();
    let names: Vec<&str> = lines.iter().map(|(name, _)| *name).collect();
    assert!(names == super::WITH_AUTHTYPE || names == WITHOUT, "{names:?} for {request}");
    let secret = lines.iter().find(|(name, _)| matches!(*name, "password" | "credential")).unwrap().1;
    assert!(issued.iter().any(|token| token == secret), "not a token of the server's: {request}");
    assert!(!body.contains(['\r', '\0']), "{request}");
}
