//! The walk over leaves and comments, with their paths and their associated data.

use std::ops::Range;

use super::key_path::{KeyPath, PathPart};
use super::outline::{CommentId, KeyId, LeafId, Node, Outline};

/// Where the walk stands: the keys and list positions from the root.
pub struct Path<'o> {
    outline: &'o Outline,
    frames: Vec<Frame>,
    aad: String,
}

struct Frame {
    list: bool,
    /// Items seen so far in a list.
    index: usize,
    /// The key whose value comes next, in a mapping.
    key: Option<KeyId>,
    /// Length of the associated data before this container's own key.
    mark: usize,
}

/// What the walk shows.
pub enum Visit<'w> {
    /// A container begins; comments seen from now on are its own.
    Enter {
        /// The path of the container itself.
        path: &'w Path<'w>,
        /// Whether it is a list.
        list: bool,
    },
    /// The innermost container ends.
    Leave,
    /// A scalar.
    Leaf {
        /// Which.
        id: LeafId,
        /// The path of the leaf.
        path: &'w Path<'w>,
    },
    /// A comment.
    Comment {
        /// Which.
        id: CommentId,
        /// The path of the container that holds it.
        path: &'w Path<'w>,
    },
    /// An item of the innermost container is complete (comments are no items).
    ItemDone,
}

impl Path<'_> {
    /// The associated data of what stands here: keys joined by `:` with a final `:`; list positions are left out.
    ///
    /// *Source*: the SOPS format, additional authenticated data. Nobody else builds this string.
    #[must_use]
    pub fn associated_data(&self) -> &str {
        if self.aad.is_empty() { ":" } else { &self.aad }
    }

    /// The mapping keys from the root, outermost first; what the selectors are matched against.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.frames.iter().filter_map(|frame| frame.key).map(|key| self.outline.key(key))
    }

    /// The innermost mapping key's id, if any.
    #[must_use]
    pub fn last_key(&self) -> Option<KeyId> {
        self.frames.iter().rev().find_map(|frame| frame.key)
    }

    /// How many containers are open.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.frames.len()
    }

    /// The path as an owned value.
    #[must_use]
    pub fn to_key_path(&self) -> KeyPath {
        let parts = self.frames.iter().filter_map(|frame| match (frame.list, frame.key) {
            (true, _) => Some(PathPart::Index(frame.index)),
            (false, Some(key)) => Some(PathPart::Key(self.outline.key(key).to_owned())),
            (false, None) => None,
        });
        KeyPath::new(parts.collect())
    }

    /// Whether this is at or below `other`.
    #[must_use]
    pub fn is_below(&self, other: &KeyPath) -> bool {
        other.parts().len() <= self.frames.len() && self.agrees(other)
    }

    /// Whether this is at or above `other`.
    #[must_use]
    pub fn is_above(&self, other: &KeyPath) -> bool {
        self.frames.len() <= other.parts().len() && self.agrees(other)
    }

    /// Whether this and `other` are the same as far as the shorter one goes.
    fn agrees(&self, other: &KeyPath) -> bool {
        self.frames.iter().zip(other.parts()).all(|(frame, part)| match part {
            PathPart::Index(index) => frame.list && frame.index == *index,
            PathPart::Key(name) => frame.key.is_some_and(|key| self.outline.key(key) == name),
        })
    }

    /// Whether this is `other`, without building an owned value.
    #[must_use]
    pub fn is(&self, other: &KeyPath) -> bool {
        self.frames.len() == other.parts().len() && self.agrees(other)
    }
}

