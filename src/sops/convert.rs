//! Files that are written as another type than they were read as: their values leave the text that they stood in.
//!
//! *Source*: what SOPS does with its tree: the places of comments and values are those of the text that was read.

use std::borrow::Cow;

use crate::cipher::{DataKey, Label, Mac, ValueCipher};
use crate::document::{
    Document, Edits, EmitOptions, Format, Kind, OwnedTree, Path, Replacement, SyntaxErrorKind, TreeBuilder, Visit, emit,
};
use crate::keys::KeyServices;

use super::SopsError;
use super::decrypted::DecryptedFile;
use super::encrypted::{EncryptedFile, UnverifiedFile};
use super::encryption::{Encryption, Prepared, prepare, refuse_encrypted};
use super::kept::Kept;
use super::metadata::{Metadata, time_of};
use super::scope::{EncryptionScope, Selector};
use super::seal::{DRAWS, Flavour, Seal, seal_code};
use super::values::{self, Opened, label_of, line_of_comment};

/// What the keys of metadata begin with in dotenv.
const DOTENV_PREFIX: &str = "sops_";

/// Encrypts a document under a fresh data key and writes it as another type: the text of the file.
///
/// # Errors
/// As for [`super::encrypt`]; [`SopsError::Emit`] where the type has no place for something.
pub fn encrypt_as(
    document: &Document,
    output: Format,
    options: EmitOptions,
    encryption: &Encryption,
    keys: &KeyServices,
    now: jiff::Timestamp,
) -> Result<Vec<u8>, SopsError> {
    refuse_encrypted(document)?;
    refuse_reserved(document, output)?;
    let Prepared { key, scope, mut metadata } = prepare(document, encryption, keys, now)?;
    let mut cipher = ValueCipher::new(&key);
    let seal = Seal { document, scope: &scope, cipher: &mut cipher, kept: None, flavour: encryption.flavour };
    seal.write_as(output, options, &mut metadata, now)
}

impl DecryptedFile {
    /// The values on their own, of the types that their tokens say.
    ///
    /// # Errors
    /// [`SopsError::Syntax`] where aliases stand for too much.
    pub fn tree(&self) -> Result<OwnedTree, SopsError> {
        self.encrypted.tree(&self.key)
    }

    /// The file as another type, with `edited` in place of its plaintext, under the same data key.
    ///
    /// # Errors
    /// As for [`DecryptedFile::reencrypt`]; [`SopsError::Emit`].
    pub fn reencrypt_as(
        &self,
        edited: &Document,
        output: Format,
        options: EmitOptions,
        flavour: Flavour,
        now: jiff::Timestamp,
    ) -> Result<Vec<u8>, SopsError> {
        refuse_encrypted(edited)?;
        refuse_reserved(edited, output)?;
        let scope = EncryptionScope::of_metadata(self.metadata());
        let mut metadata = self.metadata().clone();
        let mut cipher = self.encrypted.cipher(&self.key);
        let kept: Option<Kept> = Some(self.kept(&mut cipher)?);
        let seal = Seal { document: edited, scope: &scope, cipher: &mut cipher, kept, flavour };
        seal.write_as(output, options, &mut metadata, now)
    }
}

impl UnverifiedFile {
    /// The values of `file`, which this was made from, on their own.
    ///
    /// # Errors
    /// As for [`DecryptedFile::tree`].
    pub fn tree(&self, file: &EncryptedFile) -> Result<OwnedTree, SopsError> {
        file.tree(&self.key)
    }
}

impl EncryptedFile {
    pub(super) fn tree(&self, key: &DataKey) -> Result<OwnedTree, SopsError> {
        let mut cipher = self.cipher(key);
        let mut edits = Edits::new();
        values::open(&self.document, &self.metadata, &mut cipher, |opened| {
            match opened {
                Opened::Value { id, kind, bytes, .. } => {
                    let bytes = self.document.canonical_of(id, kind, bytes).unwrap_or(Cow::Borrowed(bytes));
                    edits.leaf(id, &Replacement::Value { kind, bytes: &bytes });
                }
                Opened::Comment { id, text, .. } => edits.comment(id, text),
                Opened::StaleComment { .. } => {}
            }
            Ok(())
        })?;
        Ok(self.document.tree(&edits)?)
    }
}

