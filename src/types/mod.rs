//! The things that the program is about: tokens, servers, moments. They read no file and ask nobody.

pub(crate) mod access;
pub(crate) mod escape;
pub(crate) mod jwt;
pub(crate) mod moment;
pub(crate) mod origin;
pub(crate) mod pat;
pub(crate) mod secret;
pub(crate) mod server;
