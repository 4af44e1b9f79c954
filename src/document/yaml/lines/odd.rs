//! Entries of the root that are not made of plain lines: each is read the general way, alone.
//!
//! A key in column 0 begins anew, so what an entry is does not depend on those around it: an open quote or bracket is an
//! error at the end of the entry, and so is an alias, whose anchor is elsewhere.

use std::ops::Range;

use zeroize::Zeroizing;

use super::bytes;
use super::comments::{Before, Gap};
use super::line::Lines;
use crate::document::outline::{Extent, Node, Outline, Root};
use crate::document::yaml::{general, keys};

/// A key that stands for the one behind the entry.
const NEXT: &str = "_._";

/// How far everything was where an entry of the root begins.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    at: usize,
    nodes: usize,
    leaves: usize,
    keys: usize,
    names: usize,
    comments: usize,
    hashes: usize,
}

impl Lines<'_> {
    /// An entry of the root begins at `at`.
    pub(super) const fn begin_entry(&mut self, at: usize) {
        let Outline { nodes, leaves, keys, names, comments, .. } = &self.outline;
        self.entry = Some(Entry {
            at,
            nodes: nodes.len(),
            leaves: leaves.len(),
            keys: keys.len(),
            names: names.len(),
            comments: comments.len(),
            hashes: self.names.len(),
        });
    }

    /// Reads the entry again in which the line at `line` is not plain, and tells where the next one begins.
    pub(super) fn odd_entry(&mut self, line: usize, to_the_end: bool) -> Option<usize> {
        let entry = self.entry.take()?;
        let end = self.end_of_entry(entry.at, line);
        let last = to_the_end && end == self.text.len();
        let marker = !last && self.text[end..].starts_with(b"---");
        let found = alone(self.text, entry.at..end, last || marker)?;
        // At the end of a document a comment that nothing took goes to the front of the whole root.
        let untaken = last && matches!(found.nodes.first(), Some(Node::Comment(_)));
        if untaken || marker && !found.comments.is_empty() {
            return None;
        }
        self.outline.nodes.truncate(entry.nodes);
        self.outline.leaves.truncate(entry.leaves);
        self.outline.truncate_keys(entry.keys, entry.names);
        self.outline.comments.truncate(entry.comments);
        self.frames.truncate(1);
        self.names.truncate(entry.hashes);
        self.names.extend(root_keys(&found).map(keys::hash));
        self.outline.append(found);
        self.pending = None;
        self.gap = Gap::new(Before::Edge, false, end);
        (self.empty, self.odd) = (false, true);
        Some(end)
    }

    /// Where the next key of the root, or the next document, begins.
    fn end_of_entry(&self, entry: usize, line: usize) -> usize {
        let text = self.text;
        let ends = |at: &usize| *at > entry && (bytes::begins_key(text, *at) || text[*at..].starts_with(b"---"));
        let breaks = memchr::memchr_iter(b'\n', &text[line..]).map(|at| line + at + 1);
        std::iter::once(line).chain(breaks).find(ends).unwrap_or(text.len())
    }
}

/// The outline of the entries in that range without their root; `None` if they are not whole, or not on their own.
fn alone(text: &[u8], range: Range<usize>, last: bool) -> Option<Outline> {
    // What is on the first line of a text is treated in a way of its own.
    let lead = usize::from(range.start > 0);
    let mut own = Zeroizing::new(Vec::with_capacity(lead + range.len() + NEXT.len() + 2));
    own.resize(lead, b'\n');
    own.extend_from_slice(&text[range.clone()]);
    if !last {
        own.extend_from_slice(NEXT.as_bytes());
        own.extend_from_slice(b":\n");
    }
    let mut found = general(&own, false).ok()?;
    let whole = matches!(&found.documents[..], [Extent { root: Root::Block(0), range }] if *range == (0..own.len()));
    let alone = !found.aliases && found.metadata.is_none() && found.comments.iter().all(|comment| !comment.dropped);
    if !whole || !alone {
        return None;
    }
    found.nodes.pop();
    if !last {
        found.nodes.truncate(found.nodes.len() - 2);
        found.leaves.pop();
        let (keys, names) = (found.keys.len() - 1, found.names.len() - NEXT.len());
        found.truncate_keys(keys, names);
    }
    found.nodes.remove(0);
    let moved = |of: &mut Range<usize>| *of = of.start + range.start - lead..of.end + range.start - lead;
    found.leaves.iter_mut().for_each(|leaf| moved(&mut leaf.range));
    found.keys.iter_mut().for_each(|key| moved(&mut key.range));
    found.comments.iter_mut().for_each(|comment| moved(&mut comment.range));
    Some(found)
}

/// The names of the keys that no collection is around.
fn root_keys(outline: &Outline) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    outline.nodes.iter().filter_map(move |node| {
        match *node {
            Node::Open { .. } => depth += 1,
            Node::Close => depth -= 1,
            Node::Key(id) if depth == 0 => return Some(outline.key(id)),
            _ => {}
        }
        None
    })
}
