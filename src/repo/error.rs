//! What can go wrong between us and a git repository.

use std::path::PathBuf;

use crate::error::{Class, Failure};

/// Why the repository could not be read or its hooks could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// There is no repository here.
    #[error("`{}` is not inside a git repository", .path.display())]
    NotARepository {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is one, but it cannot be opened.
    #[error("the git repository of `{}` cannot be opened", .path.display())]
    Open {
        /// Where it was looked for.
        path: PathBuf,
        /// What libgit2 says.
        source: git2::Error,
    },
    /// The index cannot be read.
    #[error("the git index cannot be read")]
    Index {
        /// What libgit2 says.
        source: git2::Error,
    },
    /// An object, a reference or a setting cannot be read.
    #[error("{what} cannot be read from the git repository")]
    Read {
        /// Which, in words.
        what: String,
        /// What libgit2 says.
        source: git2::Error,
    },
    /// A range of commits names something that is not there.
    #[error("`{range}` is not a range of commits of this repository")]
    Range {
        /// The range as the user gave it.
        range: String,
        /// What libgit2 says.
        source: git2::Error,
    },
    /// A blob is larger than what is ever read into memory.
    #[error("object {id} has {size} bytes; more than {limit} are not read")]
    TooLarge {
        /// The object.
        id: String,
        /// Its size in bytes.
        size: usize,
        /// The bound in bytes.
        limit: usize,
    },
    /// A hook that is not ours stands where ours would go.
    #[error("`{}` is a hook of somebody else; it stays as it is, and nothing was installed", .path.display())]
    ForeignHook {
        /// The hook's file.
        path: PathBuf,
        /// The line that calls us from it.
        line: &'static str,
    },
    /// `core.hooksPath` is set outside this repository.
    #[error("`core.hooksPath` is `{path}`, set for more than this repository; nothing was installed")]
    SharedHooks {
        /// The path as it is set.
        path: String,
    },
    /// A hook cannot be written.
    #[error("the hook `{}` cannot be written", .path.display())]
    WriteHook {
        /// The hook's file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl RepoError {
    /// For `map_err`: an unreadable thing of that description.
    pub(super) fn reading(what: impl Into<String>) -> impl FnOnce(git2::Error) -> Self {
        let what = what.into();
        move |source| Self::Read { what, source }
    }
}

impl Failure for RepoError {
    fn class(&self) -> Class {
        match self {
            Self::NotARepository { .. } | Self::Range { .. } | Self::ForeignHook { .. } | Self::SharedHooks { .. } => {
                Class::Usage
            }
            Self::Open { .. } | Self::Index { .. } | Self::Read { .. } | Self::TooLarge { .. } => Class::Untrusted,
            Self::WriteHook { .. } => Class::World,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NotARepository { .. } => vec!["`git init` makes one; `-C DIR` works elsewhere".into()],
            Self::Index { .. } => vec![
                "a split or sparse index is not read: `git update-index --no-split-index`, `git sparse-checkout \
                 reapply --no-sparse-index`"
                    .into(),
            ],
            Self::Open { source, .. } if source.code() == git2::ErrorCode::Owner => {
                vec!["`git config --global --add safe.directory DIR` says that you trust it".into()]
            }
            Self::ForeignHook { path, line } => {
                vec![format!("to chain them, add this line to `{}`:  {line}", path.display())]
            }
            Self::SharedHooks { .. } => vec![
                "for this repository alone: `git config core.hooksPath .git/hooks`, then install again".into(),
                "for all of them: call `lockage guard` from the shared `pre-commit`".into(),
            ],
            _ => Vec::new(),
        }
    }
}
