//! Questions at the terminal.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};

use dialoguer::console::Term;
use rustix::termios::{self, LocalModes, OptionalActions};
use zeroize::Zeroizing;

use super::context::Context;
use super::failure::Failed;
use crate::error::Class;
use crate::secret::SecretString;

/// Asks a yes-or-no question on the terminal; no is the default.
///
/// # Errors
/// Exit 2 where nobody can be asked.
pub(crate) fn confirm(context: &Context, question: &str) -> Result<bool, Failed> {
    ask(context, question, false)
}

/// Asks a yes-or-no question on the terminal; yes is the default, because no would lose something.
///
/// # Errors
/// Exit 2 where nobody can be asked.
pub(crate) fn confirm_unless_no(context: &Context, question: &str) -> Result<bool, Failed> {
    ask(context, question, true)
}

fn ask(context: &Context, question: &str, default: bool) -> Result<bool, Failed> {
    answerable(context, question)?;
    let terminal = Term::stderr();
    let answer = dialoguer::Confirm::new().with_prompt(question).default(default).interact_on(&terminal);
    answer.map_err(|error| Failed::new(Class::Usage, format!("the terminal gave no answer: {error}")))
}

/// Asks for a text that has to be typed.
///
/// # Errors
/// Exit 2 where nobody can be asked.
pub(crate) fn typed(context: &Context, question: &str) -> Result<String, Failed> {
    answerable(context, question)?;
    let answer =
        dialoguer::Input::<String>::new().with_prompt(question).allow_empty(true).interact_text_on(&Term::stderr());
    answer.map_err(|error| Failed::new(Class::Usage, format!("the terminal gave no answer: {error}")))
}

fn answerable(context: &Context, question: &str) -> Result<(), Failed> {
    if context.interactive {
        return Ok(());
    }
    Err(Failed::new(Class::Usage, format!("nobody can be asked here: {question}")).hint(
        "there is no terminal, or CI=true or --non-interactive is set; answer with the command's flags, such as --yes",
    ))
}

/// Asks at the controlling terminal for a passphrase that exists already; `None` if nobody answers.
///
/// What was typed ahead counts: the echo is off before the question is there, and nothing is thrown away.
pub(crate) fn passphrase(context: &Context, question: &str) -> Option<SecretString> {
    let mut terminal = context.attended.then(tty).flatten()?;
    let before = termios::tcgetattr(&terminal).ok()?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    silent.local_modes.insert(LocalModes::ICANON | LocalModes::ECHONL | LocalModes::ISIG);
    termios::tcsetattr(&terminal, OptionalActions::Drain, &silent).ok()?;
    let asked = terminal.write_all(format!("{question} ").as_bytes());
    // A line of a terminal is no longer than this.
    let mut line = Zeroizing::new(String::with_capacity(4096));
    let read = asked.and_then(|()| BufReader::new(&terminal).read_line(&mut line));
    let _ = termios::tcsetattr(&terminal, OptionalActions::Drain, &before);
    let typed = line.trim_end_matches(['\r', '\n']);
    (read.ok()? > 0).then(|| SecretString::new(typed.to_owned()))
}

fn tty() -> Option<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty").ok()
}

/// The terminal that this process belongs to, wherever stdin and stderr lead; `None` if there is none or nobody may be
/// asked.
pub(crate) fn controlling(context: &Context) -> Option<Term> {
    let (read, write) = context.attended.then(|| tty().zip(tty())).flatten()?;
    Some(Term::read_write_pair(read, write))
}

/// Asks for a text that nobody shall see, twice.
///
/// # Errors
/// Exit 2 where nobody can be asked.
pub(crate) fn hidden(context: &Context, question: &str) -> Result<SecretString, Failed> {
    answerable(context, question)?;
    let answer = dialoguer::Password::new()
        .with_prompt(question)
        .with_confirmation("again", "the two are not the same")
        .allow_empty_password(true)
        .interact_on(&Term::stderr());
    answer
        .map(SecretString::new)
        .map_err(|error| Failed::new(Class::Usage, format!("the terminal gave no answer: {error}")))
}
