//! Values at rest: encrypted under a key that belongs to one world and lies in it as a file for its owner only.

use std::path::Path;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::SandboxError;
use crate::secret::SecretString;

/// A value as the world keeps it: base64 of nonce, ciphertext and tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sealed(String);

/// Encrypts and opens the values of one world.
pub(super) struct Vault {
    key: LessSafeKey,
    derivation: hmac::Key,
}

impl Vault {
    /// The bytes of a new world's key.
    ///
    /// # Errors
    /// When the machine has no randomness.
    pub(super) fn new_key() -> Result<Zeroizing<[u8; 32]>, SandboxError> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut_slice()).map_err(|_| SandboxError::Randomness)?;
        Ok(key)
    }

    /// Opens with the key in this file.
    ///
    /// # Errors
    /// When the file cannot be read or is no key.
    pub(super) fn open_key(path: &Path) -> Result<Self, SandboxError> {
        let bytes = Zeroizing::new(std::fs::read(path).map_err(|source| SandboxError::file(path, source))?);
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| SandboxError::Damaged { path: path.to_owned() })?;
        Ok(Self { key: LessSafeKey::new(key), derivation: hmac::Key::new(hmac::HMAC_SHA256, &bytes) })
    }

    /// The secret that this world has for `purpose`, the same after every restart: 32 bytes.
    pub(super) fn derive(&self, purpose: &str) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(hmac::sign(&self.derivation, purpose.as_bytes()).as_ref().to_vec())
    }

    /// Encrypts a value, which opens again only under the same name.
    pub(super) fn seal(&self, name: &str, value: &SecretString) -> Result<Sealed, SandboxError> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| SandboxError::Randomness)?;
        let mut bytes = Zeroizing::new(value.expose_secret().as_bytes().to_vec());
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(name), &mut *bytes)
            .map_err(|_| SandboxError::Sealing)?;
        Ok(Sealed(base64(&[&nonce[..], &bytes].concat())))
    }

    /// Opens a value that was sealed under this name.
    pub(super) fn open(&self, name: &str, sealed: &Sealed) -> Result<SecretString, SandboxError> {
        let mut bytes = Zeroizing::new(unbase64(&sealed.0).ok_or(SandboxError::Sealing)?);
        let (nonce, rest) = bytes.split_at_mut_checked(NONCE_LEN).ok_or(SandboxError::Sealing)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SandboxError::Sealing)?;
        let plain = self.key.open_in_place(nonce, Aad::from(name), rest).map_err(|_| SandboxError::Sealing)?;
        String::from_utf8(plain.to_vec()).map(SecretString::new).map_err(|_| SandboxError::Sealing)
    }
}

/// Standard base64.
pub(super) fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The bytes behind standard base64.
pub(super) fn unbase64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}
