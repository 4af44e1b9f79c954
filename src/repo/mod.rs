//! The git repository: what is staged, what HEAD has, the content of both, and the hooks.
//!
//! Nothing here reads the work tree's files: what is about to be committed stands in the index.

mod comparison;
mod error;
pub mod hooks;
mod path;
mod read;
pub mod refs;

use std::path::{Path, PathBuf};

pub use comparison::{BlobId, Change, Comparison, Entry, EntryKind};
pub use error::RepoError;
pub use path::RepoPath;

/// Where git says it works; hooks are started with these set, and a partial commit has an index of its own.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The directory the user stands in, absolute.
    pub directory: PathBuf,
    /// `GIT_DIR`, absolute.
    pub git_dir: Option<PathBuf>,
    /// `GIT_INDEX_FILE`, absolute.
    pub index_file: Option<PathBuf>,
}

/// An opened git repository.
pub struct Repository {
    git: git2::Repository,
    index_file: Option<PathBuf>,
}

impl Repository {
    /// Opens the repository that `place` is inside of.
    ///
    /// # Errors
    /// [`RepoError`] when there is none, or when libgit2 cannot read it.
    pub fn open(place: &Place) -> Result<Self, RepoError> {
        let opened = match &place.git_dir {
            Some(git_dir) => git2::Repository::open(git_dir),
            None => git2::Repository::discover(&place.directory),
        };
        let git = opened.map_err(|source| {
            let path = place.git_dir.clone().unwrap_or_else(|| place.directory.clone());
            match source.code() {
                git2::ErrorCode::NotFound => RepoError::NotARepository { path },
                _ => RepoError::Open { path, source },
            }
        })?;
        Ok(Self { git, index_file: place.index_file.clone() })
    }

    /// The work tree's root; `None` in a bare repository.
    #[must_use]
    pub fn work_tree(&self) -> Option<&Path> {
        self.git.workdir()
    }

    /// The directory that all work trees of this repository share.
    #[must_use]
    pub fn common_directory(&self) -> &Path {
        self.git.commondir()
    }

    /// The repository as libgit2 has it, for what concerns references.
    #[must_use]
    pub fn git(&self) -> &git2::Repository {
        &self.git
    }
}
