//! New text over old leaves and comments, written from left to right.

use std::collections::VecDeque;
use std::ops::Range;

use zeroize::{Zeroize as _, Zeroizing};

use super::Document;
use super::edit::{MetadataEdit, Replacement};
use super::outline::{Comment, CommentId, Leaf, LeafId, Node, Outline, Root};
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
    /// Comments that the walk met and that may stand behind the next leaf, in source order.
    late: VecDeque<(CommentId, Zeroizing<Vec<u8>>)>,
    /// What [`Splice::seams`] gave, the next of them, and where in `out` those before it are.
    seams: &'d [Range<usize>],
    seam: usize,
    joints: Vec<usize>,
}

impl<'d> Splice<'d> {
    /// Whether a document can be written so: its walk meets the leaves in source order, and no comment later than a leaf
    /// behind it.
    #[must_use]
    pub fn fits(document: &Document) -> bool {
        Self::fits_walk(document, document)
    }

    /// The same for the walk over `places`, a document of the same leaves and comments with the comments in other places.
    #[must_use]
    pub fn fits_walk(document: &Document, places: &Document) -> bool {
        let outline = document.outline();
        let end = outline.leaves.last().map_or(0, |leaf| leaf.range.end);
        let one = outline.documents.len() < 2
            && outline.more_metadata.is_empty()
            && outline.metadata.as_ref().is_none_or(|metadata| metadata.range.start >= end);
        document.format != Format::Binary
            && !outline.aliases
            && (one || outline.documents.iter().all(|document| matches!(document.root, Root::Block(_))))
            && outline.leaves.is_sorted_by_key(|leaf| leaf.range.start)
            && has_early_comments(&places.outline)
    }

    /// Where `edit` changes the metadata of a stream of several documents, for [`Splice::new`]; nothing for other
    /// documents, whose metadata stand behind all leaves.
    ///
    /// # Errors
    /// As for [`Splice::finish`].
    pub fn seams(document: &Document, edit: &MetadataEdit) -> Result<Vec<Range<usize>>, SyntaxError> {
        if document.outline.documents.len() < 2 {
            return Ok(Vec::new());
        }
        let splices = document.format.syntax().metadata_splices(&document.text, &document.outline, edit)?;
        Ok(splices.into_iter().map(|(range, _)| range).collect())
    }

    /// Runs of leaves in the walk over `places` before which the text must not be cut: a comment that is met before them
    /// stands behind them. The comments right before a leaf may stand behind it.
    #[must_use]
    pub fn uncut(places: &Document) -> Vec<Range<usize>> {
        let outline = places.outline();
        let mut uncut = Vec::new();
        if outline.comments.is_empty() {
            return uncut;
        }
        let mut next = None;
        let mut adjacent = false;
        for node in outline.nodes.iter().rev() {
            match *node {
                Node::Leaf(LeafId(id)) => (next, adjacent) = (Some(id as usize), true),
                Node::Comment(id) => {
                    let start = outline.comment(id).range.start;
                    let past = outline.leaves.partition_point(|leaf| leaf.range.start < start);
                    if let Some(from) = next.map(|leaf| leaf + usize::from(adjacent)).filter(|from| *from < past) {
                        uncut.push(from..past);
                    }
                }
                Node::Key(_) => {}
                Node::Open { .. } | Node::Close => adjacent = false,
            }
        }
        uncut
    }

    /// A copy that begins with the byte `from`, with room for so many bytes.
    #[must_use]
    pub fn new(document: &'d Document, from: usize, bytes: usize, seams: &'d [Range<usize>]) -> Self {
        let secret = document.metadata().is_some();
        let seam = if from == 0 { 0 } else { seams.partition_point(|range| range.start <= from) };
        let out = Zeroizing::new(Vec::with_capacity(bytes));
        Self { document, out, from, copied: from, secret, late: VecDeque::new(), seams, seam, joints: Vec::new() }
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
        self.write_comments(leaf.range.start)?;
        self.copy(leaf.range.start);
        // A block scalar's header may hold a comment.
        let inner = self.late.pop_front_if(|(id, _)| document.outline.comment(*id).range.start < leaf.range.end);
        self.reserve(LONGEST_ESCAPE * bytes.len() + inner.as_ref().map_or(0, |(_, text)| text.len()) + 256);
        match inner {
            None => write(&document.text, leaf, &mut self.out)?,
            Some((_, comment)) => {
                let syntax = document.format.syntax();
                syntax.write_leaf_with_comment(&document.text, leaf, value, &comment, &mut self.out)?;
            }
        }
        self.copied = self.copied.max(leaf.range.end);
        Ok(())
    }

