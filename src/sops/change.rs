//! Putting a value into a file and taking one out, without touching the rest.

use std::collections::HashMap;

use zeroize::Zeroizing;

use crate::cipher::{Label, ValueCipher};
use crate::document::{CommentId, Document, Edits, Format, KeyPath, Kind, MetadataEdit, Replacement, Visit, canonical};
use crate::secret::SecretString;

use super::SopsError;
use super::decrypted::{DecryptedFile, find};
use super::encrypted::EncryptedFile;
use super::metadata::time_of;
use super::new_value::NewValue;
use super::place::{Place, without_comments};
use super::scope::{EncryptionScope, Selector};
use super::seal::{Flavour, PLACEHOLDER, seal_code};
use super::values::{self, kind_word, label_of};

impl DecryptedFile {
    /// The file with `value` at `path`: as [`Self::put`] does it in our own flavour, for a single value.
    ///
    /// # Errors
    /// As for [`Self::put`].
    pub fn set(
        &self,
        path: &KeyPath,
        kind: Kind,
        value: &SecretString,
        now: jiff::Timestamp,
    ) -> Result<Option<Vec<u8>>, SopsError> {
        self.put(path, &NewValue::Leaf { kind, text: value.clone() }, Flavour::Own, now)
    }

    /// The file with `value` at `path` of its first document. What is there already goes, what is missing on the way is
    /// made at the end of its mapping or list, nothing else moves but the code and the time. `None` if the file says so
    /// already.
    ///
    /// In our own flavour only a null gives way to new parents, and a list grows by one item at its end. In that of
    /// SOPS every single value gives way, and every position behind a list is its end.
    ///
    /// # Errors
    /// [`SopsError::NotOfKind`], [`SopsError::NoPlace`]; [`SopsError::Syntax`] where the format has no such place.
    pub fn put(
        &self,
        path: &KeyPath,
        value: &NewValue,
        flavour: Flavour,
        now: jiff::Timestamp,
    ) -> Result<Option<Vec<u8>>, SopsError> {
        for (path, kind, text) in value.leaves(path) {
            if canonical(kind, text.expose_secret().as_bytes()).is_none() {
                return Err(SopsError::NotOfKind { path, kind: kind_word(kind) });
            }
        }
        let plain = self.document()?;
        let counted = counted(plain, path, flavour)?;
        let path = &counted;
        if NewValue::at(plain, path)?.is_some_and(|old| old.is_same(value)) {
            return Ok(None);
        }
        let place = Place::find(plain, path, flavour)?;
        let spelled = matches!(plain.format(), Format::Dialect(_));
        if spelled || self.is_marked_by_comments() {
            let text = place.change(plain, &value.graft(&mut in_clear))?;
            return self.reencrypt(&Document::parse(plain.format(), text.to_vec())?, flavour, now);
        }
        let (file, scope) = (&self.encrypted.document, EncryptionScope::of_metadata(&self.encrypted.metadata));
        let mut cipher = self.encrypted.cipher(&self.key);
        let tokens = self.tokens(&place, value, &scope, &mut cipher)?;
        let mut next = tokens.iter();
        let mut sealed = |kind, text| match next.next() {
            Some(token) if !token.is_empty() => Replacement::Token(token),
            _ => in_clear(kind, text),
        };
        let text = place.change(file, &value.graft(&mut sealed))?;
        self.renew(text, &mut cipher, now).map(Some)
    }

    /// The file without what stands at `path` of its first document; `None` if there is nothing.
    ///
    /// # Errors
    /// [`SopsError::Syntax`] where it cannot go: the anchor of an alias, a section that is always there.
    pub fn unset(&self, path: &KeyPath, flavour: Flavour, now: jiff::Timestamp) -> Result<Option<Vec<u8>>, SopsError> {
        let plain = self.document()?;
        let counted = counted(plain, path, flavour)?;
        let path = &counted;
        if NewValue::at(plain, path)?.is_none() {
            return Ok(None);
        }
        if self.is_marked_by_comments() {
            let text = plain.remove(path)?;
            return self.reencrypt(&Document::parse(plain.format(), text.to_vec())?, flavour, now);
        }
        let text = self.encrypted.document.remove(path)?;
        self.renew(text, &mut self.encrypted.cipher(&self.key), now).map(Some)
    }

