//! Two states of the tracked files, and what lies between them: index against HEAD, or a commit against its parent.

use std::cmp::Ordering;

use super::object::ObjectId;
use super::path::RepoPath;

/// What a tracked path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A file.
    File,
    /// A symbolic link; its content is the path it points to.
    Link,
    /// A submodule's commit; it has no content here.
    Submodule,
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// Its content.
    pub id: ObjectId,
}

impl Entry {
    /// From a mode as git writes it.
    pub(super) fn of_mode(mode: u32, id: ObjectId) -> Self {
        let kind = match mode & 0o170_000 {
            0o120_000 => EntryKind::Link,
            0o160_000 => EntryKind::Submodule,
            _ => EntryKind::File,
        };
        Self { kind, id }
    }

    /// Whether there is content to read behind it.
    #[must_use]
    pub fn has_content(&self) -> bool {
        self.kind != EntryKind::Submodule
    }
}

/// One path that differs.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which.
    pub path: RepoPath,
    /// What stood there before, if anything.
    pub before: Option<Entry>,
    /// What stands there now; `None` when it was removed.
    pub after: Option<Entry>,
}

/// The tracked files before and after.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Every tracked path of the state that is judged, sorted.
    pub(super) after: Vec<(RepoPath, Entry)>,
    /// What differs, sorted by path.
    pub(super) changes: Vec<Change>,
    /// Trees of the commits that are being merged in; further versions a file can come from.
    pub(super) merged: Vec<ObjectId>,
    /// The commit that is judged, if it is not the index.
    pub(super) commit: Option<ObjectId>,
}

impl Comparison {
    /// What lies between two lists of tracked files, in any order.
    pub(super) fn between(mut before: Vec<(RepoPath, Entry)>, mut after: Vec<(RepoPath, Entry)>) -> Self {
        before.sort_by(|a, b| a.0.cmp(&b.0));
        after.sort_by(|a, b| a.0.cmp(&b.0));
        let mut changes = Vec::new();
        let (mut old, mut new) = (before.into_iter().peekable(), after.iter().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => old.0.cmp(&new.0),
            };
            let was = if order.is_le() { old.next() } else { None };
            let is = if order.is_ge() { new.next() } else { None };
            let (before, after) = (was.as_ref().map(|(_, entry)| *entry), is.map(|(_, entry)| *entry));
            if before != after
                && let Some(path) = was.map(|(path, _)| path).or_else(|| is.map(|(path, _)| path.clone()))
            {
                changes.push(Change { path, before, after });
            }
        }
        Self { after, changes, ..Self::default() }
    }

    /// A single object that a reference names, as a file of that name.
    #[must_use]
    pub fn of_object(name: &str, id: ObjectId) -> Self {
        Self::between(Vec::new(), vec![(RepoPath::from(name), Entry { kind: EntryKind::File, id })])
    }

    /// Every tracked path of the state that is judged.
    #[must_use]
    pub fn tracked(&self) -> &[(RepoPath, Entry)] {
        &self.after
    }

    /// What differs.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The commit that is judged; `None` for the index.
    #[must_use]
    pub fn commit(&self) -> Option<String> {
        self.commit.map(|id| id.to_string())
    }

    /// What stands at `path` in the state that is judged.
    #[must_use]
    pub fn after(&self, path: &[u8]) -> Option<Entry> {
        let at = self.after.binary_search_by(|(known, _)| known.bytes().cmp(path)).ok()?;
        Some(self.after[at].1)
    }

    /// What stood at `path` before.
    #[must_use]
    pub fn before(&self, path: &[u8]) -> Option<Entry> {
        match self.changes.binary_search_by(|change| change.path.bytes().cmp(path)) {
            Ok(at) => self.changes[at].before,
            Err(_) => self.after(path),
        }
    }

    /// Every tracked file as if it had been written just now, each with what stood there before.
    #[must_use]
    pub fn whole(&self) -> Vec<Change> {
        let change = |(path, entry): &(RepoPath, Entry)| Change {
            path: path.clone(),
            before: self.before(path.bytes()),
            after: Some(*entry),
        };
        self.after.iter().map(change).collect()
    }
}
