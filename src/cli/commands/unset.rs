//! `lockage unset`.

use std::path::PathBuf;

use crate::cli::secrets::in_place::InPlace;
use crate::cli::secrets::input::Types;
use crate::cli::secrets::services::Opening;
use crate::cli::{Context, Failed, report};
use crate::document::KeyPath;
use crate::sops::Flavour;

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
        let file = InPlace::open(context, &self.file, &self.types)?;
        let changed = file.keep(file.opened.file.unset(&self.key, Flavour::Own, context.now()))?;
        let name = self.file.display().to_string();
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