    /// The file as if it had been changed: with a new code and a new time.
    ///
    /// # Errors
    /// [`SopsError::Cipher`].
    pub fn touch(&self, now: jiff::Timestamp) -> Result<Vec<u8>, SopsError> {
        let text = Zeroizing::new(self.encrypted.document.text().to_vec());
        self.renew(text, &mut self.encrypted.cipher(&self.key), now)
    }

    /// Whether a new neighbour may change what is to be encrypted of what is there.
    fn is_marked_by_comments(&self) -> bool {
        let selector = &self.encrypted.metadata.selector;
        matches!(selector, Selector::EncryptedCommentRegex(_) | Selector::UnencryptedCommentRegex(_))
    }

    /// The tokens of the new leaves, depth first; nothing for those that stay in clear. Which those are is known once
    /// they stand in their place.
    fn tokens(
        &self,
        place: &Place,
        value: &NewValue,
        scope: &EncryptionScope,
        cipher: &mut ValueCipher,
    ) -> Result<Vec<Vec<u8>>, SopsError> {
        let file = &self.encrypted.document;
        let probe = value.graft(&mut |kind, text| match (kind, text.expose_secret()) {
            (Kind::Null, _) | (_, "") => in_clear(kind, text),
            _ => Replacement::Token(PLACEHOLDER),
        });
        let probe = Document::parse(file.format(), place.change(file, &probe)?.to_vec())?;
        let mut tokens = Vec::new();
        for (path, kind, text) in value.leaves(place.whole()) {
            let mut token = Vec::new();
            if find(&probe, scope, &path)?.is_some_and(|(_, must)| must)
                && kind != Kind::Null
                && !text.expose_secret().is_empty()
            {
                let aad = path.associated_data();
                cipher
                    .encrypt(label_of(kind), text.expose_secret().as_bytes(), &aad, &mut token)
                    .map_err(SopsError::Cipher)?;
            }
            tokens.push(token);
        }
        Ok(tokens)
    }

    /// Renews code and time of a changed text, and every comment that the change gave to another container.
    fn renew(
        &self,
        mut text: Zeroizing<Vec<u8>>,
        cipher: &mut ValueCipher,
        now: jiff::Timestamp,
    ) -> Result<Vec<u8>, SopsError> {
        let old = &self.encrypted;
        let new = EncryptedFile::parse(old.document.format(), std::mem::take(&mut *text))?;
        let mut edits = Edits::new();
        // No two tokens are the same, so a comment is known by its own.
        let mut before: HashMap<&[u8], Vec<String>> = HashMap::new();
        for (index, container) in containers(&old.document)?.into_iter().enumerate() {
            before.entry(old.document.comment(comment_id(index))).or_default().push(container);
        }
        let mut plain: Zeroizing<Vec<u8>> = Zeroizing::default();
        for (index, to) in containers(&new.document)?.into_iter().enumerate() {
            let id = comment_id(index);
            let Some(from) = before.get(new.document.comment(id)) else { continue };
            if from.contains(&to) {
                continue;
            }
            plain.clear();
            if cipher.decrypt(new.document.comment(id), &from[0], &mut plain).is_ok() {
                let mut token = Vec::new();
                cipher.encrypt(Label::Comment, &plain, &to, &mut token).map_err(SopsError::Cipher)?;
                edits.comment(id, &token);
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

fn comment_id(index: usize) -> CommentId {
    CommentId(u32::try_from(index).unwrap_or(u32::MAX))
}

/// The associated data of every comment.
pub(super) fn containers(document: &Document) -> Result<Vec<String>, SopsError> {
    let mut containers = vec![String::new(); document.outline().comments.len()];
    document.walk(|visit| {
        if let Visit::Comment { id, path } = visit {
            path.associated_data().clone_into(&mut containers[id.0 as usize]);
        }
        Ok::<(), SopsError>(())
    })?;
    Ok(containers)
}

/// A path as each name counts: in our own comments are no items of a list.
fn counted(document: &Document, path: &KeyPath, flavour: Flavour) -> Result<KeyPath, SopsError> {
    if flavour == Flavour::Sops { without_comments(document, path) } else { Ok(path.clone()) }
}

/// A leaf as it is.
fn in_clear(kind: Kind, text: &SecretString) -> Replacement<'_> {
    Replacement::Value { kind, bytes: text.expose_secret().as_bytes() }
}
