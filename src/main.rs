//! The `lockage` command; called through a link named `sops` it answers as `sops` does.

use std::process::ExitCode;

// The allocator of musl has one lock for all threads.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    lockage::cli::run(std::env::args_os())
}
