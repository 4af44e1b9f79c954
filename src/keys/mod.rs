//! Who can unwrap a data key: one file per key type.
//!
//! ```
//! use lockage::cipher::DataKey;
//! use lockage::keys::{Keyring, Recipient, wrap};
//! use lockage::secret::SecretString;
//!
//! # fn main() -> Result<(), lockage::keys::KeyError> {
//! let recipient = Recipient::parse_age("age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj")?;
//! let data_key = DataKey::from_bytes([7; 32]);
//! let wrapped = wrap(&recipient, &data_key)?;
//!
//! let mut keyring = Keyring::new();
//! assert!(keyring.unwrap(&wrapped)?.is_none(), "an empty keyring opens nothing");
//! # let text = "AGE-SECRET-KEY-1EU5N4USKG3PPC0KZYGWS59EF9F0PUD9DMNZLQX2NED6NGS4476VSTMM3Y0".to_owned();
//! let identities = SecretString::new(text);
//! keyring.add_age_text(&identities, "keys.txt")?;
//! assert!(keyring.unwrap(&wrapped)?.is_some());
//! # Ok(())
//! # }
//! ```

mod age;
mod keyring;
pub mod published;

pub use age::AgeRecipient;
pub use keyring::{IdentityOrigin, Keyring};

use std::fmt;

use crate::cipher::DataKey;
use crate::error::{Class, Failure};

/// Somebody a data key can be wrapped for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Recipient {
    /// An age X25519 recipient, `age1…`.
    Age(AgeRecipient),
}

impl Recipient {
    /// Reads an age recipient; blanks around it are ignored.
    ///
    /// # Errors
    /// [`KeyError::UnsupportedRecipient`] for SSH, plugin and post-quantum recipients, [`KeyError::Recipient`] for
    /// what is none at all.
    pub fn parse_age(text: &str) -> Result<Self, KeyError> {
        AgeRecipient::parse(text).map(Self::Age)
    }

    /// The word that the metadata and the rules have for this key type.
    #[must_use]
    pub const fn type_word(&self) -> &'static str {
        match self {
            Self::Age(_) => "age",
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Age(recipient) => recipient.fmt(f),
        }
    }
}

/// A data key, or a share of one, encrypted to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// Who can unwrap it.
    pub recipient: Recipient,
    /// The wrapped key as the metadata holds it; for age an armored file with its final line break.
    pub enc: String,
}

/// Wraps `key` for `recipient`.
///
/// # Errors
/// [`KeyError::Wrap`].
pub fn wrap(recipient: &Recipient, key: &DataKey) -> Result<WrappedKey, KeyError> {
    match recipient {
        Recipient::Age(age) => Ok(WrappedKey { recipient: recipient.clone(), enc: age.wrap(key)? }),
    }
}

/// Why a key could not be read or used. Never holds a byte of an identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A text is no recipient.
    #[error("`{text}` is no age recipient")]
    Recipient {
        /// The text, which is no secret unless an identity was given by mistake; then it is left out.
        text: String,
    },
    /// A text is a recipient of a kind that is not supported.
    #[error("`{text}` is {kind}, which is not supported yet")]
    UnsupportedRecipient {
        /// The recipient.
        text: String,
        /// What it is, with an article.
        kind: &'static str,
    },
    /// A line of an identity file is no identity.
    #[error("line {line} of {origin} is no age identity")]
    Identity {
        /// Where the identities came from.
        origin: String,
        /// 1-based.
        line: usize,
    },
    /// An identity file is itself encrypted.
    #[error("{origin} is protected by a passphrase, which is not supported yet")]
    Passphrase {
        /// Where the identities came from.
        origin: String,
    },
    /// There is no identity in a place that was named for them.
    #[error("{origin} holds no identity")]
    NoIdentity {
        /// Where they were expected.
        origin: String,
    },
    /// A key could not be wrapped.
    #[error("the data key cannot be wrapped for `{recipient}`")]
    Wrap {
        /// For whom.
        recipient: String,
    },
    /// A wrapped key is for an identity at hand, yet does not open.
    #[error("the key wrapped for `{recipient}` is damaged: {reason}")]
    Damaged {
        /// For whom.
        recipient: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Failure for KeyError {
    fn class(&self) -> Class {
        match self {
            Self::Damaged { .. } => Class::Untrusted,
            Self::Wrap { .. } => Class::World,
            _ => Class::Usage,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Recipient { .. } => {
                vec!["an age recipient begins with `age1`; `age-keygen -y keys.txt` prints it".into()]
            }
            Self::Identity { .. } => vec![
                "an identity begins with `AGE-SECRET-KEY-1` and stands alone on its line, without blanks around it"
                    .into(),
            ],
            Self::Passphrase { origin } => vec![format!("unlock it first: `age -d {origin}`")],
            Self::Damaged { .. } => {
                vec!["take the `sops` block from an older version of the file: `git log -p`".into()]
            }
            _ => Vec::new(),
        }
    }
}
