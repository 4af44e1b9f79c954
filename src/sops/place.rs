//! Where in a document a new value goes.

use zeroize::Zeroizing;

use crate::document::{Document, Graft, KeyPath, Kind, PathPart, Visit};

use super::SopsError;
use super::seal::Flavour;

/// The place of a new value.
pub(super) struct Place {
    /// Where the text is changed.
    at: KeyPath,
    /// Whether something stands there, which goes.
    there: bool,
    /// The parents to be made there.
    missing: Vec<PathPart>,
    whole: KeyPath,
}

/// The path that a path leads along whose list positions count comments as items, as SOPS counts them.
///
/// *Source*: SOPS's tree has the comments of a list among its items; `set` and `unset` take positions in that.
pub(super) fn without_comments(document: &Document, path: &KeyPath) -> Result<KeyPath, SopsError> {
    let mut parts = path.parts().to_vec();
    let mut counted = Counted::next(&parts, 0);
    let (mut roots, mut depth) = (0, 0);
    document.walk(|visit| {
        let Some(list) = &mut counted else { return Ok(()) };
        match &visit {
            Visit::Enter { path: here, list: is_list } => {
                roots += usize::from(depth == 0);
                if list.depth == Some(depth) && list.passes(true, &mut parts)? {
                    counted = Counted::next(&parts, list.at + 1);
                }
                depth += 1;
                if let Some(list) = &mut counted
                    && (list.depth.is_none() && roots == 1 && *is_list && here.is(&list.path))
                {
                    list.depth = Some(depth);
                }
            }
            Visit::Leave => {
                if list.depth == Some(depth) {
                    list.found(&mut parts);
                    counted = Counted::next(&parts, list.at + 1);
                }
                depth -= 1;
            }
            Visit::Leaf { .. } | Visit::Comment { .. }
                if list.depth == Some(depth) && list.passes(matches!(visit, Visit::Leaf { .. }), &mut parts)? =>
            {
                counted = Counted::next(&parts, list.at + 1);
            }
            _ => {}
        }
        Ok::<(), SopsError>(())
    })?;
    Ok(KeyPath::new(parts))
}

/// A list on the way along a path.
struct Counted {
    path: KeyPath,
    /// Which part of the path is a position in it.
    at: usize,
    wanted: usize,
    /// How deep its things stand, once it is open.
    depth: Option<usize>,
    things: usize,
    comments: usize,
}

impl Counted {
    /// The list that the first position from `from` on is one in.
    fn next(parts: &[PathPart], from: usize) -> Option<Self> {
        let (at, wanted) = parts.iter().enumerate().skip(from).find_map(|(at, part)| match part {
            PathPart::Index(wanted) => Some((at, *wanted)),
            PathPart::Key(_) => None,
        })?;
        let path = KeyPath::new(parts[..at].to_vec());
        Some(Self { path, at, wanted, depth: None, things: 0, comments: 0 })
    }

    /// Counts a thing in the list; whether it is the one.
    fn passes(&mut self, item: bool, parts: &mut [PathPart]) -> Result<bool, SopsError> {
        if self.things < self.wanted {
            self.things += 1;
            self.comments += usize::from(!item);
            return Ok(false);
        }
        if !item {
            let path = KeyPath::new(parts[..=self.at].to_vec());
            return Err(SopsError::NoPlace { path, reason: "a comment stands there, which SOPS counts" });
        }
        self.found(parts);
        Ok(true)
    }

    fn found(&self, parts: &mut [PathPart]) {
        parts[self.at] = PathPart::Index(self.wanted - self.comments);
    }
}

/// What the walk finds on the way to a path in the first document.
#[derive(Default)]
struct Found {
    /// By depth: whether it is a list, and its items.
    containers: Vec<(bool, usize)>,
    /// A leaf on the way or at the end.
    leaf: Option<(usize, Kind)>,
}

