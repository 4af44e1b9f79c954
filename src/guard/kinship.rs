//! How encrypted files are related: which tokens they hold, and under which data key.

use std::collections::HashSet;

use crate::cipher::token;
use crate::document::{Document, Kind, Tree, Visit};

/// A token and where it stands.
pub(super) struct Token {
    /// The associated data it was made for, if it was made here.
    pub(super) place: String,
    /// Its text.
    pub(super) text: Vec<u8>,
    /// How many bytes it hides: the cipher adds none.
    pub(super) hidden: usize,
    /// Whether it hides a comment.
    pub(super) comment: bool,
    /// Where it begins.
    pub(super) offset: usize,
}

/// The tokens of a document, comments included.
pub(super) fn tokens(document: &Document) -> Vec<Token> {
    let mut found = Vec::new();
    let never: Result<(), std::convert::Infallible> = document.walk(|visit| {
        let (place, text, offset) = match visit {
            Visit::Leaf { id, path } => match document.scalar(id) {
                Ok(scalar) if scalar.kind == Kind::Str => {
                    (path, scalar.canonical.into_owned(), document.outline().leaf(id).range.start)
                }
                _ => return Ok(()),
            },
            Visit::Comment { id, path } => {
                (path, document.comment(id).to_vec(), document.outline().comment(id).range.start)
            }
            _ => return Ok(()),
        };
        let (hidden, comment) = match token::split(&text).filter(|_| token::well_formed(&text)) {
            Some(parts) => (decoded(parts.data), parts.label == b"comment"),
            None if token::well_formed_empty(&text) => (0, false),
            None => return Ok(()),
        };
        found.push(Token { place: place.associated_data().to_owned(), text, hidden, comment, offset });
        Ok(())
    });
    let Ok(()) = never;
    found
}

/// The number of bytes behind padded base64.
fn decoded(digits: &[u8]) -> usize {
    let pads = digits.iter().rev().take_while(|digit| **digit == b'=').count();
    (digits.len() / 4 * 3).saturating_sub(pads)
}

/// Whether two files are encrypted with one data key, as far as that can be seen: they hold the same wrapped key.
pub(super) fn share_a_key(one: &Document, other: &Document) -> bool {
    let (mut wraps, mut others) = (HashSet::new(), HashSet::new());
    wrapped(one, &mut wraps);
    wrapped(other, &mut others);
    !wraps.is_disjoint(&others)
}

fn wrapped<'d>(document: &'d Document, found: &mut HashSet<&'d str>) {
    if let Some(metadata) = document.metadata() {
        collect(&metadata.tree, found);
    }
}

fn collect<'t>(tree: &'t Tree, found: &mut HashSet<&'t str>) {
    match tree {
        Tree::List(items) => items.iter().for_each(|item| collect(item, found)),
        Tree::Map(entries) => {
            for (key, value) in entries {
                match value.as_text() {
                    Some(text) if key == "enc" => drop(found.insert(text.trim())),
                    _ => collect(value, found),
                }
            }
        }
        Tree::Scalar { .. } => {}
    }
}

/// A scalar of the metadata: its text and where it stands.
pub(super) fn field<'d>(document: &'d Document, name: &str) -> Option<(&'d str, usize)> {
    match document.metadata()?.tree.get(name)? {
        Tree::Scalar { text, range, .. } => Some((text, range.start)),
        _ => None,
    }
}
