//! Looks names up, on a thread of its own for each: the system's resolver cannot be interrupted. tokio's would panic where
//! no thread can be had.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::thread;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::oneshot;

pub(super) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let found = lookup(name.as_str().to_owned());
        Box::pin(async { Ok(Box::new(found.await?.into_iter()) as Addrs) })
    }
}

/// Returns the addresses of a host, without a port.
pub(crate) async fn lookup(host: String) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![(address, 0).into()]);
    }
    if host == "localhost" {
        // Nobody is asked for that (RFC 6761, section 6.3).
        return Ok(vec![(Ipv6Addr::LOCALHOST, 0).into(), (Ipv4Addr::LOCALHOST, 0).into()]);
    }
    let (answer, answered) = oneshot::channel();
    let look = move || answer.send((host.as_str(), 0).to_socket_addrs().map(Vec::from_iter));
    let no_thread = |error: io::Error| io::Error::new(error.kind(), format!("no thread for the lookup: {error}"));
    thread::Builder::new().spawn(look).map_err(no_thread)?;
    answered.await.unwrap_or_else(|_| Err(io::Error::other("the lookup crashed")))
}
