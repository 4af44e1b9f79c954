//! age X25519 recipients and identities.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::io::Read as _;
use std::iter;
use std::str::FromStr as _;

use age::armor::ArmoredReader;
use age::x25519;
use age::{DecryptError, Decryptor};
use zeroize::Zeroizing;

use super::KeyError;
use crate::cipher::DataKey;

/// An age X25519 recipient, with the text it was given as.
#[derive(Clone, PartialEq, Eq)]
pub struct AgeRecipient {
    key: x25519::Recipient,
    text: String,
}

impl AgeRecipient {
    pub(super) fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if let Some(kind) = unsupported_kind(text) {
            return Err(KeyError::UnsupportedRecipient { text: text.to_owned(), kind });
        }
        match x25519::Recipient::from_str(text) {
            Ok(key) => Ok(Self { key, text: text.to_owned() }),
            Err(_) => Err(KeyError::Recipient { text: shown(text) }),
        }
    }

    pub(super) fn wrap(&self, key: &DataKey) -> Result<String, KeyError> {
        age::encrypt_and_armor(&self.key, key.expose_secret())
            .map_err(|_| KeyError::Wrap { recipient: self.text.clone() })
    }
}

impl fmt::Display for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Hash for AgeRecipient {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

/// What a recipient is that SOPS would take and we cannot.
///
/// *Source*: the SOPS format, section 5.1: a second `1` marks a plugin, since the alphabet of the rest has none.
fn unsupported_kind(text: &str) -> Option<&'static str> {
    if text.starts_with("age1pq1") {
        Some("a post-quantum age recipient")
    } else if text.starts_with("age1") && text.matches('1').count() > 1 {
        Some("an age plugin recipient")
    } else if text.starts_with("ssh-") {
        Some("an SSH recipient")
    } else {
        None
    }
}

/// The text for an error message, unless somebody took an identity for a recipient.
fn shown(text: &str) -> String {
    let upper = text.to_ascii_uppercase();
    if upper.contains("SECRET") || upper.contains("PRIVATE") { "…".into() } else { text.chars().take(80).collect() }
}

/// One line of an identity file.
pub(super) enum IdentityLine {
    Identity(AgeIdentity),
    /// A kind that SOPS would take and we cannot.
    Unsupported(&'static str),
    /// A comment or nothing.
    Blank,
}

/// An age X25519 identity; the key inside wipes itself.
#[derive(Clone)]
pub(super) struct AgeIdentity {
    identity: x25519::Identity,
    public: x25519::Recipient,
}

impl AgeIdentity {
    /// Reads one line; `None` if it is no identity.
    pub(super) fn parse_line(line: &str) -> Option<IdentityLine> {
        if line.is_empty() || line.starts_with('#') {
            return Some(IdentityLine::Blank);
        }
        if line.starts_with("AGE-PLUGIN-") {
            return Some(IdentityLine::Unsupported("an age plugin identity"));
        }
        if line.starts_with("AGE-SECRET-KEY-PQ-1") {
            return Some(IdentityLine::Unsupported("a post-quantum age identity"));
        }
        let identity = x25519::Identity::from_str(line).ok()?;
        let public = identity.to_public();
        Some(IdentityLine::Identity(Self { identity, public }))
    }

    /// The recipient that this identity answers to.
    pub(super) fn recipient(&self) -> String {
        self.public.to_string()
    }

    /// Whether both are the same identity.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.public == other.public
    }

    /// Unwraps `enc`: `None` if it is for somebody else.
    ///
    /// The recipient written beside a wrapped key is not authenticated, so the key is tried whatever it says; it only
    /// decides whether a failure means "not mine" or "mine and damaged".
    pub(super) fn unwrap(&self, enc: &str, recipient: &AgeRecipient) -> Result<Option<DataKey>, KeyError> {
        let damaged = |reason| Err(KeyError::Damaged { recipient: recipient.text.clone(), reason });
        let opened = Decryptor::new_buffered(ArmoredReader::new(enc.trim_start().as_bytes()))
            .and_then(|file| file.decrypt(iter::once(&self.identity as &dyn age::Identity)));
        let mut reader = match opened {
            Ok(reader) => reader,
            Err(DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed) if self.public == recipient.key => {
                return damaged("it was altered, or wrapped for another recipient than it names");
            }
            Err(DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed) => return Ok(None),
            Err(DecryptError::InvalidMac) => return damaged("its header was altered"),
            Err(_) => return damaged("it is no complete age file"),
        };
        // One byte more than a key, so that a longer content is seen as such without being read whole.
        let mut bytes = Zeroizing::new([0; DataKey::BYTES + 1]);
        let mut filled = 0;
        while filled < bytes.len() {
            match reader.read(&mut bytes[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(_) => return damaged("its content was altered or cut short"),
            }
        }
        match DataKey::from_slice(&bytes[..filled]) {
            Some(key) => Ok(Some(key)),
            None => damaged("it holds no data key of 32 bytes"),
        }
    }
}
