//! What git looks for where its helper is `ls-token`. It becomes the `ls-token` beside it, which knows it by this name.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    // Never one from PATH, which may be another's.
    let beside = std::env::current_exe().map(|path| path.with_file_name("ls-token"));
    let become_it = |path| Command::new(path).arg0("git-credential-ls-token").args(std::env::args_os().skip(1)).exec();
    let error = beside.map_or_else(|error| error, become_it);
    let hint = "install both in one directory: cargo install --locked --path .";
    let text =
        format!("ls-token: git-credential-ls-token cannot run the ls-token beside it: {error}\n  hint: {hint}\n");
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::from(127)
}
