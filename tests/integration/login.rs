//! `ls-token login`: a server and a token are tried out, and then saved; or nothing is.

mod asking;
pub(crate) mod failing;
mod saving;

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;

use crate::sandbox::{Call, Sandbox, read};
use crate::server::{REFRESH, Reply, Server};

/// Logs in with a token on stdin.
pub(crate) fn login<'a>(sandbox: &'a Sandbox, server: &Server, pat: &str, more: &[&str]) -> Call<'a> {
    let url = server.url();
    let arguments: Vec<&str> = ["login", &url, "--with-token"].into_iter().chain(more.iter().copied()).collect();
    sandbox.ls_token(&arguments).stdin(format!("{pat}\n"))
}

/// Returns the settings file.
pub(crate) fn config(sandbox: &Sandbox) -> PathBuf {
    sandbox.home().join(".config/ls-token/config.toml")
}

/// Lists the tokens of the store; whatever else lies in its directory may hold one, too.
pub(crate) fn stored(sandbox: &Sandbox) -> Vec<PathBuf> {
    let entries = fs::read_dir(sandbox.home().join(".local/share/ls-token"));
    let files = entries.into_iter().flatten().flatten().map(|entry| entry.path());
    let is_token = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "pat");
    files.inspect(|file| sandbox.may_hold_a_token(file)).filter(is_token).collect()
}

/// Interrupts a rotation when the server has given a new token, so that a rescue file has it.
pub(crate) fn interrupt_rotation(sandbox: &Sandbox, server: &Server) {
    server.script(REFRESH, [Reply::Usual, Reply::Silence]);
    let before = server.exchanges();
    let running = sandbox.ls_token(&["rotate"]).start();
    server.wait_for_exchanges(before + 2);
    running.send(Signal::KILL);
    assert_eq!(running.wait().signal, Some(Signal::KILL.as_raw()));
    assert_eq!(rescued(sandbox).len(), 1);
}

/// Lists the rescue files.
pub(crate) fn rescued(sandbox: &Sandbox) -> Vec<PathBuf> {
    stored(sandbox);
    let entries = fs::read_dir(sandbox.home().join(".local/share/ls-token")).unwrap();
    let files = entries.flatten().map(|entry| entry.path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "rescue")).collect()
}

/// Returns the one token of the store.
#[track_caller]
pub(crate) fn stored_token(sandbox: &Sandbox) -> String {
    let files = stored(sandbox);
    assert_eq!(files.len(), 1, "{files:?}");
    read(&files[0]).trim_end().to_owned()
}

/// Asserts that nothing was saved.
#[track_caller]
pub(crate) fn assert_nothing_saved(sandbox: &Sandbox) {
    assert!(!config(sandbox).exists(), "{}", read(&config(sandbox)));
    assert_eq!(stored(sandbox), Vec::<PathBuf>::new());
    assert_eq!(sandbox.cache_files(), Vec::<PathBuf>::new());
}
