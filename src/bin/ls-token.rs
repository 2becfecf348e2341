//! The program `ls-token`: hands over to the library, which may not contain unsafe code at all.
//!
//! With glibc, `main` is the C library's own entry instead of Rust's: Rust's start-up reads /proc/self/maps, sets up a
//! signal stack and takes 20 system calls and 100,000 instructions, a third of a cache hit. It also ignores SIGPIPE, which
//! a tool in a pipe should not. With other C libraries the arguments would be lost that way.
#![cfg_attr(all(target_os = "linux", target_env = "gnu"), no_main)]

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the symbol `main` is the C library's to call; the only unsafe attribute, and no block")]
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    ls_token::run()
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn main() {
    std::process::exit(ls_token::run());
}
