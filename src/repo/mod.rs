//! The git repository: what is staged, what HEAD has, the content of both, and the hooks.
//!
//! Nothing here reads the work tree's files: what is about to be committed stands in the index.

mod batch;
mod comparison;
mod error;
pub mod hooks;
mod library;
mod object;
mod path;
mod program;
mod read;
pub mod refs;

use std::path::PathBuf;

pub use comparison::{Change, Comparison, Entry, EntryKind};
pub use error::{Cause, RepoError};
pub use object::ObjectId;
pub use path::RepoPath;
pub use read::Target;

use library::Library;
use program::Program;
use read::Reader;

/// Where git says it works; hooks are started with these set, and a partial commit has an index of its own.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The directory the user stands in, absolute.
    pub directory: PathBuf,
    /// `GIT_DIR`, absolute.
    pub git_dir: Option<PathBuf>,
    /// `GIT_INDEX_FILE`, absolute.
    pub index_file: Option<PathBuf>,
    /// `GIT_OBJECT_DIRECTORY` and `GIT_ALTERNATE_OBJECT_DIRECTORIES`, absolute: where the objects of a push are before
    /// the server takes them.
    pub objects: Vec<PathBuf>,
}

/// An opened git repository.
pub struct Repository {
    library: Option<Library>,
    program: Program,
}

impl Repository {
    /// Opens the repository that `place` is inside of.
    ///
    /// # Errors
    /// [`RepoError`] when there is none, or when neither libgit2 nor `git` can read it.
    pub fn open(place: &Place) -> Result<Self, RepoError> {
        let program = Program::new(place.clone());
        let source = match Library::open(place) {
            Ok(library) => return Ok(Self { library: Some(library), program }),
            Err(source) => source,
        };
        let path = place.git_dir.clone().unwrap_or_else(|| place.directory.clone());
        match source.code() {
            git2::ErrorCode::NotFound => Err(RepoError::NotARepository { path }),
            // What git distrusts it refuses itself; what libgit2 does not know git may.
            git2::ErrorCode::Owner => Err(RepoError::Open { path, source }),
            _ if program.answers() => {
                tracing::info!("libgit2 does not read this repository ({source}); `git` does");
                Ok(Self { library: None, program })
            }
            _ => Err(RepoError::Open { path, source }),
        }
    }

    fn reader(&self) -> &dyn Reader {
        match &self.library {
            Some(library) => library,
            None => &self.program,
        }
    }
}
