//! The formats, and what each of them has to know.

use std::borrow::Cow;
use std::ops::Range;

use super::dialect::Dialect;
use super::edit::{MetadataEdit, Replacement};
use super::graft::Change;
use super::key_path::KeyPath;
use super::outline::{Comment, Leaf, Outline};
use super::scalar::{Kind, Scalar, canonical};

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// YAML, in the dialect of go-yaml v3, which is SOPS's.
    Yaml,
    /// JSON with an object at the top.
    Json,
    /// `KEY=value` lines.
    Dotenv,
    /// The same lines with quotes, as one of their readers takes them: our extension.
    Dialect(Dialect),
    /// Sections of `key = value` lines.
    Ini,
    /// TOML, which SOPS does not know: our extension, as `rops` has it.
    Toml,
    /// Anything else, encrypted whole.
    Binary,
}

impl Format {
    /// The format of a file of that name: by suffix, case-sensitive.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        if path.ends_with(".toml") { Self::Toml } else { Self::of_path_as_sops(path) }
    }

    /// The format SOPS would choose for a path; it takes TOML for binary.
    #[must_use]
    pub fn of_path_as_sops(path: &str) -> Self {
        if path.ends_with(".yaml") || path.ends_with(".yml") {
            Self::Yaml
        } else if path.ends_with(".json") {
            Self::Json
        } else if path.ends_with(".env") {
            Self::Dotenv
        } else if path.ends_with(".ini") {
            Self::Ini
        } else {
            Self::Binary
        }
    }

    /// The format of that name, as in `--input-type`.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        if word == "toml" { Some(Self::Toml) } else { Self::of_word_as_sops(word) }
    }

    /// The same for the names that SOPS knows.
    #[must_use]
    pub fn of_word_as_sops(word: &str) -> Option<Self> {
        Some(match word {
            "yaml" => Self::Yaml,
            "json" => Self::Json,
            "dotenv" => Self::Dotenv,
            "ini" => Self::Ini,
            "binary" => Self::Binary,
            _ => return None,
        })
    }

    /// Its name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
            Self::Dotenv | Self::Dialect(_) => "dotenv",
            Self::Ini => "ini",
            Self::Toml => "toml",
            Self::Binary => "binary",
        }
    }

    /// The format that a text of this one says it has: the dialect in its metadata, or the frame that SOPS puts around a
    /// TOML file, which it takes for binary.
    pub(super) fn of_content(self, text: &[u8]) -> Self {
        match self {
            Self::Dotenv => super::dialect::announced(text).map_or(self, Self::Dialect),
            Self::Toml if super::binary::is_encrypted(text) => Self::Binary,
            _ => self,
        }
    }

    pub(crate) fn syntax(self) -> &'static dyn Syntax {
        match self {
            Self::Yaml => &super::yaml::Yaml,
            Self::Json => &super::json::Json,
            Self::Dotenv => &super::dotenv::Dotenv,
            Self::Dialect(dialect) => super::dialect::syntax(dialect),
            Self::Ini => &super::ini::Ini,
            Self::Toml => &super::toml::Toml,
            Self::Binary => &super::binary::Binary,
        }
    }
}

/// What a format knows: finds the leaves of a text, writes one leaf, places the metadata block.
pub(crate) trait Syntax: Sync {
    /// Finds everything in `text`, in memory and time linear in its length.
    fn parse(&self, text: &[u8]) -> Result<Outline, SyntaxError>;

    /// The same for what SOPS takes and we refuse in our own name, because it loses or moves something: the outline, and
    /// the text that it belongs to where that is another one.
    fn parse_as_sops(&self, text: &[u8]) -> Result<(Outline, Option<Vec<u8>>), SyntaxError> {
        self.parse(text).map(|outline| (outline, None))
    }

