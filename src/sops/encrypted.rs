//! An encrypted file, before anybody has opened it.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::cipher::{DataKey, Label, Mac, ValueCipher};
use crate::document::{Document, Edits, EmitOptions, Format, MetadataEdit, Splice, emit};
use crate::keys::KeyServices;

use super::SopsError;
use super::decrypted::DecryptedFile;
use super::metadata::Metadata;
use super::parts::{self, Hashed};
use super::recovery;
use super::values::{self, Opened};

/// A text with a `sops` block. Nothing is known of its values yet, nor whether they are whole.
#[derive(Debug)]
pub struct EncryptedFile {
    pub(super) document: Document,
    pub(super) metadata: Metadata,
    /// Whether a plaintext that cannot stand in the text is written anew.
    rewrites: bool,
}

impl EncryptedFile {
    /// Parses the text of an encrypted file.
    ///
    /// # Errors
    /// [`SopsError::Syntax`], [`SopsError::NotEncrypted`], and what [`Metadata::from_tree`] refuses.
    pub fn parse(format: Format, text: Vec<u8>) -> Result<Self, SopsError> {
        let document = Document::parse(format, text)?;
        let metadata = match document.metadata() {
            None => return Err(SopsError::NotEncrypted),
            Some(block) => Metadata::from_tree(&block.tree)?,
        };
        Ok(Self { document, metadata, rewrites: false })
    }

    /// The same as SOPS reads it: see [`Document::parse_as_sops`] and [`Metadata::from_tree_as_sops`]. Where the text
    /// cannot be kept, the plaintext is written anew.
    ///
    /// # Errors
    /// As for [`EncryptedFile::parse`].
    pub fn parse_as_sops(format: Format, text: Vec<u8>) -> Result<Self, SopsError> {
        let document = Document::parse_as_sops(format, text)?;
        let metadata = match document.metadata() {
            None => return Err(SopsError::NotEncrypted),
            Some(block) => Metadata::from_tree_as_sops(&block.tree)?,
        };
        Ok(Self { document, metadata, rewrites: true })
    }

    /// Who can open it, and what is encrypted in it.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The text as it was parsed, tokens and all.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Decrypts every value and checks the file's authentication code.
    ///
    /// # Errors
    /// [`SopsError::NotOpened`]; the first value that was altered or moved; the three errors of the code.
    pub fn decrypt(self, keys: &KeyServices) -> Result<DecryptedFile, SopsError> {
        let opened = self.open(keys)?;
        match opened.distrust {
            None => Ok(DecryptedFile::new(self, opened.key, opened.text, opened.stale_comments)),
            Some(error) => Err(error),
        }
    }

    /// Decrypts every value and takes the file for what its author wrote, code or none: what `sops --ignore-mac` writes
    /// back. In our own name no such file is written.
    ///
    /// # Errors
    /// As for [`EncryptedFile::decrypt`], but for the errors of the code.
    pub fn adopt(self, keys: &KeyServices) -> Result<DecryptedFile, SopsError> {
        let opened = self.open(keys)?;
        Ok(DecryptedFile::new(self, opened.key, opened.text, opened.stale_comments))
    }

    /// Decrypts every value and does not insist on the authentication code.
    ///
    /// # Errors
    /// As for [`EncryptedFile::decrypt`], but for the errors of the code.
    pub fn decrypt_unverified(&self, keys: &KeyServices) -> Result<UnverifiedFile, SopsError> {
        let Plain { key, text, distrust, .. } = self.open(keys)?;
        Ok(UnverifiedFile { key, text, distrust })
    }

    fn open(&self, keys: &KeyServices) -> Result<Plain, SopsError> {
        let key = recovery::data_key(&self.metadata, keys)?;
        // What cannot be taken out of its text is not looked at in parts: the plaintext is written anew.
        if Splice::fits(&self.document) && (!self.rewrites || self.document.can(&MetadataEdit::Remove)) {
            return self.open_in_parts(key);
        }
        let mut cipher = self.cipher(&key);
        let mut edits = Edits::new();
        let outline = self.document.outline();
        // A token is at least four thirds of its plaintext and 110 bytes more.
        let tokens = outline.leaves.len() + outline.comments.len();
        edits.reserve(tokens, self.document.text().len().saturating_sub(110 * tokens) / 4 * 3);
        let mut stale_comments = Vec::new();
        let computed = values::open(&self.document, &self.metadata, &mut cipher, |opened| {
            match opened {
                Opened::Value { id, kind, bytes, .. } => edits.opened(id, kind, bytes),
                Opened::Comment { id, text, .. } => edits.comment(id, text),
                Opened::StaleComment { id } => stale_comments.push(id),
            }
            Ok(())
        })?;
        let distrust = self.check(&computed, &mut cipher);
        let text = self.written(edits, None)?;
        Ok(Plain { key, text, distrust, stale_comments: self.document.lines_of(&stale_comments) })
    }

