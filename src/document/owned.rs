//! A document's values on their own, as SOPS has them in its tree: for output of another type.

use super::buffer::Buffer;
use super::edit::{Edits, Replacement, Target};
use super::outline::{CommentId, LeafId};
use super::scalar::{Kind, canonical};
use super::syntax::{SyntaxError, SyntaxErrorKind};
use super::tree::Tree;
use super::walk::{Path, Visit};
use super::{Document, syntax};

/// Copies that aliases stand for may make a tree larger than its text; not beyond this.
const SIZE_LIMIT: usize = 1 << 30;

/// Ordered mappings, lists, typed scalars and comments, one mapping for each document of a YAML stream.
///
/// It owns its bytes and wipes them on drop.
#[derive(Default)]
pub struct OwnedTree {
    parts: Vec<Part>,
    bytes: Buffer,
}

/// One step of the tree, in SOPS's order; a document is an `Open` that nothing else is around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Open {
        list: bool,
    },
    Close,
    Key(Span),
    /// A value in its canonical spelling; of a null nothing.
    Scalar {
        kind: Kind,
        span: Span,
    },
    Comment {
        span: Span,
        inline: bool,
    },
}

/// Where in the tree's bytes a text stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    start: usize,
    end: usize,
}

impl OwnedTree {
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(super) fn text(&self, span: Span) -> &[u8] {
        &self.bytes[span.start..span.end]
    }

    /// Where the documents begin.
    pub(super) fn roots(&self) -> impl Iterator<Item = usize> {
        let mut depth = 0_usize;
        self.parts.iter().enumerate().filter_map(move |(at, part)| match part {
            Part::Open { .. } => {
                depth += 1;
                (depth == 1).then_some(at)
            }
            Part::Close => {
                depth -= 1;
                None
            }
            _ => None,
        })
    }

    /// The position behind what begins at `at`.
    pub(super) fn behind(&self, at: usize) -> usize {
        let mut depth = 0_usize;
        for (position, part) in self.parts.iter().enumerate().skip(at) {
            match part {
                Part::Open { .. } => depth += 1,
                Part::Close => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return position + 1;
            }
        }
        self.parts.len()
    }

    /// How many bytes of text it holds, as a measure for what will be written.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + 8 * self.parts.len()
    }

    fn add(&mut self, bytes: &[u8]) -> Span {
        let start = self.bytes.len();
        self.bytes.extend(bytes);
        Span { start, end: self.bytes.len() }
    }

    fn push(&mut self, part: Part) {
        self.parts.push(part);
    }

    /// Appends the parts from `from` to `to` of `other`.
    pub(super) fn append(&mut self, other: &Self, from: usize, to: usize) {
        for part in &other.parts[from..to] {
            let part = match *part {
                Part::Key(span) => Part::Key(self.add(other.text(span))),
                Part::Scalar { kind, span } => Part::Scalar { kind, span: self.add(other.text(span)) },
                Part::Comment { span, inline } => Part::Comment { span: self.add(other.text(span)), inline },
                open_or_close => open_or_close,
            };
            self.push(part);
        }
    }

    pub(super) fn push_key(&mut self, name: &str) {
        self.push_key_bytes(name.as_bytes());
    }

    pub(super) fn push_key_bytes(&mut self, name: &[u8]) {
        let span = self.add(name);
        self.push(Part::Key(span));
    }

    pub(super) fn push_scalar(&mut self, kind: Kind, bytes: &[u8]) {
        let span = self.add(bytes);
        self.push(Part::Scalar { kind, span });
    }

    pub(super) fn push_comment(&mut self, text: &[u8]) {
        let span = self.add(text);
        self.push(Part::Comment { span, inline: false });
    }

    pub(super) fn open(&mut self, list: bool) {
        self.push(Part::Open { list });
    }

    pub(super) fn close(&mut self) {
        self.push(Part::Close);
    }

    /// Whether the document from `root` to `end` has that key at its top.
    pub(super) fn has_root_key(&self, root: usize, end: usize, name: &[u8]) -> bool {
        let mut depth = 0_usize;
        self.parts[root..end].iter().any(|part| {
            match part {
                Part::Open { .. } => depth += 1,
                Part::Close => depth -= 1,
                _ => {}
            }
            matches!(part, Part::Key(span) if depth == 1 && self.text(*span) == name)
        })
    }

    /// Appends a mapping of these entries, in their order.
    pub(super) fn push_entries(&mut self, entries: impl Iterator<Item = (String, Tree)>) {
        self.push(Part::Open { list: false });
        for (key, value) in entries {
            self.push_key(&key);
            self.push_tree(&value);
        }
        self.push(Part::Close);
    }

    /// Appends a metadata tree, its keys sorted bytewise as SOPS sorts them.
    pub(super) fn push_tree(&mut self, tree: &Tree) {
        match tree {
            Tree::Map(entries) => {
                let mut sorted: Vec<_> = entries.iter().collect();
                sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
                self.push(Part::Open { list: false });
                for (key, value) in sorted {
                    self.push_key(key);
                    self.push_tree(value);
                }
                self.push(Part::Close);
            }
            Tree::List(items) => {
                self.push(Part::Open { list: true });
                for item in items {
                    self.push_tree(item);
                }
                self.push(Part::Close);
            }
            Tree::Scalar { text, kind, .. } => {
                let bytes = canonical(*kind, text.as_bytes());
                let span = self.add(bytes.as_deref().unwrap_or(text.as_bytes()));
                self.push(Part::Scalar { kind: *kind, span });
            }
        }
    }
}

