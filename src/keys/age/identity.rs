//! age X25519 identities.

use std::io::Read as _;
use std::iter;
use std::str::FromStr as _;

use ::age::armor::ArmoredReader;
use ::age::x25519;
use ::age::{DecryptError, Decryptor};
use zeroize::Zeroizing;

use crate::keys::{AgeRecipient, KeyError};
use crate::secret::SecretBytes;

/// A share of a data key is a data key and one byte.
const MOST_BYTES: usize = 33;

/// One line of an identity file.
pub(in crate::keys) enum IdentityLine {
    Identity(AgeIdentity),
    /// A kind that SOPS would take and we cannot.
    Unsupported(&'static str),
    /// A comment or nothing.
    Blank,
}

/// An age X25519 identity; the key inside wipes itself.
#[derive(Clone)]
pub(in crate::keys) struct AgeIdentity {
    identity: x25519::Identity,
    public: x25519::Recipient,
}

impl AgeIdentity {
    /// Reads one line; `None` if it is no identity.
    pub(in crate::keys) fn parse_line(line: &str) -> Option<IdentityLine> {
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
    pub(in crate::keys) fn recipient(&self) -> String {
        self.public.to_string()
    }

    /// Whether both are the same identity.
    pub(in crate::keys) fn is(&self, other: &Self) -> bool {
        self.public == other.public
    }

    /// Unwraps `enc`: `None` if it is for somebody else.
    ///
    /// The recipient written beside a wrapped key is not authenticated, so the key is tried whatever it says; it only
    /// decides whether a failure means "not mine" or "mine and damaged".
    pub(in crate::keys) fn unwrap(&self, enc: &str, recipient: &AgeRecipient) -> Result<Option<SecretBytes>, KeyError> {
        let damaged = |reason| Err(KeyError::Damaged { recipient: recipient.to_string(), reason });
        let named = self.recipient() == recipient.text();
        let opened = Decryptor::new_buffered(ArmoredReader::new(enc.trim_start().as_bytes()))
            .and_then(|file| file.decrypt(iter::once(&self.identity as &dyn ::age::Identity)));
        let mut reader = match opened {
            Ok(reader) => reader,
            Err(DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed) if named => {
                return damaged("it was altered, or wrapped for another recipient than it names");
            }
            Err(DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed) => return Ok(None),
            Err(DecryptError::InvalidMac) => return damaged("its header was altered"),
            Err(_) => return damaged("it is no complete age file"),
        };
        // One byte more than a share, so that a longer content is seen as such without being read whole.
        let mut bytes = Zeroizing::new([0; MOST_BYTES + 1]);
        let mut filled = 0;
        while filled < bytes.len() {
            match reader.read(&mut bytes[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(_) => return damaged("its content was altered or cut short"),
            }
        }
        match filled {
            1..=MOST_BYTES => Ok(Some(SecretBytes::new(bytes[..filled].to_vec()))),
            _ => damaged("it holds no data key of 32 bytes"),
        }
    }
}
