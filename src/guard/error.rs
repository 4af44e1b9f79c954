//! Why the guard could not judge at all. What it finds is no error.

use crate::document::SyntaxError;
use crate::error::{Class, Failure};
use crate::repo::RepoError;

/// Why the guard could not judge. Whoever asked must take that for a "no".
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The repository cannot be read.
    #[error(transparent)]
    Repo(#[from] RepoError),
    /// The settings are no YAML.
    #[error("`.lockage.yaml` cannot be read")]
    Syntax(#[source] SyntaxError),
    /// The settings say something that we do not understand.
    #[error("`.lockage.yaml:{line}:{column}`: {fault}")]
    Settings {
        /// 1-based line.
        line: usize,
        /// 1-based column.
        column: usize,
        /// What is wrong there.
        fault: SettingsFault,
    },
}

/// What is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsFault {
    /// A word that means nothing here.
    #[error("unknown word `{word}`{}", .nearest.as_deref().map(|near| format!(", did you mean `{near}`?")).unwrap_or_default())]
    UnknownWord {
        /// The word.
        word: String,
        /// The known word that is nearest to it.
        nearest: Option<String>,
    },
    /// A mapping or a list is not where it should be.
    #[error("expected `guard: {{allow: [{{rule: …, value: …, why: …}}]}}`")]
    Shape,
    /// A word of an entry is missing.
    #[error("the entry has no `{word}`")]
    Missing {
        /// Which.
        word: &'static str,
    },
    /// The value's hash is none.
    #[error("expected `sha256:` and 64 hexadecimal digits")]
    Hash,
    /// The path's pattern is none.
    #[error("expected a path with `*`, `**` or `?`")]
    Glob,
}

impl Failure for GuardError {
    fn class(&self) -> Class {
        match self {
            Self::Repo(error) => error.class(),
            Self::Syntax(_) | Self::Settings { .. } => Class::Usage,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Repo(error) => error.hints(),
            Self::Syntax(_) | Self::Settings { .. } => {
                vec!["the version in the index counts: `git add .lockage.yaml` after mending it".into()]
            }
        }
    }
}
