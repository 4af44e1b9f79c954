//! Encrypts values. Knows bytes, not documents.
//!
//! A value becomes a token, `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`, bound to its place by associated data:
//!
//! ```
//! use lockage::cipher::{DataKey, Label, ValueCipher};
//! use zeroize::Zeroizing;
//!
//! # fn main() -> Result<(), lockage::cipher::CipherError> {
//! let mut cipher = ValueCipher::new(&DataKey::generate()?);
//! let mut token = Vec::new();
//! cipher.encrypt(Label::Str, b"hello", "db:password:", &mut token)?;
//! assert!(lockage::cipher::token::well_formed(&token));
//!
//! let mut plaintext = Zeroizing::new(Vec::new());
//! assert_eq!(cipher.decrypt(&token, "db:password:", &mut plaintext)?, Label::Str);
//! assert_eq!(&plaintext[..], b"hello");
//! # Ok(())
//! # }
//! ```

mod data_key;
mod mac;
pub mod shamir;
pub mod token;
mod value;

pub use data_key::DataKey;
pub use mac::Mac;
pub use token::Label;
pub use value::ValueCipher;

use crate::error::{Class, Failure};

/// Why a value could not be encrypted or decrypted. Never holds a byte of the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// The text is not a token at all: plaintext, or a token cut short.
    #[error("this is no `ENC[AES256_GCM,…]` token")]
    NotAToken,
    /// A part of the token is not base64.
    #[error("the `{part}` part of the token is not valid base64")]
    Base64 {
        /// `data`, `iv` or `tag`.
        part: &'static str,
    },
    /// A part of the token has a size that cannot be.
    #[error("the `{part}` part of the token has {bytes} bytes")]
    Size {
        /// `iv` or `tag`.
        part: &'static str,
        /// Its size.
        bytes: usize,
    },
    /// The ciphertext, its tag or its place was changed.
    #[error("the value was altered, moved to another key, or encrypted with another data key")]
    Altered,
    /// The `type:` word is none of the known ones.
    #[error("the token has an unknown type")]
    UnknownType,
    /// The value is larger than the cipher allows (64 GiB).
    #[error("the value is too large to encrypt")]
    TooLarge,
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandom,
}

impl Failure for CipherError {
    fn class(&self) -> Class {
        match self {
            Self::NoRandom => Class::World,
            Self::TooLarge => Class::Usage,
            _ => Class::Untrusted,
        }
    }
}
