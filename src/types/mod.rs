//! The things that the program is about: tokens, servers, moments. They read no file and ask nobody.

pub(crate) mod access;
pub(crate) mod escape;
pub(crate) mod jwt;
pub(crate) mod moment;
pub(crate) mod origin;
pub(crate) mod pat;
pub(crate) mod secret;
pub(crate) mod server;
pub(crate) mod value;

pub(crate) use access::{Access, MAX_LIFE};
pub(crate) use escape::{stream, untrusted, visible};
pub(crate) use moment::{Moment, rfc3339, tenths};
pub(crate) use origin::{Origin, split};
pub(crate) use pat::{MAX_PAT_BYTES, PAGE, Pat};
pub(crate) use secret::{Secret, sha256};
pub(crate) use server::{Server, is_dots};
pub(crate) use value::unwrapped;
