//! The walk over an encrypted document that opens every value on its way.

use zeroize::Zeroizing;

use crate::cipher::{Label, Mac, ValueCipher};
use crate::document::{CommentId, Document, Kind, LeafId, Path, Visit, canonical};

use super::SopsError;
use super::metadata::Metadata;
use super::scope::EncryptionScope;

/// What a value was found to be.
pub(super) enum Opened<'v> {
    /// A value that was encrypted.
    Value { id: LeafId, kind: Kind, bytes: &'v [u8], token: &'v [u8], path: &'v Path<'v> },
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
    let scope = EncryptionScope::of_metadata(metadata);
    let mut mac = Mac::new(metadata.mac_only_encrypted);
    let mut plain = Zeroizing::new(Vec::with_capacity(1024));
    scope.walk(document, |visit, must| match visit {
        Visit::Leaf { id, path } => {
            let scalar = document.scalar(id)?;
            if !must || scalar.kind == Kind::Null || (scalar.kind == Kind::Str && scalar.token.is_empty()) {
                if !metadata.mac_only_encrypted || must {
                    mac.update(&scalar.canonical);
                }
                return Ok(());
            }
            let place = || (path.to_key_path(), line_of(document, id));
            if scalar.kind != Kind::Str {
                let (path, line) = place();
                return Err(SopsError::NotText { path, line, kind: kind_word(scalar.kind) });
            }
            plain.clear();
            let label = cipher.decrypt(&scalar.token, path.associated_data(), &mut plain).map_err(|problem| {
                let (path, line) = place();
                SopsError::Value { path, line, problem }
            })?;
            let content = || {
                let (path, line) = place();
                SopsError::Content { path, line, kind: label.word() }
            };
            let kind = kind_of(label).ok_or_else(content)?;
            mac.update(&canonical(kind, &plain).ok_or_else(content)?);
            see(Opened::Value { id, kind, bytes: &plain, token: &scalar.token, path })
        }
        Visit::Comment { id, path } if must => {
            let text = document.comment(id);
            if text.is_empty() {
                return Ok(());
            }
            plain.clear();
            match cipher.decrypt(text, path.associated_data(), &mut plain) {
                Ok(_) => see(Opened::Comment { id, text: &plain, path }),
                Err(_) => see(Opened::StaleComment { id }),
            }
        }
        _ => Ok(()),
    })?;
    Ok(mac.finish())
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
