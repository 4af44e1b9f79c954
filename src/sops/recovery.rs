//! From a file's wrapped keys to its data key, or to a report of what was tried.

use std::thread;

use crate::cipher::DataKey;
use crate::keys::{KeyServices, WrappedKey};
use crate::secret::SecretBytes;

use super::SopsError;
use super::metadata::{KeyGroup, Metadata};
use super::not_opened::{NotOpened, Tried, TriedGroup};

/// Unwraps the data key.
///
/// In each group keys are tried in the decryption order until one opens, the damaged ones too.
///
/// *Source*: the SOPS format, section 4.
///
/// # Errors
/// [`SopsError::NotOpened`] with what was tried for whom.
pub(super) fn data_key(metadata: &Metadata, services: &KeyServices) -> Result<DataKey, SopsError> {
    let opened = groups(&metadata.groups, services);
    let mut shares: Vec<SecretBytes> = Vec::new();
    let mut tried = Vec::new();
    for (share, group) in opened {
        shares.extend(share);
        tried.push(group);
    }
    let not_opened = |tried| {
        let (identities, problems) = (services.identities(), services.problems());
        let threshold = metadata.shamir_threshold.filter(|_| metadata.groups.len() > 1);
        SopsError::NotOpened(NotOpened { groups: tried, threshold, identities, problems })
    };
    if let [_] = metadata.groups.as_slice() {
        let Some(share) = shares.pop() else { return Err(not_opened(tried)) };
        return DataKey::from_slice(share.expose_secret()).ok_or(SopsError::NotADataKey);
    }
    Err(not_opened(tried))
}

fn groups(groups: &[KeyGroup], services: &KeyServices) -> Vec<(Option<SecretBytes>, TriedGroup)> {
    let remote = groups.iter().flat_map(|group| &group.keys).any(|key| key.recipient.kind().is_remote());
    if groups.len() < 2 || !remote {
        return groups.iter().map(|known| group(known, services)).collect();
    }
    thread::scope(|scope| {
        let running: Vec<_> = groups.iter().map(|known| scope.spawn(move || group(known, services))).collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

fn group(group: &KeyGroup, services: &KeyServices) -> (Option<SecretBytes>, TriedGroup) {
    let mut keys: Vec<&WrappedKey> = group.keys.iter().collect();
    keys.sort_by_key(|key| services.order().position(key.recipient.kind()));
    let mut tried = Vec::new();
    for key in keys {
        match services.unwrap(key) {
            Ok(share) => {
                tracing::debug!(recipient = %key.recipient, "unwrapped");
                tried.push(Tried::new(&key.recipient, None));
                return (Some(share), TriedGroup { opened: true, keys: tried });
            }
            Err(refusals) => tried.push(Tried::new(&key.recipient, Some(refusals))),
        }
    }
    (None, TriedGroup { opened: false, keys: tried })
}
