//! New text over old leaves, written from left to right.

use zeroize::{Zeroize as _, Zeroizing};

use super::Document;
use super::edit::{MetadataEdit, Replacement};
use super::outline::{Leaf, LeafId};
use super::scalar::Kind;
use super::syntax::{self, Format, SyntaxError, SyntaxErrorKind};

/// The longest text that a writer makes of one byte, `\u0000`.
const LONGEST_ESCAPE: usize = 6;

/// The text of a document, or of a part of it, while new leaves are written into it in source order.
///
/// What [`super::Edits`] collect and sort first is written at once, and parts can be written at the same time.
pub struct Splice<'d> {
    document: &'d Document,
    out: Zeroizing<Vec<u8>>,
    /// Where it begins, and how far it is, in the document.
    from: usize,
    copied: usize,
    /// Whether `out` is plaintext: the document is encrypted.
    secret: bool,
}

impl<'d> Splice<'d> {
    /// Whether a document can be written so: its walk meets the leaves in source order, nothing else changes between
    /// them, and no comment does.
    #[must_use]
    pub fn fits(document: &Document) -> bool {
        let outline = document.outline();
        let end = outline.leaves.last().map_or(0, |leaf| leaf.range.end);
        document.format != Format::Binary
            && outline.comments.is_empty()
            && !outline.aliases
            && outline.documents.len() < 2
            && outline.more_metadata.is_empty()
            && outline.metadata.as_ref().is_none_or(|metadata| metadata.range.start >= end)
            && outline.leaves.is_sorted_by_key(|leaf| leaf.range.start)
    }

    /// A copy that begins with the byte `from`, with room for so many bytes.
    #[must_use]
    pub fn new(document: &'d Document, from: usize, bytes: usize) -> Self {
        let secret = document.metadata().is_some();
        Self { document, out: Zeroizing::new(Vec::with_capacity(bytes)), from, copied: from, secret }
    }

    /// Writes `value` over a leaf, which must stand behind all before it.
    ///
    /// # Errors
    /// [`SyntaxError`] when it cannot stand there.
    pub fn leaf(&mut self, id: LeafId, value: &Replacement<'_>) -> Result<(), SyntaxError> {
        let syntax = self.document.format.syntax();
        self.write(id, value, |text, leaf, out| syntax.write_leaf(text, leaf, value, out))
    }

    /// Writes what the leaf's token held, in the spelling in which it held it.
    ///
    /// # Errors
    /// As for [`Self::leaf`].
    pub fn opened(&mut self, id: LeafId, kind: Kind, bytes: &[u8]) -> Result<(), SyntaxError> {
        let (syntax, value) = (self.document.format.syntax(), &Replacement::Value { kind, bytes });
        self.write(id, value, |text, leaf, out| syntax.write_opened(text, leaf, value, out))
    }

    fn write(
        &mut self,
        id: LeafId,
        value: &Replacement<'_>,
        write: impl FnOnce(&[u8], &Leaf, &mut Vec<u8>) -> Result<(), SyntaxError>,
    ) -> Result<(), SyntaxError> {
        let document = self.document;
        let leaf = document.outline.leaf(id);
        let (Replacement::Token(bytes) | Replacement::Value { bytes, .. }) = value;
        self.copy(leaf.range.start);
        self.reserve(LONGEST_ESCAPE * bytes.len() + 256);
        write(&document.text, leaf, &mut self.out)?;
        self.copied = self.copied.max(leaf.range.end);
        Ok(())
    }

    /// Copies the text up to the byte `to`.
    pub fn copy(&mut self, to: usize) {
        if to > self.copied {
            self.reserve(to - self.copied);
            self.out.extend_from_slice(&self.document.text[self.copied..to]);
            self.copied = to;
        }
    }

    /// Goes on with a part that begins where this one ends.
    pub fn append(&mut self, mut next: Self) {
        self.copy(next.from);
        self.reserve(next.out.len());
        self.out.extend_from_slice(&next.out);
        self.copied = next.copied;
        next.release();
    }

    /// Copies the rest, with `edit` made in it.
    ///
    /// # Errors
    /// [`SyntaxError`] when there is no place for the metadata block, or none behind the leaves.
    pub fn finish(mut self, edit: &MetadataEdit) -> Result<Zeroizing<Vec<u8>>, SyntaxError> {
        let document = self.document;
        for (range, new) in document.format.syntax().metadata_splices(&document.text, &document.outline, edit)? {
            if range.start < self.copied {
                let kind = SyntaxErrorKind::NotAllowed("the metadata block stands before a value");
                return Err(syntax::error(document.format, &document.text, range.start, kind));
            }
            self.copy(range.start);
            self.reserve(new.len());
            self.out.extend_from_slice(new.as_bytes());
            self.copied = range.end;
        }
        self.copy(document.text.len());
        Ok(std::mem::take(&mut self.out))
    }

    /// Grows without leaving a copy of the old content in freed memory.
    fn reserve(&mut self, more: usize) {
        if self.out.capacity() - self.out.len() >= more {
            return;
        }
        let mut grown = Vec::with_capacity((self.out.len() + more).max(self.out.capacity() * 2));
        grown.extend_from_slice(&self.out);
        self.release();
        *self.out = grown;
    }

    /// Gives the buffer up; ciphertext need not be wiped, which costs as much as writing it.
    fn release(&mut self) {
        if self.secret {
            self.out.zeroize();
        }
        drop(std::mem::take(&mut *self.out));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Edits;

    const TEXTS: [(Format, &str); 5] = [
        (Format::Yaml, "a: 1\nb:\n  - \"x\"\n  - 'y'\n  - {c: d, e: }\nf: |\n  g\n  h\n\ni: >-\n  j\nk: l\n  m"),
        (Format::Yaml, "---\na: b\n...\n"),
        (Format::Json, "{\"a\": [1, \"b\", {\"c\": null}],\r\n \"d\": true}\n"),
        (Format::Dotenv, "A=b\nC=d\n"),
        (Format::Ini, "[a]\nb = c\n\n[d]\ne = \"f\"\n"),
    ];

    #[test]
    fn it_writes_what_edits_would_write_wherever_it_is_cut() {
        for (format, text) in TEXTS {
            let document = Document::parse(format, text.into()).unwrap();
            assert!(Splice::fits(&document), "{text}");
            let tree = || {
                MetadataEdit::Set(crate::document::Tree::Map(vec![("mac".into(), crate::document::Tree::text("x"))]))
            };
            let leaves: Vec<LeafId> = (0..).map(LeafId).take(document.outline().leaves.len()).collect();
            let mut edits = Edits::new();
            leaves.iter().for_each(|id| edits.leaf(*id, &Replacement::Token(b"ENC[x]")));
            edits.metadata = tree();
            let wanted = document.apply(&edits).unwrap();
            for cut in 1..leaves.len() {
                let mut splice = Splice::new(&document, 0, 0);
                let mut next = Splice::new(&document, document.outline().leaf(leaves[cut]).range.start, 0);
                for (at, id) in leaves.iter().enumerate() {
                    let part = if at < cut { &mut splice } else { &mut next };
                    part.leaf(*id, &Replacement::Token(b"ENC[x]")).unwrap();
                }
                splice.append(next);
                let text = splice.finish(&tree()).unwrap();
                assert_eq!(String::from_utf8_lossy(&text), String::from_utf8_lossy(&wanted));
            }
        }
    }
}
