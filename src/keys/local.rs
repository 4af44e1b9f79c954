//! The key service of this process.

use std::sync::Arc;

use super::{KeyError, KeyKind, KeyService, Keyring, Recipient, WrappedKey};
use crate::secret::SecretBytes;

/// The age identities at hand, and one service for each other kind that was set up.
///
/// ```
/// use lockage::keys::{Keyring, LocalKeys};
///
/// let local = LocalKeys::new(Keyring::new());
/// // let local = local.with(KeyKind::AwsKms, AwsKms::new(settings));
/// # let _ = local;
/// ```
#[derive(Clone, Default)]
pub struct LocalKeys {
    keyring: Keyring,
    services: Vec<(KeyKind, Arc<dyn KeyService>)>,
}

impl LocalKeys {
    /// Opens age keys with these identities, and nothing else yet.
    #[must_use]
    pub fn new(keyring: Keyring) -> Self {
        Self { keyring, services: Vec::new() }
    }

    /// Takes keys of `kind` to `service`, which is asked for no other kind; the last one given counts.
    #[must_use]
    pub fn with(mut self, kind: KeyKind, service: impl KeyService + 'static) -> Self {
        self.services.retain(|(known, _)| *known != kind);
        self.services.push((kind, Arc::new(service)));
        self
    }

    /// The age identities.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    fn service(&self, recipient: &Recipient) -> Result<&dyn KeyService, KeyError> {
        let kind = recipient.kind();
        if kind == KeyKind::Age {
            return Ok(&self.keyring);
        }
        match self.services.iter().find(|(known, _)| *known == kind) {
            Some((_, service)) => Ok(service.as_ref()),
            None => Err(KeyError::NoService { kind, id: recipient.id() }),
        }
    }
}

impl KeyService for LocalKeys {
    fn wrap(&self, recipient: &Recipient, share: &SecretBytes) -> Result<String, KeyError> {
        self.service(recipient)?.wrap(recipient, share)
    }

    fn unwrap(&self, wrapped: &WrappedKey) -> Result<Option<SecretBytes>, KeyError> {
        self.service(&wrapped.recipient)?.unwrap(wrapped)
    }

    fn complete(&self, recipient: &Recipient) -> Result<Recipient, KeyError> {
        self.service(recipient)?.complete(recipient)
    }

    fn identities(&self) -> Vec<String> {
        let others = self.services.iter().flat_map(|(_, service)| service.identities());
        self.keyring.identities().into_iter().chain(others).collect()
    }

    fn problems(&self) -> Vec<String> {
        let others = self.services.iter().flat_map(|(_, service)| service.problems());
        self.keyring.problems().into_iter().chain(others).collect()
    }

    fn said_by_sops(&self, recipient: &Recipient) -> String {
        match self.service(recipient) {
            Ok(service) => service.said_by_sops(recipient),
            Err(error) => error.to_string(),
        }
    }
}
