//! Servers that cannot be reached, break off, or take for ever: bounded, tried again where that may help, named.

use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use crate::exchange::run_with;
use crate::sandbox::{Sandbox, ready};
use crate::server::{Gate, REFRESH, Reply, Server, Setup, jwt};

#[test]
fn f42_a_server_that_refuses_connections_is_tried_again_and_named() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.use_env(&server);
    let url = server.url();
    drop(server);
    let done = sandbox.ls_token(&[]).run();
    done.fails(69).says(&format!("cannot connect to {url}: ")).says("; tried 3 times").says("Connection refused");
    done.within(Duration::from_secs(5));
}

#[test]
fn f42_a_reset_during_the_answer_is_tried_again_and_named() {
    for reply in [
        Reply::reset(Vec::new()),
        Reply::reset(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"access\": \"ey"
                .to_vec(),
        ),
        Reply::raw(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"access\": \"ey"
                .to_vec(),
        ),
        Reply::raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n500\r\n{\"access\": \"ey".to_vec()),
        Reply::raw(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()),
        Reply::raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        Reply::raw(vec![0; 300]),
    ] {
        let (done, exchanges) = run_with(reply.clone());
        done.fails(69)
            .says("the connection to 127.0.0.1 broke off: ")
            .says("; tried 3 times")
            .says("server: ")
            .says("hint: ");
        assert_eq!(exchanges, 3, "{reply:?}");
    }
}

#[test]
fn f42_a_name_that_does_not_exist_is_named() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.settings(&format!(
        "[profiles.test]\nurl = \"https://label.invalid\"\npat = \"file:{}\"\ntimeout = 3\n",
        sandbox.pat_file(server.pat()).display()
    ));
    let done = sandbox.ls_token(&[]).run();
    done.fails(69).says("label.invalid").says("server: https://label.invalid").within(Duration::from_secs(5));
}

#[test]
fn f42_ipv4_answers_where_ipv6_does_not() {
    let (sandbox, server) = ready();
    sandbox.set("LABEL_STUDIO_URL", format!("http://localhost:{}", server.port()));
    sandbox.ls_token(&[]).run().quiet().token();
}

#[test]
fn f42_an_address_of_ipv6_is_reached_or_named() {
    let sandbox = Sandbox::new();
    if TcpListener::bind("[::1]:0").is_ok() {
        let server = Setup { on_ipv6: true, ..Setup::default() }.start();
        assert!(server.url().starts_with("http://[::1]:"));
        sandbox.use_env(&server);
        sandbox.ls_token(&[]).run().quiet().token();
        // A name that means both addresses, of which only this one answers.
        if ("localhost", 0).to_socket_addrs().is_ok_and(|mut all| all.any(|one| one.is_ipv6())) {
            sandbox.set("LABEL_STUDIO_URL", format!("http://localhost:{}", server.port()));
            sandbox.ls_token(&[]).run().quiet().token();
        }
    } else {
        let server = Server::start().expect_no_calls();
        sandbox.use_env(&server);
        sandbox.set("LABEL_STUDIO_URL", format!("http://[::1]:{}", server.port()));
        sandbox.ls_token(&[]).run().fails(69).says("cannot connect to http://[::1]:");
    }
}

#[test]
fn f38_a_server_that_does_not_answer_costs_the_time_limit_and_no_more() {
    let mut head =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"access\": \"".to_vec();
    head.resize(1000, b'x');
    let second = Duration::from_secs(1);
    for (reply, what) in [
        (Reply::Silence, "silence"),
        (Reply::slowly(head.clone(), second), "one byte a second"),
        (Reply::slowly(head, Duration::from_millis(10)), "a body that never ends"),
        (Reply::error(503, "Later").after(Duration::from_millis(600)), "three slow troubles"),
    ] {
        let (sandbox, server) = (Sandbox::new(), Server::start());
        sandbox.use_file(&server, "timeout = 1");
        server.always(REFRESH, reply);
        let done = sandbox.ls_token(&[]).run();
        done.fails(69).says("server: ").says("hint: ").within(Duration::from_millis(1500));
        if what == "three slow troubles" {
            assert!(server.exchanges() <= 2, "no time is left for the third");
        } else {
            done.says("127.0.0.1 did not answer within 1 s")
                .says("`timeout` in a profile of this server allows it more time");
            assert_eq!(server.exchanges(), 1, "{what}");
        }
    }
}

#[test]
fn f38_an_answer_within_the_time_limit_is_waited_for() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_file(&server, "timeout = 30");
    server.delay(Duration::from_secs(2));
    let done = sandbox.ls_token(&[]).run();
    assert_eq!(done.quiet().token(), server.issued()[0]);
    assert!(done.took >= Duration::from_secs(2));
}

#[test]
fn f38_endless_headers_and_an_endless_body_are_cut_off() {
    for (reply, code) in [(Reply::EndlessHeaders, 69), (Reply::EndlessBody, 76)] {
        let (sandbox, server) = (Sandbox::new(), Server::start());
        sandbox.use_file(&server, "timeout = 30");
        let gate = Gate::default();
        server.always(REFRESH, reply.clone().when(&gate));
        let mut running = sandbox.ls_token(&[]).start();
        server.wait_for_exchanges(1);
        let mut peak = running.peak_memory().unwrap_or(0);
        gate.open();
        while !running.has_ended() {
            peak = running.peak_memory().unwrap_or(0).max(peak);
            sleep(Duration::from_millis(1));
        }
        running.wait().fails(code).does_not_say("did not answer");
        assert!(peak > 1000 && peak < 40_000, "{peak} KiB for {reply:?}");
        assert!(server.sent() < 30_000_000, "{} bytes were taken of {reply:?}", server.sent());
    }
}

#[test]
fn f67_where_no_connection_comes_about_nothing_is_said_of_an_overloaded_server() {
    use rustix::net::{AddressFamily, SocketType, bind, getsockname, listen, socket};
    // A queue of one that is full: the kernel drops every further packet that wants a connection.
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &"127.0.0.1:0".parse::<SocketAddr>().unwrap()).unwrap();
    listen(&socket, 0).unwrap();
    let address = SocketAddr::try_from(getsockname(&socket).unwrap()).unwrap();
    let knock = || TcpStream::connect_timeout(&address, Duration::from_millis(200));
    let full: Vec<_> = std::iter::from_fn(|| knock().ok()).take(20).collect();
    assert!(full.len() < 20, "the queue never was full");
    for (timeout, within) in [(1, "0.8"), (3, "2.4"), (10, "5.0")] {
        let sandbox = Sandbox::new();
        let pat = sandbox.pat_file(&jwt(&json!({"token_type": "refresh"})));
        let pat = pat.display();
        sandbox
            .settings(&format!("[profiles.a]\nurl = \"http://{address}\"\npat = \"file:{pat}\"\ntimeout = {timeout}"));
        let done = sandbox.ls_token(&[]).run();
        done.fails(69).says(&format!("no connection to 127.0.0.1 within {within} s")).does_not_say("overloaded");
    }
}
