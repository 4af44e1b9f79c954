//! `lockage unset`.

use std::path::PathBuf;

use crate::cli::secrets::input::{Source, Types};
use crate::cli::secrets::opening::open;
use crate::cli::secrets::services::Opening;
use crate::cli::{Action, Context, Failed, report};
use crate::document::KeyPath;
use crate::sops::Flavour;
use crate::system::files::{Mode, Target};

/// Remove one value from an encrypted file, or a whole list or mapping; nothing else in the file moves.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  lockage unset secrets/app.yaml db.password\n  lockage unset secrets/app.yaml 'hosts[0]'"
)]
pub(crate) struct Unset {
    /// The file.
    file: PathBuf,
    /// The value's place: `db.hosts[0]` or `["db"]["hosts"][0]`.
    key: KeyPath,
    #[command(flatten)]
    types: Types,
    #[command(flatten)]
    opening: Opening,
}

impl Unset {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let context = &self.opening.chosen(context)?;
        let source = Source::File(self.file.clone());
        let format = self.types.format(&source)?;
        let target = Target::hold(&context.path(&self.file))?;
        let input = target.read_at_most(context.max_size)?;
        let opened = open(context, &source, format, input.to_vec())?;
        let text = opened.file.unset(&self.key, Flavour::Own, context.now());
        let text = text.map_err(|error| opened.failed(error))?;
        if let Some(text) = &text {
            opened.witness.record(Action::Encrypt)?;
            target.replace(text, Some(&input), Mode::KeptOr(0o644))?;
        }
        let (name, changed) = (self.file.display().to_string(), text.is_some());
        if context.json {
            let body = serde_json::json!({"file": name, "key": self.key.to_string(), "changed": changed});
            report::json("lockage.unset/1", &body)?;
        } else if !context.quiet {
            let key = &self.key;
            report::say(&if changed {
                format!("removed `{key}` from {name}")
            } else {
                format!("unchanged: {name} has no `{key}`")
            });
        }
        Ok(0)
    }
}
