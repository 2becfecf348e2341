//! `lscurl` and `git-credential-ls-token`: each becomes the `ls-token` beside it, which knows it by its name. Such a
//! program takes a tenth of the size that `ls-token` under another name would, for 200,000 instructions more.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "for the reasons that ls-token.rs gives")]
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    launch()
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn main() {
    std::process::exit(launch());
}

/// Becomes `ls-token`, under this program's name; returns an exit status only when that fails.
fn launch() -> i32 {
    const NAME: &str = env!("CARGO_BIN_NAME");
    // Never one from PATH, which may be another's.
    let beside = std::env::current_exe().map(|path| path.with_file_name("ls-token"));
    let become_it = |path| Command::new(path).arg0(NAME).args(std::env::args_os().skip(1)).exec();
    let error = beside.map_or_else(|error| error, become_it);
    let hint = "install both in one directory: cargo install --locked --path .";
    let text = format!("ls-token: {NAME} cannot run the ls-token beside it: {error}\n  hint: {hint}\n");
    let _ = std::io::stderr().write_all(text.as_bytes());
    127
}
