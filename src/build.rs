//! What the linker does for the start of the program, on Linux with glibc. Most of a cache hit is the dynamic loader's
//! work, so this is where it is made small.

use std::env::var;
use std::fs::write;
use std::path::PathBuf;
use std::process::Command;

/// Prints what cargo is to tell the linker.
fn main() {
    println!("cargo:rerun-if-changed=src/build.rs");
    let target = |key: &str| var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    if target("OS") != "linux" || target("ENV") != "gnu" {
        return;
    }
    // The compiler's unwinder, linked in: `libgcc_s.so` would be found, mapped and relocated at every start, nine system
    // calls and a seventh of the instructions, for code that `panic = "abort"` never runs.
    println!("cargo:rustc-link-lib=gcc_eh");
    // The tables that only the unwinder reads: 300 KB.
    println!("cargo:rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
    let script = PathBuf::from(var("OUT_DIR").unwrap_or_default()).join("without-tables.ld");
    if write(&script, "SECTIONS { /DISCARD/ : { *(.eh_frame) } } INSERT AFTER .comment;\n").is_ok() {
        println!("cargo:rustc-link-arg-bins=-Wl,-T,{}", script.display());
    }
    // Packed relocations: 90 KB and a sixth of the instructions. A program built so needs glibc 2.36 (August 2022).
    if var("HOST") == var("TARGET") && glibc_of_this_machine() >= Some((2, 36)) {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Returns the version of the C library here, which `getconf` prints as `glibc 2.36`.
fn glibc_of_this_machine() -> Option<(u32, u32)> {
    let printed = Command::new("getconf")
        .arg("GNU_LIBC_VERSION")
        .output()
        .ok()?
        .stdout;
    let (major, minor) = str::from_utf8(&printed)
        .ok()?
        .trim()
        .strip_prefix("glibc ")?
        .split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
