//! Called as `sops`: its flags, its exit codes, its words. What it can do that we cannot yet ends with exit 1 and says so.
//!
//! *Source*: the SOPS format, section 9.

mod exit;
mod extract;
mod flags;
mod work;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::cli::args::Global;
use crate::cli::{Context, report, secrets};
use crate::sops::VERSION;
use exit::Exit;
use flags::{DECRYPT, ENCRYPT, GLOBAL, LEGACY, Parsed};

/// The other subcommands; the first positional argument is one of them or a file.
const OTHERS: &[&str] = &[
    "edit",
    "set",
    "unset",
    "rotate",
    "updatekeys",
    "groups",
    "exec-env",
    "exec-file",
    "publish",
    "keyservice",
    "filestatus",
    "completion",
];

const USAGE: &str = "\
NAME:
   sops - encrypted file editor, answered by lockage

USAGE:
   sops encrypt [--in-place] [--output OUT] [--age RECIPIENTS] [--filename-override NAME] [FILE]
   sops decrypt [--in-place] [--output OUT] [--extract PATH] [--ignore-mac] [FILE]
   sops -e|-d [flags] FILE
";

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
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => finish(&exit),
    }
}

fn finish(exit: &Exit) -> ExitCode {
    if exit.usage {
        let _ = report::data(format!("Incorrect Usage: {}\n\n{USAGE}", exit.message).as_bytes());
    }
    if exit.fatal {
        report::say(&format!("[CMD]\t time=\"{}\" level=fatal msg={}", exit::time(), exit::quoted(&exit.message)));
    } else {
        report::say(&exit.message);
    }
    ExitCode::from(exit.code)
}

fn dispatch(words: &[String]) -> Result<(), Exit> {
    let global = flags::parse(&[GLOBAL, LEGACY, ENCRYPT, DECRYPT], words)?;
    if global.is_set("help") {
        return print(USAGE);
    }
    if global.is_set("version") {
        return print(&format!("sops {VERSION}\n"));
    }
    let command = global.rest.first().map(String::as_str);
    match command {
        Some("encrypt") => {
            let local = flags::parse_reordered(&[ENCRYPT], &global.rest[1..])?;
            work::encrypt(&context(&global)?, &global, &local)
        }
        Some("decrypt") => {
            let local = flags::parse_reordered(&[DECRYPT], &global.rest[1..])?;
            work::decrypt(&context(&global)?, &local)
        }
        Some("help" | "h") => print(USAGE),
        Some(other) if OTHERS.contains(&other) => Err(missing(other)),
        None => Err(Exit::new(100, "Error: no file specified")),
        Some(file) => {
            exit::warn_of_ignored(&global.rest);
            let context = context(&global)?;
            work::exists(&context, file)?;
            if global.is_set("encrypt") {
                work::encrypt(&context, &global, &global)
            } else if global.is_set("decrypt") {
                work::decrypt(&context, &global)
            } else {
                Err(missing(if global.is_set("rotate") { "--rotate" } else { "edit" }))
            }
        }
    }
}

fn context(global: &Parsed) -> Result<Context, Exit> {
    let config = global.value("config").map(Into::into);
    let context = Context::from_machine(&Global { config, non_interactive: true, quiet: true, ..Global::default() })?;
    secrets::private::sweep(&context);
    Ok(context)
}

fn print(text: &str) -> Result<(), Exit> {
    Ok(report::data(text.as_bytes())?)
}

fn missing(what: &str) -> Exit {
    Exit::new(
        1,
        format!(
            "lockage does not answer `sops {what}` yet; it answers encrypt, decrypt, -e and -d. `lockage --help` shows its own commands"
        ),
    )
}
