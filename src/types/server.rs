//! A server's address: its origin, and the base path that Label Studio lives under.

use std::fmt;

use super::origin::{Origin, split};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// Scheme, host and port: what a token belongs to.
    pub(crate) origin: Origin,
    /// The path that Label Studio lives under: empty, or `/label-studio` without a slash at its end.
    pub(crate) base: String,
}

impl fmt::Display for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.origin.fmt(out)?;
        out.write_str(&self.base)
    }
}

impl Server {
    /// Parses a server's URL. The error is a phrase that goes on «the URL …».
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let (origin, path) = split(url)?;
        if matches!(path, "" | "/") {
            return Ok(Self { origin, base: String::new() });
        }
        if path.contains(['?', '#']) {
            return Err("has a query or a fragment; a server's URL ends with its path".into());
        }
        if path.contains(['{', '}', '[', ']']) {
            return Err(
                "has a bracket in its path, which curl takes for a list; write it as %7B, %7D, %5B or %5D".into()
            );
        }
        let base = path.trim_end_matches('/');
        if base.split('/').skip(1).any(|segment| is_dots(segment) || segment.is_empty()) {
            return Err("has an empty or a dot segment in its path".into());
        }
        Ok(Self { origin, base: base.to_owned() })
    }

    /// Returns the URL for other programs: a path keeps its last slash, without which `urljoin` drops the path's last part.
    pub(crate) fn to_base_url(&self) -> String {
        if self.base.is_empty() { self.to_string() } else { format!("{self}/") }
    }

    /// Returns the URL of a path on this server that begins with a slash.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// Returns whether the origin and the path lie below this server's URL.
    pub(crate) fn covers(&self, origin: &Origin, path: &str) -> bool {
        let below = path.strip_prefix(self.base.as_str());
        self.origin == *origin && below.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
    }

    /// Returns whether a path that shows no dot segments could still lead out of the base path.
    pub(crate) fn is_left_by(&self, path: &str) -> bool {
        // What the base path itself has is known; what comes behind it is not.
        !self.base.is_empty() && may_climb(path.strip_prefix(&self.base).unwrap_or(path))
    }
}

/// Returns whether curl's globbing or the server's decoding could make dot segments of a path that shows none:
/// `{.,x}{.,y}`, `%[2-2]e`, `..%2f`, `..;`, `%252e%252e`.
fn may_climb(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let globbed = path.contains(['{', '[']) && path.contains(['.', '%', '\\']);
    let mut decoded = path.to_ascii_lowercase();
    while decoded.contains("%25") {
        decoded = decoded.replace("%25", "%");
    }
    let decoded = decoded.replace("%2f", "/").replace("%5c", "/").replace('\\', "/");
    let hidden = decoded != path.to_ascii_lowercase() || path.contains(';');
    let dotted = decoded.split('/').filter_map(|segment| segment.split(';').next());
    globbed || (hidden && dotted.into_iter().any(is_dots))
}

/// Returns whether a path segment is `.` or `..`, also with its dots percent-encoded.
pub(crate) fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(url: &str) -> Result<String, String> {
        Server::parse(url).map(|server| server.to_string())
    }

    #[test]
    fn f03_spellings_of_one_origin_are_equal() {
        for url in ["https://Label.Example.com", "HTTPS://label.example.com:443/", "https://label.example.com:/"] {
            assert_eq!(canonical(url).as_deref(), Ok("https://label.example.com"), "{url}");
        }
        assert_eq!(canonical("http://[0:0::1]:80").as_deref(), Ok("http://[::1]"));
        assert_eq!(canonical("https://h:8443/label-studio//").as_deref(), Ok("https://h:8443/label-studio"));
        assert_eq!(canonical("https://xn--bcher-kva.example").as_deref(), Ok("https://xn--bcher-kva.example"));
    }

    #[test]
    fn f03_tricks_are_refused() {
        for (what, start, rests) in [
            ("no scheme of ours", "", "|label.example.com|//h|ftp://h|https:/h| https://h"),
            ("no host", "https://", "|/api|:443"),
            ("user info", "https://", "u@h|u:p@h|h@evil.example|h\\@evil.example"),
            ("a character of no URL", "https://h", "\\evil|\t.example|\n| |\0|\u{202e}"),
            ("a character of no host", "https://", "ｈ|bücher.example|h%2eevil|h,evil|h;evil|{h,i}"),
            ("an empty part", "https://h", ".|..example"),
            ("an odd port", "https://h", ":0|:65536|:+80|:8o"),
            ("an odd IPv6 address", "https://", "[::1|[::g]|[::1]x|[fe80::1%25eth0]"),
            ("an odd IPv4 address", "https://", "127.1|0x7f.0.0.1|0177.0.0.1|2130706433|1.2.3.4.5"),
            ("an odd path", "https://h", "/a/../b|/%2e%2E/b|/a//b|/{a,b}|/[1-2]|?q|#f|/a?b"),
        ] {
            for url in rests.split('|').map(|rest| format!("{start}{rest}")) {
                assert!(canonical(&url).is_err(), "{what}: {url:?} was taken as {:?}", canonical(&url));
            }
        }
    }

    #[test]
    fn f03_whatever_is_taken_means_the_same_to_the_url_standard() {
        const PIECES: [&str; 16] =
            ["h", "A.b", ".", ":", "80", "443", "@", "/", "[::1]", "\\", "127.0.0.1", "?", "0x7f", "xn--a", "%41", "-"];
        let mut taken = 0;
        for number in 0..PIECES.len().pow(4) {
            let digits = (0..4).map(|place| number / PIECES.len().pow(place) % PIECES.len());
            let text: String = ["http://"].into_iter().chain(digits.map(|digit| PIECES[digit])).collect();
            let (Ok(server), Ok(other)) = (Server::parse(&text), reqwest::Url::parse(&text)) else { continue };
            assert_eq!(other.host_str(), Some(&*server.origin.host), "{text}");
            assert_eq!(other.port_or_known_default(), Some(server.origin.port), "{text}");
            assert_eq!(other.path().trim_end_matches('/'), server.base, "{text}");
            assert_eq!(reqwest::Url::parse(&server.to_string()).unwrap().origin(), other.origin(), "{text}");
            taken += 1;
        }
        assert!(taken > 150, "only {taken} addresses were taken: the test has lost its subject");
    }
}
