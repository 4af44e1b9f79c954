//! A file that was opened and whose authentication code matches.

use std::cell::OnceCell;

use zeroize::Zeroizing;

use crate::cipher::{DataKey, Label, ValueCipher};
use crate::document::{Document, EmitOptions, Format, KeyPath, Kind, LeafId, Visit};
use crate::secret::SecretString;

use super::SopsError;
use super::encrypted::EncryptedFile;
use super::encryption::{ended, refuse_encrypted};
use super::kept::Kept;
use super::metadata::Metadata;
use super::scope::{EncryptionScope, Selector};
use super::seal::{Flavour, Seal};
use super::values::{self, Opened, label_of};

/// The plaintext of a file, with what it takes to write it back. Only a decryption whose code matches makes one.
pub struct DecryptedFile {
    pub(super) encrypted: EncryptedFile,
    pub(super) key: DataKey,
    text: Zeroizing<Vec<u8>>,
    document: OnceCell<Document>,
    stale_comments: Vec<usize>,
}

/// One value.
#[derive(Clone, Debug)]
pub struct Value {
    /// Its kind.
    pub kind: Kind,
    /// Of a text the text; of a truth value `true` or `false`; of a null nothing; else its canonical spelling.
    pub text: SecretString,
}

impl DecryptedFile {
    pub(super) fn new(
        encrypted: EncryptedFile,
        key: DataKey,
        text: Zeroizing<Vec<u8>>,
        stale_comments: Vec<usize>,
    ) -> Self {
        Self { encrypted, key, text, document: OnceCell::new(), stale_comments }
    }

    /// The plaintext, without the `sops` block.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The plaintext, parsed when this is first asked for.
    ///
    /// # Errors
    /// [`SopsError::Syntax`] if a value that was put in the file by force cannot stand where it does.
    pub fn document(&self) -> Result<&Document, SopsError> {
        if let Some(document) = self.document.get() {
            return Ok(document);
        }
        let document = Document::parse(self.encrypted.document.format(), self.text.to_vec())?;
        Ok(self.document.get_or_init(|| document))
    }

