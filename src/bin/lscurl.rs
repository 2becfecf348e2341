//! `ls-token curl` as a program: for scripts, make, cron, xargs and every shell, which cannot have a function of another's.
#![cfg_attr(all(target_os = "linux", target_env = "gnu"), no_main)]

mod launcher;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
use launcher::main;
