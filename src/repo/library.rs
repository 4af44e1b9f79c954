//! Reading through libgit2: in this process, and fast. It knows neither a split nor a sparse index, nor SHA-256.

use std::path::{Path, PathBuf};

use super::Place;
use super::comparison::{Change, Comparison, Entry};
use super::error::{Cause, RepoError};
use super::object::ObjectId;
use super::path::RepoPath;
use super::read::{Reader, Target};

/// Index entries that `git add --intent-to-add` made: a promise of a file, nothing that a commit would hold.
const INTENT_TO_ADD: u16 = 1 << 13;

/// Index entries of an unfinished merge.
const UNMERGED: u16 = 0x3000;

/// A repository as libgit2 has it.
pub(super) struct Library {
    git: git2::Repository,
    index_file: Option<PathBuf>,
}

impl Library {
    pub(super) fn open(place: &Place) -> Result<Self, git2::Error> {
        let git = match &place.git_dir {
            Some(git_dir) => git2::Repository::open(git_dir)?,
            None => git2::Repository::discover(&place.directory)?,
        };
        if !place.objects.is_empty() {
            let objects = git.odb()?;
            for folder in &place.objects {
                if let Some(folder) = folder.to_str() {
                    objects.add_disk_alternate(folder)?;
                }
            }
        }
        Ok(Self { git, index_file: place.index_file.clone() })
    }

    fn head_tree(&self) -> Result<Option<git2::Tree<'_>>, RepoError> {
        match self.git.head() {
            Ok(head) => head.peel_to_tree().map(Some).map_err(RepoError::reading("HEAD")),
            Err(error) if matches!(error.code(), git2::ErrorCode::UnbornBranch | git2::ErrorCode::NotFound) => Ok(None),
            Err(source) => Err(RepoError::reading("HEAD")(source)),
        }
    }

    /// The trees of the commits that an unfinished merge brings in.
    fn merge_heads(&self) -> Vec<ObjectId> {
        let text = std::fs::read_to_string(self.git.path().join("MERGE_HEAD")).unwrap_or_default();
        let commits = text.lines().filter_map(|line| git2::Oid::from_str(line.trim()).ok());
        let trees = commits.filter_map(|id| self.git.find_commit(id).ok()).map(|commit| commit.tree_id());
        trees.filter_map(object).collect()
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

    /// The commits behind what `start` pushes, oldest first.
    fn walk(
        &self,
        start: impl FnOnce(&mut git2::Revwalk<'_>) -> Result<(), git2::Error>,
    ) -> Result<Vec<ObjectId>, git2::Error> {
        let mut walk = self.git.revwalk()?;
        walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::REVERSE)?;
        start(&mut walk)?;
        walk.filter_map(|id| id.map(object).transpose()).collect()
    }
}

impl Reader for Library {
    fn staged(&self) -> Result<Comparison, RepoError> {
        let index = match &self.index_file {
            Some(path) => git2::Index::open(path),
            None => self.git.index(),
        };
        let index = index.map_err(|source| RepoError::Index { source })?;
        let mut comparison = self.compare(self.head_tree()?.as_ref(), &index)?;
        comparison.merged = self.merge_heads();
        Ok(comparison)
    }

    fn range(&self, range: &str) -> Result<Vec<ObjectId>, RepoError> {
        let commits = self.walk(|walk| {
            if range.contains("..") {
                return walk.push_range(range);
            }
            walk.push(self.git.revparse_single(range)?.peel_to_commit()?.id())?;
            walk.hide_glob("refs/remotes/*")
        });
        commits.map_err(RepoError::naming(range))
    }

    fn incoming(&self, tip: ObjectId) -> Result<Vec<ObjectId>, RepoError> {
        let commits = self.walk(|walk| {
            walk.push(oid(tip)?)?;
            walk.hide_glob("refs/*")
        });
        commits.map_err(RepoError::reading(format!("the history of {tip}")))
    }