    /// Who can open the file, and what is encrypted in it.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.encrypted.metadata
    }

    /// 1-based lines of comments that should be encrypted and are not; SOPS warns of them and leaves them.
    #[must_use]
    pub fn stale_comments(&self) -> &[usize] {
        &self.stale_comments
    }

    /// The value at a path; `None` if there is none, or a mapping or list.
    ///
    /// # Errors
    /// [`SopsError::NotUtf8`]; [`SopsError::Syntax`] for a scalar without a value.
    pub fn get(&self, path: &KeyPath) -> Result<Option<Value>, SopsError> {
        let file = &self.encrypted;
        let Some((id, must)) = find(&file.document, &EncryptionScope::of_metadata(&file.metadata), path)? else {
            return Ok(None);
        };
        let scalar = file.document.scalar(id)?;
        if !must || scalar.kind != Kind::Str || scalar.token.is_empty() {
            return value(path, scalar.kind, &scalar.canonical).map(Some);
        }
        let mut plain = Zeroizing::new(Vec::with_capacity(scalar.token.len()));
        let opened = file.cipher(&self.key).decrypt(&scalar.token, &path.associated_data(), &mut plain);
        let label = opened.map_err(SopsError::Cipher)?;
        let kind = values::kind_of(label).unwrap_or(Kind::Str);
        let canonical = file.document.canonical_of(id, kind, &plain);
        value(path, kind, canonical.as_deref().unwrap_or(&plain)).map(Some)
    }

    /// The file with `edited` in place of its plaintext; what has not changed keeps its token byte for byte. `None` if
    /// nothing has changed.
    ///
    /// # Errors
    /// As for [`super::encrypt`]; [`SopsError::OtherFormat`].
    pub fn reencrypt(
        &self,
        edited: &Document,
        flavour: Flavour,
        now: jiff::Timestamp,
    ) -> Result<Option<Vec<u8>>, SopsError> {
        let file = &self.encrypted;
        if edited.format() != file.document.format() {
            let (edited, encrypted) = (edited.format().word(), file.document.format().word());
            return Err(SopsError::OtherFormat { edited, encrypted });
        }
        if edited.text() == self.text() {
            return Ok(None);
        }
        refuse_encrypted(edited)?;
        let scope = EncryptionScope::of_metadata(&file.metadata);
        let mut cipher = file.cipher(&self.key);
        let mut metadata = file.metadata.clone();
        let kept = Some(self.kept(&mut cipher)?);
        let seal = Seal { document: edited, scope: &scope, cipher: &mut cipher, kept, flavour };
        let sealed = match seal.run(&mut metadata, now) {
            Err(SopsError::Aliases { line }) if flavour == Flavour::Sops => match edited.expanded() {
                Ok(None) => Err(SopsError::Aliases { line }),
                Ok(Some(expanded)) => {
                    let kept = Some(self.kept(&mut cipher)?);
                    let seal = Seal { document: &expanded, scope: &scope, cipher: &mut cipher, kept, flavour };
                    seal.run(&mut metadata, now)
                }
                Err(refused) => Err(refused.into()),
            },
            other => other,
        };
        match sealed {
            Err(error) if flavour == Flavour::Sops && error.is_of_text() => {
                self.reencrypt_as(edited, edited.format(), EmitOptions::default(), flavour, now).map(Some)
            }
            other => other.map(|text| Some(ended(text, edited.format(), flavour))),
        }
    }

    /// Any text as a binary file of its own that the same keys open: a way to put aside what cannot be written back.
    ///
    /// # Errors
    /// [`SopsError::Cipher`].
    pub fn aside(&self, text: &[u8], now: jiff::Timestamp) -> Result<Vec<u8>, SopsError> {
        let document = Document::parse_plain(Format::Binary, text.to_vec())?;
        let scope = EncryptionScope::new(Selector::Everything);
        let mut metadata = Metadata::new(self.metadata().groups.clone(), &scope, false);
        metadata.shamir_threshold = self.metadata().shamir_threshold;
        let mut cipher = ValueCipher::new(&self.key);
        let (cipher, flavour) = (&mut cipher, Flavour::Own);
        Seal { document: &document, scope: &scope, cipher, kept: None, flavour }.run(&mut metadata, now)
    }

    /// The tokens of this file by the spelling that its plaintext shows, which is what an unchanged value is known by.
    pub(super) fn kept(&self, cipher: &mut ValueCipher) -> Result<Kept, SopsError> {
        let file = &self.encrypted;
        let plain = self.document()?;
        let mut kept = Kept::new(self.key.clone());
        let aligned = plain.outline().leaves.len() == file.document.outline().leaves.len();
        values::open(&file.document, &file.metadata, cipher, |opened| {
            match opened {
                Opened::Value { id, kind, bytes, path } if aligned => {
                    let shown = plain.scalar(id)?;
                    // A token whose spelling is shown as another value would make the new code wrong.
                    let canonical = file.document.canonical_of(id, kind, bytes);
                    if canonical.is_some_and(|canonical| canonical == shown.canonical) {
                        let token = file.document.scalar(id)?.token;
                        kept.put(label_of(shown.kind), &shown.token, path.associated_data(), &token);
                    }
                }
                Opened::Comment { id, text, path } => {
                    kept.put(Label::Comment, text, path.associated_data(), file.document.comment(id));
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(kept)
    }
}

impl std::fmt::Debug for DecryptedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DecryptedFile({:?}, {} bytes)", self.encrypted.document.format(), self.text.len())
    }
}

/// The leaf at a path, of the first document that has one, the last one where a key stands twice, and whether it is to
/// be encrypted.
pub(super) fn find(
    document: &Document,
    scope: &EncryptionScope,
    path: &KeyPath,
) -> Result<Option<(LeafId, bool)>, SopsError> {
    let (mut found, mut roots) = (None, 0);
    scope.walk(document, |visit, must| {
        match visit {
            Visit::Enter { path: here, .. } => roots += usize::from(here.depth() == 0),
            Visit::Leaf { id, path: here } if here.is(path) && found.is_none_or(|(_, _, root)| root == roots) => {
                found = Some((id, must, roots));
            }
            _ => {}
        }
        Ok::<(), SopsError>(())
    })?;
    Ok(found.map(|(id, must, _)| (id, must)))
}

fn value(path: &KeyPath, kind: Kind, canonical: &[u8]) -> Result<Value, SopsError> {
    let text = match (kind, canonical) {
        (Kind::Bool, b"True") => "true",
        (Kind::Bool, _) => "false",
        (Kind::Null, _) => "",
        (_, bytes) => std::str::from_utf8(bytes).map_err(|_| SopsError::NotUtf8 { path: path.clone() })?,
    };
    Ok(Value { kind, text: SecretString::new(text.to_owned()) })
}
