//! Splicing: new text over old ranges, everything else copied.

use std::ops::Range;

use zeroize::Zeroizing;

use super::outline::{CommentId, LeafId, Outline, Style};
use super::scalar::Kind;
use super::syntax::{Syntax, SyntaxError};
use super::tree::Tree;

/// What shall stand in a leaf's place, in the leaf's own style.
#[derive(Clone, Copy)]
pub enum Replacement<'a> {
    /// A token (`ENC[…]`): ASCII without a line break.
    Token(&'a [u8]),
    /// A typed value; the writer keeps the style where the style can hold it and falls back to double quotes.
    Value {
        /// Its kind.
        kind: Kind,
        /// Of text the text; of anything else the spelling that a token held.
        bytes: &'a [u8],
    },
}

/// What shall become of the metadata block.
#[derive(Default)]
pub enum MetadataEdit {
    /// It stays as it is (or absent).
    #[default]
    Keep,
    /// It is removed with its lines, so that the text ends as it did before the block was there.
    Remove,
    /// It is written anew, replacing the old one in place or standing last.
    Set(Tree),
    /// Only these scalars of it are replaced: `(range of the old scalar, new text)`; nothing else moves.
    Scalars(Vec<(Range<usize>, String)>),
}

/// A set of replacements for one document, kept in one buffer that is wiped on drop.
#[derive(Default)]
pub struct Edits {
    arena: Zeroizing<Vec<u8>>,
    list: Vec<(Target, Content)>,
    /// What becomes of the metadata block.
    pub metadata: MetadataEdit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Leaf(LeafId),
    Comment(CommentId),
}

#[derive(Clone, Copy, Debug)]
struct Content {
    start: u32,
    end: u32,
    value: Option<Kind>,
    /// Whether it is in the spelling that a token held.
    spelled: bool,
}

impl Edits {
    /// No edit at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes room for `bytes` of replacement text, so that the buffer of secrets is not moved while it grows.
    pub fn reserve(&mut self, leaves: usize, bytes: usize) {
        self.list.reserve(leaves);
        let old = std::mem::take(&mut *self.arena);
        let mut grown = Vec::with_capacity(old.len() + bytes);
        grown.extend_from_slice(&old);
        self.arena = Zeroizing::new(grown);
        drop(Zeroizing::new(old));
    }

    /// Puts `replacement` in the leaf's place.
    pub fn leaf(&mut self, id: LeafId, replacement: &Replacement<'_>) {
        match replacement {
            Replacement::Token(bytes) => self.push(Target::Leaf(id), bytes, None, false),
            Replacement::Value { kind, bytes } => self.push(Target::Leaf(id), bytes, Some(*kind), false),
        }
    }

    /// Puts what the leaf's token held, in the spelling in which it held it, in the token's place.
    pub fn opened(&mut self, id: LeafId, kind: Kind, bytes: &[u8]) {
        self.push(Target::Leaf(id), bytes, Some(kind), true);
    }

    /// Puts `text` (without the `#`) in the comment's place.
    pub fn comment(&mut self, id: CommentId, text: &[u8]) {
        self.push(Target::Comment(id), text, None, false);
    }

    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && matches!(self.metadata, MetadataEdit::Keep)
    }

    /// What is replaced, in the order in which it was said.
    pub(super) fn targets(&self) -> impl Iterator<Item = Target> {
        self.list.iter().map(|(target, _)| *target)
    }

    /// What shall stand in the place of the target at that position.
    pub(super) fn at(&self, position: usize) -> Option<Replacement<'_>> {
        self.list.get(position).map(|(_, content)| self.replacement(*content))
    }

    fn push(&mut self, target: Target, bytes: &[u8], value: Option<Kind>, spelled: bool) {
        let start = self.arena.len();
        if self.arena.capacity() - start < bytes.len() {
            let more = bytes.len().max(self.arena.capacity());
            self.reserve(0, more);
        }
        self.arena.extend_from_slice(bytes);
        let (start, end) = (clamp(start), clamp(self.arena.len()));
        self.list.push((target, Content { start, end, value, spelled }));
    }

    fn replacement(&self, content: Content) -> Replacement<'_> {
        let bytes = &self.arena[content.start as usize..content.end as usize];
        match content.value {
            None => Replacement::Token(bytes),
            Some(kind) => Replacement::Value { kind, bytes },
        }
    }
}

/// Files are at most 256 MiB and their ciphertext a small multiple of that, so 32 bits hold every offset.
fn clamp(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// Splices `edits` into `text`, in source order whatever the order they came in.
pub(crate) fn apply(
    syntax: &dyn Syntax,
    text: &[u8],
    outline: &Outline,
    edits: &Edits,
) -> Result<Zeroizing<Vec<u8>>, SyntaxError> {
    let mut order: Vec<(usize, usize)> = Vec::with_capacity(edits.list.len());
    for (index, (target, _)) in edits.list.iter().enumerate() {
        let start = match target {
            Target::Leaf(id) => outline.leaf(*id).range.start,
            Target::Comment(id) => outline.comment(*id).range.start,
        };
        order.push((start, index));
    }
    order.sort_unstable();

    let metadata = syntax.metadata_splices(text, outline, &edits.metadata)?;
    let mut metadata = metadata.into_iter().peekable();
    let grown: usize = text.len() + edits.arena.len() + metadata.len() * 64;
    let mut out = Zeroizing::new(Vec::with_capacity(grown + grown / 8));
    let mut copied = 0;
    let mut order = order.into_iter().peekable();
    while let Some((start, index)) = order.next() {
        while let Some((range, new)) = metadata.next_if(|(range, _)| range.start <= start) {
            copy(&mut out, text, &mut copied, range.start);
            out.extend_from_slice(new.as_bytes());
            copied = range.end;
        }
        let (target, content) = edits.list[index];
        match target {
            Target::Leaf(id) => {
                let leaf = outline.leaf(id);
                copy(&mut out, text, &mut copied, leaf.range.start);
                let value = edits.replacement(content);
                let block = matches!(leaf.style, Style::Literal | Style::Folded);
                match order.next_if(|(start, _)| block && *start < leaf.range.end) {
                    Some((_, inner)) => {
                        let Content { start, end, .. } = edits.list[inner].1;
                        let comment = &edits.arena[start as usize..end as usize];
                        syntax.write_leaf_with_comment(text, leaf, &value, comment, &mut out)?;
                    }
                    None if content.spelled => syntax.write_opened(text, leaf, &value, &mut out)?,
                    None => syntax.write_leaf(text, leaf, &value, &mut out)?,
                }
                copied = copied.max(leaf.range.end);
            }
            Target::Comment(id) => {
                let comment = outline.comment(id);
                copy(&mut out, text, &mut copied, comment.range.start);
                let Replacement::Token(new) = edits.replacement(content) else { continue };
                syntax.write_comment(text, comment, new, &mut out)?;
                copied = copied.max(comment.range.end);
            }
        }
    }
    for (range, new) in metadata {
        copy(&mut out, text, &mut copied, range.start);
        out.extend_from_slice(new.as_bytes());
        copied = range.end;
    }
    copy(&mut out, text, &mut copied, text.len());
    Ok(out)
}

fn copy(out: &mut Vec<u8>, text: &[u8], copied: &mut usize, to: usize) {
    if to > *copied {
        out.extend_from_slice(&text[*copied..to]);
        *copied = to;
    }
}
