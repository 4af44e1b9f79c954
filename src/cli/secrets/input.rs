//! Where a text comes from, and what format it has.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::cli::{Context, Failed};
use crate::document::{Dialect, Format};
use crate::error::Class;
use crate::system::files;

/// A file, or stdin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    File(PathBuf),
    Stdin,
}

impl Source {
    /// What the user gave: nothing and `-` are stdin.
    pub(crate) fn of(file: Option<&Path>) -> Self {
        match file {
            Some(path) if path.as_os_str() != "-" => Self::File(path.to_owned()),
            _ => Self::Stdin,
        }
    }

    /// Reads it whole.
    ///
    /// # Errors
    /// It cannot be read; stdin is a terminal, where nobody would know what to type.
    pub(crate) fn read(&self, context: &Context) -> Result<Zeroizing<Vec<u8>>, Failed> {
        match self {
            Self::File(path) => Ok(files::read_at_most(&context.path(path), context.max_size)
                .map_err(|error| shorten(context, error.into()))?),
            Self::Stdin => {
                let stdin = std::io::stdin();
                if stdin.is_terminal() {
                    return Err(Failed::new(Class::Usage, "no file is named, and stdin is a terminal")
                        .hint("name a file, or send one: `< FILE`"));
                }
                Ok(files::read_stream_at_most(context.max_size, stdin.lock(), 64 << 10, Path::new("stdin"))?)
            }
        }
    }

    /// The path that decides on format and rule.
    pub(crate) fn path<'p>(&'p self, filename_override: Option<&'p Path>) -> Option<&'p Path> {
        match (filename_override, self) {
            (Some(path), _) => Some(path),
            (None, Self::File(path)) => Some(path),
            (None, Self::Stdin) => None,
        }
    }
}

/// Names a file as the user did.
pub(crate) fn shorten(context: &Context, mut failed: Failed) -> Failed {
    failed.message = failed.message.replace(&format!("{}/", context.directory.display()), "");
    failed
}

/// The type that a user may name where only the input has one.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct InputType {
    /// Read the input as this type instead of what its name says.
    #[arg(long, value_name = "TYPE", value_parser = ["yaml", "json", "dotenv", "ini", "toml", "binary"])]
    input_type: Option<String>,
}

impl InputType {
    /// The format of a text of this name.
    ///
    /// # Errors
    /// Nothing says what it is.
    pub(crate) fn format(&self, path: Option<&Path>) -> Result<Format, Failed> {
        let named = self.input_type.as_deref().and_then(Format::of_word);
        named.or_else(|| path.map(|path| Format::of_path(&path.to_string_lossy()))).ok_or_else(|| {
            Failed::new(Class::Usage, "nothing says what type stdin is").hint(
                "say it: `--input-type yaml`, or `--filename-override secrets/app.yaml`, which also chooses the rule",
            )
        })
    }
}

/// The types a user may name.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Types {
    #[command(flatten)]
    input: InputType,
    /// Write this type instead of the input's; `encrypt` and `decrypt` convert.
    #[arg(long, value_name = "TYPE", value_parser = ["yaml", "json", "dotenv", "ini", "toml", "binary"])]
    output_type: Option<String>,
    /// Choose type and rule as if the input had this name.
    #[arg(long, value_name = "NAME")]
    pub(crate) filename_override: Option<PathBuf>,
}

impl Types {
    /// The type of several inputs; what is for one file only must not be there.
    ///
    /// # Errors
    /// It is.
    pub(crate) fn of_several(&self) -> Result<&InputType, Failed> {
        match (&self.output_type, &self.filename_override) {
            (None, None) => Ok(&self.input),
            (Some(_), _) => Err(Failed::new(Class::Usage, "`--output-type` is for one file")),
            (None, Some(_)) => Err(Failed::new(Class::Usage, "`--filename-override` is for one file")),
        }
    }

    /// The formats of the input and of the output.
    ///
    /// # Errors
    /// Nothing says what the input is.
    pub(crate) fn formats(&self, source: &Source) -> Result<(Format, Format), Failed> {
        let input = self.input.format(source.path(self.filename_override.as_deref()))?;
        Ok((input, self.output_type.as_deref().and_then(Format::of_word).unwrap_or(input)))
    }

    /// The format of the input, of a command that writes no other one.
    ///
    /// # Errors
    /// Nothing says what it is; the output shall be another one.
    pub(crate) fn format(&self, source: &Source) -> Result<Format, Failed> {
        let (input, output) = self.formats(source)?;
        if input == output {
            return Ok(input);
        }
        let (input, output) = (input.word(), output.word());
        Err(Failed::new(Class::Usage, format!("the file is {input}, and this command does not write it as {output}"))
            .hint("`decrypt` and `encrypt` convert with `--output-type`"))
    }
}

/// How the quotes of a new dotenv file are read.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct DialectFlag {
    /// Whose quotes a dotenv file has: without this and without `dotenv_dialect` in its rule, quotes are part of the
    /// value, as in SOPS, which cannot open files of a dialect.
    #[arg(long, value_name = "DIALECT", value_parser = Dialect::WORDS)]
    pub(crate) dotenv_dialect: Option<String>,
}

impl DialectFlag {
    /// The format with the dialect of the flag, or else of the rule.
    ///
    /// # Errors
    /// The flag stands, and the format is not dotenv.
    pub(crate) fn format(&self, format: Format, of_rule: Option<Dialect>) -> Result<Format, Failed> {
        let named = self.dotenv_dialect.as_deref().and_then(Dialect::of_word);
        match (format, named.or(of_rule)) {
            (Format::Dotenv, Some(dialect)) => Ok(Format::Dialect(dialect)),
            _ if named.is_none() => Ok(format),
            _ => Err(Failed::new(Class::Usage, format!("the file is {}, which has no dialects", format.word()))
                .hint("leave `--dotenv-dialect` out, or say `--input-type dotenv`")),
        }
    }
}
