//! Called as `sops` (skeleton).

use std::ffi::OsString;
use std::process::ExitCode;

pub(crate) fn run(_argv: &[OsString]) -> ExitCode {
    ExitCode::from(1)
}
