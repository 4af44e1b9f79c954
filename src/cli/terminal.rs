//! The log on stderr, and questions.

use tracing_subscriber::filter::LevelFilter;

use super::context::Context;
use super::failure::Failed;
use crate::error::Class;

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
    answerable(context, question)?;
    let answer =
        dialoguer::Confirm::new().with_prompt(question).default(false).interact_on(&dialoguer::console::Term::stderr());
    answer.map_err(|error| Failed::new(Class::Usage, format!("the terminal gave no answer: {error}")))
}

/// Asks for a text that has to be typed.
///
/// # Errors
/// Exit 2 where nobody can be asked.
pub(crate) fn typed(context: &Context, question: &str) -> Result<String, Failed> {
    answerable(context, question)?;
    let answer = dialoguer::Input::<String>::new()
        .with_prompt(question)
        .allow_empty(true)
        .interact_text_on(&dialoguer::console::Term::stderr());
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
