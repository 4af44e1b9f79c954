//! From a plaintext document to the text of its encrypted file.

use crate::cipher::{Label, Mac, ValueCipher};
use crate::document::{
    CommentId, Document, Edits, Format, KeyId, Kind, LeafId, MetadataEdit, Outline, Path, Replacement, Style, Visit,
};

use super::SopsError;
use super::kept::Kept;
use super::metadata::{Metadata, time_of};
use super::scope::{EncryptionScope, Selector};
use super::values::{label_of, line_of, line_of_comment};

/// Whose manners to keep where the format leaves none to be followed faithfully.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavour {
    /// Our own: what cannot be kept or would stay readable is refused, with its line.
    #[default]
    Own,
    /// Those of the program `sops`: aliases become copies, and a comment that it drops is emptied.
    Sops,
}

/// Stands for a token while the places of comments are found out; as plain and as unquotable as a real one.
pub(super) const PLACEHOLDER: &[u8] = b"ENC[AES256_GCM,data:,iv:,tag:,type:str]";

/// How often a token is drawn again that by chance matches the pattern of the marking comments.
pub(super) const DRAWS: usize = 32;

/// What it takes to encrypt one document.
pub(super) struct Seal<'a> {
    pub(super) document: &'a Document,
    pub(super) scope: &'a EncryptionScope,
    pub(super) cipher: &'a mut ValueCipher,
    /// Tokens of an older version of the file, for what has not changed.
    pub(super) kept: Option<Kept>,
    pub(super) flavour: Flavour,
}

