//! `lockage exec-env` and `lockage exec-file`.

use std::ffi::OsString;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::cli::secrets::child::{self, Child, NoEnvironment, Readable};
use crate::cli::secrets::in_file;
use crate::cli::secrets::input::{InputType, Source};
use crate::cli::secrets::opening::open;
use crate::cli::secrets::private;
use crate::cli::secrets::services::Opening;
use crate::cli::{Context, Failed, report};
use crate::error::Class;
use crate::sops::DecryptedFile;

/// What opens our files is nothing for the command.
const OURS: &[&str] = &[
    "SOPS_AGE_KEY",
    "SOPS_AGE_KEY_FILE",
    "SOPS_AGE_KEY_CMD",
    "SOPS_AGE_SSH_PRIVATE_KEY_FILE",
    "SOPS_AGE_SSH_PRIVATE_KEY_CMD",
];

/// Run a command with the values of a file in its environment; its exit code is passed on.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
lockage exec-env secrets/app.env -- ./server --port 80\n  \
lockage exec-env secrets/app.env --shell 'echo $NAME | tr a-z A-Z'")]
pub(crate) struct ExecEnv {
    #[command(flatten)]
    common: Common,
    /// Pass no variable on but those of the file.
    #[arg(long)]
    pristine: bool,
}

/// Run a command with the plaintext of a file in a file that only it can read; its exit code is passed on.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
lockage exec-file secrets/app.yaml -- ./server --config {}\n  \
lockage exec-file secrets/tls.pem --fifo -- ./server --key {}")]
pub(crate) struct ExecFile {
    #[command(flatten)]
    common: Common,
    /// A pipe that can be read once, in place of a file in memory.
    #[arg(long)]
    fifo: bool,
    /// The file's name, for commands that go by its ending.
    #[arg(long, value_name = "NAME")]
    filename: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Common {
    /// The file.
    file: PathBuf,
    #[command(flatten)]
    input: InputType,
    #[command(flatten)]
    opening: Opening,
    /// A line for the shell, in place of a command.
    #[arg(long, value_name = "LINE", conflicts_with = "command")]
    shell: Option<OsString>,
    /// The command and its arguments.
    #[arg(last = true)]
    command: Vec<OsString>,
}

impl Common {
    fn open(&self, context: &Context) -> Result<DecryptedFile, Failed> {
        let context = &self.opening.chosen(context)?;
        let source = Source::of(Some(&self.file));
        let format = self.input.format(source.path(None))?;
        let mut input = source.read(context)?;
        Ok(open(context, &source, format, std::mem::take(&mut *input))?.file)
    }

    /// The command, with `replace` in the place of each `{}` of it.
    fn child(&self, replace: Option<&str>) -> Result<Child, Failed> {
        let filled = |word: &OsString| match (replace, word.to_str()) {
            (Some(path), Some(text)) => text.replace("{}", path).into(),
            _ => word.clone(),
        };
        let child = match (&self.shell, self.command.as_slice()) {
            (Some(line), _) => Child::shell(&filled(line)),
            (None, []) => {
                return Err(Failed::new(Class::Usage, "no command is named")
                    .hint("write it behind `--`, or as one line behind `--shell`"));
            }
            (None, [one]) if one.to_string_lossy().contains(' ') => {
                return Err(Failed::new(Class::Usage, "the command is one word with blanks in it")
                    .hint("`--shell 'LINE'` gives a line to the shell; `-- COMMAND ARGUMENT…` runs a program"));
            }
            (None, words) => Child { words: words.iter().map(filled).collect(), ..Child::default() },
        };
        Ok(Child { without: OURS.to_vec(), ..child })
    }
}

fn ended(context: &Context, child: &Child, folder: Option<&std::path::Path>) -> Result<u8, Failed> {
    let status = child.run(context, folder)?;
    if status.code().is_none() && !context.quiet {
        report::say(&format!("lockage: the command was ended by a signal ({status})"));
    }
    Ok(child::code_of(status))
}

impl ExecEnv {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let opened = self.common.open(context)?;
        let source = Source::of(Some(&self.common.file));
        let refused = |message: String| in_file(&source, Failed::new(Class::Usage, message));
        let document = opened.document().map_err(|error| in_file(&source, error))?;
        let variables = child::variables(document).map_err(|error| match error {
            NoEnvironment::Value(error) => in_file(&source, error),
            NoEnvironment::Complex(key) => refused(format!("`{key}` is no single value, so it is no variable"))
                .hint("`lockage exec-file` gives the whole file"),
            NoEnvironment::Equals(key) => refused(format!("`{key}` cannot be the name of a variable")),
            NoEnvironment::Nul(key) => refused(format!("`{key}` holds a NUL, which no variable can")),
        })?;
        let child = Child { variables, pristine: self.pristine, ..self.common.child(None)? };
        drop(opened);
        ended(context, &child, None)
    }
}

impl ExecFile {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let name = self.filename.as_deref().unwrap_or("secrets");
        if !Readable::is_local(name) {
            return Err(Failed::new(Class::Usage, format!("`{name}` is no name of a file in a folder of its own")));
        }
        let content = Zeroizing::new(self.common.open(context)?.text().to_vec());
        let folder = private::folder(context, false)?;
        let file = if self.fifo {
            Readable::fifo(folder, name, None, content)
        } else {
            Readable::file(folder, name, None, &content)
        };
        let file = file.map_err(|error| Failed::new(Class::World, format!("`{name}` cannot be made: {error}")))?;
        let child = self.common.child(Some(&file.path.display().to_string()))?;
        ended(context, &child, Some(file.folder()))
    }
}