impl Place {
    /// Finds it.
    pub(super) fn find(document: &Document, path: &KeyPath, flavour: Flavour) -> Result<Self, SopsError> {
        let nowhere = |parts: &[PathPart], reason| SopsError::NoPlace { path: KeyPath::new(parts.to_vec()), reason };
        let mut parts = path.parts().to_vec();
        if parts.is_empty() {
            return Err(nowhere(&parts, "the whole file is no single value"));
        }
        let found = Found::on(document, path);
        let reached = found.containers.len().saturating_sub(1);
        if reached == parts.len() || found.leaf.is_some_and(|(depth, _)| depth == parts.len()) {
            return Ok(Self { at: path.clone(), there: true, missing: Vec::new(), whole: path.clone() });
        }
        let sops = flavour == Flavour::Sops;
        let (there, depth) = match found.leaf {
            Some((depth, kind)) if kind == Kind::Null || sops => (true, depth),
            Some((depth, _)) => return Err(nowhere(&parts[..depth], "a single value stands there")),
            None => (false, reached + 1),
        };
        if !there && let Some((list, items)) = found.containers.last() {
            match &mut parts[depth - 1] {
                PathPart::Index(index) if *list && sops => *index = (*items).min(*index),
                PathPart::Index(index) if *list && *index != *items => {
                    return Err(nowhere(&parts[..depth], "a list grows at its end only"));
                }
                PathPart::Index(_) if !*list => {
                    return Err(nowhere(&parts[..depth], "a mapping has keys, not positions"));
                }
                PathPart::Key(_) if *list => return Err(nowhere(&parts[..depth], "a list has positions, not keys")),
                _ => {}
            }
        }
        for at in depth..parts.len() {
            match &mut parts[at] {
                PathPart::Index(index) if sops => *index = 0,
                PathPart::Index(index) if *index > 0 => {
                    return Err(nowhere(&parts[..=at], "a list grows at its end only"));
                }
                _ => {}
            }
        }
        let (at, missing) = parts.split_at(depth);
        let (at, missing) = (KeyPath::new(at.to_vec()), missing.to_vec());
        Ok(Self { at, there, missing, whole: KeyPath::new(parts) })
    }

    /// The path that the value will have.
    pub(super) fn whole(&self) -> &KeyPath {
        &self.whole
    }

    /// The text with the value in its place.
    pub(super) fn change(&self, document: &Document, graft: &Graft<'_>) -> Result<Zeroizing<Vec<u8>>, SopsError> {
        let graft = graft.clone().below(&self.missing);
        let text = if self.there { document.replace(&self.at, &graft) } else { document.insert(&self.at, &graft) };
        Ok(text?)
    }
}

impl Found {
    fn on(document: &Document, path: &KeyPath) -> Self {
        let mut found = Self::default();
        let mut roots = 0;
        // The open containers: whether on the path, whether a list, and their items so far.
        let mut open: Vec<(bool, bool, usize)> = Vec::new();
        let never: Result<(), std::convert::Infallible> = document.walk(|visit| {
            match visit {
                Visit::Enter { path: here, list } => {
                    roots += usize::from(open.is_empty());
                    open.push((roots == 1 && here.is_above(path), list, 0));
                }
                Visit::Leave => {
                    if let Some((true, list, items)) = open.pop() {
                        let depth = open.len();
                        if found.containers.len() <= depth {
                            found.containers.resize(depth + 1, (false, 0));
                        }
                        found.containers[depth] = (list, items);
                    }
                }
                Visit::ItemDone => {
                    if let Some((_, _, items)) = open.last_mut() {
                        *items += 1;
                    }
                }
                Visit::Leaf { id, path: here } if roots == 1 && here.is_above(path) => {
                    found.leaf = Some((here.depth(), document.outline().leaf(id).kind));
                }
                _ => {}
            }
            Ok(())
        });
        let Ok(()) = never;
        found
    }
}