impl Seal<'_> {
    /// The encrypted text, with `metadata` renewed in it.
    ///
    /// SOPS attributes the comments of the *encrypted* text when it decrypts, so that text is laid out first with
    /// placeholders, and the containers found in it give the associated data.
    pub(super) fn run(mut self, metadata: &mut Metadata, now: jiff::Timestamp) -> Result<Vec<u8>, SopsError> {
        metadata.lastmodified = time_of(now);
        self.refuse_shared()?;
        let draft = if self.document.format() == Format::Yaml { Some(self.draft(metadata)?) } else { None };
        let places = draft.as_ref().and_then(|draft| draft.places.as_ref()).unwrap_or(self.document);
        let mut edits = Edits::new();
        let leaves = self.document.outline().leaves.len() + self.document.outline().comments.len();
        // A token is its plaintext in base64 and 110 bytes more.
        edits.reserve(leaves, self.document.text().len() / 3 * 4 + 110 * leaves);
        self.dropped_comments(places, &mut edits)?;

        let (document, scope) = (self.document, self.scope);
        let mut mac = Mac::new(metadata.mac_only_encrypted);
        let mut token = Vec::with_capacity(1024);
        scope.walk_with(
            places,
            |id| document.comment(id),
            |visit, must| {
                match visit {
                    Visit::Leaf { id, path } => {
                        let scalar = document.scalar(id)?;
                        if must || !metadata.mac_only_encrypted {
                            mac.update(&scalar.canonical);
                        }
                        let encrypted = must && scalar.kind != Kind::Null && !scalar.token.is_empty();
                        if draft.as_ref().is_some_and(|draft| draft.encrypted[id.0 as usize] != encrypted) {
                            return Err(SopsError::Unstable { line: line_of(document, id) });
                        }
                        if encrypted {
                            let aad = path.associated_data();
                            let label = label_of(scalar.kind);
                            let token = self.token(label, &scalar.token, aad, &mut token)?;
                            edits.leaf(id, &Replacement::Token(token));
                        }
                    }
                    Visit::Comment { id, path } if must => self.comment(id, path, &mut token, &mut edits)?,
                    _ => {}
                }
                Ok::<(), SopsError>(())
            },
        )?;

        drop(draft);
        seal_code(metadata, &mac.finish(), self.cipher)?;
        edits.metadata = MetadataEdit::Set(metadata.to_tree());
        let mut text = document.apply(&edits)?;
        Ok(std::mem::take(&mut *text))
    }

    /// The token of a value: the old one if the value stood there before, else a new one in `buffer`.
    pub(super) fn token<'b>(
        &mut self,
        label: Label,
        plaintext: &[u8],
        associated_data: &str,
        buffer: &'b mut Vec<u8>,
    ) -> Result<&'b [u8], SopsError> {
        buffer.clear();
        if let Some(old) = self.kept.as_mut().and_then(|kept| kept.take(label, plaintext, associated_data)) {
            buffer.extend_from_slice(&old);
            return Ok(buffer);
        }
        self.cipher.encrypt(label, plaintext, associated_data, buffer).map_err(SopsError::Cipher)?;
        Ok(buffer)
    }

    fn comment(
        &mut self,
        id: CommentId,
        path: &Path<'_>,
        buffer: &mut Vec<u8>,
        edits: &mut Edits,
    ) -> Result<(), SopsError> {
        let text = self.document.comment(id);
        if text.is_empty() {
            return Ok(());
        }
        let scope = self.scope;
        let (Selector::UnencryptedCommentRegex(mark) | Selector::EncryptedCommentRegex(mark)) = scope.selector() else {
            edits.comment(id, self.token(Label::Comment, text, path.associated_data(), buffer)?);
            return Ok(());
        };
        // A reader would take a token that matches for a mark.
        for _ in 0..DRAWS {
            let token = self.token(Label::Comment, text, path.associated_data(), buffer)?;
            if !mark.is_match(token) {
                edits.comment(id, token);
                return Ok(());
            }
        }
        Err(SopsError::EncryptedMark { line: line_of_comment(self.document, id) })
    }

    /// Aliases over values that are to be encrypted: the associated data of a shared token could be that of one place
    /// only.
    fn refuse_shared(&self) -> Result<(), SopsError> {
        let document = self.document;
        if !document.outline().aliases {
            return Ok(());
        }
        let mut leaves = vec![(0, false); document.text().len() + 1];
        let mut comments = vec![(0, false); document.outline().comments.len()];
        let mut first = None;
        self.scope.walk(document, |visit, must| {
            let (seen, start) = match visit {
                Visit::Leaf { id, .. } => {
                    let leaf = document.outline().leaf(id);
                    let must = must && leaf.kind != Kind::Null;
                    let seen = &mut leaves[leaf.range.start];
                    *seen = (seen.0 + 1, seen.1 || must);
                    (*seen != (1, true) || leaf.style == Style::Alias).then_some((*seen, leaf.range.start)).unzip()
                }
                Visit::Comment { id, .. } => {
                    let seen = &mut comments[id.0 as usize];
                    *seen = (seen.0 + 1, seen.1 || must);
                    (seen.0 > 1).then_some((*seen, document.outline().comment(id).range.start)).unzip()
                }
                _ => (None, None),
            };
            if let (Some((_, true)), Some(start)) = (seen, start) {
                first = first.or(Some(start));
            }
            Ok::<(), SopsError>(())
        })?;
        first.map_or(Ok(()), |start| Err(SopsError::Aliases { line: document.position(start).0 }))
    }

    /// The text with placeholders, parsed, and whether it says the same as the plaintext.
    fn draft(&self, metadata: &Metadata) -> Result<Draft, SopsError> {
        let document = self.document;
        let outline = document.outline();
        let mut edits = Edits::new();
        let mut encrypted = vec![false; outline.leaves.len()];
        self.scope.walk(document, |visit, must| {
            match visit {
                Visit::Leaf { id, path } if must => {
                    let leaf = outline.leaf(id);
                    if leaf.kind == Kind::Null || document.scalar(id)?.token.is_empty() {
                        return Ok(());
                    }
                    if !leaf.tagged {
                        return Err(SopsError::Tagged { path: path.to_key_path(), line: line_of(document, id) });
                    }
                    encrypted[id.0 as usize] = true;
                    edits.leaf(id, &Replacement::Token(PLACEHOLDER));
                }
                Visit::Comment { id, .. } if must && !document.comment(id).is_empty() => {
                    edits.comment(id, PLACEHOLDER);
                }
                _ => {}
            }
            Ok::<(), SopsError>(())
        })?;
        let mut draft_metadata = metadata.clone();
        draft_metadata.mac = Some(String::from_utf8_lossy(PLACEHOLDER).into_owned());
        edits.metadata = MetadataEdit::Set(draft_metadata.to_tree());
        let mut text = document.apply(&edits)?;
        drop(edits);
        let parse = if self.flavour == Flavour::Sops { Document::parse_as_sops } else { Document::parse };
        let draft = parse(document.format(), std::mem::take(&mut *text))?;
        self.compare(&draft, &encrypted)?;
        // Without comments there is nothing to be found in it, and it takes as much memory as the plaintext.
        Ok(Draft { places: (!outline.comments.is_empty()).then_some(draft), encrypted })
    }

    /// Refuses a document whose encrypted text would hold other values than its plaintext.
    fn compare(&self, draft: &Document, encrypted: &[bool]) -> Result<(), SopsError> {
        let document = self.document;
        let (old, new) = (document.outline(), draft.outline());
        let counts = |outline: &Outline| (outline.comments.len(), outline.leaves.len(), outline.keys.len());
        if counts(old) != counts(new) {
            return Err(SopsError::Unstable { line: document.position(document.text().len()).0 });
        }
        for (before, key) in (0..).map(KeyId).zip(&old.keys) {
            if old.key(before) != new.key(before) {
                let line = document.position(key.range.start).0;
                // An alias may be a key, and its anchor a value that is encrypted.
                return Err(if old.aliases { SopsError::Aliases { line } } else { SopsError::Unstable { line } });
            }
        }
        for (index, encrypted) in encrypted.iter().enumerate() {
            let id = LeafId(u32::try_from(index).unwrap_or(u32::MAX));
            let (before, after) = (old.leaf(id), new.leaf(id));
            let same = if *encrypted {
                after.kind == Kind::Str
            } else if before.style == Style::Alias {
                // An alias in clear to an anchor that is encrypted.
                document.scalar(id)?.canonical == draft.scalar(id)?.canonical
            } else {
                after.kind == before.kind
            };
            if !same && before.style == Style::Alias {
                return Err(SopsError::Aliases { line: line_of(document, id) });
            }
            if !same {
                return Err(SopsError::Unstable { line: line_of(document, id) });
            }
        }
        Ok(())
    }

    /// Comments that SOPS does not see in the encrypted text: they would be left as they are.
    fn dropped_comments(&self, places: &Document, edits: &mut Edits) -> Result<(), SopsError> {
        let mut lines = Vec::new();
        for (index, comment) in places.outline().comments.iter().enumerate() {
            let id = CommentId(u32::try_from(index).unwrap_or(u32::MAX));
            if !comment.dropped || self.document.comment(id).trim_ascii().is_empty() {
                continue;
            }
            match self.flavour {
                Flavour::Own => lines.push(line_of_comment(self.document, id)),
                Flavour::Sops => edits.comment(id, b""),
            }
        }
        if lines.is_empty() { Ok(()) } else { Err(SopsError::DroppedComments { lines }) }
    }
}

/// A laid-out encrypted text.
struct Draft {
    /// Where the comments stand.
    places: Option<Document>,
    /// Which leaves have a placeholder.
    encrypted: Vec<bool>,
}

/// Puts the encrypted authentication code into the metadata.
pub(super) fn seal_code(metadata: &mut Metadata, code: &str, cipher: &mut ValueCipher) -> Result<(), SopsError> {
    let mut token = Vec::with_capacity(320);
    cipher
        .encrypt(Label::Str, code.as_bytes(), &metadata.mac_associated_data(), &mut token)
        .map_err(SopsError::Cipher)?;
    metadata.mac = Some(String::from_utf8_lossy(&token).into_owned());
    Ok(())
}
