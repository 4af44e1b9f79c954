//! Called as `sops`: its commands, its flags, its exit codes, its words.
//!
//! *Source*: the SOPS format, section 9.

mod call;
mod completion;
mod edit;
mod exec;
mod exit;
mod extract;
mod file_status;
mod flags;
mod grammar;
mod groups;
mod help;
mod key_service;
mod one_file;
mod publish;
mod recipients;
mod rotate;
mod set;
mod update_keys;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::cli::args::Global;
use crate::cli::{Context, report, secrets};
use crate::sops::VERSION;
use call::Call;
use exit::Exit;
use flags::Parsed;
use grammar::{APP, Command};

/// Runs one command line as `sops` would.
pub(crate) fn run(argv: &[OsString]) -> ExitCode {
    let mut words = Vec::with_capacity(argv.len());
    for word in argv.iter().skip(1) {
        match word.to_str() {
            Some(word) => words.push(word.to_owned()),
            None => return finish(&Exit::fatal("an argument is not UTF-8 text")),
        }
    }
    match dispatch(&words) {
        Ok(code) => ExitCode::from(code),
        Err(exit) => finish(&exit),
    }
}

fn finish(exit: &Exit) -> ExitCode {
    if let Some(shown) = &exit.shown {
        let _ = report::data(shown.as_bytes());
    }
    if exit.fatal {
        exit::log("CMD", "fatal", &exit.message);
    } else if !exit.message.is_empty() {
        report::say(&exit.message);
    }
    ExitCode::from(exit.code)
}

/// A variable that is set, be it empty.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn dispatch(words: &[String]) -> Result<u8, Exit> {
    if let Some((ask, before)) = words.split_last()
        && ask == completion::ASK
    {
        return print(&completion::candidates(before));
    }
    let global = flags::parse(APP, words, &variable).map_err(|wrong| Exit::wrong(wrong, ".", help::app))?;
    if global.is_set("help") {
        return print(&help::app());
    }
    if global.is_set("version") {
        return print(&format!("sops {VERSION}\n"));
    }
    let first = global.rest.first().map_or("", String::as_str);
    if matches!(first, "help" | "h") {
        return match global.rest.get(1) {
            None => print(&help::app()),
            Some(name) => match grammar::command(name) {
                Some(command) => print(&help::command("sops", command)),
                None => Err(Exit::new(3, format!("No help topic for '{name}'"))),
            },
        };
    }
    match grammar::command(first) {
        Some(command) => run_command("sops", command, &global, &global.rest[1..]),
        None => legacy(global),
    }
}

fn run_command(parents: &str, command: &Command, global: &Parsed, words: &[String]) -> Result<u8, Exit> {
    let tables: Vec<&'static [flags::Flag]> = command.flags.iter().copied().chain([grammar::HELP]).collect();
    let words = if command.below.is_empty() { flags::reordered(&tables, words) } else { words.to_vec() };
    let parsed = flags::parse(&tables, &words, &variable)
        .map_err(|wrong| Exit::wrong(wrong, ":", || help::command(parents, command)))?;
    if parsed.is_set("help") {
        return print(&help::command(parents, command));
    }
    let Some(run) = command.run else {
        let parents = format!("{parents} {}", command.name);
        let rest = parsed.rest.as_slice();
        return match rest.first().map(String::as_str) {
            None => print(&help::command("sops", command)),
            Some("help" | "h") => match rest.get(1).and_then(|name| command.below.iter().find(|b| b.name == *name)) {
                Some(below) => print(&help::command(&parents, below)),
                None => print(&help::command("sops", command)),
            },
            Some(name) => match command.below.iter().find(|below| below.name == name) {
                Some(below) => run_command(&parents, below, global, &rest[1..]),
                None => Err(Exit::new(3, format!("No help topic for '{name}'"))),
            },
        };
    };
    run(&Call { context: context(global)?, global: global.clone(), flags: parsed, legacy: false })
}

/// Without a subcommand.
fn legacy(global: Parsed) -> Result<u8, Exit> {
    let call = Call { context: context(&global)?, flags: global.clone(), global, legacy: true };
    let path = call.file()?;
    let mode = |name: &str| call.flags.is_set(name);
    if mode("encrypt") {
        return one_file::encrypt(&call);
    }
    if mode("decrypt") {
        return one_file::decrypt(&call);
    }
    exit::warn_of_ignored(&call.flags.rest);
    if !path.exists() && recipients::changes(&call) {
        return Err(Exit::new(
            49,
            "Error: cannot add or remove keys on non-existent files, use the `edit` subcommand instead.",
        ));
    }
    if mode("rotate") {
        call.exists(&path)?;
        return rotate::of_file(&call, &path);
    }
    if call.flags.is_given("set") {
        return set::legacy(&call, &path);
    }
    edit::of_file(&call, &path)
}

fn context(global: &Parsed) -> Result<Context, Exit> {
    let config = global.value("config").map(Into::into);
    let verbose = u8::from(global.is_set("verbose"));
    let global = Global { config, verbose, non_interactive: true, quiet: true, ..Global::default() };
    // SOPS asks for passphrases, wherever it runs.
    let mut context = Context::from_machine(&global)?;
    context.attended = true;
    if let Err(failed) = context.witness(None) {
        exit::log("AUDIT", "error", &format!("connecting to audit database, defined in {}", crate::cli::AUDIT_FILE));
        exit::log("AUDIT", "error", &failed.message);
        exit::log("AUDIT", "fatal", "one or more audit backends reported errors, exiting");
        return Err(Exit::silent(1));
    }
    secrets::private::sweep(&context);
    if let Err(failed) = secrets::sets::finish(&context) {
        secrets::sets::warn(&failed);
    }
    Ok(context)
}

fn print(text: &str) -> Result<u8, Exit> {
    report::data(text.as_bytes())?;
    Ok(0)
}