pub(super) fn walk<E>(outline: &Outline, mut visit: impl FnMut(Visit<'_>) -> Result<(), E>) -> Result<(), E> {
    let path = Path { outline, frames: Vec::new(), aad: String::new() };
    walk_on(path, &outline.nodes, &mut visit)
}

/// The walk over the leaves of `part`, which must be in order in the outline, and what stands between them; whether a
/// visit is of the part is said with it. Of what is before only what has no value is shown, with paths that have their
/// keys and no associated data.
pub(super) fn walk_part<E>(
    outline: &Outline,
    part: &Range<usize>,
    mut visit: impl FnMut(Visit<'_>, bool) -> Result<(), E>,
) -> Result<(), E> {
    let mut path = Path { outline, frames: Vec::new(), aad: String::new() };
    let from = if part.start == 0 { 0 } else { first_node(outline, part.start) };
    let to = first_node(outline, part.end);
    for node in &outline.nodes[..from] {
        match *node {
            Node::Open { list } => {
                visit(Visit::Enter { path: &path, list }, false)?;
                path.frames.push(Frame { list, index: 0, key: None, mark: 0 });
                continue;
            }
            Node::Close => {
                path.frames.pop();
                visit(Visit::Leave, false)?;
            }
            Node::Key(id) => {
                if let Some(frame) = path.frames.last_mut() {
                    frame.key = Some(id);
                }
                continue;
            }
            Node::Leaf(_) => {}
            Node::Comment(id) => {
                visit(Visit::Comment { id, path: &path }, false)?;
                continue;
            }
        }
        if let Some(frame) = path.frames.last_mut() {
            frame.index += usize::from(frame.list);
            frame.key = None;
            visit(Visit::ItemDone, false)?;
        }
    }
    for frame in &mut path.frames {
        frame.mark = path.aad.len();
        if let Some(key) = frame.key {
            path.aad.push_str(outline.key(key));
            path.aad.push(':');
        }
    }
    walk_on(path, &outline.nodes[from..to], |seen| visit(seen, true))
}

/// Where the part that begins with that leaf begins: comments that are met right before the leaf and stand behind it are
/// of its part.
fn first_node(outline: &Outline, leaf: usize) -> usize {
    let nodes = &outline.nodes;
    let Some(start) = outline.leaves.get(leaf).map(|leaf| leaf.range.start) else { return nodes.len() };
    let is_it = |node: &Node| matches!(node, Node::Leaf(id) if id.0 as usize == leaf);
    let mut first = nodes.iter().position(is_it).unwrap_or(nodes.len());
    for (at, node) in nodes[..first].iter().enumerate().rev() {
        match *node {
            Node::Key(_) => {}
            Node::Comment(id) if outline.comment(id).range.start > start => first = at,
            _ => break,
        }
    }
    first
}

fn walk_on<E>(mut path: Path<'_>, nodes: &[Node], mut visit: impl FnMut(Visit<'_>) -> Result<(), E>) -> Result<(), E> {
    for node in nodes {
        match *node {
            Node::Open { list } => {
                visit(Visit::Enter { path: &path, list })?;
                let mark = path.aad.len();
                path.frames.push(Frame { list, index: 0, key: None, mark });
            }
            Node::Close => {
                path.frames.pop();
                visit(Visit::Leave)?;
                item_done(&mut path, &mut visit)?;
            }
            Node::Key(id) => {
                let name = path.outline.key(id);
                if let Some(frame) = path.frames.last_mut() {
                    frame.key = Some(id);
                    path.aad.truncate(frame.mark);
                    path.aad.push_str(name);
                    path.aad.push(':');
                }
            }
            Node::Leaf(id) => {
                visit(Visit::Leaf { id, path: &path })?;
                item_done(&mut path, &mut visit)?;
            }
            Node::Comment(id) => visit_comment(&mut path, id, &mut visit)?,
        }
    }
    Ok(())
}

/// A comment belongs to its container: a key that was read before it is not part of its path.
fn visit_comment<E>(
    path: &mut Path<'_>,
    id: CommentId,
    visit: &mut impl FnMut(Visit<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let pending = path.frames.last_mut().and_then(|frame| frame.key.take().map(|key| (key, frame.mark)));
    let Some((key, mark)) = pending else { return visit(Visit::Comment { id, path }) };
    let tail = path.aad.split_off(mark);
    let result = visit(Visit::Comment { id, path });
    path.aad.push_str(&tail);
    if let Some(frame) = path.frames.last_mut() {
        frame.key = Some(key);
    }
    result
}

fn item_done<E>(path: &mut Path<'_>, visit: &mut impl FnMut(Visit<'_>) -> Result<(), E>) -> Result<(), E> {
    let Some(frame) = path.frames.last_mut() else { return Ok(()) };
    if frame.list {
        frame.index += 1;
    } else {
        frame.key = None;
        path.aad.truncate(frame.mark);
    }
    visit(Visit::ItemDone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Document, Format, Splice};

    #[test]
    fn a_part_is_shown_as_in_the_whole_walk() {
        let text = "# a\na: 1 # b\nb: # c\n  c:\n    - 2\n    - d: 3 # d\n      e: [4, {f: 5}]\n    # e\n  g: 6\nh: {}\ni:\n  \
                    j:\n    k: 7\nl: 8\n# f\n";
        let document = Document::parse(Format::Yaml, text.into()).unwrap();
        assert!(Splice::fits(&document) && Splice::uncut(&document).is_empty());
        let leaves = document.outline().leaves.len();
        let shown = |seen: &mut Vec<_>, visit: Visit<'_>| {
            let (Visit::Leaf { path, .. } | Visit::Comment { path, .. }) = visit else { return Ok::<(), ()>(()) };
            let id = if let Visit::Comment { id, .. } = visit { 100 + id.0 } else { 0 };
            let keys: Vec<String> = path.keys().map(str::to_owned).collect();
            seen.push((id, path.associated_data().to_owned(), path.to_key_path(), keys, path.depth()));
            Ok(())
        };
        let mut whole = Vec::new();
        document.walk(|visit| shown(&mut whole, visit)).unwrap();
        for from in 0..leaves {
            for to in from..=leaves {
                let mut parts = Vec::new();
                for part in [0..from, from..to, to..leaves].iter().filter(|part| !part.is_empty()) {
                    document
                        .walk_part(part, |visit, inside| if inside { shown(&mut parts, visit) } else { Ok(()) })
                        .unwrap();
                }
                assert_eq!(parts, whole);
            }
        }
    }

    #[test]
    fn what_has_no_value_is_shown_before_a_part() {
        let text = "# x\na:\n  b:\n    c: 1\n  # y\n  d: 2\ne:\n  f: 3\n";
        let document = Document::parse(Format::Yaml, text.into()).unwrap();
        let (mut open, mut done, mut comments) = (Vec::new(), vec![0], 0);
        let mut at_leaf = None;
        let visited = document.walk_part(&(2..3), |visit, inside| {
            match visit {
                Visit::Enter { path, .. } => {
                    open.push(path.keys().map(str::to_owned).collect::<Vec<_>>().join("."));
                    done.push(0);
                }
                Visit::Leave => drop((open.pop(), done.pop())),
                Visit::ItemDone if !inside => *done.last_mut().unwrap() += 1,
                Visit::Comment { .. } => comments += usize::from(!inside),
                Visit::Leaf { .. } => at_leaf = Some((open.clone(), done.clone(), comments)),
                Visit::ItemDone => {}
            }
            Ok::<(), ()>(())
        });
        assert!(visited.is_ok());
        assert_eq!(at_leaf.unwrap(), (vec!["".to_owned(), "e".to_owned()], vec![0, 1, 0], 2));
    }
}
