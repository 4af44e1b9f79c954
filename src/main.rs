//! The `lockage` command; called through a link named `sops` it answers as `sops` does.

use std::process::ExitCode;

fn main() -> ExitCode {
    lockage::cli::run(std::env::args_os())
}
