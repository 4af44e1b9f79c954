//! A file that was opened and whose authentication code matches.

use std::cell::OnceCell;

use zeroize::Zeroizing;

use crate::cipher::{DataKey, Label, ValueCipher};
use crate::document::{CommentId, Document, Edits, KeyPath, Kind, LeafId, MetadataEdit, Replacement, Visit, canonical};
use crate::secret::SecretString;

use super::SopsError;
use super::encrypted::EncryptedFile;
use super::encryption::refuse_encrypted;
use super::kept::Kept;
use super::metadata::{Metadata, time_of};
use super::scope::EncryptionScope;
use super::seal::{Flavour, PLACEHOLDER, Seal, seal_code};
use super::values::{self, Opened, kind_word, label_of};

/// The plaintext of a file, with what it takes to write it back. Only a decryption whose code matches makes one.
pub struct DecryptedFile {
    encrypted: EncryptedFile,
    key: DataKey,
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
        let opened = ValueCipher::new(&self.key).decrypt(&scalar.token, &path.associated_data(), &mut plain);
        let label = opened.map_err(SopsError::Cipher)?;
        let kind = values::kind_of(label).unwrap_or(Kind::Str);
        let canonical = canonical(kind, &plain);
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
        let mut cipher = ValueCipher::new(&self.key);
        let mut metadata = file.metadata.clone();
        let kept = Some(self.kept(&mut cipher)?);
        let seal = Seal { document: edited, scope: &scope, cipher: &mut cipher, kept, flavour };
        match seal.run(&mut metadata, now) {
            Err(SopsError::Aliases { line }) if flavour == Flavour::Sops => {
                let Some(expanded) = edited.expanded()? else { return Err(SopsError::Aliases { line }) };
                let kept = Some(self.kept(&mut cipher)?);
                Seal { document: &expanded, scope: &scope, cipher: &mut cipher, kept, flavour }
                    .run(&mut metadata, now)
                    .map(Some)
            }
            other => other.map(Some),
        }
    }

    /// The tokens of this file by the spelling that its plaintext shows, which is what an unchanged value is known by.
    fn kept(&self, cipher: &mut ValueCipher) -> Result<Kept, SopsError> {
        let file = &self.encrypted;
        let plain = self.document()?;
        let mut kept = Kept::new(self.key.clone());
        let aligned = plain.outline().leaves.len() == file.document.outline().leaves.len();
        values::open(&file.document, &file.metadata, cipher, |opened| {
            match opened {
                Opened::Value { id, kind, bytes, path } if aligned => {
                    let shown = plain.scalar(id)?;
                    // A token whose spelling is shown as another value would make the new code wrong.
                    if canonical(kind, bytes).is_some_and(|canonical| canonical == shown.canonical) {
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

    /// The file with `value` at `path`: the value, the code and the time are spliced in, nothing else moves. A key that
    /// is not there yet is added to its mapping, a list grows at its end. `None` if the value is there already.
    ///
    /// # Errors
    /// [`SopsError::NotOfKind`]; [`SopsError::Syntax`] if there is no mapping or list to put it in, or a mapping in its
    /// place.
    pub fn set(
        &self,
        path: &KeyPath,
        kind: Kind,
        value: &SecretString,
        now: jiff::Timestamp,
    ) -> Result<Option<Vec<u8>>, SopsError> {
        let bytes = value.expose_secret().as_bytes();
        let Some(wanted) = canonical(kind, bytes) else {
            return Err(SopsError::NotOfKind { path: path.clone(), kind: kind_word(kind) });
        };
        if let Some(old) = self.get(path)?
            && old.kind == kind
            && self::value(path, kind, &wanted)?.text.expose_secret() == old.text.expose_secret()
        {
            return Ok(None);
        }
        let file = &self.encrypted;
        let scope = EncryptionScope::of_metadata(&file.metadata);
        let there = find(&file.document, &scope, path)?;
        let must = match there {
            Some((_, must)) => must,
            // Whether a new leaf is to be encrypted is known once one stands there.
            None => {
                let mut text = file.document.insert(path, &Replacement::Token(PLACEHOLDER))?;
                let probe = Document::parse(file.document.format(), std::mem::take(&mut *text))?;
                find(&probe, &scope, path)?.is_some_and(|(_, must)| must)
            }
        };
        let mut cipher = ValueCipher::new(&self.key);
        let mut token = Vec::new();
        let replacement = if must && kind != Kind::Null && !bytes.is_empty() {
            let aad = path.associated_data();
            cipher.encrypt(label_of(kind), bytes, &aad, &mut token).map_err(SopsError::Cipher)?;
            Replacement::Token(&token)
        } else {
            Replacement::Value { kind, bytes }
        };
        let mut text = match there {
            Some((id, _)) => {
                let mut edits = Edits::new();
                edits.leaf(id, &replacement);
                file.document.apply(&edits)?
            }
            None => file.document.insert(path, &replacement)?,
        };
        self.renew(std::mem::take(&mut *text), &mut cipher, now).map(Some)
    }

    /// Renews code and time of a changed text, and every comment that the change gave to another container.
    fn renew(&self, text: Vec<u8>, cipher: &mut ValueCipher, now: jiff::Timestamp) -> Result<Vec<u8>, SopsError> {
        let old = &self.encrypted;
        let new = EncryptedFile::parse(old.document.format(), text)?;
        let mut edits = Edits::new();
        let (before, after) = (containers(&old.document)?, containers(&new.document)?);
        if before.len() == after.len() {
            let mut plain: Zeroizing<Vec<u8>> = Zeroizing::default();
            for (index, (from, to)) in before.iter().zip(&after).enumerate().filter(|(_, (from, to))| from != to) {
                let id = CommentId(u32::try_from(index).unwrap_or(u32::MAX));
                plain.clear();
                if cipher.decrypt(new.document.comment(id), from, &mut plain).is_ok() {
                    let mut token = Vec::new();
                    cipher.encrypt(Label::Comment, &plain, to, &mut token).map_err(SopsError::Cipher)?;
                    edits.comment(id, &token);
                }
            }
        }
        let mut metadata = new.metadata.clone();
        metadata.lastmodified = time_of(now);
        let code = values::open(&new.document, &new.metadata, cipher, |_| Ok(()))?;
        seal_code(&mut metadata, &code, cipher)?;
        edits.metadata = match metadata.scalar_edits() {
            Some(scalars) => MetadataEdit::Scalars(scalars),
            None => MetadataEdit::Set(metadata.to_tree()),
        };
        let mut text = new.document.apply(&edits)?;
        Ok(std::mem::take(&mut *text))
    }
}

impl std::fmt::Debug for DecryptedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DecryptedFile({:?}, {} bytes)", self.encrypted.document.format(), self.text.len())
    }
}

/// The leaf at a path, the last one where a key stands twice, and whether it is to be encrypted.
fn find(document: &Document, scope: &EncryptionScope, path: &KeyPath) -> Result<Option<(LeafId, bool)>, SopsError> {
    let mut found = None;
    scope.walk(document, |visit, must| {
        if let Visit::Leaf { id, path: here } = visit
            && here.is(path)
        {
            found = Some((id, must));
        }
        Ok::<(), SopsError>(())
    })?;
    Ok(found)
}

/// The associated data of every comment.
fn containers(document: &Document) -> Result<Vec<String>, SopsError> {
    let mut containers = vec![String::new(); document.outline().comments.len()];
    document.walk(|visit| {
        if let Visit::Comment { id, path } = visit {
            path.associated_data().clone_into(&mut containers[id.0 as usize]);
        }
        Ok::<(), SopsError>(())
    })?;
    Ok(containers)
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
