//! Lossless documents: a text plus ranges.
//!
//! A file is never printed again. Parsing finds the leaves, the comments and the metadata block of a text; writing
//! splices new text over their ranges and copies every other byte. No keys, no crypto and no files in this room.

mod binary;
mod buffer;
mod dialect;
mod dotenv;
mod edit;
mod emit;
mod flat;
mod graft;
mod ini;
mod json;
mod key_path;
mod outline;
mod owned;
mod positions;
mod scalar;
mod splice;
mod syntax;
mod toml;
mod trailer;
mod tree;
mod walk;
mod yaml;

pub use dialect::Dialect;
pub use edit::{Edits, MetadataEdit, Replacement};

pub use emit::{EmitError, EmitOptions, SelectError, Selected, emit};
pub use flat::flat_spelling;
pub use graft::Graft;
pub use key_path::{KeyPath, KeyPathError, PathPart};
pub use outline::{Comment, CommentId, Key, KeyId, Leaf, LeafId, Metadata, Node, Outline, Style};
pub use owned::{OwnedTree, TreeBuilder};
pub(crate) use positions::Positions;
pub use scalar::{Kind, Scalar, canonical, fixed_notation, parse_bool, parse_float, parse_int};
pub use splice::Splice;
pub use syntax::{Format, SyntaxError, SyntaxErrorKind};
pub use tree::Tree;
pub use walk::{Path, Visit};

use std::borrow::Cow;

use graft::Change;
use zeroize::Zeroizing;

/// A text and what was found in it.
///
/// The text is the only buffer that holds plaintext; it is wiped on drop. Ranges are byte offsets into it.
pub struct Document {
    format: Format,
    text: Zeroizing<Vec<u8>>,
    outline: Box<Outline>,
    positions: Positions,
}

impl Document {
    /// Parses `text` as `format`.
    ///
    /// # Errors
    /// [`SyntaxError`], with line and column and without any byte of the text.
    pub fn parse(format: Format, text: Vec<u8>) -> Result<Self, SyntaxError> {
        let text = Zeroizing::new(text);
        let format = format.of_content(&text);
        let outline = Box::new(format.syntax().parse(&text)?);
        Ok(Self { format, text, outline, positions: Positions::default() })
    }

    /// Parses `text` as a plaintext: a binary one is never taken for the encrypted form of another, whatever it holds.
    ///
    /// # Errors
    /// As for [`Self::parse`].
    pub fn parse_plain(format: Format, text: Vec<u8>) -> Result<Self, SyntaxError> {
        if format != Format::Binary {
            return Self::parse(format, text);
        }
        let text = Zeroizing::new(text);
        let outline = Box::new(binary::whole(&text));
        Ok(Self { format, text, outline, positions: Positions::default() })
    }

    /// Parses `text` as SOPS would, with what it drops dropped: bytes behind a JSON object, and of INI the earlier one of
    /// two keys and a comment at the end. Comments between exotic line breaks keep the place that seems theirs.
    ///
    /// # Errors
    /// As for [`Document::parse`].
    pub fn parse_as_sops(format: Format, text: Vec<u8>) -> Result<Self, SyntaxError> {
        let text = Zeroizing::new(text);
        if format == Format::Dotenv && matches!(format.of_content(&text), Format::Dialect(_)) {
            let kind = SyntaxErrorKind::NotAllowed(dialect::NOT_SOPS);
            return Err(syntax::error(format, &text, 0, kind));
        }
        let (outline, other) = format.syntax().parse_as_sops(&text)?;
        let (text, outline) = (other.map_or(text, Zeroizing::new), Box::new(outline));
        Ok(Self { format, text, outline, positions: Positions::default() })
    }

    /// The format it was parsed as.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The whole text, byte for byte as it was given.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Gives the text back without a copy.
    #[must_use]
    pub fn into_text(self) -> Zeroizing<Vec<u8>> {
        self.text
    }

    /// Gives an encrypted text up without wiping it, which takes as long as writing it did.
    pub(crate) fn release(&mut self) {
        if self.outline.metadata.is_some() {
            drop(std::mem::take(&mut *self.text));
        }
    }

    /// Keeps nothing but the outline, for walks that ask for no value.
    pub(crate) fn forget_text(&mut self) {
        self.text = Zeroizing::default();
    }

    /// Leaves, keys, comments and metadata, by position.
    #[must_use]
    pub fn outline(&self) -> &Outline {
        &self.outline
    }

