//! The repository of the clone that a command stands in.

use std::path::{Path, PathBuf};

use git2::{Oid, Repository as Git};

use super::repository::{FileVersion, Repository, RepositoryError};
use super::source::{Source, SourceError};
use crate::secret::{SecretRef, SecretString};
use crate::system::process::Process;

/// The largest source archive that is put up, bytes; it is held in memory.
const LARGEST_ARCHIVE: usize = 1 << 30;

/// Opens one leaf of one encrypted file: given the reference and the file's bytes. `cli` supplies it, because this room
/// knows no file format of secrets.
pub type Opener = Box<dyn Fn(&SecretRef, &[u8]) -> Result<SecretString, SourceError> + Send + Sync>;

/// A clone, read through HEAD.
pub struct Checkout {
    path: PathBuf,
    open: Opener,
}

impl Checkout {
    /// The clone that holds `path`.
    ///
    /// # Errors
    /// [`RepositoryError::Git`] when there is none.
    pub fn at(path: &Path, open: Opener) -> Result<Self, RepositoryError> {
        let git = Git::discover(path)?;
        Ok(Self { path: git.path().to_owned(), open })
    }

    /// The common git directory: that of the main work tree.
    ///
    /// # Errors
    /// [`RepositoryError::Git`] when the repository cannot be read.
    pub fn common_directory(&self) -> Result<PathBuf, RepositoryError> {
        Ok(self.git()?.commondir().to_owned())
    }

    /// The bytes of a file as HEAD has them, and which version that is.
    ///
    /// # Errors
    /// As [`Repository::file`].
    pub fn read(&self, path: &str) -> Result<Option<(FileVersion, Vec<u8>)>, RepositoryError> {
        let Some(version) = self.file(path)? else { return Ok(None) };
        let bytes = self.git()?.find_blob(Oid::from_str(&version.blob)?)?.content().to_owned();
        Ok(Some((version, bytes)))
    }

    /// HEAD's first parent by name, which a shallow clone knows without having it.
    ///
    /// # Errors
    /// [`RepositoryError`] when there is no commit.
    pub fn parent(&self) -> Result<Option<String>, RepositoryError> {
        let git = self.git()?;
        let head = self.head_commit(&git)?.id();
        // libgit2 hides the parents of a shallow commit; its own text has them.
        let database = git.odb()?;
        let object = database.read(head)?;
        let text = String::from_utf8_lossy(object.data());
        Ok(text
            .lines()
            .take_while(|line| !line.is_empty())
            .find_map(|line| line.strip_prefix("parent "))
            .map(str::to_owned))
    }

    // A handle is not `Sync`; opening one reads two small files.
    fn git(&self) -> Result<Git, RepositoryError> {
        Ok(Git::open(&self.path)?)
    }

    fn head_commit<'g>(&self, git: &'g Git) -> Result<git2::Commit<'g>, RepositoryError> {
        match git.head() {
            Ok(head) => Ok(head.peel_to_commit()?),
            Err(error) if error.code() == git2::ErrorCode::UnbornBranch => Err(RepositoryError::Unborn),
            Err(error) => Err(error.into()),
        }
    }
}

