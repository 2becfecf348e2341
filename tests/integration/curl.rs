//! `ls-token curl`, with the real curl: it works as curl does, and the token reaches its own server or curl is not
//! started. `LS_TOKEN_TEST_CURL` in the tests' own environment names another curl to try.

mod curlrc;
mod curlrc_kept;
mod environment;
mod hostile;
pub(crate) mod kit;
mod leaks;
mod log;
mod paging;
mod pipes;
mod redirects;
mod refused;
mod requests;
mod rows;
mod status;
mod trust;
