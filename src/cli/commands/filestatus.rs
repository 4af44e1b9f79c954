//! `lockage filestatus`.

use std::path::PathBuf;

use crate::cli::secrets::in_file;
use crate::cli::secrets::input::{Source, Types};
use crate::cli::{Context, Failed, report};
use crate::sops::{EncryptedFile, SopsError};

/// Say whether a file is encrypted, for whom, and what in it. No key is needed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lockage filestatus --json secrets/app.yaml")]
pub(crate) struct Filestatus {
    /// The file; `-` is stdin.
    file: PathBuf,
    #[command(flatten)]
    types: Types,
}

impl Filestatus {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let source = Source::of(Some(&self.file));
        let format = self.types.format(&source)?;
        let mut input = source.read(context)?;
        let file = match EncryptedFile::parse(format, std::mem::take(&mut *input)) {
            Ok(file) => Some(file),
            Err(SopsError::NotEncrypted) => None,
            Err(error) => return Err(in_file(&source, error)),
        };
        let metadata = file.as_ref().map(EncryptedFile::metadata);
        let encrypted = metadata.is_some_and(|metadata| metadata.mac.is_some());
        let recipients: Vec<String> =
            metadata.iter().flat_map(|metadata| metadata.recipients()).map(|recipient| recipient.id()).collect();
        if context.json {
            let body = serde_json::json!({
                "file": self.file.display().to_string(),
                "encrypted": encrypted,
                "recipients": recipients,
                "groups": metadata.map_or(0, |metadata| metadata.groups.len()),
                "lastmodified": metadata.map(|metadata| metadata.lastmodified.clone()),
            });
            report::json("lockage.filestatus/1", &body)?;
            return Ok(0);
        }
        let mut said = format!("{}: {}\n", self.file.display(), if encrypted { "encrypted" } else { "not encrypted" });
        for recipient in recipients {
            said.push_str(&format!("  for {recipient}\n"));
        }
        report::data(said.as_bytes())?;
        Ok(0)
    }
}
