//! age: wrapping for its recipients, and the identities that unwrap.

mod identity;

use std::str::FromStr as _;

use ::age::x25519;

pub(super) use identity::{AgeIdentity, IdentityLine};

use super::{AgeKind, AgeRecipient, KeyError};
use crate::secret::SecretBytes;

/// Wraps a share for one recipient: an armored age file.
pub(super) fn wrap(recipient: &AgeRecipient, share: &SecretBytes) -> Result<String, KeyError> {
    let failed = || KeyError::Wrap { recipient: recipient.to_string() };
    let key = match recipient.kind() {
        AgeKind::X25519 => x25519::Recipient::from_str(recipient.text()).map_err(|_| failed())?,
        _ => return Err(failed()),
    };
    ::age::encrypt_and_armor(&key, share.expose_secret()).map_err(|_| failed())
}
