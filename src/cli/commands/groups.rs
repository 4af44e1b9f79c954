//! `lockage groups`.

use std::path::PathBuf;

use crate::cli::secrets::input::{Source, Types};
use crate::cli::secrets::opening::Sealed;
use crate::cli::secrets::output::{Content, Destination};
use crate::cli::secrets::recipients::OfAws;
use crate::cli::secrets::services::Services;
use crate::cli::{Context, Failed};
use crate::keys::KeyServices;
use crate::sops::{EncryptedFile, RuleGroup, SopsError};

/// Add a key group to a file, or delete one: of each group one key is needed, or of as many as the threshold says.
#[derive(Debug, clap::Args)]
pub(crate) struct Groups {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Add a group of these recipients.
    Add {
        #[command(flatten)]
        common: Common,
        /// Its recipients; a kind other than age stands before the key: `pgp:FINGERPRINT`.
        #[arg(long = "recipient", value_name = "RECIPIENT", required = true)]
        recipients: Vec<String>,
        #[command(flatten)]
        aws: OfAws,
    },
    /// Delete a group.
    Delete {
        #[command(flatten)]
        common: Common,
        /// Which, counted from 0.
        #[arg(long, value_name = "INDEX")]
        index: usize,
    },
}

#[derive(Debug, clap::Args)]
struct Common {
    /// The file.
    file: PathBuf,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    types: Types,
    /// How many groups it shall take to open the file.
    #[arg(long, value_name = "N")]
    threshold: Option<usize>,
    #[command(flatten)]
    services: Services,
}

impl Groups {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        match self.what {
            What::Add { common, recipients, aws } => {
                let group = RuleGroup { keys: aws.named(&recipients)? };
                common.change(context, |file, keys| file.add_group(&group, common.threshold, keys, context.now()))
            }
            What::Delete { common, index } => {
                common.change(context, |file, keys| file.delete_group(index, common.threshold, keys))
            }
        }
    }
}

impl Common {
    fn change(
        &self,
        context: &Context,
        change: impl FnOnce(&EncryptedFile, &KeyServices) -> Result<Vec<u8>, SopsError>,
    ) -> Result<u8, Failed> {
        let context = &self.services.chosen(context)?;
        let source = Source::of(Some(&self.file));
        let format = self.types.format(&source)?;
        let sink = self.destination.open(context, &source)?;
        let input = source.read(context)?;
        let sealed = Sealed::parse(context, &source, format, input.to_vec())?;
        let text = change(&sealed.file, &sealed.access.keys).map_err(|error| sealed.failed(error))?;
        sink.write(&text, &input, Content::Ciphertext)?;
        Ok(0)
    }
}
