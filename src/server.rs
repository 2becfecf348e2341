//! A server's address, parsed once and strictly: scheme, host, port and base path. A personal access token belongs to
//! one, so two spellings of one origin must be equal and two origins must never be. What parsers disagree about (user
//! info, backslashes, control characters, odd IPv4 forms, Unicode hosts) is refused, not repaired.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest address that is taken, in bytes.
const LONGEST: usize = 2048;

/// A Label Studio server: where it answers, and below which path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// Scheme, host and port: what a token belongs to.
    pub(crate) origin: Origin,
    /// The path that Label Studio lives under: empty, or `/label-studio` without a slash at its end.
    pub(crate) base: String,
}

/// Scheme, host and port (RFC 6454).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Whether it is `https`.
    pub(crate) secure: bool,
    /// The host as it stands in a URL: lower case, IPv6 in brackets.
    pub(crate) host: String,
    /// The port, also where it is the scheme's own.
    pub(crate) port: u16,
}

impl Origin {
    /// Tells whether this machine itself is meant, so that plain http is seen by nobody else.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host.as_str();
        host == "localhost"
            || host == "[::1]"
            || host
                .parse::<Ipv4Addr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.secure {
            ("https", 443)
        } else {
            ("http", 80)
        };
        write!(out, "{scheme}://{}", self.host)?;
        if self.port == usual {
            Ok(())
        } else {
            write!(out, ":{}", self.port)
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.origin, self.base)
    }
}

impl Server {
    /// Parses a server's URL. The error is a phrase that goes on «the URL …».
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let (origin, path) = split(url)?;
        if path.contains(['?', '#']) {
            return Err("has a query or a fragment; a server's URL ends with its path".into());
        }
        if path.contains(['{', '}', '[', ']']) {
            return Err("has a bracket in its path, which curl takes for a list; write it as %7B, %7D, %5B or %5D".into());
        }
        let base = path.trim_end_matches('/');
        if base
            .split('/')
            .skip(1)
            .any(|segment| is_dots(segment) || segment.is_empty())
        {
            return Err("has an empty or a dot segment in its path".into());
        }
        Ok(Self {
            origin,
            base: base.to_owned(),
        })
    }

    /// Returns the URL of a path on this server that begins with a slash.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// Tells whether the origin and the path lie under this server's URL.
    pub(crate) fn holds(&self, origin: &Origin, path: &str) -> bool {
        let below = path.strip_prefix(self.base.as_str());
        self.origin == *origin
            && below.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
    }
}

/// Splits a URL into its origin and the rest, which is empty or begins with `/`, `?` or `#`.
pub(crate) fn split(url: &str) -> Result<(Origin, &str), String> {
    if url.len() > LONGEST {
        return Err(format!("is longer than {LONGEST} bytes"));
    }
    if let Some(odd) = url
        .chars()
        .find(|c| !c.is_ascii_graphic() || matches!(c, '\\' | '"' | '<' | '>' | '`' | '^'))
    {
        return Err(match odd {
            ' ' | '\t' | '\r' | '\n' => "has white space in it".into(),
            _ if odd.is_ascii() => format!(
                "has a character in it that does not belong there: {}",
                odd.escape_default()
            ),
            _ => "is not ASCII; write an international host name in its xn-- form".into(),
        });
    }
    let (scheme, rest) = url
        .split_once("://")
        .ok_or("has no scheme; it begins with https://")?;
    let secure = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return Err("has a scheme other than https and http".into()),
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err("has user info in it; a token is no password of a URL".into());
    }
    let (host, port) = match authority.rfind(':') {
        Some(colon) if !authority.ends_with(']') => authority.split_at(colon),
        _ => (authority, ""),
    };
    let port = match port.strip_prefix(':') {
        None | Some("") => {
            if secure {
                443
            } else {
                80
            }
        }
        Some(digits) if digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit()) => digits
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or("has a port outside 1 to 65535")?,
        Some(_) => return Err("has a port that is not a number".into()),
    };
    Ok((
        Origin {
            secure,
            host: parse_host(host)?,
            port,
        },
        path,
    ))
}

/// Returns the host in its one canonical form.
fn parse_host(host: &str) -> Result<String, String> {
    if let Some(address) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let address: Ipv6Addr = address
            .parse()
            .map_err(|_| "has an IPv6 address that is none")?;
        return Ok(canonical_ipv6(address));
    }
    if host.is_empty() {
        return Err("has no host".into());
    }
    let host = host.to_ascii_lowercase();
    if host.len() > 253
        || host
            .split('.')
            .any(|label| label.is_empty() || label.len() > 63)
    {
        return Err(
            "has a host with an empty or overlong part (a dot at its end counts as one)".into(),
        );
    }
    if !host
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
    {
        return Err("has a host with a character that no host name has".into());
    }
    // The URL Standard reads a host that ends in a number as IPv4, in octal and hexadecimal too; curl differs in places.
    let last = host.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|b| b.is_ascii_digit())
        || last
            .strip_prefix("0x")
            .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit()));
    if numeric && host.parse::<Ipv4Addr>().is_err() {
        return Err("has an IPv4 address that is not four decimal numbers".into());
    }
    Ok(host)
}

