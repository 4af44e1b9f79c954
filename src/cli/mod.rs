//! The command line: the only room that reads the environment, the clock or a terminal, that prints, and that exits.

mod args;
mod audit;
mod commands;
mod context;
mod failure;
mod log;
mod promotion;
mod report;
mod secrets;
mod terminal;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

pub use args::command;
pub(crate) use audit::{Action, FILE as AUDIT_FILE, Witness};
pub(crate) use context::Context;
pub(crate) use failure::Failed;

/// Runs one command line, program name included, and says how it ended.
#[must_use]
pub fn run(argv: impl IntoIterator<Item = OsString>) -> ExitCode {
    let argv: Vec<OsString> = argv.into_iter().collect();
    let called = argv.first().map(Path::new).and_then(Path::file_stem).and_then(|name| name.to_str());
    if called == Some("sops") {
        return commands::sops_compat::run(&argv);
    }
    let argv = commands::route::without_arrows(argv);
    let args = match args::Args::read(&argv) {
        Ok(args) => args,
        Err(error) => return report::usage(&error),
    };
    let context = match Context::from_machine(&args.global) {
        Ok(context) => context,
        Err(failed) => return report::failed(&failed, false),
    };
    secrets::private::sweep(&context);
    let json = context.json;
    if let Err(failed) = secrets::sets::finish(&context) {
        // These two judge what files hold together.
        if matches!(args.command, args::Command::Guard(_) | args::Command::Status(_)) {
            return report::failed(&failed, json);
        }
        secrets::sets::warn(&failed);
    }
    match args.command.run(&context) {
        Ok(code) => ExitCode::from(code),
        Err(failed) => report::failed(&failed, json),
    }
}
