//! Keys that a cloud or a Vault holds: one client per vendor, each a [`KeyService`](super::KeyService).
//!
//! They follow SOPS in where they look for credentials, in which order, and in what they say, and differ where that is
//! unsafe: an answer without a key is an error, every request has a time limit and bounded repetitions, and nothing is
//! written to the home folder.

mod again;
mod trouble;
mod vault;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use vault::VaultTransit;

use super::{KeyError, KeyKind, LocalKeys, Recipient, Surroundings};
use crate::secret::{SecretBytes, SecretString};
use crate::system::background::Background;
use crate::system::wire::Wire;

/// `local` with a client for each cloud. Nothing is read, started or sent before a key of that cloud is used.
#[must_use]
pub fn with_clouds(local: LocalKeys, surroundings: &Surroundings, background: &Background) -> LocalKeys {
    let wire = Wire::new(background.clone(), surroundings.trust());
    local.with(KeyKind::VaultTransit, VaultTransit::new(surroundings, &wire))
}

/// A share as standard base64.
fn base64_of(share: &SecretBytes) -> SecretString {
    SecretString::new(STANDARD.encode(share.expose_secret()))
}

/// A share out of standard base64; `None` if there is none in it.
fn key_of(text: &str) -> Option<SecretBytes> {
    STANDARD.decode(text).ok().map(SecretBytes::new).filter(|share| !share.is_empty())
}

/// A key of another kind came to a client.
fn not_mine(recipient: &Recipient) -> KeyError {
    KeyError::NoService { kind: recipient.kind(), id: recipient.id() }
}
