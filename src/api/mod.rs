//! Everything that Label Studio is asked, and what its answers mean.

pub(crate) mod account;
pub(crate) mod authorities;
pub(crate) mod client;
pub(crate) mod exchange;
pub(crate) mod proxy;
pub(crate) mod resolver;
pub(crate) mod response;
mod tls;
