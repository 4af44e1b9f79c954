//! From the text of an encrypted file to its plaintext: the one way every command goes, over one file or many.

use std::sync::Arc;

use super::identities::{Identities, warn_if_published};
use super::in_file;
use super::input::Source;
use crate::cli::{Context, Failed, Witness};
use crate::document::Format;
use crate::keys::{self, KeyServices};
use crate::sops::{
    DecryptedFile, DestinationRule, EncryptedFile, Flavour, Metadata, Publication, SopsError, UnverifiedFile,
};

/// The keys of this user: read once for all files of a command, and asked for what they unwrapped once, too.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    identities: Arc<Identities>,
    /// The key services, with these identities in the first of them.
    pub(crate) keys: KeyServices,
}

impl Access {
    /// To every one of these files.
    pub(crate) fn to<'m>(context: &Context, files: impl IntoIterator<Item = &'m Metadata>) -> Self {
        let identities = Identities::of_files(context, files);
        let keys = identities.keys(context);
        Self { identities: Arc::new(identities), keys }
    }

    /// A failure over a file, as it is shown.
    pub(crate) fn explain(&self, source: &Source, error: SopsError) -> Failed {
        in_file(source, self.identities.explain(error))
    }
}

/// A file of a command, and the keys that open it.
#[derive(Debug)]
pub(crate) struct Held<F> {
    pub(crate) file: F,
    pub(crate) access: Access,
    source: Source,
    pub(crate) witness: Witness,
}

/// A file that nobody has opened yet.
pub(crate) type Sealed = Held<EncryptedFile>;

/// A file that was opened.
pub(crate) type Opened = Held<DecryptedFile>;

impl<F> Held<F> {
    /// A failure over this file, as it is shown.
    pub(crate) fn failed(&self, error: SopsError) -> Failed {
        self.access.explain(&self.source, error)
    }
}

impl Sealed {
    /// Parses a file, says so if everybody can open it, and gathers the keys of this user.
    ///
    /// # Errors
    /// It is no encrypted file of this format.
    pub(crate) fn parse(context: &Context, source: &Source, format: Format, text: Vec<u8>) -> Result<Self, Failed> {
        let file = parse(source, format, text)?;
        warn_if_published(context, file.metadata());
        let witness = context.witness(source.path(None))?;
        let access = Access::to(context, [file.metadata()]);
        Ok(Self { file, access, source: source.clone(), witness })
    }

    /// One of several files, with the keys that were gathered for all of them.
    ///
    /// # Errors
    /// The audit that the machine asks for cannot be reached.
    pub(crate) fn one_of(
        context: &Context,
        file: EncryptedFile,
        source: &Source,
        access: &Access,
    ) -> Result<Self, Failed> {
        let witness = context.witness(source.path(None))?;
        Ok(Self { file, access: access.clone(), source: source.clone(), witness })
    }

    /// Decrypts it.
    ///
    /// # Errors
    /// As for [`EncryptedFile::decrypt`].
    pub(crate) fn decrypt(self) -> Result<Opened, Failed> {
        let Self { file, access, source, witness } = self;
        let opened = witness.decrypted(file.decrypt(&access.keys))?;
        let file = opened.map_err(|error| access.explain(&source, error))?;
        Ok(Opened { file, access, source, witness })
    }

    /// Decrypts it although it may not be what its author wrote.
    ///
    /// # Errors
    /// As for [`EncryptedFile::decrypt_unverified`].
    pub(crate) fn decrypt_unverified(&self) -> Result<UnverifiedFile, Failed> {
        let opened = self.witness.decrypted(self.file.decrypt_unverified(&self.access.keys))?;
        opened.map_err(|error| self.failed(error))
    }

    /// What a destination gets of it.
    ///
    /// # Errors
    /// As for [`EncryptedFile::publication`].
    pub(crate) fn publication(
        self,
        context: &Context,
        text: &[u8],
        destination: &keys::Destination,
        rule: &DestinationRule,
    ) -> Result<Publication, Failed> {
        let Self { file, access, source, witness } = self;
        let made = file.publication(text, destination, rule, Flavour::Own, &access.keys, context.now());
        witness.published(made)?.map_err(|error| access.explain(&source, error))
    }
}

/// Parses, opens and decrypts a file.
///
/// # Errors
/// As for [`Sealed::parse`] and [`Sealed::decrypt`].
pub(crate) fn open(context: &Context, source: &Source, format: Format, text: Vec<u8>) -> Result<Opened, Failed> {
    Sealed::parse(context, source, format, text)?.decrypt()
}

/// Parses an encrypted file.
///
/// # Errors
/// It is none of this format.
pub(crate) fn parse(source: &Source, format: Format, text: Vec<u8>) -> Result<EncryptedFile, Failed> {
    EncryptedFile::parse(format, text).map_err(|error| in_file(source, error))
}
