//! The key that encrypts one file's values.

use std::fmt;

use zeroize::Zeroizing;

use super::CipherError;

/// 32 random bytes, wiped on drop, printed as a placeholder.
#[derive(Clone)]
pub struct DataKey(Zeroizing<[u8; Self::BYTES]>);

impl DataKey {
    /// Its size.
    pub const BYTES: usize = 32;

    /// A fresh key.
    ///
    /// # Errors
    /// [`CipherError::NoRandom`].
    pub fn generate() -> Result<Self, CipherError> {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        getrandom::fill(&mut bytes[..]).map_err(|_| CipherError::NoRandom)?;
        Ok(Self(bytes))
    }

    /// A key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A key of these bytes, if they are as many as a key has.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; Self::BYTES]);
        if bytes.len() != Self::BYTES {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    /// Looks inside. The bytes must not be stored, logged or put into an error.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}
