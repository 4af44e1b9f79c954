//! Lossless documents: a text plus ranges.
//!
//! A file is never printed again. Parsing finds the leaves, the comments and the metadata block of a text; writing
//! splices new text over their ranges and copies every other byte. No keys, no crypto and no files in this room.

mod binary;
mod dotenv;
mod edit;
mod flat;
mod ini;
mod json;
mod key_path;
mod outline;
mod scalar;
mod splice;
mod syntax;
mod trailer;
mod tree;
mod walk;
mod yaml;

pub use edit::{Edits, MetadataEdit, Replacement};
pub use key_path::{KeyPath, KeyPathError, PathPart};
pub use outline::{Comment, CommentId, Key, KeyId, Leaf, LeafId, Metadata, Node, Outline, Style};
pub use scalar::{Kind, Scalar, canonical, fixed_notation, parse_bool, parse_float, parse_int};
pub use splice::Splice;
pub use syntax::{Format, SyntaxError, SyntaxErrorKind};
pub use tree::Tree;
pub use walk::{Path, Visit};

use zeroize::Zeroizing;

/// A text and what was found in it.
///
/// The text is the only buffer that holds plaintext; it is wiped on drop. Ranges are byte offsets into it.
pub struct Document {
    format: Format,
    text: Zeroizing<Vec<u8>>,
    outline: Box<Outline>,
}

impl Document {
    /// Parses `text` as `format`.
    ///
    /// # Errors
    /// [`SyntaxError`], with line and column and without any byte of the text.
    pub fn parse(format: Format, text: Vec<u8>) -> Result<Self, SyntaxError> {
        let text = Zeroizing::new(text);
        let outline = Box::new(format.syntax().parse(&text)?);
        Ok(Self { format, text, outline })
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

    /// A comment's text: what follows its `#`, blanks included.
    #[must_use]
    pub fn comment(&self, id: CommentId) -> &[u8] {
        &self.text[self.outline.comment(id).range.clone()]
    }

    /// The 1-based line and column (in characters) of a byte offset.
    #[must_use]
    pub fn position(&self, offset: usize) -> (usize, usize) {
        syntax::position(&self.text, offset)
    }

    /// Visits every leaf and comment in SOPS's walk order, each with its path.
    ///
    /// # Errors
    /// The first error that `visit` returns; the walk itself cannot fail.
    pub fn walk<E>(&self, visit: impl FnMut(Visit<'_>) -> Result<(), E>) -> Result<(), E> {
        walk::walk(&self.outline, visit)
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

    /// The new text with a leaf added at `path`, whose parent mapping or list must exist.
    ///
    /// # Errors
    /// [`SyntaxError`] when there is no such parent, or the key is already there.
    pub fn insert(&self, path: &KeyPath, value: &Replacement<'_>) -> Result<Zeroizing<Vec<u8>>, SyntaxError> {
        self.format.syntax().insert(&self.text, &self.outline, path, value).map(Zeroizing::new)
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

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({:?}, {} bytes)", self.format, self.text.len())
    }
}
