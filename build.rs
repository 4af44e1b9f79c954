//! Makes the binary start sooner and in less memory.
//!
//! It asks the linker for short relocations, which a large binary has tens of thousands of. A static one applies them
//! itself; others take a loader of 2022 (glibc 2.36), so only a machine that has one is asked. And the code that unwinds a
//! panic is linked in, where the compiler has it as an archive, because its library takes as long to load as a small file
//! takes to decrypt. The static one copies with `src/copy.c`, which says why.

#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::process::Command;

/// The glibc since which programs may have them.
const LEAST_GLIBC: (u32, u32) = (2, 36);

/// What unwinds, as GCC names it.
const UNWINDER: &str = "gcc_eh";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, wanted: &str| std::env::var(name).is_ok_and(|value| value == wanted);
    let linux = |libc: &str| is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", libc);
    let here = std::env::var("HOST").ok() == std::env::var("TARGET").ok() && linux("gnu");
    if linux("musl") || here && glibc().is_some_and(|version| version >= LEAST_GLIBC) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    if linux("musl") && is("CARGO_CFG_TARGET_ARCH", "x86_64") {
        println!("cargo::rerun-if-changed=src/copy.c");
        // The compiler must not make a call to `memcpy` of the loops that it is made of.
        let own_loops = "-fno-tree-loop-distribute-patterns";
        cc::Build::new()
            .file("src/copy.c")
            .opt_level(2)
            .flag("-ffreestanding")
            .flag_if_supported(own_loops)
            .warnings(true)
            .compile("copy");
    }
    if !here {
        return;
    }
    if let Some(folder) = unwinder() {
        println!("cargo::rustc-link-search=native={}", folder.display());
        println!("cargo::rustc-link-lib=static:-bundle={UNWINDER}");
    }
}

/// The folder that has the unwinder's archive; the compiler says its bare name where there is none.
fn unwinder() -> Option<PathBuf> {
    let out = Command::new("cc").arg(format!("-print-file-name=lib{UNWINDER}.a")).output().ok()?;
    let archive = PathBuf::from(String::from_utf8(out.stdout).ok()?.trim());
    archive.is_file().then(|| archive.parent().map(PathBuf::from)).flatten()
}

/// The glibc of this machine.
fn glibc() -> Option<(u32, u32)> {
    let out = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(out.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
