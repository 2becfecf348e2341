//! The proxy that the environment prescribes, as curl reads it: <https://curl.se/docs/manpage.html#ENVIRONMENT>. It is a
//! party of its own, which messages name without its login; none that is prescribed is ever gone around.

use std::fmt;
use std::net::IpAddr;

use crate::error::{Error, Fact, Kind, Result};
use crate::settings::Profile;
use crate::system::environment::{NO_PROXIES, PROXIES, first_set, without_login};
use crate::types::{Origin, Secret, split};

/// The proxy that requests to a server go through.
#[derive(Debug)]
pub(crate) struct Proxy {
    /// What names it.
    pub(crate) variable: &'static str,
    pub(crate) origin: Origin,
    /// Its address with the login.
    pub(super) url: Secret,
    pub(super) has_login: bool,
}

impl Proxy {
    /// Returns the proxy of a profile's server; `None` where it is reached directly, as all of plain http are: a proxy would
    /// see the token. Fails for one that cannot be used.
    pub(crate) fn of(profile: &Profile) -> Result<Option<Self>> {
        let Origin { secure, host, .. } = &profile.server.origin;
        let exempt = first_set(&NO_PROXIES).is_some_and(|(_, list)| is_exempt(host, &list));
        let prescribed = first_set(&PROXIES).filter(|_| *secure && !exempt);
        let Some((variable, value)) = prescribed else { return Ok(None) };
        let parsed = parse(&value).map_err(|why| {
            Error::new(Kind::Settings, format!("cannot use the proxy that {variable} names: it {why}"))
                .with(Fact::Proxy, format_args!("{} ({variable})", without_login(&value)))
                .hint(format!(
                    "write {variable}=http://HOST:PORT, or https://HOST:PORT; to reach the server directly, add {host} to no_proxy"
                ))
        });
        let (origin, url, has_login) = parsed?;
        Ok(Some(Self { variable, origin, url: Secret::new(url), has_login }))
    }

    /// Says what went wrong with a tunnel through it, by the words that hyper-util has for it or the reason behind them, and
    /// whether that may go away by itself.
    pub(super) fn explain(&self, tunnel: &str, reason: &str, server: &Origin) -> (Error, bool) {
        let (variable, host) = (self.variable, &server.host);
        let directly = format!("to reach the server directly, add {host} to no_proxy");
        let (what, hint, may_recover) = match tunnel {
            "proxy authorization required" => (
                format!("the proxy {} (407)", if self.has_login { "rejects its login" } else { "wants a login" }),
                format!("write {variable}=http://NAME:PASSWORD@HOST:PORT, with %40 for @ and the like"),
                false,
            ),
            "unsuccessful" => (
                format!("the proxy makes no connection to {host}:{}", server.port),
                format!("check its login, what it allows, and that the server is up; {directly}"),
                true,
            ),
            _ => (
                format!("cannot connect to the proxy: {}", reason.trim_start_matches("tunnel error: ")),
                format!("check {variable}, and that the proxy is up; {directly}"),
                true,
            ),
        };
        (Error::new(Kind::Unreachable, what).hint(hint), may_recover)
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.origin, self.variable)
    }
}

/// Reads a proxy's address: its origin, the address in full, and whether there is a login in it.
fn parse(value: &str) -> Result<(Origin, String, bool), String> {
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    let scheme = scheme.to_ascii_lowercase();
    // The ports are curl's own.
    let port = match scheme.as_str() {
        "http" => 1080,
        "https" => 443,
        socks if socks.starts_with("socks") => return Err("is a SOCKS proxy, which ls-token does not support".into()),
        _ => return Err("has a scheme other than http and https".into()),
    };
    let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (login, host) = rest.rsplit_once('@').map_or((None, rest), |(login, host)| (Some(login), host));
    if login.is_some_and(|login| !login.bytes().all(|byte| byte.is_ascii_graphic() && !b"@\\".contains(&byte))) {
        return Err("has a login with odd characters; write each as %XX".into());
    }
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
    let port = if has_port { String::new() } else { format!(":{port}") };
    let (origin, _) = split(&format!("{scheme}://{host}{port}"))?;
    let at = if login.is_some() { "@" } else { "" };
    Ok((origin, format!("{scheme}://{}{at}{host}{port}/", login.unwrap_or_default()), login.is_some()))
}

/// Returns whether `no_proxy` exempts a host: names with the names below them, addresses, networks, or `*` alone.
fn is_exempt(host: &str, list: &str) -> bool {
    let host = host.trim_matches(['[', ']']).trim_end_matches('.');
    let is_named = |entry: &str| {
        if let Ok(address) = host.parse() {
            return is_within(address, entry);
        }
        let name = entry.trim_end_matches('.').trim_start_matches('.').to_ascii_lowercase();
        !name.is_empty() && host.strip_suffix(&*name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    list == "*" || list.split([',', ' ', '\t']).any(is_named)
}

/// Returns whether an address is that of an entry, or in its network: `10.0.0.0/8`.
fn is_within(address: IpAddr, entry: &str) -> bool {
    let widened = |address| match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let (network, bits) = entry.split_once('/').map_or((entry, None), |(network, bits)| (network, Some(bits)));
    let Ok(network) = network.trim_matches(['[', ']']).parse() else { return false };
    let ((ours, width), (theirs, other)) = (widened(address), widened(network));
    let bits: u32 = bits.map_or(Ok(width), str::parse).unwrap_or(0);
    width == other && (1..=width).contains(&bits) && (ours ^ theirs) >> (128 - bits) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f66_an_address_is_read_as_curl_reads_it() {
        let good = "p:3128 http://p:3128/|http://p:3128/ http://p:3128/|p http://p:1080/|https://p https://p:443/|\
            HTTP://P:1/x?y http://P:1/|http://[::1]:3128 http://[::1]:3128/|[::1] http://[::1]:1080/|\
            me:pw@p:1 http://me:pw@p:1/|http://me@p:1 http://me@p:1/|http://my_proxy:1 http://my_proxy:1/";
        for (value, url) in good.split('|').map(|pair| pair.split_once(' ').unwrap()) {
            assert_eq!(parse(value).unwrap().1, url, "{value}");
        }
    }

    #[test]
    fn f66_no_proxy_names_addresses_and_networks() {
        let yes = "10.1.2.3 10.0.0.0/8|10.1.2.3 10.1.2.3|[::1] ::1|[::1] [::1]|[fd00::5] x,fd00::/8";
        let no =
            "11.1.2.3 10.0.0.0/8|10.1.2.3 10.1.2.3/0|10.1.2.3 10.1.2.3/33|10.1.2.3 2.3|[::1] 0.0.0.1|10.1.2.3 ::/1";
        for (pairs, wanted) in [(yes, true), (no, false)] {
            for (host, list) in pairs.split('|').map(|pair| pair.split_once(' ').unwrap()) {
                assert_eq!(is_exempt(host, list), wanted, "{host} by {list}");
            }
        }
    }
}
