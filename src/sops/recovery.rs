//! From a file's wrapped keys to its data key, or to a report of what was tried.

use std::thread;

use crate::cipher::{DataKey, shamir};
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
        let threshold = (metadata.groups.len() > 1).then(|| metadata.shamir_threshold.unwrap_or(2));
        SopsError::NotOpened(NotOpened { groups: tried, threshold, identities, problems })
    };
    if let [_] = metadata.groups.as_slice() {
        let Some(share) = shares.pop() else { return Err(not_opened(tried)) };
        return DataKey::from_slice(share.expose_secret()).ok_or(SopsError::NotADataKey);
    }
    // A file without a threshold takes what there is, and the values tell whether it was enough.
    if shares.len() < metadata.shamir_threshold.unwrap_or_default().max(2) {
        return Err(not_opened(tried));
    }
    let groups = metadata.groups.len();
    let key = shamir::combine(&shares).map_err(|problem| SopsError::Groups { groups, problem })?;
    DataKey::from_slice(key.expose_secret()).ok_or(SopsError::NotADataKey)
}

/// Unwraps the data key of a file into what the services remember, so that opening the file waits for nobody: for many
/// files at once, before their values are decrypted by as many threads as there are processors.
///
/// # Errors
/// [`SopsError::NotOpened`].
pub fn fetch_key(metadata: &Metadata, services: &KeyServices) -> Result<(), SopsError> {
    data_key(metadata, services).map(drop)
}

fn groups(groups: &[KeyGroup], services: &KeyServices) -> Vec<(Option<SecretBytes>, TriedGroup)> {
    let waits = groups.iter().flat_map(|group| &group.keys).any(|key| services.waits(key.recipient.kind()));
    if groups.len() < 2 || !waits {
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
