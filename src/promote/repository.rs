//! The repository as a plan needs it: what HEAD has, and whether the work tree agrees.

use serde::{Deserialize, Serialize};

use super::source::Source;
use crate::error::{Class, Failure};

/// One version of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileVersion {
    /// The path, relative to the repository's root, with `/`.
    pub path: String,
    /// The git blob, 40 hexadecimal digits.
    pub blob: String,
}

/// What planning asks of the repository, beyond [`Source`].
pub trait Repository: Source {
    /// The commit that HEAD is.
    ///
    /// # Errors
    /// [`RepositoryError`] when there is none.
    fn head(&self) -> Result<String, RepositoryError>;

    /// HEAD's version of a file; `None` when HEAD has no such file.
    ///
    /// # Errors
    /// [`RepositoryError::Changed`] when the index or the work tree differs from HEAD.
    fn file(&self, path: &str) -> Result<Option<FileVersion>, RepositoryError>;

    /// Every path that HEAD has.
    ///
    /// # Errors
    /// [`RepositoryError`] when the tree cannot be read.
    fn paths(&self) -> Result<Vec<String>, RepositoryError>;

    /// Older versions of a file that are at hand, newest first, at most `limit`; none in a shallow clone.
    ///
    /// # Errors
    /// [`RepositoryError`] when history cannot be read.
    fn older(&self, path: &str, limit: usize) -> Result<Vec<String>, RepositoryError>;

    /// Whether a commit is in a branch; `None` when that cannot be told here (no such branch or commit, shallow clone).
    ///
    /// # Errors
    /// [`RepositoryError`] when history cannot be read.
    fn merged(&self, commit: &str, branch: &str) -> Result<Option<bool>, RepositoryError>;

    /// A tag of a commit that fits a pattern with `*`.
    ///
    /// # Errors
    /// [`RepositoryError`] when tags cannot be read.
    fn tag(&self, commit: &str, pattern: &str) -> Result<Option<String>, RepositoryError>;
}

/// What the repository could not answer.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// There is no commit yet.
    #[error("the repository has no commit yet")]
    Unborn,
    /// The index or the work tree differs from HEAD.
    #[error("`{path}` differs from the version that HEAD has")]
    Changed {
        /// The file.
        path: String,
    },
    /// Reading failed.
    #[error("the repository cannot be read: {0}")]
    Git(#[from] git2::Error),
    /// The user's git failed.
    #[error("`git {command}` fails{}", .status.map(|code| format!(" with status {code}")).unwrap_or_default())]
    Command {
        /// The subcommand.
        command: &'static str,
        /// Its exit status, if it ran.
        status: Option<i32>,
    },
}

impl Failure for RepositoryError {
    fn class(&self) -> Class {
        match self {
            Self::Unborn | Self::Changed { .. } => Class::Usage,
            Self::Git(_) | Self::Command { .. } => Class::World,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Changed { path } => vec![format!("commit `{path}`, or `git restore --staged --worktree {path}`")],
            Self::Unborn => vec!["`git commit` first".to_owned()],
            _ => Vec::new(),
        }
    }
}
