//! Redirects with `-L`: only the server that the token belongs to sees it again.

use super::kit::{Stranger, asked, assert_own_tokens, curl, secure_server, targets, with_secure_server, with_server};
use crate::server::{Reply, Server};
use crate::tls::Authority;

#[test]
fn f06_a_redirect_to_another_origin_does_not_carry_the_token() {
    let ((sandbox, server), stranger) = (with_server(), Stranger::start());
    let (host, port) = (stranger.host(), server.port());
    let away = [
        format!("http://{host}/1"),
        format!("//{host}/2"),
        format!("http://127.0.0.1:{port}@{host}/3"),
        format!("http://user:password@{host}/4"),
        format!("HTTP://{host}/5"),
        format!("http://{host}\\@127.0.0.1:{port}/6"),
        format!("http://{host}?@127.0.0.1:{port}/"),
    ];
    for (number, location) in away.iter().enumerate() {
        for status in [301, 302, 303, 307, 308] {
            server.script("/away", [Reply::redirect(status, location)]);
            let line: &[&str] = match number % 3 {
                0 => &["-sSL", "/away"],
                1 => &["-sSL", "-d", "a=b", "--post301", "--post302", "--post303", "/away"],
                _ => &["-sS", "--location", "-X", "PATCH", "-H", "X-Mine: y", "/away"],
            };
            curl(&sandbox, line).run();
        }
    }
    let heard = stranger.assert_no_token("a redirect");
    assert!(heard.matches("HTTP/1.1\r\n").count() >= 30, "{heard}");
    assert!(heard.contains("X-Mine: y") && heard.contains("a=b"), "the redirects were followed: {heard}");
    // Of what curl reads as a way back, with odd user info, it makes a request of the server's own.
    assert!(asked(&server).len() >= away.len() * 5);
    assert_own_tokens(&server);
}

#[test]
fn f06_a_redirect_to_another_port_or_scheme_of_the_same_host_does_not_carry_the_token() {
    let ((sandbox, server), neighbour) = (with_server(), Server::start());
    server.always("/away", Reply::redirect(307, &format!("{}/caught", neighbour.url())));
    curl(&sandbox, &["-sSL", "/away"]).run();
    let authority = Authority::new();
    let secure = secure_server(&authority);
    // As if the platform trusted it.
    sandbox.set("SSL_CERT_FILE", authority.file(&sandbox));
    server.always("/up", Reply::redirect(302, &format!("{}/caught", secure.url())));
    curl(&sandbox, &["-sSL", "/up"]).run();
    for other in [&neighbour, &secure] {
        let asked = asked(other);
        assert_eq!((asked.len(), asked[0].target.as_str()), (1, "/caught"));
        assert_eq!(asked[0].header("authorization"), None);
    }
}

#[test]
fn f06_a_redirect_from_https_to_http_does_not_carry_the_token() {
    let ((sandbox, server, _), stranger) = (with_secure_server(), Stranger::start());
    let plain = Server::start();
    for (path, url) in [("/1", plain.url()), ("/2", stranger.url())] {
        server.always(path, Reply::redirect(302, &format!("{url}/caught")));
    }
    let done = curl(&sandbox, &["-sSL", "/1", "/2"]).run();
    assert_eq!(done.quiet().code, Some(0), "{done:?}");
    assert_eq!(asked(&plain)[0].header("authorization"), None);
    stranger.assert_no_token("a redirect from https");
    assert_own_tokens(&server);
}

#[test]
fn a_redirect_on_the_same_server_keeps_the_token_and_so_does_the_way_back() {
    let ((sandbox, server), neighbour) = (with_server(), Server::start());
    server.always("/1", Reply::redirect(301, "/2"));
    server.always("/2", Reply::redirect(307, &format!("{}/3", server.url())));
    server.always("/3", Reply::redirect(302, &format!("{}/4", neighbour.url())));
    neighbour.always("/4", Reply::redirect(302, &format!("{}/5", server.url())));
    curl(&sandbox, &["-sSL", "/1"]).run();
    assert_eq!(targets(&server), ["/1", "/2", "/3", "/5"]);
    assert_eq!(targets(&neighbour), ["/4"]);
    assert_eq!(asked(&neighbour)[0].header("authorization"), None);
    assert_own_tokens(&server);
}

#[test]
fn without_l_no_redirect_is_followed() {
    let ((sandbox, server), stranger) = (with_server(), Stranger::start());
    server.always("/away", Reply::redirect(302, &stranger.url()));
    let done = curl(&sandbox, &["-sS", "-w", "%{http_code}", "/away"]).run();
    assert_eq!(done.stdout, "302");
    stranger.assert_alone("a redirect that was not followed");
}
