//! Plaintext, and the one door it leaves through.
//!
//! Nothing here can be displayed, serialised or compared; memory is wiped when a value is dropped. Looking inside is
//! one greppable method, `expose_secret`, and `tests/architecture.rs` holds the list of files that may call it.

use std::fmt;

use zeroize::Zeroizing;

/// A secret text: wiped on drop, printed as a placeholder.
#[derive(Clone, Default)]
pub struct SecretString(Zeroizing<String>);

impl SecretString {
    /// Takes ownership of `text`, whose buffer is wiped when this value is dropped.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Looks inside. The borrowed text must not be stored, logged or put into an error.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretString(…)")
    }
}

/// Secret bytes: wiped on drop, printed as a placeholder.
#[derive(Clone, Default)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes ownership of `bytes`, whose buffer is wiped when this value is dropped.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Looks inside. The borrowed bytes must not be stored, logged or put into an error.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }

    /// The number of bytes, which is no secret.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(…)")
    }
}

/// Names one leaf in one version of one encrypted file; safe to print, store and commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct SecretRef {
    /// Path of the encrypted file, relative to the repository's root, with `/`.
    pub file: String,
    /// The leaf, as a dotted key path (`db.password`, `hosts[0]`).
    pub path: String,
    /// The git blob that holds the version meant, as 40 hexadecimal digits.
    pub blob: String,
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = self.blob.get(..8).unwrap_or(&self.blob);
        write!(f, "{}@{short}#{}", self.file, self.path)
    }
}

/// The door: takes a name and a plaintext, delivers it, keeps nothing.
pub trait SecretSink {
    /// What a delivery can fail with.
    type Error;

    /// Delivers `value` under `name`.
    ///
    /// # Errors
    /// When the other side did not take it; the error never holds the value.
    fn deliver(&mut self, name: &str, value: &SecretString) -> Result<(), Self::Error>;
}
