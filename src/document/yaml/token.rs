//! What the scanner makes of a text: tokens and raw comments, by position.
//!
//! *Source*: go-yaml v3's dialect of libyaml; the vocabulary is the one that the attribution of comments is written in.

use std::ops::Range;

/// What a token is. Zero-width tokens stand before the token whose offset they share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// The beginning of the text, zero-width; offset 0, or 3 behind a byte order mark.
    StreamStart,
    /// A `%` line, from the `%` to the end of its last word.
    Directive,
    /// `---`
    DocumentStart,
    /// `...`
    DocumentEnd,
    /// MAP: a block mapping begins, zero-width.
    BlockMapping,
    /// SEQ: a block list begins, zero-width. A list in the column of its own key has neither this nor its `End`.
    BlockSequence,
    /// END: closes the innermost `BlockMapping` or `BlockSequence`, zero-width, at the offset of the token that closes it.
    End,
    /// KEY: zero-width before a simple key, or the `?` itself. In brackets as well.
    Key,
    /// `:`
    Value,
    /// `-`
    Entry,
    /// `,`
    Comma,
    /// `[`
    FlowSequenceStart,
    /// `]`
    FlowSequenceEnd,
    /// `{`
    FlowMappingStart,
    /// `}`
    FlowMappingEnd,
    /// `&name`
    Anchor,
    /// `!tag`
    Tag,
    /// `*name`
    Alias,
    /// A scalar without quotes.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|` with its content.
    Literal,
    /// `>` with its content.
    Folded,
    /// The end of the text, zero-width.
    StreamEnd,
}

impl TokenKind {
    /// Whether it is a scalar of any style.
    pub(super) const fn is_scalar(self) -> bool {
        matches!(self, Self::Plain | Self::SingleQuoted | Self::DoubleQuoted | Self::Literal | Self::Folded)
    }
}

/// One token.
///
/// A plain scalar ends behind its last character that is not a blank. A block scalar ends behind the last character of
/// its last content line (without that line's break, whatever its chomping), or of its header if it has no content; the
/// comment of its header lies inside its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: TokenKind,
    /// Offset of its first byte.
    pub(super) start: u32,
    /// Offset behind its last byte.
    pub(super) end: u32,
    /// 0-based line of its first byte. CR LF, CR, LF, NEL, U+2028 and U+2029 each end a line.
    pub(super) line: u32,
    /// 0-based column of its first byte, in characters; a byte order mark at offset 0 is not counted.
    pub(super) column: u32,
    /// 0-based line on which it ends.
    pub(super) end_line: u32,
}

impl Token {
    /// Whether it has no bytes of its own.
    pub(super) const fn is_zero_width(&self) -> bool {
        self.start == self.end
    }

    /// Its bytes in the text.
    pub(super) const fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One comment, as it lies in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RawComment {
    /// Offset of its `#`.
    pub(super) start: u32,
    /// Offset of its line break, or of the end of the text.
    pub(super) end: u32,
    /// 0-based line.
    pub(super) line: u32,
    /// 0-based column of its `#`, in characters.
    pub(super) column: u32,
}

/// A scanned text: every token and every comment, both in source order.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The tokens, from `StreamStart` to `StreamEnd`.
    pub(super) tokens: Vec<Token>,
    /// The comments.
    pub(super) comments: Vec<RawComment>,
    /// Of each block scalar the index of its token and the column of its content.
    pub(super) blocks: Vec<(u32, u32)>,
    /// The indices of the tokens that begin or end documents: directives, `---`, `...` and the end.
    pub(super) edges: Vec<u32>,
}

/// The collection that SOPS has a comment in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    /// The root mapping of the document of that index, whether or not a token begins it.
    Root(u32),
    /// The collection that begins with the token of that index: a `BlockMapping`, a `BlockSequence`, a `[` or `{`; of a
    /// list in its key's column the first `Entry`; of a single pair in a flow list (`[a: 1]`) its `Key`.
    Token(u32),
}

/// Which of a place's comments come first: SOPS lists them by the node that carries them, and only then as they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Carrier {
    DocumentHead,
    CollectionHead,
    CollectionLine,
    /// Of the value before the place.
    ValueFoot,
    /// Of the pair or item before the place.
    PairFoot,
    /// Of the key or item behind the place.
    Head,
    Line,
    /// Of the value behind the place, where it is a scalar.
    ValueHead,
    ValueLine,
    CollectionFoot,
    DocumentFoot,
}

/// Where SOPS has one comment. Of several in one place with one carrier, the source order holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The collection, whose path is the comment's associated data.
    pub(super) container: Container,
    /// Before the item of that index (the `sops` block counts as one); the number of items if it is behind the last.
    pub(super) index: u32,
    /// What carries it there.
    pub(super) carrier: Carrier,
    /// Whether it is the line comment of a value.
    pub(super) inline: bool,
    /// Whether SOPS drops it; container and index then mean nothing.
    pub(super) dropped: bool,
}
