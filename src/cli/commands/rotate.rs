//! `lockage rotate`.

use std::path::PathBuf;

use crate::cli::secrets::input::{Source, Types};
use crate::cli::secrets::opening::open;
use crate::cli::secrets::output::{Content, Destination};
use crate::cli::secrets::recipients::OfAws;
use crate::cli::secrets::services::Opening;
use crate::cli::{Action, Context, Failed};
use crate::keys::Recipient;

/// Renew the data key of a file: every value is encrypted anew, and the new key is wrapped for everybody in it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
lockage rotate -i secrets/app.yaml\n  \
lockage rotate -i --add age1… --remove age1… secrets/app.yaml\n  \
lockage rotate -i --add pgp:FINGERPRINT --remove kms:ARN secrets/app.yaml\n\n\
Who is removed keeps what they have read: change the values, too.")]
pub(crate) struct Rotate {
    /// The file; stdin if it is `-`.
    file: PathBuf,
    #[command(flatten)]
    destination: Destination,
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
        let source = Source::of(Some(&self.file));
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
}