/// A plaintext must not have names that the output keeps for the metadata.
fn refuse_reserved(document: &Document, output: Format) -> Result<(), SopsError> {
    if output != Format::Dotenv {
        return Ok(());
    }
    document.walk(|visit| match visit {
        Visit::Leaf { path, .. } if path.keys().next().is_some_and(|key| key.starts_with(DOTENV_PREFIX)) => {
            Err(SopsError::AlreadyEncrypted { line: line_of_key(document, path) })
        }
        _ => Ok(()),
    })
}

fn line_of_key(document: &Document, path: &Path<'_>) -> usize {
    path.last_key().map_or(0, |id| document.position(document.outline().keys[id.0 as usize].range.start).0)
}

impl Seal<'_> {
    /// The encrypted file as another type. Comments that SOPS does not see are in no tree.
    pub(super) fn write_as(
        mut self,
        output: Format,
        options: EmitOptions,
        metadata: &mut Metadata,
        now: jiff::Timestamp,
    ) -> Result<Vec<u8>, SopsError> {
        metadata.lastmodified = time_of(now);
        self.refuse_dropped()?;
        let (document, scope) = (self.document, self.scope);
        let mut mac = Mac::new(metadata.mac_only_encrypted);
        let mut builder = TreeBuilder::default();
        let mut token = Vec::with_capacity(1024);
        let failed = |kind: SyntaxErrorKind| {
            SopsError::Syntax(crate::document::SyntaxError { format: document.format(), line: 1, column: 1, kind })
        };
        scope.walk(document, |visit, must| {
            match visit {
                Visit::Enter { path, list } => builder.enter(path, list),
                Visit::Leave => builder.leave(),
                Visit::Leaf { id, path } => {
                    let scalar = document.scalar(id)?;
                    if must || !metadata.mac_only_encrypted {
                        mac.update(&scalar.canonical);
                    }
                    if must && scalar.kind != Kind::Null && !scalar.canonical.is_empty() {
                        let aad = path.associated_data();
                        let token = self.token(label_of(scalar.kind), &scalar.canonical, aad, &mut token)?;
                        builder.leaf(path, Kind::Str, token).map_err(failed)?;
                    } else {
                        builder.leaf(path, scalar.kind, &scalar.canonical).map_err(failed)?;
                    }
                }
                Visit::Comment { id, path } => {
                    let (text, inline) = (document.comment(id), document.outline().comment(id).inline);
                    if !must {
                        builder.comment(text, inline);
                    } else if text.is_empty() {
                        builder.encrypted_comment(text, inline);
                    } else {
                        let line = || line_of_comment(document, id);
                        builder.encrypted_comment(self.comment_token(text, path, &mut token, line)?, inline);
                    }
                }
                Visit::ItemDone => {}
            }
            Ok::<(), SopsError>(())
        })?;
        seal_code(metadata, &mac.finish(), self.cipher)?;
        let mut text = emit(output, &builder.finish(), Some(&metadata.to_tree()), options)?;
        Ok(std::mem::take(&mut *text))
    }

    /// A token that no reader takes for a mark.
    fn comment_token<'b>(
        &mut self,
        text: &[u8],
        path: &Path<'_>,
        buffer: &'b mut Vec<u8>,
        line: impl Fn() -> usize,
    ) -> Result<&'b [u8], SopsError> {
        let scope = self.scope;
        for _ in 0..DRAWS {
            self.token(Label::Comment, text, path.associated_data(), buffer)?;
            match scope.selector() {
                Selector::UnencryptedCommentRegex(mark) | Selector::EncryptedCommentRegex(mark)
                    if mark.is_match(buffer) => {}
                _ => return Ok(buffer),
            }
        }
        Err(SopsError::EncryptedMark { line: line() })
    }

    /// In our own name nothing is lost without a word.
    fn refuse_dropped(&self) -> Result<(), SopsError> {
        let comments = self.document.outline().comments.iter().filter(|comment| comment.dropped);
        let lines: Vec<usize> = comments.map(|comment| self.document.position(comment.range.start).0).collect();
        if lines.is_empty() || self.flavour == Flavour::Sops {
            Ok(())
        } else {
            Err(SopsError::DroppedComments { lines })
        }
    }
}
