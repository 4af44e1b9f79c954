//! The log on stderr, and questions.

use std::fs::OpenOptions;

use dialoguer::console::Term;
use tracing_subscriber::filter::LevelFilter;

use super::context::Context;
use super::failure::Failed;
use crate::error::Class;
use crate::secret::SecretString;

/// Starts the log: `-v`, `-vv`, or `LOCKAGE_LOG` with a level's name.
pub(super) fn start_log(context: &Context, verbose: u8) {
    let level = match (verbose, context.variable("LOCKAGE_LOG")) {
        (0, Some(word)) => word.parse().unwrap_or(LevelFilter::WARN),
        (0, None) => LevelFilter::WARN,
        (1, _) => LevelFilter::INFO,
        (_, _) => LevelFilter::TRACE,
    };
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(context.color)
        .with_target(false)
        .try_init();
}

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

/// The terminal that this process belongs to, wherever stdin and stderr lead; `None` if there is none or nobody may be
/// asked.
pub(crate) fn controlling(context: &Context) -> Option<Term> {
    let open = || OpenOptions::new().read(true).write(true).open("/dev/tty").ok();
    let (read, write) = context.attended.then(|| open().zip(open())).flatten()?;
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
