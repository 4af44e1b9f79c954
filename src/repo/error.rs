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
        /// Why.
        source: Cause,
    },
    /// A range of commits names something that is not there.
    #[error("`{range}` is not a range of commits of this repository")]
    Range {
        /// The range as the user gave it.
        range: String,
        /// Why.
        source: Cause,
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

/// What a reader of the repository says.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// libgit2 refuses.
    #[error(transparent)]
    Library(#[from] git2::Error),
    /// `git` refuses.
    #[error("`git {command}` fails{}", .status.map(|code| format!(" with status {code}")).unwrap_or_default())]
    Program {
        /// Its command.
        command: String,
        /// The exit status; `None` if a signal ended it.
        status: Option<i32>,
        /// The last line of what it said; it holds no content of ours.
        said: String,
    },
    /// `git` cannot be started, or is gone.
    #[error("`git` cannot be run: {kind}")]
    NoGit {
        /// What the system says.
        kind: std::io::ErrorKind,
    },
    /// There is no such object, or not of this kind.
    #[error("`git` knows nothing of that name and kind")]
    Unknown,
}

impl RepoError {
    /// For `map_err`: an unreadable thing of that description.
    pub(super) fn reading<C: Into<Cause>>(what: impl Into<String>) -> impl FnOnce(C) -> Self {
        let what = what.into();
        move |source| Self::Read { what, source: source.into() }
    }

    /// For `map_err`: a range or a revision that names nothing.
    pub(super) fn naming<C: Into<Cause>>(range: impl Into<String>) -> impl FnOnce(C) -> Self {
        let range = range.into();
        move |source| Self::Range { range, source: source.into() }
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
            Self::Index { .. } => vec!["a split or sparse index is read by `git`, which must be on `PATH`".into()],
            Self::Read { source: Cause::Program { said, .. }, .. } if !said.is_empty() => {
                vec![format!("git says: {said}")]
            }
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