fn blob_in(tree: &git2::Tree<'_>, path: &str) -> Result<Option<Oid>, git2::Error> {
    match tree.get_path(Path::new(path)) {
        Ok(entry) => Ok((entry.kind() == Some(git2::ObjectType::Blob)).then(|| entry.id())),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Source for Checkout {
    fn secret(&self, reference: &SecretRef) -> Result<SecretString, SourceError> {
        let locked = |why: String| SourceError::Locked { reference: reference.clone(), why, hints: Vec::new() };
        let bytes = (|| -> Result<Vec<u8>, RepositoryError> {
            Ok(self.git()?.find_blob(Oid::from_str(&reference.blob)?)?.content().to_owned())
        })();
        (self.open)(reference, &bytes.map_err(|error| locked(error.to_string()))?)
    }

    fn archive(&self, commit: &str) -> Result<Vec<u8>, SourceError> {
        let failed = |why: String| SourceError::Archive { commit: commit.to_owned(), why };
        if Oid::from_str(commit).is_err() {
            return Err(failed("it is no commit's name".to_owned()));
        }
        let git = Process::git().arg("--git-dir").arg(&self.path).args(["archive", "--format=tar.gz", commit]);
        let output = git.output(LARGEST_ARCHIVE).map_err(|error| failed(error.to_string()))?.words();
        if output.code != Some(0) {
            return Err(failed("`git archive` does not know it".to_owned()));
        }
        Ok(output.stdout)
    }
}

impl Repository for Checkout {
    fn head(&self) -> Result<String, RepositoryError> {
        Ok(self.head_commit(&self.git()?)?.id().to_string())
    }

    fn file(&self, path: &str) -> Result<Option<FileVersion>, RepositoryError> {
        let git = self.git()?;
        let tree = self.head_commit(&git)?.tree()?;
        let Some(blob) = blob_in(&tree, path)? else { return Ok(None) };
        if !git.is_bare() {
            let status = git.status_file(Path::new(path))?;
            if !status.is_empty() && status != git2::Status::IGNORED {
                return Err(RepositoryError::Changed { path: path.to_owned() });
            }
        }
        Ok(Some(FileVersion { path: path.to_owned(), blob: blob.to_string() }))
    }

    fn paths(&self) -> Result<Vec<String>, RepositoryError> {
        let git = self.git()?;
        let tree = self.head_commit(&git)?.tree()?;
        let mut paths = Vec::new();
        tree.walk(git2::TreeWalkMode::PreOrder, |directory, entry| {
            if let (Some(git2::ObjectType::Blob), Ok(name)) = (entry.kind(), entry.name()) {
                paths.push(format!("{directory}{name}"));
            }
            git2::TreeWalkResult::Ok
        })?;
        Ok(paths)
    }

    fn older(&self, path: &str, limit: usize) -> Result<Vec<String>, RepositoryError> {
        let git = self.git()?;
        let mut walk = git.revwalk()?;
        walk.set_sorting(git2::Sort::TOPOLOGICAL)?;
        walk.push_head()?;
        let mut blobs: Vec<String> = Vec::new();
        let current = blob_in(&self.head_commit(&git)?.tree()?, path)?;
        // A bound on work in a long history, not on correctness: what is not found is of unknown origin.
        for commit in walk.take(2_000) {
            let Ok(tree) = commit.and_then(|id| git.find_commit(id)).and_then(|commit| commit.tree()) else { break };
            let Some(blob) = blob_in(&tree, path)? else { continue };
            let name = blob.to_string();
            if Some(blob) != current && !blobs.contains(&name) {
                blobs.push(name);
                if blobs.len() == limit {
                    break;
                }
            }
        }
        Ok(blobs)
    }

    fn merged(&self, commit: &str, branch: &str) -> Result<Option<bool>, RepositoryError> {
        let git = self.git()?;
        let Ok(commit) = Oid::from_str(commit) else { return Ok(None) };
        let names = [format!("refs/remotes/origin/{branch}"), format!("refs/heads/{branch}")];
        let Some(tip) = names.iter().find_map(|name| git.refname_to_id(name).ok()) else { return Ok(None) };
        if tip == commit {
            return Ok(Some(true));
        }
        if git.find_commit(commit).is_err() {
            return Ok(None);
        }
        let inside = git.graph_descendant_of(tip, commit)?;
        Ok(if !inside && git.is_shallow() { None } else { Some(inside) })
    }

    fn tag(&self, commit: &str, pattern: &str) -> Result<Option<String>, RepositoryError> {
        let git = self.git()?;
        let mut found = Vec::new();
        for name in git.tag_names(Some(pattern))?.iter().flatten().flatten() {
            let target = git.find_reference(&format!("refs/tags/{name}")).and_then(|tag| tag.peel_to_commit());
            if target.is_ok_and(|target| target.id().to_string() == commit) {
                found.push(name.to_owned());
            }
        }
        Ok(found.pop())
    }
}
