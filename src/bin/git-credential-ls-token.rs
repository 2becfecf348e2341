//! `ls-token credential` as a program: what git looks for where its helper is `ls-token`.
#![cfg_attr(all(target_os = "linux", target_env = "gnu"), no_main)]

mod launcher;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
use launcher::main;
