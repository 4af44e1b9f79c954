//! What can be put into a document: a leaf, or a mapping or list of leaves.

use super::edit::Replacement;
use super::key_path::PathPart;

/// A value with everything below it, to be laid out in the style of the text that it goes into.
#[derive(Clone)]
pub enum Graft<'a> {
    /// One leaf.
    Leaf(Replacement<'a>),
    /// A list.
    List(Vec<Self>),
    /// A mapping, in order.
    Map(Vec<(String, Self)>),
}

impl Graft<'_> {
    /// Puts it below new parents: a mapping for each key, a list of one item for each position.
    #[must_use]
    pub fn below(self, parents: &[PathPart]) -> Self {
        parents.iter().rev().fold(self, |graft, part| match part {
            PathPart::Key(key) => Self::Map(vec![(key.clone(), graft)]),
            PathPart::Index(_) => Self::List(vec![graft]),
        })
    }

    /// Whether it is a collection without anything in it.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Leaf(_) => false,
            Self::List(items) => items.is_empty(),
            Self::Map(entries) => entries.is_empty(),
        }
    }

    /// How many leaves it holds.
    pub(crate) fn leaves(&self) -> usize {
        match self {
            Self::Leaf(_) => 1,
            Self::List(items) => items.iter().map(Self::leaves).sum(),
            Self::Map(entries) => entries.iter().map(|(_, graft)| graft.leaves()).sum(),
        }
    }
}

/// A change of a text's structure at one path.
#[derive(Clone, Copy)]
pub(crate) enum Change<'g> {
    /// A new last entry of the mapping, or item of the list, that stands above the path.
    Insert(&'g Graft<'g>),
    /// Something else in the place of what stands at the path.
    Replace(&'g Graft<'g>),
    /// The entry or item at the path goes, with its lines.
    Remove,
}
