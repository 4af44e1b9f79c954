//! `lockage rotate`.

use std::path::PathBuf;

use crate::cli::secrets::batch::SealedBatch;
use crate::cli::secrets::input::{Source, Types};
use crate::cli::secrets::opening::open;
use crate::cli::secrets::output::{Content, Destination};
use crate::cli::secrets::recipients::OfAws;
use crate::cli::secrets::services::Opening;
use crate::cli::secrets::several::Several;
use crate::cli::{Action, Context, Failed};
use crate::keys::Recipient;
use crate::sops::Metadata;

/// Renew the data key of a file: every value is encrypted anew, and the new key is wrapped for everybody in it. Several
/// files are changed all together or not at all.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
lockage rotate -i secrets/app.yaml\n  \
lockage rotate -i --recursive secrets\n  \
lockage rotate -i --add age1… --remove age1… secrets/app.yaml\n  \
lockage rotate -i --add pgp:FINGERPRINT --remove kms:ARN secrets/app.yaml\n\n\
Who is removed keeps what they have read: change the values, too.")]
pub(crate) struct Rotate {
    /// The files; stdin if it is `-`.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    several: Several,
    #[command(flatten)]
    types: Types,
    /// Somebody more who can open it; a kind other than age stands before it: `pgp:FINGERPRINT`.
    #[arg(long, value_name = "RECIPIENT")]
    add: Vec<String>,
    /// Somebody who shall no longer open it.
    #[arg(long, value_name = "RECIPIENT")]
    remove: Vec<String>,
    #[command(flatten)]
    aws: OfAws,
    #[command(flatten)]
    opening: Opening,
}

impl Rotate {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let context = &self.opening.chosen(context)?;
        if self.several.applies(context, &self.files, &self.destination) {
            return self.all(context);
        }
        let source = Source::of(self.files.first().map(PathBuf::as_path));
        let format = self.types.format(&source)?;
        let sink = self.destination.open(context, &source)?;
        let add = self.aws.named(&self.add)?;
        let remove: Vec<String> = self.aws.named(&self.remove)?.iter().map(Recipient::id).collect();
        let input = source.read(context)?;
        context.witness(source.path(None))?.record(Action::Rotate)?;
        let opened = open(context, &source, format, input.to_vec())?;
        let text = opened.file.rotate(&add, &remove, &opened.access.keys, context.now());
        let text = text.map_err(|error| opened.failed(error))?;
        opened.witness.record(Action::Encrypt)?;
        sink.write(&text, &input, Content::Ciphertext)?;
        Ok(0)
    }

    /// Several files.
    fn all(self, context: &Context) -> Result<u8, Failed> {
        let input = self.types.of_several()?;
        let (files, place) = self.several.files(context, &self.files, &self.destination)?;
        let add = self.aws.named(&self.add)?;
        let remove: Vec<String> = self.aws.named(&self.remove)?.iter().map(Recipient::id).collect();
        let files = SealedBatch::load(context, &files, input, &place)?;
        let wrapped_for = files.metadata.iter().flat_map(Metadata::recipients).chain(&add);
        files.replace(context, &files.every(), Content::Ciphertext, wrapped_for, |_, sealed, save| {
            sealed.witness.record(Action::Rotate)?;
            let opened = sealed.decrypt()?;
            let text = opened.file.rotate(&add, &remove, &opened.access.keys, context.now());
            let text = text.map_err(|error| opened.failed(error))?;
            opened.witness.record(Action::Encrypt)?;
            save(&text)
        })?;
        files.batch.report(context, "rotate", "renewed the data keys of")
    }
}
