//! `ls-token login`: a server and a token are tried out, and then saved; or nothing is.

mod asking;
mod failing;
mod saving;

use std::fs;
use std::path::PathBuf;

use crate::sandbox::{Call, Sandbox, read};
use crate::server::Server;

/// Logs in with a token on stdin.
pub(crate) fn login<'a>(
    sandbox: &'a Sandbox,
    server: &Server,
    pat: &str,
    more: &[&str],
) -> Call<'a> {
    let url = server.url();
    let arguments: Vec<&str> = ["login", &url, "--with-token"]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    sandbox.ls_token(&arguments).stdin(format!("{pat}\n"))
}

/// Returns the settings file.
pub(crate) fn config(sandbox: &Sandbox) -> PathBuf {
    sandbox.home().join(".config/ls-token/config.toml")
}

/// Lists the files of the store, which may hold tokens.
pub(crate) fn stored(sandbox: &Sandbox) -> Vec<PathBuf> {
    let entries = fs::read_dir(sandbox.home().join(".local/share/ls-token"));
    let files: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    for file in &files {
        sandbox.may_hold_a_token(file);
    }
    files
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
