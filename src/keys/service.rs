//! Who wraps and unwraps: the services a file's keys are taken to.

use super::{KeyError, KeyKind, Recipient, WrappedKey};
use crate::secret::SecretBytes;

/// Wraps and unwraps data keys and shares of them.
///
/// It is synchronous and may be asked from several threads at once. One that needs a network builds its runtime when it
/// is first used, so that a command which does not use it pays nothing.
pub trait KeyService: Send + Sync {
    /// Wraps a data key or a share of one: what the metadata holds as `enc`.
    ///
    /// # Errors
    /// [`KeyError`] when this service cannot do it; the next one is asked.
    fn wrap(&self, recipient: &Recipient, share: &SecretBytes) -> Result<String, KeyError>;

    /// Unwraps what [`KeyService::wrap`] gave: `None` if nothing here answers to it.
    ///
    /// # Errors
    /// [`KeyError`] when it should open here and does not; the next service is asked.
    fn unwrap(&self, wrapped: &WrappedKey) -> Result<Option<SecretBytes>, KeyError>;

    /// The recipient with what only the service knows filled in: the current version of a key of Azure Key Vault.
    ///
    /// # Errors
    /// [`KeyError`] when it cannot be found out.
    fn complete(&self, recipient: &Recipient) -> Result<Recipient, KeyError> {
        Ok(recipient.clone())
    }

    /// Whether it waits for somebody else over a key of this kind, so that several are better asked at once.
    fn waits(&self, kind: KeyKind) -> bool {
        kind.is_remote()
    }

    /// What there is to unwrap with, each in a few words, for a report on a file that nothing opens.
    fn identities(&self) -> Vec<String> {
        Vec::new()
    }

    /// Why identities that were named could not be read, each in a sentence.
    fn problems(&self) -> Vec<String> {
        Vec::new()
    }

    /// What SOPS says where [`KeyService::unwrap`] gives `None`.
    fn said_by_sops(&self, recipient: &Recipient) -> String {
        format!("no key for {recipient} is available")
    }
}
