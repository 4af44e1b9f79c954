//! Values at rest: encrypted under a key that belongs to one world and lies in it as a file for its owner only.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ring::hmac;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::SandboxError;
use super::store::write_private;
use crate::cipher::{DataKey, Label, ValueCipher};
use crate::secret::SecretString;

/// A value as the world keeps it: a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sealed(String);

/// Encrypts and opens the values of one world.
pub(super) struct Vault {
    cipher: Mutex<ValueCipher>,
    derivation: hmac::Key,
}

impl Vault {
    /// Makes a new world's key.
    ///
    /// # Errors
    /// When the machine has no randomness or the disk does not take it.
    pub(super) fn create(path: &Path) -> Result<Self, SandboxError> {
        let key = DataKey::generate().map_err(|_| SandboxError::Randomness)?;
        write_private(path, key.expose_secret())?;
        Self::open_key(path)
    }

    /// Opens with the key in this file.
    ///
    /// # Errors
    /// When the file cannot be read or is no key.
    pub(super) fn open_key(path: &Path) -> Result<Self, SandboxError> {
        let bytes = Zeroizing::new(std::fs::read(path).map_err(|source| SandboxError::file(path, source))?);
        let key = DataKey::from_slice(&bytes).ok_or_else(|| SandboxError::Damaged { path: path.to_owned() })?;
        let derivation = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret());
        Ok(Self { cipher: Mutex::new(ValueCipher::new(&key)), derivation })
    }

    /// The secret that this world has for `purpose`, the same after every restart: 32 bytes.
    pub(super) fn derive(&self, purpose: &str) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(hmac::sign(&self.derivation, purpose.as_bytes()).as_ref().to_vec())
    }

    /// Tells the values of `name` apart without showing them.
    pub(super) fn fingerprint(&self, name: &str, value: &SecretString) -> String {
        base64(&self.derive(&format!("value {name}\n{}", value.expose_secret()))[..9])
    }

    /// Encrypts a value, which opens again only under the same name.
    pub(super) fn seal(&self, name: &str, value: &SecretString) -> Result<Sealed, SandboxError> {
        let mut token = Vec::new();
        let mut cipher = self.cipher.lock().unwrap_or_else(PoisonError::into_inner);
        cipher
            .encrypt(Label::Str, value.expose_secret().as_bytes(), name, &mut token)
            .map_err(|_| SandboxError::Sealing)?;
        String::from_utf8(token).map(Sealed).map_err(|_| SandboxError::Sealing)
    }

    /// Opens a value that was sealed under this name.
    pub(super) fn open(&self, name: &str, sealed: &Sealed) -> Result<SecretString, SandboxError> {
        let mut bytes = Zeroizing::new(Vec::new());
        let mut cipher = self.cipher.lock().unwrap_or_else(PoisonError::into_inner);
        cipher.decrypt(sealed.0.as_bytes(), name, &mut bytes).map_err(|_| SandboxError::Sealing)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| SandboxError::Sealing)?;
        Ok(SecretString::new(text.to_owned()))
    }
}

/// Standard base64.
pub(super) fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_under_its_own_name_only() {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::create(&dir.path().join("key")).unwrap();
        let sealed = vault.seal("A", &SecretString::new("CANARY-heron".into())).unwrap();
        assert!(!sealed.0.contains("CANARY"));
        assert_eq!(vault.open("A", &sealed).unwrap().expose_secret(), "CANARY-heron");
        assert!(vault.open("B", &sealed).is_err());
        let empty = vault.seal("A", &SecretString::default()).unwrap();
        assert_eq!(vault.open("A", &empty).unwrap().expose_secret(), "");
    }
}
