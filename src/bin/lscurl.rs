//! `ls-token curl` as a program of its own: for make, cron, xargs, and scripts of every shell, which have no functions of
//! another's.
#![cfg_attr(all(target_os = "linux", target_env = "gnu"), no_main)]

mod launcher;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
use launcher::main;