impl std::fmt::Debug for OwnedTree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OwnedTree({} parts)", self.parts.len())
    }
}

/// Builds a tree from what a walk over a document shows.
#[derive(Default)]
pub struct TreeBuilder {
    tree: OwnedTree,
    /// Of each open container whether it is a list.
    open: Vec<bool>,
}

impl TreeBuilder {
    /// A container begins.
    pub fn enter(&mut self, path: &Path<'_>, list: bool) {
        self.key_of(path);
        self.open.push(list);
        self.tree.push(Part::Open { list });
    }

    /// The innermost container ends.
    pub fn leave(&mut self) {
        self.open.pop();
        self.tree.push(Part::Close);
    }

    /// A scalar in any spelling that a token may hold.
    ///
    /// # Errors
    /// [`SyntaxErrorKind::NotAllowed`] if the bytes are not of that kind, [`SyntaxErrorKind::AliasBomb`].
    pub fn leaf(&mut self, path: &Path<'_>, kind: Kind, bytes: &[u8]) -> Result<(), SyntaxErrorKind> {
        self.key_of(path);
        let canonical =
            canonical(kind, bytes).ok_or(SyntaxErrorKind::NotAllowed("the value is not of its own kind"))?;
        let span = self.tree.add(&canonical);
        self.tree.push(Part::Scalar { kind, span });
        if self.tree.bytes.len() > SIZE_LIMIT {
            return Err(SyntaxErrorKind::AliasBomb { limit: SIZE_LIMIT });
        }
        Ok(())
    }

    /// A comment, without its `#`.
    pub fn comment(&mut self, text: &[u8], inline: bool) {
        let span = self.tree.add(text);
        self.tree.push(Part::Comment { span, inline });
    }

    /// An encrypted comment: in a list SOPS makes a string item of it.
    pub fn encrypted_comment(&mut self, token: &[u8], inline: bool) {
        if self.open.last() != Some(&true) {
            return self.comment(token, inline);
        }
        let span = self.tree.add(token);
        self.tree.push(Part::Scalar { kind: Kind::Str, span });
    }

    /// The tree.
    #[must_use]
    pub fn finish(self) -> OwnedTree {
        self.tree
    }

    fn key_of(&mut self, path: &Path<'_>) {
        if self.open.last() == Some(&false)
            && let Some(key) = path.keys().next_back()
        {
            self.tree.push_key(key);
        }
    }
}

impl Document {
    /// The document's values on their own, with `edits` in the place of what they replace; the metadata is left out.
    ///
    /// # Errors
    /// [`SyntaxError`] for a scalar without a value, and where aliases stand for too much.
    pub fn tree(&self, edits: &Edits) -> Result<OwnedTree, SyntaxError> {
        let outline = self.outline();
        let mut leaves = vec![None; outline.leaves.len()];
        let mut comments = vec![None; outline.comments.len()];
        for (at, target) in edits.targets().enumerate() {
            match target {
                Target::Leaf(LeafId(id)) => leaves[id as usize] = Some(at),
                Target::Comment(CommentId(id)) => comments[id as usize] = Some(at),
            }
        }
        let mut builder = TreeBuilder::default();
        builder.tree.parts.reserve(outline.nodes.len());
        builder.tree.bytes = Buffer::with_capacity(self.text().len());
        self.walk(|visit| {
            match visit {
                Visit::Enter { path, list } => builder.enter(path, list),
                Visit::Leave => builder.leave(),
                Visit::Leaf { id, path } => {
                    let failed = |kind| syntax::error(self.format(), self.text(), outline.leaf(id).range.start, kind);
                    match leaves[id.0 as usize].and_then(|at| edits.at(at)) {
                        Some(Replacement::Value { kind, bytes }) => builder.leaf(path, kind, bytes).map_err(failed)?,
                        Some(Replacement::Token(bytes)) => builder.leaf(path, Kind::Str, bytes).map_err(failed)?,
                        None => {
                            let scalar = self.scalar(id)?;
                            builder.leaf(path, scalar.kind, &scalar.canonical).map_err(failed)?;
                        }
                    }
                }
                Visit::Comment { id, .. } => {
                    // What was encrypted has lost whether it stood behind a value.
                    match comments[id.0 as usize].and_then(|at| edits.at(at)) {
                        Some(Replacement::Token(bytes) | Replacement::Value { bytes, .. }) => {
                            builder.comment(bytes, false);
                        }
                        None => builder.comment(self.comment(id), outline.comment(id).inline),
                    }
                }
                Visit::ItemDone => {}
            }
            Ok(())
        })?;
        Ok(builder.finish())
    }
}
