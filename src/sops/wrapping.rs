//! From a data key to the wrapped keys of a file.

use std::thread;

use crate::cipher::{DataKey, shamir};
use crate::keys::{KeyError, KeyServices, Recipient, WrappedKey};
use crate::secret::SecretBytes;

use super::SopsError;
use super::metadata::{KeyGroup, time_of};
use super::rules::RuleGroup;

/// A key of a group that is to be wrapped.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) recipient: Recipient,
    created_at: Option<String>,
}

impl Wanted {
    /// One that a rule or a flag names, with what only a service knows filled in.
    pub(super) fn new(recipient: &Recipient, services: &KeyServices, now: jiff::Timestamp) -> Result<Self, SopsError> {
        let recipient = services
            .complete(recipient)
            .map_err(|errors| SopsError::NotWrapped { failures: vec![(recipient.clone(), errors)] })?;
        let created_at = (!matches!(recipient, Recipient::Age(_))).then(|| time_of(now));
        Ok(Self { recipient, created_at })
    }

    /// One that a file has already: it keeps its time.
    pub(super) fn of_file(key: &WrappedKey) -> Self {
        Self { recipient: key.recipient.clone(), created_at: key.created_at.clone() }
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

/// Wraps a data key for everybody in every group, and gives the threshold that the file shall name.
///
/// One group holds the key itself, and a threshold is without effect there; several hold shares of it, and without a
/// threshold all are needed.
///
/// *Source*: the SOPS format, section 4.
pub(super) fn wrap(
    key: &DataKey,
    groups: &[Vec<Wanted>],
    threshold: Option<usize>,
    services: &KeyServices,
) -> Result<(Vec<KeyGroup>, Option<usize>), SopsError> {
    if groups.is_empty() || groups.iter().any(Vec::is_empty) {
        return Err(SopsError::NoRecipients);
    }
    let key = SecretBytes::new(key.expose_secret().to_vec());
    if let [_] = groups {
        return Ok((wrap_shares(&[key], groups, services)?, threshold));
    }
    let needed = threshold.unwrap_or(groups.len());
    let shares = shamir::split(&key, groups.len(), needed)
        .map_err(|problem| SopsError::Groups { groups: groups.len(), problem })?;
    Ok((wrap_shares(&shares, groups, services)?, Some(needed)))
}

type Wrapped = Result<String, Vec<KeyError>>;

/// Wraps each share for its group. Keys behind a network are wrapped at once, each in a thread of its own.
fn wrap_shares(
    shares: &[SecretBytes],
    groups: &[Vec<Wanted>],
    services: &KeyServices,
) -> Result<Vec<KeyGroup>, SopsError> {
    let jobs: Vec<(&SecretBytes, &Recipient)> = shares
        .iter()
        .zip(groups)
        .flat_map(|(share, group)| group.iter().map(move |wanted| (share, &wanted.recipient)))
        .collect();
    let results: Vec<Wrapped> = if jobs.iter().filter(|(_, recipient)| services.waits(recipient.kind())).count() < 2 {
        jobs.iter().map(|(share, recipient)| services.wrap(recipient, share)).collect()
    } else {
        thread::scope(|scope| {
            let running: Vec<_> =
                jobs.iter().map(|(share, recipient)| scope.spawn(move || services.wrap(recipient, share))).collect();
            running.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(Vec::new()))).collect()
        })
    };
    let mut results = results.into_iter();
    let mut failures = Vec::new();
    let mut wrapped = Vec::with_capacity(groups.len());
    for group in groups {
        let mut keys = Vec::with_capacity(group.len());
        for (Wanted { recipient, created_at }, result) in group.iter().zip(results.by_ref()) {
            match result {
                Ok(enc) => {
                    keys.push(WrappedKey { recipient: recipient.clone(), created_at: created_at.clone(), enc });
                }
                Err(errors) => failures.push((recipient.clone(), errors)),
            }
        }
        wrapped.push(KeyGroup { keys });
    }
    if failures.is_empty() { Ok(wrapped) } else { Err(SopsError::NotWrapped { failures }) }
}
