//! From a data key to the wrapped keys of a file.

use crate::cipher::DataKey;
use crate::keys::{KeyServices, Recipient, WrappedKey};
use crate::secret::SecretBytes;

use super::SopsError;
use super::metadata::{KeyGroup, time_of};
use super::rules::RuleGroup;

/// A key of a group that is to be wrapped.
#[derive(Clone)]
pub(super) struct Wanted {
    recipient: Recipient,
    created_at: Option<String>,
}

impl Wanted {
    /// One that a rule or a flag names, with what only a service knows filled in.
    pub(super) fn new(recipient: &Recipient, services: &KeyServices, now: jiff::Timestamp) -> Result<Self, SopsError> {
        let recipient = services.complete(recipient).map_err(|errors| not_wrapped(recipient, errors))?;
        let created_at = (!matches!(recipient, Recipient::Age(_))).then(|| time_of(now));
        Ok(Self { recipient, created_at })
    }
}

/// The wanted keys of the groups of a rule.
pub(super) fn wanted(
    groups: &[RuleGroup],
    services: &KeyServices,
    now: jiff::Timestamp,
) -> Result<Vec<Vec<Wanted>>, SopsError> {
    let group = |group: &RuleGroup| group.keys.iter().map(|key| Wanted::new(key, services, now)).collect();
    groups.iter().map(group).collect()
}

/// Wraps a data key for everybody in every group.
pub(super) fn wrap(key: &DataKey, groups: &[Vec<Wanted>], services: &KeyServices) -> Result<Vec<KeyGroup>, SopsError> {
    if groups.is_empty() || groups.iter().any(Vec::is_empty) {
        return Err(SopsError::NoRecipients);
    }
    let [only] = groups else {
        return Err(SopsError::NoRecipients);
    };
    let share = SecretBytes::new(key.expose_secret().to_vec());
    Ok(vec![group(&share, only, services)?])
}

fn group(share: &SecretBytes, wanted: &[Wanted], services: &KeyServices) -> Result<KeyGroup, SopsError> {
    let mut keys = Vec::with_capacity(wanted.len());
    for Wanted { recipient, created_at } in wanted {
        let enc = services.wrap(recipient, share).map_err(|errors| not_wrapped(recipient, errors))?;
        keys.push(WrappedKey { recipient: recipient.clone(), created_at: created_at.clone(), enc });
    }
    Ok(KeyGroup { keys })
}

fn not_wrapped(recipient: &Recipient, errors: Vec<crate::keys::KeyError>) -> SopsError {
    SopsError::NotWrapped { failures: vec![(recipient.clone(), errors)] }
}
