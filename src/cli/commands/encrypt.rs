//! `lockage encrypt`.

use std::path::PathBuf;

use crate::cli::secrets::input::{DialectFlag, Source, Types};
use crate::cli::secrets::output::{Content, Destination};
use crate::cli::secrets::recipients::Recipients;
use crate::cli::secrets::services::Services;
use crate::cli::secrets::{identities, in_file, rules};
use crate::cli::{Action, Context, Failed, report, terminal};
use crate::document::Document;
use crate::keys::published;
use crate::sops::{Encryption, SopsError, encrypt};

/// Encrypt a file by its rule in `.sops.yaml`; everything but the values stays byte for byte.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
lockage encrypt -i secrets/app.yaml\n  \
lockage encrypt plain.env -o app.enc.env\n  \
lockage encrypt --filename-override secrets/app.yaml < plain.yaml > secrets/app.yaml")]
pub(crate) struct Encrypt {
    /// The file; stdin if it is left out or `-`.
    file: Option<PathBuf>,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    types: Types,
    #[command(flatten)]
    recipients: Recipients,
    #[command(flatten)]
    services: Services,
    #[command(flatten)]
    dialect: DialectFlag,
    /// Write a copy in place of every alias over a value that is to be encrypted.
    #[arg(long)]
    expand_aliases: bool,
}

impl Encrypt {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let context = &self.services.chosen(context)?;
        let source = Source::of(self.file.as_deref());
        let format = self.types.format(&source)?;
        let name = source.path(self.types.filename_override.as_deref());
        let mut encryption = rules::encryption(context, name, &self.recipients)?;
        encryption.expand_aliases = self.expand_aliases;
        let format = self.dialect.format(format, encryption.dialect)?;
        let sink = self.destination.open(context, &source)?;
        let mut input = source.read(context)?;
        let document = Document::parse(format, std::mem::take(&mut *input))
            .map_err(|error| in_file(&source, SopsError::from(error)))?;
        let keys = identities::to_encrypt(context);
        let mut result = encrypt(&document, &encryption, &keys, context.now());
        if let Err(SopsError::Aliases { line }) = result
            && context.interactive
            && terminal::confirm(
                context,
                &format!("line {line} shares a value that is to be encrypted. Write copies?"),
            )?
        {
            encryption.expand_aliases = true;
            result = encrypt(&document, &encryption, &keys, context.now());
        }
        let text = result.map_err(|error| in_file(&source, error))?;
        context.witness(source.path(None))?.record(Action::Encrypt)?;
        if is_published(&encryption) && !context.quiet {
            report::say("lockage: warning: encrypted to the published test key, which everybody has");
        }
        sink.write(&text, document.text(), Content::Ciphertext)?;
        Ok(0)
    }
}

fn is_published(encryption: &Encryption) -> bool {
    let keys = encryption.groups.iter().flat_map(|group| &group.keys);
    keys.into_iter().any(published::is_published)
}