    /// The `sops` block, if the text has one.
    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        self.outline.metadata.as_ref()
    }

    /// The name of a mapping key, unescaped.
    #[must_use]
    pub fn key(&self, id: KeyId) -> &str {
        self.outline.key(id)
    }

    /// A leaf's value: its kind, its canonical bytes and the bytes that a token shall hold.
    ///
    /// # Errors
    /// [`SyntaxError`] when the scalar is well formed but has no value SOPS could hold (an integer above 2^63 - 1).
    pub fn scalar(&self, id: LeafId) -> Result<Scalar<'_>, SyntaxError> {
        self.format.syntax().scalar(&self.text, self.outline.holder(id))
    }

    /// The canonical bytes of what the token in that leaf's place was found to hold; `None` where they are not of that
    /// kind.
    #[must_use]
    pub fn canonical_of<'b>(&self, id: LeafId, kind: Kind, bytes: &'b [u8]) -> Option<Cow<'b, [u8]>> {
        self.format.syntax().canonical(&self.text, self.outline.leaf(id), kind, bytes)
    }

    /// A comment's text: what follows its `#`, blanks included.
    #[must_use]
    pub fn comment(&self, id: CommentId) -> &[u8] {
        &self.text[self.outline.comment(id).range.clone()]
    }

    /// The 1-based line and column (in characters) of a byte offset.
    #[must_use]
    pub fn position(&self, offset: usize) -> (usize, usize) {
        self.positions.of(&self.text, offset)
    }

    /// The 1-based lines of comments, in one pass over the text.
    #[must_use]
    pub fn lines_of(&self, comments: &[CommentId]) -> Vec<usize> {
        let starts: Vec<usize> = comments.iter().map(|id| self.outline.comment(*id).range.start).collect();
        syntax::lines(&self.text, &starts)
    }

    /// Visits every leaf and comment in SOPS's walk order, each with its path.
    ///
    /// # Errors
    /// The first error that `visit` returns; the walk itself cannot fail.
    pub fn walk<E>(&self, visit: impl FnMut(Visit<'_>) -> Result<(), E>) -> Result<(), E> {
        walk::walk(&self.outline, visit)
    }

    /// Visits the leaves of a run of them in a document that [`Splice::fits`], and what stands between them, and says
    /// `true` with it. Of what is before them only what has no value is shown, with `false`, and with paths that have
    /// their keys and no associated data.
    pub fn walk_part<E>(
        &self,
        part: &std::ops::Range<usize>,
        visit: impl FnMut(Visit<'_>, bool) -> Result<(), E>,
    ) -> Result<(), E> {
        walk::walk_part(&self.outline, part, visit)
    }

    /// Whether its metadata can be changed like that in this text.
    pub(crate) fn can(&self, edit: &MetadataEdit) -> bool {
        self.format.syntax().metadata_splices(&self.text, &self.outline, edit).is_ok()
    }

    /// The new text with `edits` spliced in; every byte outside the named ranges is copied.
    ///
    /// # Errors
    /// [`SyntaxError`] when a replacement cannot stand where it should.
    pub fn apply(&self, edits: &Edits) -> Result<Zeroizing<Vec<u8>>, SyntaxError> {
        edit::apply(self.format.syntax(), &self.text, &self.outline, edits)
    }

    /// The same document with every alias replaced by a copy of what it stands for, or `None` if it has no alias.
    ///
    /// # Errors
    /// [`SyntaxError`] when the expansion would exceed its bound (an alias bomb) or an alias is inside its own anchor.
    pub fn expanded(&self) -> Result<Option<Self>, SyntaxError> {
        match self.format.syntax().expand(&self.text, &self.outline)? {
            None => Ok(None),
            Some(text) => Self::parse(self.format, text).map(Some),
        }
    }

    /// The new text with `graft` added at `path` of the first document: a key behind the last one of its mapping, an item
    /// behind the last one of its list. Parents that are not there are made.
    ///
    /// # Errors
    /// [`SyntaxError`] when the path leads through a scalar or an alias, or something stands there already.
    pub fn insert(&self, path: &KeyPath, graft: &Graft<'_>) -> Result<Zeroizing<Vec<u8>>, SyntaxError> {
        let parts = path.parts();
        let (existing, missing) = parts.split_at(parts.len().min(self.containers_on(path) + 1));
        if missing.is_empty() {
            return self.change(path, Change::Insert(graft), graft.leaves());
        }
        let leaves = graft.leaves();
        let graft = graft.clone().below(missing);
        self.change(&KeyPath::new(existing.to_vec()), Change::Insert(&graft), leaves)
    }

    /// The new text with `graft` in the place of the leaf, mapping or list at `path` of the first document; comments in
    /// a collection that goes go with it.
    ///
    /// # Errors
    /// [`SyntaxError`] when nothing stands there, or something else needs what stands there (an alias its anchor).
    pub fn replace(&self, path: &KeyPath, graft: &Graft<'_>) -> Result<Zeroizing<Vec<u8>>, SyntaxError> {
        // A leaf in the place of a leaf is written in its style.
        if let (Graft::Leaf(value), Some(id)) = (graft, self.first_leaf(path)) {
            let mut edits = Edits::new();
            edits.leaf(id, value);
            return self.apply(&edits);
        }
        self.change(path, Change::Replace(graft), graft.leaves())
    }

    /// The new text without what stands at `path` of the first document; comments above it stay.
    ///
    /// # Errors
    /// As for [`Self::replace`].
    pub fn remove(&self, path: &KeyPath) -> Result<Zeroizing<Vec<u8>>, SyntaxError> {
        self.change(path, Change::Remove, 0)
    }

    /// Changes the structure and makes sure that every leaf outside of the path is what it was.
    fn change(&self, path: &KeyPath, change: Change<'_>, leaves: usize) -> Result<Zeroizing<Vec<u8>>, SyntaxError> {
        let text = Zeroizing::new(self.format.syntax().change(&self.text, &self.outline, path, change)?);
        let new = Self::parse(self.format, text.to_vec())?;
        let removed = matches!(change, Change::Remove);
        let (before, after) = (self.leaves_outside(path, false)?, new.leaves_outside(path, removed)?);
        let added = new.outline.leaves.len() - after.len();
        if before != after || (!removed && added != leaves) {
            let kind = SyntaxErrorKind::Path("the change cannot be made without changing other values as well");
            return Err(syntax::error(self.format, &self.text, 0, kind));
        }
        Ok(text)
    }

    /// The associated data and the spelling of every leaf that is not at or below `path` of the first document.
    fn leaves_outside(&self, path: &KeyPath, all: bool) -> Result<Vec<LeafSeen<'_>>, SyntaxError> {
        let mut seen = Vec::with_capacity(self.outline.leaves.len());
        let mut roots = 0;
        self.walk(|visit| {
            match visit {
                Visit::Enter { path: here, .. } if here.depth() == 0 => roots += 1,
                Visit::Leaf { id, path: here } if all || roots > 1 || !here.is_below(path) => {
                    seen.push((here.associated_data().to_owned(), self.scalar(id)?.canonical));
                }
                _ => {}
            }
            Ok::<(), SyntaxError>(())
        })?;
        Ok(seen)
    }

    /// The leaf at `path` of the first document; where a key stands twice, the last one.
    fn first_leaf(&self, path: &KeyPath) -> Option<LeafId> {
        let (mut found, mut roots) = (None, 0);
        let never: Result<(), std::convert::Infallible> = self.walk(|visit| {
            match visit {
                Visit::Enter { path: here, .. } => roots += usize::from(here.depth() == 0),
                Visit::Leaf { id, path: here } if roots == 1 && here.is(path) => found = Some(id),
                _ => {}
            }
            Ok(())
        });
        let Ok(()) = never;
        found
    }

    /// How many of the path's parts lead to containers of the first document.
    fn containers_on(&self, path: &KeyPath) -> usize {
        let (mut found, mut roots) = (0, 0);
        let never: Result<(), std::convert::Infallible> = self.walk(|visit| {
            if let Visit::Enter { path: here, .. } = visit {
                roots += usize::from(here.depth() == 0);
                if roots == 1 && here.is_above(path) {
                    found = found.max(here.depth());
                }
            }
            Ok(())
        });
        let Ok(()) = never;
        found
    }

    /// The leaf at `path`; where a key stands twice, the last one.
    #[must_use]
    pub fn find(&self, path: &KeyPath) -> Option<LeafId> {
        let mut found = None;
        let never: Result<(), std::convert::Infallible> = self.walk(|visit| {
            if let Visit::Leaf { id, path: here } = visit
                && here.is(path)
            {
                found = Some(id);
            }
            Ok(())
        });
        let Ok(()) = never;
        found
    }
}

/// Associated data and canonical bytes.
type LeafSeen<'d> = (String, Cow<'d, [u8]>);

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({:?}, {} bytes)", self.format, self.text.len())
    }
}
