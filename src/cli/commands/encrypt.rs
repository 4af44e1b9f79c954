//! `lockage encrypt`.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::cli::secrets::batch::{Batch, limit, parse_plain};
use crate::cli::secrets::input::{DialectFlag, Source, Types};
use crate::cli::secrets::layout::{Layout, warn_of_comments};
use crate::cli::secrets::output::{Content, Destination};
use crate::cli::secrets::recipients::Recipients;
use crate::cli::secrets::rules::RuleBook;
use crate::cli::secrets::services::Services;
use crate::cli::secrets::several::{Named, Several};
use crate::cli::secrets::{identities, in_file, rules};
use crate::cli::{Action, Context, Failed, report, terminal};
use crate::document::{Document, Format};
use crate::keys::published;
use crate::sops::{Encryption, SopsError, encrypt, encrypt_as, is_governed};

/// Encrypt a file by its rule in `.sops.yaml`; everything but the values stays byte for byte. Several files are changed
/// all together or not at all.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
lockage encrypt -i secrets/app.yaml\n  \
lockage encrypt -i --recursive secrets\n  \
lockage encrypt plain.env -o app.enc.env\n  \
lockage encrypt --filename-override secrets/app.yaml < plain.yaml > secrets/app.yaml")]
pub(crate) struct Encrypt {
    /// The files; stdin if they are left out or `-`.
    files: Vec<PathBuf>,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    several: Several,
    #[command(flatten)]
    types: Types,
    #[command(flatten)]
    layout: Layout,
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
        if self.several.applies(context, &self.files, &self.destination) {
            return self.all(context);
        }
        let source = Source::of(self.files.first().map(PathBuf::as_path));
        let (format, output) = self.types.formats(&source)?;
        let name = source.path(self.types.filename_override.as_deref());
        let mut encryption = rules::encryption(context, name, &self.recipients)?;
        encryption.expand_aliases = self.expand_aliases;
        let format = self.dialect.format(format, encryption.dialect)?;
        let sink = self.destination.open(context, &source)?;
        let mut input = source.read(context)?;
        let document = Document::parse(format, std::mem::take(&mut *input))
            .map_err(|error| in_file(&source, SopsError::from(error)))?;
        let keys = identities::to_encrypt(context);
        let options = self.layout.options(context, name, output);
        // A dialect is no other type.
        let converts = format.word() != output.word();
        // The JSON around a binary file has no text of the user's to keep.
        let anew = converts || (output == Format::Binary && options.indent.is_some());
        let sealed = |encryption: &Encryption| match anew {
            true => encrypt_as(&document, output, options, encryption, &keys, context.now()),
            false => encrypt(&document, encryption, &keys, context.now()),
        };
        let mut result = sealed(&encryption);
        if let Err(SopsError::Aliases { line }) = result
            && context.interactive
            && terminal::confirm(
                context,
                &format!("line {line} shares a value that is to be encrypted. Write copies?"),
            )?
        {
            encryption.expand_aliases = true;
            result = sealed(&encryption);
        }
        let text = result.map_err(|error| in_file(&source, error))?;
        if converts {
            warn_of_comments(context, document.outline().comments.len(), output);
        }
        context.witness(source.path(None))?.record(Action::Encrypt)?;
        if is_published(&encryption) && !context.quiet {
            report::say("lockage: warning: encrypted to the published test key, which everybody has");
        }
        sink.write(&text, document.text(), Content::Ciphertext)?;
        Ok(0)
    }

    /// Several files; in a folder those that a rule is for and that are not encrypted yet.
    fn all(self, context: &Context) -> Result<u8, Failed> {
        let input = self.types.of_several()?;
        let (mut files, place) = self.several.files(context, &self.files, &self.destination)?;
        let mut book = RuleBook::default();
        let mut ruled = HashMap::new();
        let mut first = Ok(());
        files.retain(|named| match self.encryption_of(context, &mut book, named) {
            Ok(encryption) => encryption.map(|encryption| ruled.insert(named.path.clone(), encryption)).is_some(),
            Err(failed) => {
                first = std::mem::replace(&mut first, Ok(())).and(Err(failed));
                false
            }
        });
        first?;
        let format = |named: &Named| {
            let dialect = ruled.get(&named.path).and_then(|encryption: &Encryption| encryption.dialect);
            self.dialect.format(input.format(Some(&named.path))?, dialect)
        };
        let (batch, _) = Batch::load(context, &files, format, &place, (b"", parse_plain), |_| ())?;
        let keys = identities::to_encrypt(context);
        let recipients = ruled.values().flat_map(|encryption| &encryption.groups).flat_map(|group| &group.keys);
        let limit = limit(&keys, recipients);
        batch.replace(context, &batch.every(), limit, Content::Ciphertext, |index, document, save| {
            let member = &batch.members[index];
            let path = batch.input(index);
            let encryption = ruled.get(path).cloned().unwrap_or_default();
            let text = encrypt(&document, &encryption, &keys, context.now());
            let text = text.map_err(|error| in_file(&member.source, error))?;
            context.witness(Some(path))?.record(Action::Encrypt)?;
            save(&text)
        })?;
        if ruled.values().any(is_published) && !context.quiet {
            report::say("lockage: warning: encrypted to the published test key, which everybody has");
        }
        batch.report(context, "encrypt", "encrypted")
    }

    /// How one of several files is encrypted; nothing for one that was found and that no rule means.
    fn encryption_of(
        &self,
        context: &Context,
        book: &mut RuleBook,
        named: &Named,
    ) -> Result<Option<Encryption>, Failed> {
        let rules = book.find(context, &named.path)?;
        if !named.explicit {
            let subject = rules.as_deref().map(|rules| rules.subject(context, &named.path)).unwrap_or_default();
            let rule = rules.as_deref().and_then(|rules| rules.set.rule_for(&subject));
            if !rule.is_some_and(|rule| is_governed(rule, &subject)) {
                return Ok(None);
            }
        }
        let mut encryption = rules::encryption_by(context, rules.as_deref(), Some(&named.path), &self.recipients)?;
        encryption.expand_aliases = self.expand_aliases;
        Ok(Some(encryption))
    }
}

fn is_published(encryption: &Encryption) -> bool {
    let keys = encryption.groups.iter().flat_map(|group| &group.keys);
    keys.into_iter().any(published::is_published)
}
