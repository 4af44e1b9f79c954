//! Where a text goes to.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use super::input::Source;
use crate::cli::{Context, Failed, report};
use crate::error::Class;
use crate::system::files::{self, Mode, Target};

/// The two flags of a command that writes a text.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Destination {
    /// Replace the file itself.
    #[arg(short, long, conflicts_with = "output")]
    pub(crate) in_place: bool,
    /// Write to this file; `-` is stdout.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
}

/// Whether what is written is secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Ciphertext,
    Plaintext,
}

impl Content {
    /// The permissions of a file that it is written to.
    pub(crate) fn mode(self) -> Mode {
        match self {
            Self::Ciphertext => Mode::KeptOr(0o644),
            Self::Plaintext => Mode::Exactly(0o600),
        }
    }
}

/// Where a text goes to, looked at before anything is read.
#[derive(Debug)]
pub(crate) enum Sink {
    Stdout,
    /// A file; whether it is the input itself.
    File(Target, bool),
}

impl Destination {
    /// Takes hold of the destination.
    ///
    /// # Errors
    /// Stdin cannot be replaced; stdout is the input, which the shell has emptied or is about to fill while it is read.
    pub(crate) fn open(&self, context: &Context, source: &Source) -> Result<Sink, Failed> {
        match (self.in_place, &self.output, source) {
            (true, _, Source::Stdin) => {
                Err(Failed::new(Class::Usage, "stdin cannot be replaced in place").hint("name the file"))
            }
            (true, _, Source::File(path)) => Ok(Sink::File(Target::hold(&context.path(path))?, true)),
            (false, Some(path), _) if path.as_os_str() != "-" => {
                let target = Target::hold(&context.path(path))?;
                Ok(Sink::File(target, matches!(source, Source::File(input) if input == path)))
            }
            (false, _, Source::File(path)) if is_stdout(&context.path(path)) => {
                Err(Failed::new(Class::Usage, format!("`{}` is input and output at once", path.display()))
                    .hint("the shell empties an output file first; use `--in-place`"))
            }
            _ => Ok(Sink::Stdout),
        }
    }
}

fn is_stdout(path: &Path) -> bool {
    let stdout = std::io::stdout();
    !stdout.is_terminal() && files::same_file(&stdout, path)
}

impl Sink {
    /// Whether the input itself is replaced.
    pub(crate) fn replaces_input(&self) -> bool {
        matches!(self, Self::File(_, true))
    }

    /// Writes the whole text; `input` is what was read, which a file replaced in place must still hold.
    ///
    /// # Errors
    /// It cannot be written, or the file has changed.
    pub(crate) fn write(&self, text: &[u8], input: &[u8], content: Content) -> Result<(), Failed> {
        match self {
            Self::Stdout => report::data(text),
            Self::File(target, is_input) => Ok(target.replace(text, is_input.then_some(input), content.mode())?),
        }
    }
}
