//! The walk over an encrypted document that opens every value on its way.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::cipher::{Label, Mac, ValueCipher};
use crate::document::{CommentId, Document, Kind, LeafId, Path, Visit};

use super::SopsError;
use super::metadata::Metadata;
use super::parts::Hashed;
use super::scope::EncryptionScope;

/// What a value was found to be.
pub(super) enum Opened<'v> {
    /// A value that was encrypted.
    Value { id: LeafId, kind: Kind, bytes: &'v [u8], path: &'v Path<'v> },
    /// A comment that was encrypted.
    Comment { id: CommentId, text: &'v [u8], path: &'v Path<'v> },
    /// A comment that should be encrypted and is not; SOPS keeps those as they are.
    StaleComment { id: CommentId },
}

/// Opens every value in walk order and gives the authentication code over them.
///
/// # Errors
/// The first value that cannot be opened, with its path and line; the first error of `see`.
pub(super) fn open(
    document: &Document,
    metadata: &Metadata,
    cipher: &mut ValueCipher,
    mut see: impl FnMut(Opened<'_>) -> Result<(), SopsError>,
) -> Result<String, SopsError> {
    let mut mac = Mac::new(metadata.mac_only_encrypted);
    let mut opener = Opener { document, metadata, cipher, plain: Zeroizing::new(Vec::with_capacity(1024)) };
    EncryptionScope::of_metadata(metadata)
        .walk(document, |visit, must| opener.visit(&visit, must, |canonical| mac.update(canonical), &mut see))?;
    Ok(mac.finish())
}

/// Opens the values of one part of a document; see [`super::parts`].
///
/// # Errors
/// As for [`open`].
pub(super) fn open_part(
    document: &Document,
    metadata: &Metadata,
    cipher: &mut ValueCipher,
    part: &Range<usize>,
    hashed: &mut Hashed<'_>,
    mut see: impl FnMut(Opened<'_>) -> Result<(), SopsError>,
) -> Result<(), SopsError> {
    let mut opener = Opener { document, metadata, cipher, plain: Zeroizing::new(Vec::with_capacity(1024)) };
    let comment = |id| document.comment(id);
    EncryptionScope::of_metadata(metadata).walk_part(document, part, comment, |visit, must| {
        opener.visit(&visit, must, |canonical| hashed.update(canonical), &mut see)
    })
}

/// What it takes to open the values of a document.
struct Opener<'o> {
    document: &'o Document,
    metadata: &'o Metadata,
    cipher: &'o mut ValueCipher,
    /// The last plaintext.
    plain: Zeroizing<Vec<u8>>,
}

impl Opener<'_> {
    fn visit(
        &mut self,
        visit: &Visit<'_>,
        must: bool,
        hash: impl FnMut(&[u8]),
        see: &mut impl FnMut(Opened<'_>) -> Result<(), SopsError>,
    ) -> Result<(), SopsError> {
        let (document, only_encrypted) = (self.document, self.metadata.mac_only_encrypted);
        match *visit {
            Visit::Leaf { id, path } => {
                let leaf = Leaf { document, id, path, must, only_encrypted };
                match leaf.open(self.cipher, &mut self.plain, hash)? {
                    None => Ok(()),
                    Some(kind) => see(Opened::Value { id, kind, bytes: &self.plain, path }),
                }
            }
            Visit::Comment { id, path } if must => self.comment(id, path, see),
            _ => Ok(()),
        }
    }

    fn comment(
        &mut self,
        id: CommentId,
        path: &Path<'_>,
        see: &mut impl FnMut(Opened<'_>) -> Result<(), SopsError>,
    ) -> Result<(), SopsError> {
        let text = self.document.comment(id);
        if text.is_empty() {
            return Ok(());
        }
        self.plain.clear();
        match self.cipher.decrypt(text, path.associated_data(), &mut self.plain) {
            Ok(_) => see(Opened::Comment { id, text: &self.plain, path }),
            // What stands as an item has no clear form: it is a token that somebody changed.
            Err(problem) if self.document.outline().comment(id).item => {
                let line = line_of_comment(self.document, id);
                Err(SopsError::Value { path: path.to_key_path(), line, problem })
            }
            Err(_) => see(Opened::StaleComment { id }),
        }
    }
}

/// A leaf of an encrypted document.
struct Leaf<'v> {
    document: &'v Document,
    id: LeafId,
    path: &'v Path<'v>,
    must: bool,
    only_encrypted: bool,
}

impl Leaf<'_> {
    /// Puts its value into `plain` and hashes it; `None` if it is not encrypted.
    fn open(
        &self,
        cipher: &mut ValueCipher,
        plain: &mut Zeroizing<Vec<u8>>,
        mut hash: impl FnMut(&[u8]),
    ) -> Result<Option<Kind>, SopsError> {
        let scalar = self.document.scalar(self.id)?;
        if !self.must || scalar.kind == Kind::Null || (scalar.kind == Kind::Str && scalar.token.is_empty()) {
            if !self.only_encrypted || self.must {
                hash(&scalar.canonical);
            }
            scalar.wipe();
            return Ok(None);
        }
        let place = || (self.path.to_key_path(), line_of(self.document, self.id));
        if scalar.kind != Kind::Str {
            let (path, line) = place();
            return Err(SopsError::NotText { path, line, kind: kind_word(scalar.kind) });
        }
        plain.clear();
        let label = cipher.decrypt(&scalar.token, self.path.associated_data(), plain).map_err(|problem| {
            let (path, line) = place();
            SopsError::Value { path, line, problem }
        })?;
        let content = || {
            let (path, line) = place();
            SopsError::Content { path, line, kind: label.word() }
        };
        let kind = kind_of(label).ok_or_else(content)?;
        hash(&self.document.canonical_of(self.id, kind, plain).ok_or_else(content)?);
        Ok(Some(kind))
    }
}

/// The 1-based line on which a leaf begins.
pub(super) fn line_of(document: &Document, id: LeafId) -> usize {
    document.position(document.outline().leaf(id).range.start).0
}

/// The 1-based line of a comment.
pub(super) fn line_of_comment(document: &Document, id: CommentId) -> usize {
    document.position(document.outline().comment(id).range.start).0
}

pub(super) const fn label_of(kind: Kind) -> Label {
    match kind {
        Kind::Str | Kind::Null => Label::Str,
        Kind::Int => Label::Int,
        Kind::Float => Label::Float,
        Kind::Bool => Label::Bool,
        Kind::Time => Label::Time,
    }
}

pub(super) const fn kind_of(label: Label) -> Option<Kind> {
    Some(match label {
        Label::Str | Label::Bytes => Kind::Str,
        Label::Int => Kind::Int,
        Label::Float => Kind::Float,
        Label::Bool => Kind::Bool,
        Label::Time => Kind::Time,
        Label::Comment => return None,
    })
}

pub(super) const fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Str => "text",
        Kind::Int => "integer",
        Kind::Float => "number",
        Kind::Bool => "truth value",
        Kind::Time => "time",
        Kind::Null => "null",
    }
}
