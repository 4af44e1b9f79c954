//! Several key services, asked one after another.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{DecryptionOrder, KeyError, KeyKind, KeyService, Keyring, LocalKeys, Recipient, WrappedKey};
use crate::secret::SecretBytes;

/// The key services, local first, in the order in which they are asked; and the order in which kinds are tried.
///
/// What was unwrapped is remembered as long as this lives: a wrapped key is taken to a service once, however many
/// files, versions of files and threads ask for it.
#[derive(Clone, Default)]
pub struct KeyServices {
    services: Vec<Arc<dyn KeyService>>,
    order: DecryptionOrder,
    known: Arc<Mutex<HashMap<WrappedKey, Arc<OnceLock<Unwrapped>>>>>,
}

/// A data key or share, or why each of the services did not give it.
pub type Unwrapped = Result<SecretBytes, Vec<Refusal>>;

/// Why one service did not unwrap a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What went wrong; nothing did if the key is for somebody else.
    pub error: Option<KeyError>,
    /// What SOPS says in this case.
    pub sops: String,
}

impl KeyServices {
    /// No service at all, and SOPS's own decryption order.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks one more service, after those that are there.
    #[must_use]
    pub fn with(mut self, service: impl KeyService + 'static) -> Self {
        self.services.push(Arc::new(service));
        self
    }

    /// Tries kinds in another order.
    #[must_use]
    pub fn in_order(mut self, order: DecryptionOrder) -> Self {
        self.order = order;
        self
    }

    /// The order in which kinds are tried.
    #[must_use]
    pub fn order(&self) -> &DecryptionOrder {
        &self.order
    }

    /// Whether there is nobody to ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// Wraps a share with the first service that can.
    ///
    /// # Errors
    /// What every service said.
    pub fn wrap(&self, recipient: &Recipient, share: &SecretBytes) -> Result<String, Vec<KeyError>> {
        self.first(|service| service.wrap(recipient, share))
    }

    /// The recipient with what only a service knows filled in.
    ///
    /// # Errors
    /// What every service said.
    pub fn complete(&self, recipient: &Recipient) -> Result<Recipient, Vec<KeyError>> {
        match recipient {
            Recipient::AzureKeyVault(azure) if azure.version.is_empty() => {
                self.first(|service| service.complete(recipient))
            }
            _ => Ok(recipient.clone()),
        }
    }

    /// Unwraps with the first service that can.
    ///
    /// # Errors
    /// Why each of them did not.
    pub fn unwrap(&self, wrapped: &WrappedKey) -> Unwrapped {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = Arc::clone(known().entry(wrapped.clone()).or_default());
        let result = cell.get_or_init(|| self.ask(wrapped)).clone();
        // A service that was away may come back, and an identity may be added.
        if result.is_err() {
            known().remove(wrapped);
        }
        result
    }

    /// Whether keys of this kind are better asked for at once.
    #[must_use]
    pub fn waits(&self, kind: KeyKind) -> bool {
        self.services.iter().any(|service| service.waits(kind))
    }

    /// What there is to unwrap with, for a report.
    #[must_use]
    pub fn identities(&self) -> Vec<String> {
        self.services.iter().flat_map(|service| service.identities()).collect()
    }

    /// Why identities that were named could not be read.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.services.iter().flat_map(|service| service.problems()).collect()
    }

    fn ask(&self, wrapped: &WrappedKey) -> Unwrapped {
        let mut refusals = Vec::new();
        for service in &self.services {
            refusals.push(match service.unwrap(wrapped) {
                Ok(Some(share)) => return Ok(share),
                Ok(None) => Refusal { error: None, sops: service.said_by_sops(&wrapped.recipient) },
                Err(error) => Refusal { sops: error.sops_text(), error: Some(error) },
            });
        }
        Err(refusals)
    }

    fn first<T>(&self, ask: impl Fn(&dyn KeyService) -> Result<T, KeyError>) -> Result<T, Vec<KeyError>> {
        let mut errors = Vec::new();
        for service in &self.services {
            match ask(service.as_ref()) {
                Ok(answer) => return Ok(answer),
                Err(error) => errors.push(error),
            }
        }
        Err(errors)
    }
}

impl From<LocalKeys> for KeyServices {
    fn from(local: LocalKeys) -> Self {
        Self::new().with(local)
    }
}

impl From<Keyring> for KeyServices {
    fn from(keyring: Keyring) -> Self {
        LocalKeys::new(keyring).into()
    }
}

impl fmt::Debug for KeyServices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.identities()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Opens everything but what says `no`, and counts.
    struct Counting(Arc<AtomicUsize>);

    impl KeyService for Counting {
        fn wrap(&self, recipient: &Recipient, _: &SecretBytes) -> Result<String, KeyError> {
            Err(KeyError::Wrap { recipient: recipient.id() })
        }

        fn unwrap(&self, wrapped: &WrappedKey) -> Result<Option<SecretBytes>, KeyError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok((wrapped.enc != "no").then(|| SecretBytes::new(wrapped.enc.clone().into_bytes())))
        }
    }

    fn wrapped(enc: &str) -> WrappedKey {
        WrappedKey { recipient: Recipient::parse_pgp("AB"), created_at: None, enc: enc.into() }
    }

    #[test]
    fn a_wrapped_key_is_taken_to_a_service_once_whoever_asks() {
        let asked = Arc::new(AtomicUsize::new(0));
        let services = KeyServices::new().with(Counting(Arc::clone(&asked)));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert!(services.unwrap(&wrapped("one")).is_ok()));
            }
        });
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(services.clone().unwrap(&wrapped("two")).is_ok());
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        for _ in 0..2 {
            assert!(services.unwrap(&wrapped("no")).is_err());
        }
        assert_eq!(asked.load(Ordering::SeqCst), 4, "a refusal may be another one tomorrow");
    }

    #[test]
    fn services_are_asked_in_order_and_every_refusal_is_kept() {
        let (first, second) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let services =
            KeyServices::from(Keyring::new()).with(Counting(Arc::clone(&first))).with(Counting(Arc::clone(&second)));
        assert!(services.unwrap(&wrapped("yes")).is_ok());
        assert_eq!((first.load(Ordering::SeqCst), second.load(Ordering::SeqCst)), (1, 0));
        let Err(refusals) = services.unwrap(&wrapped("no")) else { panic!("it opens") };
        assert_eq!(refusals.iter().map(|refusal| refusal.error.is_some()).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(
            services.wrap(&Recipient::parse_pgp("AB"), &SecretBytes::default()).map_err(|all| all.len()),
            Err(3)
        );
        assert!(KeyServices::new().unwrap(&wrapped("yes")).is_err_and(|refusals| refusals.is_empty()));
    }
}
