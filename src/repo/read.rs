//! Reading the index, HEAD, commits and blobs.

use super::comparison::{BlobId, Change, Comparison, Entry};
use super::error::RepoError;
use super::path::RepoPath;
use super::{EntryKind, Repository};

/// Blobs above this many bytes are not read: no encrypted file is that large, and all of it would be in memory.
const LARGEST_BLOB: usize = 256 << 20;

/// Index entries that `git add --intent-to-add` made: a promise of a file, nothing that a commit would hold.
const INTENT_TO_ADD: u16 = 1 << 13;

impl Repository {
    /// The index against HEAD: what a commit made now would change.
    ///
    /// Works before the first commit (everything is new) and takes the index that git names for a partial commit.
    ///
    /// # Errors
    /// [`RepoError`] when the index or HEAD cannot be read.
    pub fn staged(&self) -> Result<Comparison, RepoError> {
        let index = match &self.index_file {
            Some(path) => git2::Index::open(path),
            None => self.git.index(),
        };
        let index = index.map_err(|source| RepoError::Index { source })?;
        let mut comparison = self.compare(self.head_tree()?.as_ref(), &index)?;
        comparison.merged = self.merge_heads();
        Ok(comparison)
    }

    /// Each commit of a range against its first parent, oldest first.
    ///
    /// `A..B` is what git means by it; a single revision means its commits that no remote-tracking branch has.
    ///
    /// # Errors
    /// [`RepoError::Range`] when it names something that is not there, else what reading fails with.
    pub fn range(&self, range: &str) -> Result<Vec<Comparison>, RepoError> {
        let named = |source| RepoError::Range { range: range.to_owned(), source };
        let mut walk = self.git.revwalk().map_err(named)?;
        walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::REVERSE).map_err(named)?;
        if range.contains("..") {
            walk.push_range(range).map_err(named)?;
        } else {
            let tip = self.git.revparse_single(range).and_then(|object| object.peel_to_commit()).map_err(named)?;
            walk.push(tip.id()).map_err(named)?;
            walk.hide_glob("refs/remotes/*").map_err(named)?;
        }
        let mut comparisons = Vec::new();
        for id in walk {
            comparisons.push(self.commit(id.map_err(named)?).map_err(named)??);
        }
        Ok(comparisons)
    }

    /// Whether a commit of that name is here.
    #[must_use]
    pub fn has_commit(&self, name: &str) -> bool {
        self.git.revparse_single(name).is_ok_and(|object| object.peel_to_commit().is_ok())
    }

    fn commit(&self, id: git2::Oid) -> Result<Result<Comparison, RepoError>, git2::Error> {
        let commit = self.git.find_commit(id)?;
        let mut index = git2::Index::new()?;
        index.read_tree(&commit.tree()?)?;
        let mut parents = commit.parents();
        let parent = parents.next().map(|parent| parent.tree()).transpose()?;
        let merged = parents.map(|other| other.tree_id()).collect();
        Ok(self.compare(parent.as_ref(), &index).map(|mut comparison| {
            comparison.merged = merged;
            comparison.commit = Some(id);
            comparison
        }))
    }

    fn compare(&self, before: Option<&git2::Tree<'_>>, after: &git2::Index) -> Result<Comparison, RepoError> {
        let mut options = git2::DiffOptions::new();
        options.include_typechange(true).skip_binary_check(true);
        let diff = self
            .git
            .diff_tree_to_index(before, Some(after), Some(&mut options))
            .map_err(RepoError::reading("the difference between HEAD and the index"))?;
        let mut comparison = Comparison { after: tracked(after), ..Comparison::default() };
        for delta in diff.deltas() {
            let (old, new) = (delta.old_file(), delta.new_file());
            let Some(path) = new.path_bytes().or_else(|| old.path_bytes()) else { continue };
            let change = Change { path: RepoPath::new(path), before: entry(&old), after: comparison.after(path) };
            if change.before.is_some() || change.after.is_some() {
                comparison.changes.push(change);
            }
        }
        comparison.changes.sort_by(|a, b| a.path.cmp(&b.path));
        comparison.changes.dedup_by(|next, kept| {
            let same = next.path == kept.path;
            if same && kept.before.is_none() {
                kept.before = next.before;
            }
            same
        });
        Ok(comparison)
    }

    fn head_tree(&self) -> Result<Option<git2::Tree<'_>>, RepoError> {
        match self.git.head() {
            Ok(head) => head.peel_to_tree().map(Some).map_err(RepoError::reading("HEAD")),
            Err(error) if matches!(error.code(), git2::ErrorCode::UnbornBranch | git2::ErrorCode::NotFound) => Ok(None),
            Err(source) => Err(RepoError::Read { what: "HEAD".into(), source }),
        }
    }

    /// The trees of the commits that an unfinished merge brings in.
    fn merge_heads(&self) -> Vec<git2::Oid> {
        let text = std::fs::read_to_string(self.git.path().join("MERGE_HEAD")).unwrap_or_default();
        let commits = text.lines().filter_map(|line| git2::Oid::from_str(line.trim()).ok());
        commits.filter_map(|id| self.git.find_commit(id).ok()).map(|commit| commit.tree_id()).collect()
    }

    /// The versions of `path` in the commits that are being merged in.
    #[must_use]
    pub fn merged_versions(&self, comparison: &Comparison, path: &RepoPath) -> Vec<Entry> {
        let mut versions = Vec::new();
        for &tree in &comparison.merged {
            let Ok(tree) = self.git.find_tree(tree) else { continue };
            let Ok(text) = std::str::from_utf8(path.bytes()) else { continue };
            if let Ok(found) = tree.get_path(std::path::Path::new(text)) {
                versions.push(Entry::of_mode(found.filemode().cast_unsigned(), found.id()));
            }
        }
        versions
    }

    /// The size in bytes of a blob, without reading it where it is stored on its own.
    ///
    /// # Errors
    /// [`RepoError::Read`] when the object is missing (a partial clone) or broken.
    pub fn size(&self, id: BlobId) -> Result<usize, RepoError> {
        let read = || self.git.odb()?.read_header(id.0);
        read().map(|(size, _)| size).map_err(RepoError::reading(format!("object {id}")))
    }

    /// The content of a blob.
    ///
    /// # Errors
    /// [`RepoError::Read`] when the object is missing (a partial clone) or broken, [`RepoError::TooLarge`] above
    /// the bound.
    pub fn content(&self, id: BlobId) -> Result<Vec<u8>, RepoError> {
        let size = self.size(id)?;
        if size > LARGEST_BLOB {
            return Err(RepoError::TooLarge { id: id.to_string(), size, limit: LARGEST_BLOB });
        }
        let read = || Ok(self.git.odb()?.read(id.0)?.data().to_vec());
        read().map_err(RepoError::reading(format!("object {id}")))
    }
}

fn entry(file: &git2::DiffFile<'_>) -> Option<Entry> {
    (!file.id().is_zero()).then(|| Entry::of_mode(u32::from(file.mode()), file.id()))
}

fn tracked(index: &git2::Index) -> Vec<(RepoPath, Entry)> {
    let mut all = Vec::with_capacity(index.len());
    for entry in index.iter() {
        let merged = entry.flags & 0x3000 == 0;
        if merged && entry.flags_extended & INTENT_TO_ADD == 0 {
            all.push((RepoPath::new(entry.path), Entry::of_mode(entry.mode, entry.id)));
        }
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

impl Entry {
    /// Whether there is content to read behind it.
    #[must_use]
    pub fn has_content(&self) -> bool {
        self.kind != EntryKind::Submodule
    }
}
