//! What is read of a repository, by whichever of two readers can: libgit2, which needs no process, or the user's `git`,
//! which knows the index and object formats that libgit2 does not.

use std::path::Path;

use super::Repository;
use super::comparison::{Comparison, Entry};
use super::error::{Cause, RepoError};
use super::object::ObjectId;
use super::path::RepoPath;

/// Blobs above this many bytes are not read: no encrypted file is that large, and all of it would be in memory.
const LARGEST_BLOB: usize = 256 << 20;

/// Reads one repository.
pub(super) trait Reader {
    fn staged(&self) -> Result<Comparison, RepoError>;
    fn range(&self, range: &str) -> Result<Vec<ObjectId>, RepoError>;
    fn incoming(&self, tip: ObjectId) -> Result<Vec<ObjectId>, RepoError>;
    fn target(&self, name: &str) -> Result<Target, RepoError>;
    fn commit(&self, id: ObjectId) -> Result<Comparison, RepoError>;
    fn tree(&self, id: ObjectId) -> Result<Comparison, RepoError>;
    fn entry(&self, tree: ObjectId, path: &RepoPath) -> Result<Option<Entry>, RepoError>;
    fn ignores(&self, path: &Path) -> bool;
    fn size(&self, id: ObjectId) -> Result<usize, RepoError>;
    fn content(&self, id: ObjectId) -> Result<Vec<u8>, RepoError>;
}

/// What a name stands for, behind any annotated tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A commit.
    Commit(ObjectId),
    /// A folder without a commit.
    Tree(ObjectId),
    /// A content without a name.
    Blob(ObjectId),
}

impl Repository {
    /// The index against HEAD: what a commit made now would change.
    ///
    /// Works before the first commit (everything is new) and takes the index that git names for a partial commit. A
    /// split or sparse index is listed by `git`.
    ///
    /// # Errors
    /// [`RepoError`] when the index or HEAD cannot be read.
    pub fn staged(&self) -> Result<Comparison, RepoError> {
        match self.reader().staged() {
            Err(unread @ RepoError::Index { .. }) => self.program.staged().map_err(|error| match error {
                RepoError::Read { source: Cause::NoGit { .. }, .. } => unread,
                error => error,
            }),
            other => other,
        }
    }

    /// The commits of a range, oldest first.
    ///
    /// `A..B` is what git means by it; a single revision means its commits that no remote-tracking branch has.
    ///
    /// # Errors
    /// [`RepoError::Range`] when it names something that is not there.
    pub fn range(&self, range: &str) -> Result<Vec<ObjectId>, RepoError> {
        self.reader().range(range)
    }

    /// The commits behind `tip` that no reference of this repository has, oldest first: what a push brings before its
    /// references move.
    ///
    /// # Errors
    /// [`RepoError`] when one of them cannot be read.
    pub fn incoming(&self, tip: ObjectId) -> Result<Vec<ObjectId>, RepoError> {
        self.reader().incoming(tip)
    }

    /// What a revision stands for.
    ///
    /// # Errors
    /// [`RepoError::Range`] when there is nothing of that name.
    pub fn target(&self, name: &str) -> Result<Target, RepoError> {
        self.reader().target(name)
    }

    /// Whether a commit of that name is here.
    #[must_use]
    pub fn has_commit(&self, name: &str) -> bool {
        matches!(self.target(name), Ok(Target::Commit(_)))
    }

    /// A commit against its first parent.
    ///
    /// # Errors
    /// [`RepoError::Read`] when a part of it is missing (a shallow clone) or broken.
    pub fn commit(&self, id: ObjectId) -> Result<Comparison, RepoError> {
        self.reader().commit(id)
    }

    /// A tree without a commit against nothing.
    ///
    /// # Errors
    /// [`RepoError::Read`].
    pub fn tree(&self, id: ObjectId) -> Result<Comparison, RepoError> {
        self.reader().tree(id)
    }

    /// The versions of `path` in the commits that are being merged in.
    #[must_use]
    pub fn merged_versions(&self, comparison: &Comparison, path: &RepoPath) -> Vec<Entry> {
        let found = comparison.merged.iter().filter_map(|tree| self.reader().entry(*tree, path).ok());
        found.flatten().collect()
    }

    /// Whether git leaves an absolute path out.
    #[must_use]
    pub fn ignores(&self, path: &Path) -> bool {
        self.reader().ignores(path)
    }

    /// The content of a blob.
    ///
    /// # Errors
    /// [`RepoError::Read`] when the object is missing (a partial clone) or broken, [`RepoError::TooLarge`] above
    /// the bound.
    pub fn content(&self, id: ObjectId) -> Result<Vec<u8>, RepoError> {
        let size = self.reader().size(id)?;
        if size > LARGEST_BLOB {
            return Err(RepoError::TooLarge { id: id.to_string(), size, limit: LARGEST_BLOB });
        }
        self.reader().content(id)
    }
}
