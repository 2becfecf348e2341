//! Makes the completions and the manual page, which keeps their makers out of the program, and makes its start small.
#![allow(clippy::print_stdout, reason = "a build script speaks to cargo on stdout")]

mod completions;
#[path = "../error.rs"]
mod error;
#[path = "../cli/line.rs"]
#[allow(dead_code, missing_docs, reason = "the program uses all of it, and says what it is")]
mod line;
mod manual;

use std::env::var;
use std::fs::write;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory as _;

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=src/build");
    println!("cargo:rerun-if-changed=src/cli/line.rs");
    println!("cargo:rerun-if-changed=src/error.rs");
    let out = PathBuf::from(var("OUT_DIR").unwrap_or_default());
    let command = line::CommandLine::command();
    completions::write(&command, &out)?;
    write(out.join("man"), manual::page(command, &line::more())?)?;
    link(&out)
}

/// Makes the start of the program small: on Linux with glibc most of a cache hit is the dynamic loader's work.
fn link(out: &Path) -> io::Result<()> {
    let target = |key: &str| var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    if target("OS") != "linux" || target("ENV") != "gnu" {
        return Ok(());
    }
    // The compiler's unwinder, linked in: to find, map and relocate `libgcc_s.so` at every start costs nine system
    // calls and a seventh of the instructions, for code that `panic = "abort"` never runs.
    println!("cargo:rustc-link-lib=gcc_eh");
    // Packed relocations: 90 KB and a sixth of the instructions.
    let flag = "-Wl,-z,pack-relative-relocs";
    if var("HOST") == var("TARGET") && runs_when_linked_with(flag, out)? {
        println!("cargo:rustc-link-arg-bins={flag}");
    }
    Ok(())
}

/// Returns whether a program that is linked with the flag runs here. No version says so: lld before 15 ignores the flag
/// above, mold before 2 makes a program of it that glibc refuses, and glibc before 2.36 refuses it from every linker.
fn runs_when_linked_with(flag: &str, out: &Path) -> io::Result<bool> {
    let (source, program) = (out.join("empty.rs"), out.join("empty"));
    write(&source, "fn main() {}\n")?;
    let mut rustc = Command::new(var("RUSTC").unwrap_or_default());
    rustc.args(var("RUSTC_LINKER").map(|linker| format!("-Clinker={linker}")));
    let flags = var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    rustc.args(flags.split('\u{1f}').filter(|flag| !flag.is_empty()));
    rustc.arg(format!("-Clink-arg={flag}")).arg("-o").arg(&program).arg(source);
    Ok(rustc.output()?.status.success() && Command::new(program).output().is_ok_and(|run| run.status.success()))
}
