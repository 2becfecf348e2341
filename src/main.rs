//! The program `ls-token`: hands over to the library, which may not contain unsafe code at all.
//!
//! `main` is the C library's own entry instead of Rust's: Rust's start-up reads /proc/self/maps, sets up a signal stack
//! and takes 20 system calls and 100,000 instructions, a third of a cache hit. It also ignores SIGPIPE, which a tool in
//! a pipe should not.
#![cfg_attr(not(test), no_main)]

/// Runs `ls-token` and returns its exit status; the C library calls it.
#[cfg(not(test))]
#[allow(
    unsafe_code,
    reason = "the symbol `main` is the C library's to call; the only unsafe attribute, and no block"
)]
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    ls_token::run()
}
