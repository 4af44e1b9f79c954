//! age: wrapping for its recipients, and the identities that unwrap.

mod asking;
mod hybrid;
mod identity;
mod locked;
mod native;
mod pem;
mod ssh;
mod x25519;
mod xwing;

use std::str::FromStr as _;

use ::age::plugin::{self, RecipientPluginV1};
use ::age::x25519::Recipient as X25519Recipient;

pub(super) use asking::Asking;
pub(super) use hybrid::HybridRecipient;
pub(super) use identity::AgeIdentity;
pub(super) use locked::Locked;
pub(super) use ssh::SshIdentity;

use super::{AgeKind, AgeRecipient, KeyError};
use crate::secret::SecretBytes;

/// Whether a text is a whole recipient of that sort.
pub(super) fn is_whole(kind: AgeKind, text: &str) -> bool {
    match kind {
        AgeKind::X25519 => X25519Recipient::from_str(text).is_ok(),
        AgeKind::Hybrid => HybridRecipient::parse(text).is_some(),
        AgeKind::Plugin => plugin::Recipient::from_str(text).is_ok(),
        AgeKind::Ssh => ::age::ssh::Recipient::from_str(text).is_ok(),
        AgeKind::Unknown => false,
    }
}

/// Wraps a share for one recipient: an armored age file.
pub(super) fn wrap(recipient: &AgeRecipient, share: &SecretBytes, asking: &Asking) -> Result<String, KeyError> {
    let text = recipient.text();
    let failed = || KeyError::Wrap { recipient: text.to_owned() };
    match recipient.kind() {
        AgeKind::X25519 => sealed(&X25519Recipient::from_str(text).map_err(|_| failed())?, share),
        AgeKind::Hybrid => sealed(&HybridRecipient::parse(text).ok_or_else(failed)?, share),
        AgeKind::Ssh => sealed(&::age::ssh::Recipient::from_str(text).map_err(|_| failed())?, share),
        AgeKind::Plugin => {
            let key = plugin::Recipient::from_str(text).map_err(|_| failed())?;
            let missing = |_| KeyError::PluginMissing { name: key.plugin().to_owned() };
            let running = RecipientPluginV1::new(key.plugin(), std::slice::from_ref(&key), &[], asking.clone());
            sealed(&running.map_err(missing)?, share)
        }
        AgeKind::Unknown => None,
    }
    .ok_or_else(failed)
}

fn sealed(recipient: &impl ::age::Recipient, share: &SecretBytes) -> Option<String> {
    ::age::encrypt_and_armor(recipient, share.expose_secret()).ok()
}