    /// A cipher for its values. In our own name an empty text may have a token, as `rops` writes it.
    pub(super) fn cipher(&self, key: &DataKey) -> ValueCipher {
        ValueCipher::new(key).with_empties(!self.rewrites)
    }

    /// The text with these edits, and this metadata or none; anew where the text cannot be kept and need not be.
    pub(super) fn written(
        &self,
        mut edits: Edits,
        metadata: Option<&Metadata>,
    ) -> Result<Zeroizing<Vec<u8>>, SopsError> {
        let metadata = metadata.map(Metadata::to_tree);
        edits.metadata = metadata.clone().map_or(MetadataEdit::Remove, MetadataEdit::Set);
        match self.document.apply(&edits) {
            Err(_) if self.rewrites => {
                let tree = self.document.tree(&edits)?;
                Ok(emit(self.document.format(), &tree, metadata.as_ref(), EmitOptions::default())?)
            }
            text => Ok(text?),
        }
    }

    /// The same for a document that can be written from left to right: as many values at once as there are processors.
    fn open_in_parts(&self, key: DataKey) -> Result<Plain, SopsError> {
        let (document, metadata) = (&self.document, &self.metadata);
        let seams = Splice::seams(document, &MetadataEdit::Remove)?;
        let parts = parts::share(document, document);
        let open = |part: &Range<usize>, mut hashed: Hashed<'_>| {
            // A token is a hundred bytes longer than its plaintext, at the least.
            let bytes = if part.start == 0 { document.text().len() } else { parts::bytes(document, part) };
            let leaves = if part.start == 0 { document.outline().leaves.len() } else { part.len() };
            let room = bytes.saturating_sub(100 * leaves);
            let mut splice = Splice::new(document, parts::start(document, part), room, &seams);
            let mut stale = Vec::new();
            values::open_part(document, metadata, &mut self.cipher(&key), part, &mut hashed, |opened| {
                match opened {
                    Opened::Value { id, kind, bytes, .. } => splice.opened(id, kind, bytes)?,
                    Opened::Comment { id, text, .. } => splice.comment(id, text),
                    Opened::StaleComment { id } => stale.push(id),
                }
                Ok(())
            })?;
            Ok::<_, SopsError>((splice, hashed.into_bytes(), stale))
        };
        let mut mac = Mac::new(metadata.mac_only_encrypted);
        let (first, further) = parts::at_once(
            &parts,
            |part| open(part, Hashed::Now(&mut mac)),
            |part| open(part, Hashed::Later(Zeroizing::default())),
        );
        let (mut splice, _, mut stale) = first?;
        for part in further {
            let (next, canonical, more) = part?;
            mac.update(&canonical);
            splice.append(next)?;
            stale.extend(more);
        }
        let distrust = self.check(&mac.finish(), &mut ValueCipher::new(&key));
        let text = splice.finish(&MetadataEdit::Remove)?;
        Ok(Plain { key, text, distrust, stale_comments: document.lines_of(&stale) })
    }

    /// What is wrong with the authentication code, if anything.
    fn check(&self, computed: &str, cipher: &mut ValueCipher) -> Option<SopsError> {
        let Some(stored) = &self.metadata.mac else { return Some(SopsError::MacMissing) };
        let mut code = Zeroizing::new(Vec::with_capacity(128));
        match cipher.decrypt(stored.as_bytes(), &self.metadata.mac_associated_data(), &mut code) {
            Err(problem) => Some(SopsError::MacUnreadable { problem }),
            Ok(label) if label != Label::Str || code.as_slice() != computed.as_bytes() => Some(SopsError::MacMismatch),
            Ok(_) => None,
        }
    }
}

impl Drop for EncryptedFile {
    fn drop(&mut self) {
        self.document.release();
    }
}

/// Everything that opening a file gives.
struct Plain {
    key: DataKey,
    text: Zeroizing<Vec<u8>>,
    distrust: Option<SopsError>,
    stale_comments: Vec<usize>,
}

/// The plaintext of a file that may not be what its author wrote. It can be shown; there is no way back into the file.
pub struct UnverifiedFile {
    pub(super) key: DataKey,
    text: Zeroizing<Vec<u8>>,
    distrust: Option<SopsError>,
}

impl UnverifiedFile {
    /// The plaintext.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// What is wrong with the authentication code, if anything.
    #[must_use]
    pub fn distrust(&self) -> Option<&SopsError> {
        self.distrust.as_ref()
    }
}

impl std::fmt::Debug for UnverifiedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UnverifiedFile({} bytes, {:?})", self.text.len(), self.distrust)
    }
}