    /// Writes `text` over a comment, as soon as what stands before it is written.
    pub fn comment(&mut self, id: CommentId, text: &[u8]) {
        let outline = &self.document.outline;
        let start = outline.comment(id).range.start;
        let at = self.late.partition_point(|(late, _)| outline.comment(*late).range.start < start);
        self.late.insert(at, (id, Zeroizing::new(text.to_vec())));
    }

    /// Writes the comments that stand before the byte `to`.
    fn write_comments(&mut self, to: usize) -> Result<(), SyntaxError> {
        let document = self.document;
        let place = |id: CommentId| -> &'d Comment { document.outline.comment(id) };
        while let Some((id, text)) = self.late.pop_front_if(|(id, _)| place(*id).range.start < to) {
            let comment = place(id);
            self.copy(comment.range.start);
            self.reserve(text.len() + 1);
            document.format.syntax().write_comment(&document.text, comment, &text, &mut self.out)?;
            self.copied = self.copied.max(comment.range.end);
        }
        Ok(())
    }

    /// Copies the text up to the byte `to`, without the metadata that is to go.
    pub fn copy(&mut self, to: usize) {
        while let Some(seam) = self.seams.get(self.seam).filter(|seam| seam.start <= to) {
            self.copy_plainly(seam.start);
            self.joints.push(self.out.len());
            self.copied = self.copied.max(seam.end);
            self.seam += 1;
        }
        self.copy_plainly(to);
    }

    fn copy_plainly(&mut self, to: usize) {
        if to > self.copied {
            self.reserve(to - self.copied);
            self.out.extend_from_slice(&self.document.text[self.copied..to]);
            self.copied = to;
        }
    }

    /// Goes on with a part that begins where this one ends.
    ///
    /// # Errors
    /// [`SyntaxError`] when one of the last comments cannot stand where it should.
    pub fn append(&mut self, mut next: Self) -> Result<(), SyntaxError> {
        self.write_comments(usize::MAX)?;
        next.write_comments(usize::MAX)?;
        self.copy(next.from);
        self.joints.extend(next.joints.iter().map(|joint| joint + self.out.len()));
        self.reserve(next.out.len());
        self.out.extend_from_slice(&next.out);
        (self.copied, self.seam) = (next.copied, next.seam);
        next.release();
        Ok(())
    }

