//! Flags, environment and settings file: which profile comes of them, what is an error, and what the command line says
//! of itself.

mod belonging;
mod choice;
mod errors;
mod help;
mod pair;
mod places;

use crate::sandbox::{Done, Sandbox};
use crate::server::Server;

/// Returns a profile of a server for the settings, with more lines; its token is in a file of its own.
pub(crate) fn profile(sandbox: &Sandbox, name: &str, server: &Server, more: &str) -> String {
    let file = sandbox.file(&format!("home of someone/{name}.pat"), server.pat(), 0o600);
    format!("[profiles.{name}]\nurl = \"{}\"\npat = \"file:{}\"\n{more}\n", server.url(), file.display())
}

/// Returns the name of the profile that a run with `-v` used.
#[track_caller]
fn used(done: &Done) -> &str {
    let line = done.stderr.lines().find_map(|line| line.strip_prefix("ls-token: settings: profile "));
    let line = line.unwrap_or_else(|| panic!("no profile was used: {done:?}"));
    line.split(' ').next().unwrap()
}

/// A sandbox with three servers and profiles of the same names.
fn with_three() -> (Sandbox, [Server; 3]) {
    let (sandbox, servers) = (Sandbox::new(), [(); 3].map(|()| Server::start().expect_anything()));
    let names = ["one", "two", "three"];
    let profiles: String =
        names.iter().zip(&servers).map(|(name, server)| profile(&sandbox, name, server, "")).collect();
    sandbox.settings(&format!("default = \"one\"\n{profiles}"));
    (sandbox, servers)
}
