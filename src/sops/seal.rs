//! From a plaintext document to the text of its encrypted file.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::cipher::{Label, Mac, ValueCipher};
use crate::document::{
    CommentId, Document, Edits, Format, Kind, MetadataEdit, Path, Replacement, Splice, Style, Visit,
};

use super::SopsError;
use super::kept::Kept;
use super::metadata::{Metadata, time_of};
use super::parts::{self, Hashed};
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

/// A part's text, and the bytes that are still to be hashed.
type Part<'d> = (Splice<'d>, Zeroizing<Vec<u8>>);

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
        if self.kept.is_none() && Splice::fits(self.document) {
            return self.run_in_parts(metadata);
        }
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
                        scalar.wipe();
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

    /// The same for a document without comments: as many values at once as there are processors, and meanwhile the
    /// placeholders are read back.
    fn run_in_parts(&self, metadata: &mut Metadata) -> Result<Vec<u8>, SopsError> {
        let document = self.document;
        let parts = parts::share(document);
        let mut mac = Mac::new(metadata.mac_only_encrypted);
        let known: &Metadata = metadata;
        // A token in a plain line leaves a plain line: there is nothing to be found out.
        let stable = document.format() != Format::Yaml || document.outline().plain_lines;
        let check = || if stable { Ok(()) } else { self.draft(known).map(drop) };
        let seal = || {
            parts::at_once(
                &parts,
                |part| self.part(part, known.mac_only_encrypted, Hashed::Now(&mut mac)),
                |part| self.part(part, known.mac_only_encrypted, Hashed::Later(Zeroizing::default())),
            )
        };
        let (checked, (first, further)) = parts::beside(parts.len() > 1 && !stable, check, seal);
        checked?;
        let (mut splice, _) = first?;
        for part in further {
            let (next, canonical) = part?;
            mac.update(&canonical);
            splice.append(next);
        }
        seal_code(metadata, &mac.finish(), &mut self.cipher.sibling())?;
        let mut text = splice.finish(&MetadataEdit::Set(metadata.to_tree()))?;
        Ok(std::mem::take(&mut *text))
    }

    /// The encrypted text of a part, and what is left of it to be hashed.
    fn part(&self, part: &Range<usize>, only_encrypted: bool, mut hashed: Hashed<'_>) -> Result<Part<'_>, SopsError> {
        let document = self.document;
        // The first part grows by all others. A token is its plaintext in base64 and 110 bytes more.
        let first = part.start == 0;
        let bytes = if first { document.text().len() } else { parts::bytes(document, part) };
        let leaves = if first { document.outline().leaves.len() } else { part.len() };
        let mut splice = Splice::new(document, parts::start(document, part), bytes / 3 * 4 + 112 * leaves + 8192);
        let mut cipher = self.cipher.sibling();
        let mut token = Vec::with_capacity(1024);
        self.scope.walk_leaves(document, part, |id, path, must| {
            let scalar = document.scalar(id)?;
            if must || !only_encrypted {
                hashed.update(&scalar.canonical);
            }
            if must && scalar.kind != Kind::Null && !scalar.token.is_empty() {
                token.clear();
                cipher
                    .encrypt(label_of(scalar.kind), &scalar.token, path.associated_data(), &mut token)
                    .map_err(SopsError::Cipher)?;
                splice.leaf(id, &Replacement::Token(&token))?;
            }
            scalar.wipe();
            Ok::<(), SopsError>(())
        })?;
        Ok((splice, hashed.into_bytes()))
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

/// Puts the encrypted authentication code into the metadata.
pub(super) fn seal_code(metadata: &mut Metadata, code: &str, cipher: &mut ValueCipher) -> Result<(), SopsError> {
    let mut token = Vec::with_capacity(320);
    cipher
        .encrypt(Label::Str, code.as_bytes(), &metadata.mac_associated_data(), &mut token)
        .map_err(SopsError::Cipher)?;
    metadata.mac = Some(String::from_utf8_lossy(&token).into_owned());
    Ok(())
}
