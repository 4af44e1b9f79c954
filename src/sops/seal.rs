//! From a plaintext document to the text of its encrypted file.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::cipher::{Label, Mac, ValueCipher};
use crate::document::{
    CommentId, Document, Edits, Format, Kind, LeafId, MetadataEdit, Path, Replacement, Splice, Style, Visit,
};

use super::SopsError;
use super::draft::Draft;
use super::kept::Kept;
use super::metadata::{Metadata, time_of};
use super::parts::{self, Hashed};
use super::pattern::Pattern;
use super::scope::EncryptionScope;
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

/// What decides about a leaf.
#[derive(Clone, Copy)]
struct Leaves<'l> {
    document: &'l Document,
    draft: Option<&'l Draft>,
    only_encrypted: bool,
}

/// What the parts of a document have in common.
struct Whole<'w> {
    seal: &'w Seal<'w>,
    leaves: Leaves<'w>,
    /// Where the comments will stand.
    places: &'w Document,
    /// Where the metadata will stand, in a stream.
    seams: &'w [Range<usize>],
}

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
        let yaml = self.document.format() == Format::Yaml;
        let fits = Splice::fits(self.document);
        let quick = fits && self.kept.is_none();
        if quick && (!yaml || self.is_stable() || self.document.outline().comments.is_empty()) {
            return self.run_in_parts(metadata, None);
        }
        let draft = if yaml { Some(self.draft(metadata, fits)?) } else { None };
        if let Some(Draft { places: Some(places), .. }) = &draft
            && quick
            && Splice::fits_walk(self.document, places)
        {
            return self.run_in_parts(metadata, draft.as_ref());
        }
        let places = draft.as_ref().and_then(|draft| draft.places.as_ref()).unwrap_or(self.document);
        let mut edits = Edits::new();
        let leaves = self.document.outline().leaves.len() + self.document.outline().comments.len();
        // A token is its plaintext in base64 and 110 bytes more.
        edits.reserve(leaves, self.document.text().len() / 3 * 4 + 110 * leaves);
        self.dropped_comments(places, &mut edits)?;

        let (document, scope) = (self.document, self.scope);
        let leaves = Leaves { document, draft: draft.as_ref(), only_encrypted: metadata.mac_only_encrypted };
        let mut mac = Mac::new(metadata.mac_only_encrypted);
        let mut token = Vec::with_capacity(1024);
        scope.walk_with(
            places,
            |id| document.comment(id),
            |visit, must| {
                match visit {
                    Visit::Leaf { id, path } => {
                        let hash = |canonical: &[u8]| mac.update(canonical);
                        leaves.leaf(id, must, hash, |label, plaintext| {
                            let token = self.token(label, plaintext, path.associated_data(), &mut token)?;
                            edits.leaf(id, &Replacement::Token(token));
                            Ok(())
                        })?;
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

    /// Whether a token in any place of the text changes nothing else: there is nothing to be found out. An item that looks
    /// like an encrypted comment would be one no more.
    fn is_stable(&self) -> bool {
        let outline = self.document.outline();
        outline.plain_lines && !outline.comments.iter().any(|comment| comment.item)
    }

    /// The same for a document that can be written from left to right: as many values at once as there are processors. If
    /// there is need of a draft and none yet, the placeholders are read back meanwhile.
    fn run_in_parts(&self, metadata: &mut Metadata, draft: Option<&Draft>) -> Result<Vec<u8>, SopsError> {
        let document = self.document;
        let places = draft.and_then(|draft| draft.places.as_ref()).unwrap_or(document);
        let parts = parts::share(document, places);
        let seams = Splice::seams(document, &MetadataEdit::Set(metadata.to_tree()))?;
        let mut mac = Mac::new(metadata.mac_only_encrypted);
        let known: &Metadata = metadata;
        let unsure = document.format() == Format::Yaml && draft.is_none() && !self.is_stable();
        let check = || if unsure { self.draft(known, true).map(drop) } else { Ok(()) };
        let leaves = Leaves { document, draft, only_encrypted: known.mac_only_encrypted };
        let whole = Whole { seal: self, leaves, places, seams: &seams };
        let seal = || {
            parts::at_once(
                &parts,
                |part| whole.part(part, Hashed::Now(&mut mac)),
                |part| whole.part(part, Hashed::Later(Zeroizing::default())),
            )
        };
        let (checked, (first, further)) = parts::beside(parts.len() > 1 && unsure, check, seal);
        checked?;
        let (mut splice, _) = first?;
        for part in further {
            let (next, canonical) = part?;
            mac.update(&canonical);
            splice.append(next)?;
        }
        seal_code(metadata, &mac.finish(), &mut self.cipher.sibling())?;
        let mut text = splice.finish(&MetadataEdit::Set(metadata.to_tree()))?;
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
        let (document, scope) = (self.document, self.scope);
        let text = document.comment(id);
        let seal = |buffer: &mut Vec<u8>| {
            self.token(Label::Comment, text, path.associated_data(), buffer)?;
            Ok(())
        };
        if comment_token(document, id, scope.mark(), buffer, seal)? {
            edits.comment(id, buffer);
        }
        Ok(())
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
        let mut dropped = Vec::new();
        for (index, comment) in places.outline().comments.iter().enumerate() {
            let id = CommentId(u32::try_from(index).unwrap_or(u32::MAX));
            if !comment.dropped || self.document.comment(id).trim_ascii().is_empty() {
                continue;
            }
            match self.flavour {
                Flavour::Own => dropped.push(id),
                Flavour::Sops => edits.comment(id, b""),
            }
        }
        if dropped.is_empty() {
            return Ok(());
        }
        Err(SopsError::DroppedComments { lines: self.document.lines_of(&dropped) })
    }
}

/// Puts the token of a comment that is to be encrypted into `buffer`; `false` if there is nothing to encrypt. Where
/// comments mark what is to be encrypted, a reader would take a token that matches for a mark.
fn comment_token(
    document: &Document,
    id: CommentId,
    mark: Option<&Pattern>,
    buffer: &mut Vec<u8>,
    mut seal: impl FnMut(&mut Vec<u8>) -> Result<(), SopsError>,
) -> Result<bool, SopsError> {
    if document.comment(id).is_empty() {
        return Ok(false);
    }
    for _ in 0..DRAWS {
        seal(buffer)?;
        if !mark.is_some_and(|mark| mark.is_match(buffer)) {
            return Ok(true);
        }
    }
    Err(SopsError::EncryptedMark { line: line_of_comment(document, id) })
}

impl Leaves<'_> {
    /// Gives a leaf's canonical bytes to `hash`, and to `seal` what is to be encrypted of it, if it is.
    fn leaf(
        &self,
        id: LeafId,
        must: bool,
        hash: impl FnOnce(&[u8]),
        seal: impl FnOnce(Label, &[u8]) -> Result<(), SopsError>,
    ) -> Result<(), SopsError> {
        let scalar = self.document.scalar(id)?;
        if must || !self.only_encrypted {
            hash(&scalar.canonical);
        }
        let encrypted = must && scalar.kind != Kind::Null && !scalar.token.is_empty();
        if self.draft.is_some_and(|draft| draft.encrypted[id.0 as usize] != encrypted) {
            return Err(SopsError::Unstable { line: line_of(self.document, id) });
        }
        if encrypted {
            seal(label_of(scalar.kind), &scalar.token)?;
        }
        scalar.wipe();
        Ok(())
    }
}

impl<'w> Whole<'w> {
    /// The encrypted text of a part, and what is left of it to be hashed.
    fn part(&self, part: &Range<usize>, mut hashed: Hashed<'_>) -> Result<Part<'w>, SopsError> {
        let Self { seal, leaves, places, seams } = *self;
        let document = seal.document;
        let mut splice = Splice::new(document, parts::start(document, part), self.room(part), seams);
        let mut cipher = seal.cipher.sibling();
        let mut token = Vec::with_capacity(1024);
        let comment = |id| document.comment(id);
        seal.scope.walk_part(places, part, comment, |visit, must| {
            match visit {
                Visit::Leaf { id, path } => {
                    let hash = |canonical: &[u8]| hashed.update(canonical);
                    leaves.leaf(id, must, hash, |label, plaintext| {
                        token.clear();
                        let path = path.associated_data();
                        cipher.encrypt(label, plaintext, path, &mut token).map_err(SopsError::Cipher)?;
                        Ok(splice.leaf(id, &Replacement::Token(&token))?)
                    })?;
                }
                Visit::Comment { id, path } if must => {
                    let encrypt = |token: &mut Vec<u8>| {
                        token.clear();
                        let (text, path) = (document.comment(id), path.associated_data());
                        cipher.encrypt(Label::Comment, text, path, token).map_err(SopsError::Cipher)
                    };
                    if comment_token(document, id, seal.scope.mark(), &mut token, encrypt)? {
                        splice.comment(id, &token);
                    }
                }
                _ => {}
            }
            Ok::<(), SopsError>(())
        })?;
        Ok((splice, hashed.into_bytes()))
    }

    /// The bytes of a part. The first one grows by all others. A token is its plaintext in base64 and 110 bytes more.
    fn room(&self, part: &Range<usize>) -> usize {
        let document = self.seal.document;
        let outline = document.outline();
        let (bytes, leaves, comments) = match part.start {
            0 => (document.text().len(), outline.leaves.len(), outline.comments.len()),
            _ => {
                let comments = outline.comments.len() * part.len() / outline.leaves.len().max(1);
                (parts::bytes(document, part), part.len(), comments)
            }
        };
        bytes / 3 * 4 + 112 * (leaves + comments) + 8192 * self.seams.len().max(1)
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
