//! The encrypted text before it is encrypted: with placeholders where the tokens will be.

use crate::document::{Document, Edits, KeyId, Kind, LeafId, MetadataEdit, Outline, Replacement, Splice, Style, Visit};

use super::SopsError;
use super::metadata::Metadata;
use super::seal::{Flavour, PLACEHOLDER, Seal};
use super::values::line_of;

/// A laid-out encrypted text.
pub(super) struct Draft {
    /// Where the comments stand, without the text.
    pub(super) places: Option<Document>,
    /// Which leaves have a placeholder.
    pub(super) encrypted: Vec<bool>,
}

impl Seal<'_> {
    /// The text with placeholders, parsed, and whether it says the same as the plaintext. `fits` is what
    /// [`Splice::fits`] says of the document.
    pub(super) fn draft(&self, metadata: &Metadata, fits: bool) -> Result<Draft, SopsError> {
        let document = self.document;
        let outline = document.outline();
        let mut draft_metadata = metadata.clone();
        draft_metadata.mac = Some(String::from_utf8_lossy(PLACEHOLDER).into_owned());
        let mut edits = Edits::new();
        edits.metadata = MetadataEdit::Set(draft_metadata.to_tree());
        let seams = if fits { Splice::seams(document, &edits.metadata)? } else { Vec::new() };
        let tokens = outline.leaves.len() + outline.comments.len();
        let room = document.text().len() + PLACEHOLDER.len() * tokens + 8192 * seams.len().max(1);
        let mut splice = fits.then(|| Splice::new(document, 0, room, &seams));
        let mut encrypted = vec![false; outline.leaves.len()];
        self.scope.walk(document, |visit, must| {
            match visit {
                Visit::Leaf { id, path } if must => {
                    let leaf = outline.leaf(id);
                    let scalar = document.scalar(id)?;
                    let empty = leaf.kind == Kind::Null || scalar.token.is_empty();
                    scalar.wipe();
                    if empty {
                        return Ok(());
                    }
                    if !leaf.tagged {
                        return Err(SopsError::Tagged { path: path.to_key_path(), line: line_of(document, id) });
                    }
                    encrypted[id.0 as usize] = true;
                    match &mut splice {
                        Some(splice) => splice.leaf(id, &Replacement::Token(PLACEHOLDER))?,
                        None => edits.leaf(id, &Replacement::Token(PLACEHOLDER)),
                    }
                }
                Visit::Comment { id, .. } if must && !document.comment(id).is_empty() => match &mut splice {
                    Some(splice) => splice.comment(id, PLACEHOLDER),
                    None => edits.comment(id, PLACEHOLDER),
                },
                _ => {}
            }
            Ok::<(), SopsError>(())
        })?;
        let mut text = match splice {
            Some(splice) => splice.finish(&edits.metadata)?,
            None => document.apply(&edits)?,
        };
        drop(edits);
        let parse = if self.flavour == Flavour::Sops { Document::parse_as_sops } else { Document::parse };
        let mut draft = parse(document.format(), std::mem::take(&mut *text))?;
        self.compare(&draft, &encrypted)?;
        // What is asked of it from here on are its places; its text is longer than the plaintext.
        draft.forget_text();
        // Without comments there is nothing to be found in it.
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
            } else if before.style == Style::Alias || before.range.end == document.text().len() {
                // An alias in clear to an anchor that is encrypted; a block without a line break at the end, which gets
                // one before the metadata.
                let kind = before.style == Style::Alias || after.kind == before.kind;
                kind && document.scalar(id)?.canonical == draft.scalar(id)?.canonical
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
}
