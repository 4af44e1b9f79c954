//! Asks the linker for short relocations, which a large binary has tens of thousands of: it starts sooner and in less
//! memory. They take a loader of 2022 (glibc 2.36), so only a machine that has one is asked.

#![allow(clippy::print_stdout)]

use std::process::Command;

/// The glibc since which programs may have them.
const LEAST_GLIBC: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, wanted: &str| std::env::var(name).is_ok_and(|value| value == wanted);
    let here = std::env::var("HOST").ok() == std::env::var("TARGET").ok();
    let linux = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if here && linux && glibc().is_some_and(|version| version >= LEAST_GLIBC) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The glibc of this machine.
fn glibc() -> Option<(u32, u32)> {
    let out = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(out.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