    /// Resolves one leaf.
    fn scalar<'t>(&self, text: &'t [u8], leaf: &Leaf) -> Result<Scalar<'t>, SyntaxError>;

    /// The bytes that the MAC hashes for what the token in the place of `leaf` holds; `None` where they are none of that
    /// kind.
    fn canonical<'b>(&self, _text: &[u8], _leaf: &Leaf, kind: Kind, bytes: &'b [u8]) -> Option<Cow<'b, [u8]>> {
        canonical(kind, bytes)
    }

    /// Appends what shall stand over `leaf.range`.
    fn write_leaf(
        &self,
        text: &[u8],
        leaf: &Leaf,
        value: &Replacement<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), SyntaxError>;

    /// The same for what the leaf's token held, in the spelling in which it held it.
    fn write_opened(
        &self,
        text: &[u8],
        leaf: &Leaf,
        value: &Replacement<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), SyntaxError> {
        self.write_leaf(text, leaf, value, out)
    }

    /// Appends what shall stand over `leaf.range`, where the leaf's range holds a comment whose text becomes `comment`
    /// (YAML: a block scalar's header).
    fn write_leaf_with_comment(
        &self,
        text: &[u8],
        leaf: &Leaf,
        value: &Replacement<'_>,
        _comment: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SyntaxError> {
        self.write_leaf(text, leaf, value, out)
    }

    /// Appends what shall stand over `comment.range`.
    fn write_comment(&self, text: &[u8], comment: &Comment, new: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError>;

    /// The splices that make `edit` true, in source order and not overlapping.
    fn metadata_splices(
        &self,
        text: &[u8],
        outline: &Outline,
        edit: &MetadataEdit,
    ) -> Result<Vec<(Range<usize>, String)>, SyntaxError>;

    /// The text with aliases expanded, `None` if it has none.
    fn expand(&self, _text: &[u8], _outline: &Outline) -> Result<Option<Vec<u8>>, SyntaxError> {
        Ok(None)
    }

    /// The text with its structure changed at a path; of an insertion the container above the path is there.
    fn change(
        &self,
        text: &[u8],
        outline: &Outline,
        path: &KeyPath,
        change: Change<'_>,
    ) -> Result<Vec<u8>, SyntaxError>;
}

/// Why a text is not a document: where, and what was expected there. Never holds a byte of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{format} syntax error at line {line}, column {column}: {kind}", format = .format.word())]
pub struct SyntaxError {
    /// The format it was parsed as.
    pub format: Format,
    /// 1-based line.
    pub line: usize,
    /// 1-based column, in characters.
    pub column: usize,
    /// What is wrong.
    pub kind: SyntaxErrorKind,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxErrorKind {
    /// Something else was expected here.
    #[error("expected {0}")]
    Expected(&'static str),
    /// Something stands here that the format or SOPS does not allow.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// SOPS can read the file, but not encrypt or decrypt what stands here; `sops` exits 23 or 25 then.
    #[error("{0}")]
    Unwalkable(&'static str),
    /// The same key stands twice in one mapping.
    #[error("this key stands twice in one mapping; first at line {first_line}")]
    DuplicateKey {
        /// 1-based line of the first one.
        first_line: usize,
    },
    /// The nesting is deeper than the format's bound.
    #[error("nested deeper than {limit} levels")]
    TooDeep {
        /// The bound.
        limit: usize,
    },
    /// Expanding aliases would exceed the bound.
    #[error("aliases expand to more than {limit} bytes")]
    AliasBomb {
        /// The bound, in bytes.
        limit: usize,
    },
    /// There are no documents at all.
    #[error("the file is empty; it must contain at least one document")]
    Empty,
    /// There is nothing at a path, or something else than was asked for.
    #[error("{0}")]
    Path(&'static str),
}

/// The 1-based lines of byte offsets, whatever their order.
pub(crate) fn lines(text: &[u8], offsets: &[usize]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..offsets.len()).collect();
    order.sort_unstable_by_key(|index| offsets[*index]);
    let mut lines = vec![0; offsets.len()];
    let (mut at, mut line) = (0, 1);
    for index in order {
        let to = offsets[index].min(text.len());
        line += memchr::memchr_iter(b'\n', &text[at..to]).count();
        (at, lines[index]) = (to, line);
    }
    lines
}

/// Builds the error for a byte offset.
pub(crate) fn error(format: Format, text: &[u8], offset: usize, kind: SyntaxErrorKind) -> SyntaxError {
    let (line, column) = super::positions::position(text, offset);
    SyntaxError { format, line, column, kind }
}
