//! What `--help` shows.

use super::flags::{Flag, Takes};
use super::grammar::{APP, COMMANDS, Command};
use crate::sops::VERSION;

/// Of the program.
pub(super) fn app() -> String {
    let mut text = format!(
        "NAME:\n   sops - encrypted file editor, answered by lockage\n\nUSAGE:\n   sops [global options] command [command options] [arguments...]\n   sops [options] file\n\nVERSION:\n   {VERSION}\n\nCOMMANDS:\n"
    );
    commands(COMMANDS, &mut text);
    text.push_str("   help, h     list the commands, or show the help of one\n\nGLOBAL OPTIONS:\n");
    options(APP, &mut text);
    text
}

/// Of a command; `parents` stand before its name.
pub(super) fn command(parents: &str, command: &Command) -> String {
    let name = format!("{parents} {}", command.name);
    let mut text = format!("NAME:\n   {name} - {}\n\nUSAGE:\n   {name}", command.help);
    if !command.below.is_empty() {
        text.push_str(" command [command options] [arguments...]\n\nCOMMANDS:\n");
        commands(command.below, &mut text);
    } else {
        text.push_str(&format!(" [command options] {}\n", command.arguments));
    }
    if !command.flags.is_empty() {
        text.push_str("\nOPTIONS:\n");
        options(command.flags, &mut text);
    }
    text.push_str("   \n");
    text
}

fn commands(commands: &[Command], text: &mut String) {
    let width = commands.iter().map(|command| command.name.len()).max().unwrap_or(0).max(10);
    for command in commands {
        text.push_str(&format!("   {:width$}  {}\n", command.name, command.help));
    }
}

fn options(tables: &[&[Flag]], text: &mut String) {
    let shown = |flag: &Flag| {
        let value = if matches!(flag.takes, Takes::Nothing | Takes::NothingOn) { "" } else { " value" };
        let dashed = |name: &&str| format!("{}{name}{value}", if name.len() == 1 { "-" } else { "--" });
        flag.names.iter().map(dashed).collect::<Vec<_>>().join(", ")
    };
    let all = || tables.iter().flat_map(|table| table.iter());
    let width = all().map(|flag| shown(flag).len()).max().unwrap_or(0);
    for flag in all() {
        let variable = if flag.variable.is_empty() { String::new() } else { format!(" [${}]", flag.variable) };
        text.push_str(&format!("   {:width$}  {}{variable}\n", shown(flag), flag.help));
    }
}
