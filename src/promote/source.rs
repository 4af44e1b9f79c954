//! Where the engine gets what it may not hold itself: plaintext of secrets, and the source archive of a commit.

use crate::error::{Class, Failure};
use crate::secret::{SecretRef, SecretString};

/// The repository as a promotion needs it while it runs.
pub trait Source: Send + Sync {
    /// The plaintext of one leaf.
    ///
    /// # Errors
    /// [`SourceError`] when the file cannot be opened or has no such leaf.
    fn secret(&self, reference: &SecretRef) -> Result<SecretString, SourceError>;

    /// The commit's tree as a gzip-compressed tar archive (`git archive --format=tar.gz`); the same bytes each time.
    ///
    /// # Errors
    /// [`SourceError`] when the commit is not in the repository.
    fn archive(&self, commit: &str) -> Result<Vec<u8>, SourceError>;
}

/// What the repository could not give.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file could not be opened; the reason holds no plaintext.
    #[error("`{reference}` cannot be opened: {why}")]
    Locked {
        /// The secret.
        reference: SecretRef,
        /// Why, without any plaintext.
        why: String,
        /// What to do.
        hints: Vec<String>,
    },
    /// The file has no such leaf.
    #[error("`{reference}` is not there")]
    Missing {
        /// The secret.
        reference: SecretRef,
    },
    /// The commit is not in this repository.
    #[error("the commit `{commit}` cannot be archived: {why}")]
    Archive {
        /// The commit.
        commit: String,
        /// Why.
        why: String,
    },
}

impl Failure for SourceError {
    fn class(&self) -> Class {
        match self {
            Self::Locked { .. } => Class::Untrusted,
            Self::Missing { .. } | Self::Archive { .. } => Class::Usage,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Locked { hints, .. } => hints.clone(),
            Self::Missing { reference } => {
                vec![format!("`lockage set {} {}`, then commit", reference.file, reference.path)]
            }
            Self::Archive { .. } => vec!["`git fetch` the commit first".to_owned()],
        }
    }
}
