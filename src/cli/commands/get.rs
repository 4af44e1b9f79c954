//! `lockage get`.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::decrypt::no_value;
use crate::cli::secrets::input::{Source, Types};
use crate::cli::secrets::opening::open;
use crate::cli::secrets::services::Opening;
use crate::cli::{Context, Failed, report};
use crate::document::{KeyPath, Kind};

/// Print one value of an encrypted file: the value alone, with a line break only on a terminal.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
lockage get secrets/app.yaml db.password\n  \
lockage get secrets/app.yaml 'hosts[0]'\n  \
lockage get --json secrets/app.json '[\"smtp\"][\"port\"]'")]
pub(crate) struct Get {
    /// The file; `-` is stdin.
    file: PathBuf,
    /// The value: `db.hosts[0]` or `["db"]["hosts"][0]`.
    key: KeyPath,
    #[command(flatten)]
    types: Types,
    #[command(flatten)]
    opening: Opening,
}

impl Get {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let context = &self.opening.chosen(context)?;
        let source = Source::of(Some(&self.file));
        let format = self.types.format(&source)?;
        let mut input = source.read(context)?;
        let opened = open(context, &source, format, std::mem::take(&mut *input))?;
        let value = opened.file.get(&self.key).map_err(|error| opened.failed(error))?;
        let value = value.ok_or_else(|| no_value(&source, &self.key))?;
        let text = value.text.expose_secret();
        if context.json {
            let body = serde_json::json!({
                "file": self.file.display().to_string(),
                "key": self.key.to_string(),
                "kind": kind_word(value.kind),
                "value": text,
            });
            report::json("lockage.value/1", &body)?;
            return Ok(0);
        }
        let mut out = Zeroizing::new(Vec::with_capacity(text.len() + 1));
        out.extend_from_slice(text.as_bytes());
        if std::io::stdout().is_terminal() {
            out.push(b'\n');
        }
        report::data(&out)?;
        Ok(0)
    }
}

/// The word a user knows a kind by; the same that `set --type` takes.
pub(super) fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Str => "str",
        Kind::Int => "int",
        Kind::Float => "float",
        Kind::Bool => "bool",
        Kind::Time => "time",
        Kind::Null => "null",
    }
}