    fn target(&self, name: &str) -> Result<Target, RepoError> {
        let found = self.git.revparse_single(name).and_then(|object| match object.kind() {
            Some(git2::ObjectType::Tag) => object.peel(git2::ObjectType::Any),
            _ => Ok(object),
        });
        let found = found.map_err(RepoError::naming(name))?;
        let id = object(found.id());
        let target = id.zip(found.kind()).and_then(|(id, kind)| match kind {
            git2::ObjectType::Commit => Some(Target::Commit(id)),
            git2::ObjectType::Tree => Some(Target::Tree(id)),
            git2::ObjectType::Blob => Some(Target::Blob(id)),
            _ => None,
        });
        target.ok_or_else(|| RepoError::naming(name)(Cause::Unknown))
    }

    fn commit(&self, id: ObjectId) -> Result<Comparison, RepoError> {
        let read = || {
            let commit = self.git.find_commit(oid(id)?)?;
            let mut index = git2::Index::new()?;
            index.read_tree(&commit.tree()?)?;
            let mut parents = commit.parents();
            let wanted = commit.parent_count();
            let parent = parents.next().map(|parent| parent.tree()).transpose()?;
            let merged: Vec<_> = parents.filter_map(|other| object(other.tree_id())).collect();
            // libgit2 passes over a parent that is not there, and the commit would be judged as a first one.
            if usize::from(parent.is_some()) + merged.len() < wanted {
                return Err(git2::Error::from_str("a parent of the commit is missing"));
            }
            Ok((index, parent, merged))
        };
        let (index, parent, merged) = read().map_err(RepoError::reading(format!("commit {id}")))?;
        let comparison = self.compare(parent.as_ref(), &index)?;
        Ok(Comparison { merged, commit: Some(id), ..comparison })
    }

    fn tree(&self, id: ObjectId) -> Result<Comparison, RepoError> {
        let mut index = git2::Index::new().map_err(RepoError::reading("a tree"))?;
        let read = oid(id).and_then(|id| index.read_tree(&self.git.find_tree(id)?));
        read.map_err(RepoError::reading(format!("tree {id}")))?;
        self.compare(None, &index)
    }

    fn entry(&self, tree: ObjectId, path: &RepoPath) -> Result<Option<Entry>, RepoError> {
        let Ok(path) = std::str::from_utf8(path.bytes()) else { return Ok(None) };
        let read = || self.git.find_tree(oid(tree)?)?.get_path(Path::new(path));
        match read() {
            Ok(found) => Ok(object(found.id()).map(|id| Entry::of_mode(found.filemode().cast_unsigned(), id))),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(source) => Err(RepoError::reading(format!("tree {tree}"))(source)),
        }
    }

    fn ignores(&self, path: &Path) -> bool {
        self.git.is_path_ignored(path).unwrap_or(false)
    }

    fn size(&self, id: ObjectId) -> Result<usize, RepoError> {
        let read = || self.git.odb()?.read_header(oid(id)?);
        read().map(|(size, _)| size).map_err(RepoError::reading(format!("object {id}")))
    }

    fn content(&self, id: ObjectId) -> Result<Vec<u8>, RepoError> {
        let read = || Ok(self.git.odb()?.read(oid(id)?)?.data().to_vec());
        read().map_err(|source: git2::Error| RepoError::reading(format!("object {id}"))(source))
    }
}

fn object(id: git2::Oid) -> Option<ObjectId> {
    ObjectId::new(id.as_bytes())
}

fn oid(id: ObjectId) -> Result<git2::Oid, git2::Error> {
    git2::Oid::from_bytes(id.bytes())
}

fn entry(file: &git2::DiffFile<'_>) -> Option<Entry> {
    let id = Some(file.id()).filter(|id| !id.is_zero()).and_then(object)?;
    Some(Entry::of_mode(u32::from(file.mode()), id))
}

fn tracked(index: &git2::Index) -> Vec<(RepoPath, Entry)> {
    let mut all = Vec::with_capacity(index.len());
    for entry in index.iter() {
        let merged = entry.flags & UNMERGED == 0;
        if merged
            && entry.flags_extended & INTENT_TO_ADD == 0
            && let Some(id) = object(entry.id)
        {
            all.push((RepoPath::new(entry.path), Entry::of_mode(entry.mode, id)));
        }
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}
