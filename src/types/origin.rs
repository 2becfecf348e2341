//! Scheme, host and port, parsed once and strictly: spellings of one origin are equal, two origins never. What parsers
//! disagree about (user info, backslashes, control characters, odd IPv4 forms, Unicode hosts) is refused, not repaired.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

/// The longest URL that is accepted, in bytes.
const MAX_URL_BYTES: usize = 2048;

const BAD_LABEL: &str = "has a host with an empty or overlong part (a dot at its end counts as one)";

/// Scheme, host and port (RFC 6454).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) secure: bool,
    /// The host as it stands in a URL: lower case, IPv6 in brackets.
    pub(crate) host: Rc<str>,
    /// The port, also where it is the scheme's own.
    pub(crate) port: u16,
}

impl Origin {
    /// Returns whether this machine itself is meant, so that plain http is seen by nobody else.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = &*self.host;
        host == "localhost" || host == "[::1]" || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.secure { ("https", 443) } else { ("http", 80) };
        for part in [scheme, "://", &self.host] {
            out.write_str(part)?;
        }
        if self.port == usual { Ok(()) } else { write!(out, ":{}", self.port) }
    }
}

/// Splits a URL into its origin and the rest, which is empty or begins with `/`, `?` or `#`.
pub(crate) fn split(url: &str) -> Result<(Origin, &str), String> {
    if url.len() > MAX_URL_BYTES {
        return Err(format!("is longer than {MAX_URL_BYTES} bytes"));
    }
    split_plain(url).map_err(|why| odd_character(url).unwrap_or_else(|| why.into()))
}

/// Splits a URL whose scheme, host and port are made of their own characters alone, and whose path of plain ones.
fn split_plain(url: &str) -> Result<(Origin, &str), &'static str> {
    let (secure, rest) = split_scheme(url)?;
    let (mut colon, mut end) = (None, rest.len());
    for (place, byte) in rest.bytes().enumerate() {
        match byte {
            b'@' => return Err("has user info in it; a token is no password of a URL"),
            b':' => colon = Some(place),
            // RFC 3986, section 3.2.
            b'/' | b'?' | b'#' => {
                end = place;
                break;
            }
            _ => {}
        }
    }
    let (authority, path) = rest.split_at(end);
    if !path.bytes().all(is_plain) {
        return Err("has an odd character in its path");
    }
    let (host, port) = match colon {
        Some(colon) if !authority.ends_with(']') => authority.split_at(colon),
        _ => (authority, ""),
    };
    let port = match port.get(1..).unwrap_or_default() {
        "" if secure => 443,
        "" => 80,
        digits if digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port != 0).ok_or("has a port outside 1 to 65535")?
        }
        _ => return Err("has a port that is not a number"),
    };
    Ok((Origin { secure, host: parse_host(host)?, port }, path))
}

/// Returns what is wrong with the first character that is not plain.
fn odd_character(url: &str) -> Option<String> {
    Some(match url.chars().find(|c| !u8::try_from(*c).is_ok_and(is_plain))? {
        ' ' | '\t' | '\r' | '\n' => "has white space in it".into(),
        char::REPLACEMENT_CHARACTER => "is not UTF-8".into(),
        odd if odd.is_ascii() => format!("has a character that no URL has: {}", odd.escape_default()),
        _ => "is not ASCII; write an international host name in its xn-- form".into(),
    })
}

/// Splits a URL behind its scheme, and whether that is https.
fn split_scheme(url: &str) -> Result<(bool, &str), &'static str> {
    for (scheme, secure) in [("https://", true), ("http://", false)] {
        if let (Some(start), Some(rest)) = (url.get(..scheme.len()), url.get(scheme.len()..))
            && (start == scheme || start.eq_ignore_ascii_case(scheme))
        {
            return Ok((secure, rest));
        }
    }
    Err(match url.split_once("://") {
        Some((scheme, _)) if scheme.contains('=') => "has a name and `=` before it; write the value alone",
        Some(_) => "has a scheme other than https and http",
        None => "has no scheme; it begins with https://",
    })
}

/// Returns whether a byte may stand in a URL, and every parser reads it the same.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>' | b'`' | b'^')
}

fn parse_host(host: &str) -> Result<Rc<str>, &'static str> {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: Ipv6Addr = address.parse().map_err(|_| "has an IPv6 address that is none")?;
        return Ok(canonical_ipv6(address).into());
    }
    if host.is_empty() {
        return Err("has no host");
    }
    let (mut label, mut is_lower) = (0, true);
    for byte in host.bytes() {
        label += 1;
        match byte {
            b'.' if label > 1 => label = 0,
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => {}
            b'A'..=b'Z' => is_lower = false,
            b'.' => return Err(BAD_LABEL),
            _ => return Err("has a host with a character that no host name has"),
        }
        if label > 63 {
            return Err(BAD_LABEL);
        }
    }
    if label == 0 || host.len() > 253 {
        return Err(BAD_LABEL);
    }
    let host: Rc<str> = if is_lower { host.into() } else { host.to_ascii_lowercase().into() };
    // The URL Standard reads a host that ends in a number as IPv4, in octal and hexadecimal too; curl differs in places.
    let last = host.as_bytes().rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let numeric = last.iter().all(u8::is_ascii_digit)
        || last.starts_with(b"0x") && last.iter().skip(2).all(u8::is_ascii_hexdigit);
    if numeric && host.parse::<Ipv4Addr>().is_err() {
        return Err("has an IPv4 address that is not four decimal numbers");
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