/// Returns the address in brackets, in the URL Standard's form: never with an IPv4 address at its end.
fn canonical_ipv6(address: Ipv6Addr) -> String {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => format!("[::ffff:{high:x}:{low:x}]"),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => format!("[::{high:x}:{low:x}]"),
        _ => format!("[{address}]"),
    }
}

/// Tells whether a path segment is `.` or `..`, also with its dots percent-encoded.
pub(crate) fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses and shows again.
    fn canonical(url: &str) -> Result<String, String> {
        Server::parse(url).map(|server| server.to_string())
    }

    #[test]
    fn f03_spellings_of_one_origin_are_equal() {
        for url in [
            "https://Label.Example.com",
            "HTTPS://label.example.com:443/",
            "https://label.example.com:/",
        ] {
            assert_eq!(
                canonical(url).as_deref(),
                Ok("https://label.example.com"),
                "{url}"
            );
        }
        assert_eq!(
            canonical("http://[0:0::1]:80").as_deref(),
            Ok("http://[::1]")
        );
        assert_eq!(
            canonical("https://h:8443/label-studio//").as_deref(),
            Ok("https://h:8443/label-studio")
        );
        assert_eq!(
            canonical("https://xn--bcher-kva.example").as_deref(),
            Ok("https://xn--bcher-kva.example")
        );
    }

    #[test]
    fn f03_tricks_are_refused() {
        for url in [
            "",
            "label.example.com",
            "//h",
            "ftp://h",
            "https://",
            "https:///api",
            "https://:443",
            "https://u@h",
            "https://u:p@h",
            "https://h@evil.example",
            "https://h\\@evil.example",
            "https://h\\evil",
            "https:/h",
            "https://h\t.example",
            "https://h\n",
            " https://h",
            "https://h ",
            "https://bücher.example",
            "https://h.",
            "https://h..example",
            "https://h:0",
            "https://h:65536",
            "https://h:+80",
            "https://h:8o",
            "https://[::1",
            "https://[::g]",
            "https://[::1]x",
            "https://[fe80::1%25eth0]",
            "https://127.1",
            "https://0x7f.0.0.1",
            "https://0177.0.0.1",
            "https://2130706433",
            "https://1.2.3.4.5",
            "https://h%2eevil",
            "https://h?q",
            "https://h#f",
            "https://h/a/../b",
            "https://h/%2e%2E/b",
            "https://h/a//b",
            "https://h/{a,b}",
            "https://h/[1-2]",
            "https://h/a?b",
            "https://h,evil",
            "https://{h,i}",
            "https://h;evil",
            "https://h\0",
            "https://h\u{202e}",
            "https://ｈ",
        ] {
            assert!(
                canonical(url).is_err(),
                "{url:?} was taken as {:?}",
                canonical(url)
            );
        }
    }

    #[test]
    fn f03_whatever_is_taken_means_the_same_to_the_url_standard() {
        const PIECES: [&str; 16] = [
            "h",
            "A.b",
            ".",
            ":",
            "80",
            "443",
            "@",
            "/",
            "[::1]",
            "\\",
            "127.0.0.1",
            "?",
            "0x7f",
            "xn--a",
            "%41",
            "-",
        ];
        let mut taken = 0;
        for number in 0..PIECES.len().pow(5) {
            let digits = (0..5).map(|place| number / PIECES.len().pow(place) % PIECES.len());
            let text: String = ["http://"]
                .into_iter()
                .chain(digits.map(|digit| PIECES[digit]))
                .collect();
            let Ok(server) = Server::parse(&text) else {
                continue;
            };
            let Ok(other) = reqwest::Url::parse(&text) else {
                continue;
            };
            assert_eq!(
                other.host_str(),
                Some(server.origin.host.as_str()),
                "{text}"
            );
            assert_eq!(
                other.port_or_known_default(),
                Some(server.origin.port),
                "{text}"
            );
            assert_eq!(other.path().trim_end_matches('/'), server.base, "{text}");
            assert_eq!(
                reqwest::Url::parse(&server.to_string()).unwrap().origin(),
                other.origin(),
                "{text}"
            );
            taken += 1;
        }
        assert!(
            taken > 1000,
            "only {taken} addresses were taken: the test has lost its subject"
        );
    }

    #[test]
    fn loopback_is_this_machine_alone() {
        let loopback = |url: &str| Server::parse(url).unwrap().origin.is_loopback();
        assert!(
            loopback("http://127.8.9.1:80")
                && loopback("http://[::1]")
                && loopback("http://localhost")
        );
        assert!(
            !loopback("http://128.0.0.1")
                && !loopback("http://localhost.evil.example")
                && !loopback("http://127.0.0.1.evil.example")
        );
    }

    #[test]
    fn a_base_path_ends_at_a_boundary() {
        let server = Server::parse("https://h/label-studio").unwrap();
        assert!(
            server.holds(&server.origin, "/label-studio/api")
                && server.holds(&server.origin, "/label-studio")
        );
        assert!(
            !server.holds(&server.origin, "/label-studio-evil")
                && !server.holds(&server.origin, "/api")
        );
    }
}
