//! Makes the completions and the manual page from the command line's own definition, so that what makes them is not in
//! the program, and tells the linker how to make its start small.

#![allow(clippy::print_stdout, reason = "a build script speaks to cargo on stdout")]

#[path = "completions.rs"]
mod completions;
#[path = "../cli/line.rs"]
#[allow(dead_code, missing_docs, reason = "the program uses all of it, and says what it is")]
mod line;
#[path = "manual.rs"]
mod manual;

use std::env::var;
use std::fs::write;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{CommandFactory as _, ValueEnum as _};

/// Writes what the program embeds and prints what cargo is to tell the linker.
fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=src/build");
    println!("cargo:rerun-if-changed=src/cli/line.rs");
    println!("cargo:rerun-if-changed=README.md");
    let out = PathBuf::from(var("OUT_DIR").unwrap_or_default());
    let command = line::CommandLine::command();
    for shell in line::Shell::value_variants() {
        completions::write(*shell, &command, &out)?;
    }
    write(out.join("man"), manual::page(command, line::MORE, &exit_statuses(include_str!("../../README.md")))?)?;
    link(&out)
}

/// Lists the exit statuses that README has.
fn exit_statuses(readme: &str) -> Vec<(i32, &str)> {
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    rows.filter_map(|(status, kind)| Some((status.parse().ok()?, kind))).collect()
}

/// Tells the linker.
fn link(out: &Path) -> io::Result<()> {
    let target = |key: &str| var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    if target("OS") != "linux" || target("ENV") != "gnu" {
        return Ok(());
    }
    // The compiler's unwinder, linked in: `libgcc_s.so` would be found, mapped and relocated at every start, nine system
    // calls and a seventh of the instructions, for code that `panic = "abort"` never runs.
    println!("cargo:rustc-link-lib=gcc_eh");
    // The tables that only the unwinder reads: 300 KB.
    println!("cargo:rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
    let script = out.join("without-tables.ld");
    write(&script, "SECTIONS { /DISCARD/ : { *(.eh_frame) } } INSERT AFTER .comment;\n")?;
    println!("cargo:rustc-link-arg-bins=-Wl,-T,{}", script.display());
    // Packed relocations: 90 KB and a sixth of the instructions. A program built so needs glibc 2.36 (August 2022).
    if var("HOST") == var("TARGET") && glibc_of_this_machine() >= Some((2, 36)) {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    Ok(())
}

/// Returns the version of the C library here, which `getconf` prints as `glibc 2.36`.
fn glibc_of_this_machine() -> Option<(u32, u32)> {
    let printed = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?.stdout;
    let (major, minor) = str::from_utf8(&printed).ok()?.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
