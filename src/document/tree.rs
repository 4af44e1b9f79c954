//! A small generic tree, for the metadata block only.

use std::ops::Range;

use super::scalar::Kind;

/// A mapping, a list or a scalar of the metadata block. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// A mapping, in order.
    Map(Vec<(String, Self)>),
    /// A list.
    List(Vec<Self>),
    /// A scalar.
    Scalar {
        /// Its text: of a string the string, of anything else its canonical spelling.
        text: String,
        /// Its kind as the reader resolved it; dotenv and INI give every scalar as text.
        kind: Kind,
        /// Where it stands, quotes included; empty for trees that were made, not read.
        range: Range<usize>,
    },
}

impl Tree {
    /// Moves the places of all scalars by that many bytes.
    pub(crate) fn shift(&mut self, by: usize) {
        match self {
            Self::Map(entries) => entries.iter_mut().for_each(|(_, value)| value.shift(by)),
            Self::List(items) => items.iter_mut().for_each(|item| item.shift(by)),
            Self::Scalar { range, .. } => *range = range.start + by..range.end + by,
        }
    }

    /// A text scalar that stands nowhere yet.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Scalar { text: text.into(), kind: Kind::Str, range: 0..0 }
    }

    /// The entry of that key, if this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, if this is a scalar that is not null.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Scalar { text, kind, .. } if *kind != Kind::Null => Some(text),
            _ => None,
        }
    }
}