    /// Copies the rest, with `edit` made in it.
    ///
    /// # Errors
    /// [`SyntaxError`] when there is no place for the metadata block, or none behind the leaves, or one of the last
    /// comments cannot stand where it should.
    pub fn finish(mut self, edit: &MetadataEdit) -> Result<Zeroizing<Vec<u8>>, SyntaxError> {
        let document = self.document;
        self.write_comments(usize::MAX)?;
        let splices = document.format.syntax().metadata_splices(&document.text, &document.outline, edit)?;
        if !self.seams.is_empty() {
            self.copy(document.text.len());
            self.insert(&splices);
            return Ok(std::mem::take(&mut self.out));
        }
        for (range, new) in splices {
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

    /// Puts the new metadata where the seams are, the last first: every byte moves once.
    fn insert(&mut self, splices: &[(Range<usize>, String)]) {
        let mut shift: usize = splices.iter().map(|(_, new)| new.len()).sum();
        if shift == 0 {
            return;
        }
        self.reserve(shift);
        let mut end = self.out.len();
        self.out.resize(end + shift, 0);
        for (joint, (_, new)) in self.joints.iter().zip(splices).rev() {
            self.out.copy_within(*joint..end, joint + shift);
            shift -= new.len();
            self.out[joint + shift..][..new.len()].copy_from_slice(new.as_bytes());
            end = *joint;
        }
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

/// Whether the walk meets every comment before the leaves behind it, and drops none.
fn has_early_comments(outline: &Outline) -> bool {
    let mut behind = 0;
    outline.comments.is_empty()
        || outline.nodes.iter().all(|node| match *node {
            Node::Leaf(id) => {
                behind = outline.leaf(id).range.start;
                true
            }
            Node::Comment(id) => outline.comment(id).range.start >= behind,
            _ => true,
        }) && !outline.comments.iter().any(|comment| comment.dropped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Edits, Kind, Visit};

    const TEXTS: [(Format, &str); 11] = [
        (Format::Yaml, "a: 1\nb:\n  - \"x\"\n  - 'y'\n  - {c: d, e: }\nf: |\n  g\n  h\n\ni: >-\n  j\nk: l\n  m"),
        (Format::Yaml, "---\na: b\n...\n"),
        (Format::Yaml, "# a\na: 1 # b\nb: # c\n  # d\n  - x # e\n  - y\n  # f\nc: | # g\n  z\nd: \"\" # h\ne:\n# i\n"),
        (Format::Yaml, "a: [1, # a\n  2] # b\nb: {c: 3, d: [4, 5]} # c\ne: # d\n  [6, 7] # e\n"),
        (
            Format::Yaml,
            "l:\n  - [1, 2] # a\n  - b: 3 # b\n    # c\n  - ENC[AES256_GCM,data:a,iv:b,tag:c,type:comment]\n  - 4\n",
        ),
        (Format::Yaml, "a: 1\n# a\n---\nb: 2\nsops:\n  mac: y\n---\n# b\nc:\n  d: 3 # c\n  e: 4\n"),
        (Format::Yaml, "---\na: 1\nsops:\n  mac: y\n---\nb: 2\nsops:\n  mac: y"),
        (Format::Json, "{\"a\": [1, \"b\", {\"c\": null}],\r\n \"d\": true}\n"),
        (Format::Dotenv, "A=b\nC=d\n"),
        (Format::Dotenv, "# a\nA=b\n# b\nC=d\n# c\n"),
        (Format::Ini, "; a\n[a]\nb = c\n\n; b\n[d]\ne = \"f\"\n"),
    ];

    #[test]
    fn it_writes_what_edits_would_write_wherever_it_is_cut() {
        for (format, text) in TEXTS {
            let document = Document::parse(format, text.into()).unwrap();
            assert!(Splice::fits(&document), "{text}");
            let set = || {
                MetadataEdit::Set(crate::document::Tree::Map(vec![("mac".into(), crate::document::Tree::text("x"))]))
            };
            for tree in [set, || MetadataEdit::Remove] {
                let seams = Splice::seams(&document, &tree()).unwrap();
                let leaves = document.outline().leaves.len();
                let written = |outline: &Outline, id| outline.leaf(id).kind != Kind::Null;
                let mut edits = Edits::new();
                let never: Result<(), ()> = document.walk(|visit| {
                    match visit {
                        Visit::Leaf { id, .. } if written(document.outline(), id) => {
                            edits.leaf(id, &Replacement::Token(b"ENC[x]"));
                        }
                        Visit::Comment { id, .. } => edits.comment(id, b"ENC[y]"),
                        _ => {}
                    }
                    Ok(())
                });
                never.unwrap();
                edits.metadata = tree();
                let wanted = document.apply(&edits).unwrap();
                let uncut = Splice::uncut(&document);
                for cut in (1..leaves).filter(|cut| !uncut.iter().any(|run| run.contains(cut))) {
                    let part = |leaves: Range<usize>, from: usize| {
                        let mut splice = Splice::new(&document, from, 0, &seams);
                        let walked: Result<(), SyntaxError> =
                            document.walk_part(&leaves, |visit, inside| match visit {
                                Visit::Leaf { id, .. } if written(document.outline(), id) => {
                                    splice.leaf(id, &Replacement::Token(b"ENC[x]"))
                                }
                                Visit::Comment { id, .. } if inside => {
                                    splice.comment(id, b"ENC[y]");
                                    Ok(())
                                }
                                _ => Ok(()),
                            });
                        walked.unwrap();
                        splice
                    };
                    let mut splice = part(0..cut, 0);
                    splice.append(part(cut..leaves, document.outline().leaf(LeafId(cut as u32)).range.start)).unwrap();
                    let text = splice.finish(&tree()).unwrap();
                    assert_eq!(String::from_utf8_lossy(&text), String::from_utf8_lossy(&wanted), "cut {cut}");
                }
            }
        }
    }

    #[test]
    fn a_comment_that_is_met_too_late_does_not_fit() {
        for text in ["l:\n  # c\n  -\n  - x\n", "a: [ # c\n  1]\n", "a: &x 1\nb: *x\n", "{a: 1}\n---\nb: 2\n"] {
            assert!(!Splice::fits(&Document::parse(Format::Yaml, text.into()).unwrap()), "{text}");
        }
    }
}
