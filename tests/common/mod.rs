//! What every whole-binary test stands on: peers, scenarios, and the canary.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

pub mod any_keys;
pub mod canary;
pub mod scenario;
pub mod slow_keys;
pub mod small_disk;
pub mod world;

use std::path::PathBuf;

/// The program of that name from the pinned set (`LOCKAGE_PEERS`), else from `PATH`.
///
/// In CI a missing peer is a failure; elsewhere it is said loudly, and the caller returns.
pub fn peer(name: &str) -> Option<PathBuf> {
    let pinned = std::env::var_os("LOCKAGE_PEERS").map(|set| PathBuf::from(set).join(name));
    let found = pinned.into_iter().chain(on_path(name)).find(|path| path.is_file());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "peer `{name}` is missing; `make peers` brings it");
        eprintln!("SKIPPED: needs the peer `{name}`; `make peers` brings it");
    }
    found
}

/// A file of the specification folder (third-party data, never committed), through `LOCKAGE_SPEC_DIR`.
pub fn spec(name: &str) -> Option<PathBuf> {
    let file = std::env::var_os("LOCKAGE_SPEC_DIR").map(|folder| PathBuf::from(folder).join(name));
    let file = file.filter(|file| file.is_file());
    if file.is_none() {
        eprintln!("SKIPPED: needs `{name}` in LOCKAGE_SPEC_DIR");
    }
    file
}

fn on_path(name: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.into_iter().map(|folder| folder.join(name)).collect()
}
