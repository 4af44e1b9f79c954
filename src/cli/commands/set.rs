//! `lockage set`.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::get::kind_word;
use crate::cli::secrets::in_place::InPlace;
use crate::cli::secrets::input::Types;
use crate::cli::secrets::services::Opening;
use crate::cli::secrets::value;
use crate::cli::{Context, Failed, report, terminal};
use crate::document::{KeyPath, Kind};
use crate::error::Class;
use crate::secret::SecretString;
use crate::sops::{Flavour, NewValue};
use crate::system::files;

/// Change one value of an encrypted file, or add one; nothing else in the file moves.
///
/// What is missing on the way to a new value is made. With `--type json` the value may be a list or a mapping, which
/// takes the place of what is there.
///
/// The value comes from stdin, from a file, or from a hidden question. A single line loses its line break; several
/// lines stay as they are.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
lockage set secrets/app.yaml db.password\n  \
pass show db | lockage set secrets/app.yaml db.password\n  \
lockage set secrets/app.yaml tls.key --from-file server.pem\n  \
echo 587 | lockage set secrets/app.yaml smtp.port --type int\n  \
echo '{\"host\": \"db\", \"ports\": [1, 2]}' | lockage set secrets/app.yaml db --type json")]
pub(crate) struct Set {
    /// The file.
    file: PathBuf,
    /// The value's place: `db.hosts[0]` or `["db"]["hosts"][0]`.
    key: KeyPath,
    /// The value. Do not: other users of this machine and the shell's history see it.
    #[arg(hide = true)]
    value: Option<String>,
    /// Read the value from stdin; implied where stdin is no terminal.
    #[arg(long, conflicts_with_all = ["value", "from_file"])]
    stdin: bool,
    /// Read the value from this file, byte for byte.
    #[arg(long, value_name = "PATH", conflicts_with = "value")]
    from_file: Option<PathBuf>,
    /// What the value is; `json` takes it from the JSON spelling, lists and mappings included.
    #[arg(long = "type", value_name = "TYPE", default_value = "str", value_parser = ["str", "int", "float", "bool", "null", "json"])]
    kind: String,
    #[command(flatten)]
    types: Types,
    #[command(flatten)]
    opening: Opening,
}

impl Set {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let context = &self.opening.chosen(context)?;
        let file = InPlace::open(context, &self.file, &self.types)?;
        // Asked for last, so that nobody types a secret for a file that cannot be opened.
        let value = self.value(context)?;
        let changed = file.keep(file.opened.file.put(&self.key, &value, Flavour::Own, context.now()))?;
        self.report(context, &value, changed)?;
        Ok(0)
    }

    fn report(&self, context: &Context, value: &NewValue, changed: bool) -> Result<(), Failed> {
        let file = self.file.display().to_string();
        if context.json {
            let kind = match value {
                NewValue::Leaf { kind, .. } => kind_word(*kind),
                NewValue::List(_) => "list",
                NewValue::Map(_) => "map",
            };
            let body = serde_json::json!({"file": file, "key": self.key.to_string(), "kind": kind, "changed": changed});
            return report::json("lockage.set/1", &body);
        }
        if !context.quiet {
            let did = if changed { "set" } else { "unchanged:" };
            report::say(&format!("{did} `{}` in {file}", self.key));
        }
        Ok(())
    }

    fn value(&self, context: &Context) -> Result<NewValue, Failed> {
        let kind = match self.kind.as_str() {
            "null" => return Ok(NewValue::leaf(Kind::Null, "")),
            "json" => {
                let value = value::of_json(&self.text(context)?);
                return value.ok_or_else(|| Failed::new(Class::Usage, "the value is not JSON"));
            }
            "int" => Kind::Int,
            "float" => Kind::Float,
            "bool" => Kind::Bool,
            _ => Kind::Str,
        };
        let text = self.text(context)?;
        let text = if kind == Kind::Str { text } else { SecretString::new(text.expose_secret().trim().to_owned()) };
        Ok(NewValue::Leaf { kind, text })
    }

    fn text(&self, context: &Context) -> Result<SecretString, Failed> {
        if let Some(value) = &self.value {
            report::say(
                "lockage: warning: a value on the command line is seen by other users and kept in the shell's history",
            );
            report::say(&format!("  better: lockage set {} '{}'   (asks for it)", self.file.display(), self.key));
            if value.is_empty() {
                return Err(Failed::new(Class::Usage, "the value is empty, as if the shell had replaced it")
                    .hint("an empty value is set by `--stdin < /dev/null`"));
            }
            return Ok(SecretString::new(value.clone()));
        }
        if let Some(path) = &self.from_file {
            return text_of(files::read_at_most(&context.path(path), context.max_size)?, false);
        }
        let stdin = std::io::stdin();
        if self.stdin || !stdin.is_terminal() {
            return text_of(
                files::read_stream_at_most(context.max_size, stdin.lock(), 4096, Path::new("stdin"))?,
                true,
            );
        }
        terminal::hidden(context, &format!("value of `{}` in {}", self.key, self.file.display()))
    }
}

/// Makes a text of what was read; a single line loses its break, because `echo` adds one.
fn text_of(mut bytes: Zeroizing<Vec<u8>>, is_line: bool) -> Result<SecretString, Failed> {
    if is_line && memchr::memchr(b'\n', &bytes) == Some(bytes.len().wrapping_sub(1)) {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(SecretString::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(Failed::new(Class::Usage, "the value is not UTF-8 text")
                .hint("encrypt the file it comes from as a whole: `lockage encrypt --input-type binary`"))
        }
    }
}
