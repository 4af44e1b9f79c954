//! What the parser makes of tokens: nodes in source order, flat.

/// No token, or no event.
pub(super) const NONE: u32 = u32::MAX;

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventKind {
    /// A document begins.
    Document,
    /// A mapping begins; keys and values follow in turn.
    Mapping,
    /// A list begins.
    Sequence,
    /// The innermost mapping or list ends.
    End,
    /// A scalar.
    Scalar,
    /// Nothing stands here: null, or what a tag makes of nothing.
    Empty,
    /// An alias.
    Alias,
}

/// One event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    /// What it is.
    pub(super) kind: EventKind,
    /// The token: of a scalar or alias its own; of a mapping or list the one that begins it (as in
    /// [`Container::Token`](super::token::Container::Token)); of an end the last token that belongs to it; of nothing the
    /// token that it stands behind; of a document its `---`, or [`NONE`].
    pub(super) token: u32,
    /// What its tag means.
    pub(super) tag: Tag,
    /// Of a mapping or list the index of its `End` (0 while it is open); of an alias the event that it stands for.
    pub(super) link: u32,
}

/// What a tag means to SOPS's reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// None, or `!`: the text decides.
    None,
    /// `!!str`, or any tag that the reader does not know: text. It drops unknown tags.
    Str,
    /// `!!int`
    Int,
    /// `!!float`
    Float,
    /// `!!bool`
    Bool,
    /// `!!null`
    Null,
    /// `!!timestamp`
    Time,
    /// `!!binary`
    Binary,
    /// `!!merge`
    Merge,
}

impl Tag {
    /// What a tag means that is written out in full.
    ///
    /// *Source*: `shortTag`, `resolvableTag` and the scalar decoder of go-yaml v3.
    pub(super) fn of_full(tag: &[u8]) -> Self {
        if tag == b"!" {
            return Self::None;
        }
        match tag.strip_prefix(b"tag:yaml.org,2002:").or_else(|| tag.strip_prefix(b"!!")) {
            Some(b"int") => Self::Int,
            Some(b"float") => Self::Float,
            Some(b"bool") => Self::Bool,
            Some(b"null") => Self::Null,
            Some(b"timestamp") => Self::Time,
            Some(b"binary") => Self::Binary,
            Some(b"merge") => Self::Merge,
            _ => Self::Str,
        }
    }

    /// Whether the reader would refuse a token (a text) under this tag.
    pub(super) const fn refuses_text(self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Bool | Self::Null | Self::Time | Self::Binary)
    }
}
