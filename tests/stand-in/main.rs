//! The stand-in for Label Studio as a program, for the demo, the benchmarks and the shell tests:
//!
//! ```text
//! stand-in [--port N] [--life SECONDS] [--pat-file FILE]
//! ```
//!
//! It listens on loopback, prints one line with its URL, writes a new personal access token to FILE (mode 0600), and
//! serves until it is ended.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people and scripts to start")]

#[path = "server.rs"]
mod server;

use std::fs::{OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::process::exit;
use std::thread;

use server::Setup;

/// What it is told where it is not called as it should be.
const USAGE: &str = "usage: stand-in [--port N] [--life SECONDS] [--pat-file FILE]";

/// Ends with a complaint.
fn complain(what: &str) -> ! {
    eprintln!("stand-in: {what}\n{USAGE}");
    exit(2)
}

fn main() {
    let (mut port, mut life, mut pat_file) = (0, None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_else(|| complain(&format!("{name} needs a value")));
        let number = || value.parse().unwrap_or_else(|_| complain(&format!("{name} needs a number")));
        match name.as_str() {
            "--port" => {
                port = u16::try_from(number()).unwrap_or_else(|_| complain("there is no such port"));
            }
            "--life" => life = Some(number()),
            "--pat-file" => pat_file = Some(value),
            _ => complain(&format!("{name} is not known")),
        }
    }
    let server = Setup { port, ..Setup::default() }.start().expect_anything();
    if let Some(seconds) = life {
        server.set_life(seconds);
    }
    if let Some(path) = pat_file {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| {
            file.set_permissions(Permissions::from_mode(0o600))?;
            writeln!(file, "{}", server.pat())
        });
        written.unwrap_or_else(|error| complain(&format!("cannot write {path}: {error}")));
    }
    println!("{}", server.url());
    loop {
        thread::park();
    }
}
