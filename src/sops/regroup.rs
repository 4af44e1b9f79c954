//! Other keys for the same data key: no value of the file is touched.
//!
//! *Source*: the SOPS format, section 9.14.

use crate::document::Edits;
use crate::keys::{KeyServices, Recipient};

use super::SopsError;
use super::encrypted::EncryptedFile;
use super::metadata::{KeyGroup, Metadata};
use super::recovery;
use super::rules::RuleGroup;
use super::wrapping::{self, Wanted};

/// What would become of the keys of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChanges {
    /// Group by group; where one side has fewer groups, its missing ones are empty.
    pub groups: Vec<GroupChange>,
    /// The threshold that the file has.
    pub old_threshold: Option<usize>,
    /// The one it would get.
    pub new_threshold: Option<usize>,
}

/// What would become of one group, as [`crate::keys::Recipient::id`]s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupChange {
    /// Who stays.
    pub common: Vec<String>,
    /// Who comes.
    pub added: Vec<String>,
    /// Who goes.
    pub removed: Vec<String>,
}

impl GroupChange {
    fn of(old: Option<&KeyGroup>, new: Option<&RuleGroup>) -> Self {
        let old: Vec<String> = old.into_iter().flat_map(|group| &group.keys).map(|key| key.recipient.id()).collect();
        let new: Vec<String> = new.into_iter().flat_map(|group| &group.keys).map(|recipient| recipient.id()).collect();
        let (common, removed) = old.iter().cloned().partition(|id| new.contains(id));
        Self { common, added: new.into_iter().filter(|id| !old.contains(id)).collect(), removed }
    }
}

impl KeyChanges {
    /// Whether everything is as it should be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.old_threshold == self.new_threshold
            && self.groups.iter().all(|group| group.added.is_empty() && group.removed.is_empty())
    }
}

/// The groups of a rule with what only a key service knows filled in: a key of Azure Key Vault without a version.
///
/// # Errors
/// [`SopsError::NotWrapped`].
pub fn complete(groups: &[RuleGroup], keys: &KeyServices) -> Result<Vec<RuleGroup>, SopsError> {
    let complete = |recipient: &Recipient| {
        let failed = |errors| SopsError::NotWrapped { failures: vec![(recipient.clone(), errors)] };
        keys.complete(recipient).map_err(failed)
    };
    let group =
        |group: &RuleGroup| Ok(RuleGroup { keys: group.keys.iter().map(complete).collect::<Result<_, SopsError>>()? });
    groups.iter().map(group).collect()
}

impl Metadata {
    /// What [`EncryptedFile::update_keys`] would change; `groups` must be [`complete`].
    ///
    /// A threshold above the number of groups is lowered to their number, as SOPS does.
    #[must_use]
    pub fn key_changes(&self, groups: &[RuleGroup]) -> KeyChanges {
        let old = &self.groups;
        let changes = (0..old.len().max(groups.len())).map(|at| GroupChange::of(old.get(at), groups.get(at)));
        let old_threshold = self.shamir_threshold;
        let new_threshold = old_threshold.map(|threshold| threshold.min(groups.len()));
        KeyChanges { groups: changes.collect(), old_threshold, new_threshold }
    }
}

impl EncryptedFile {
    /// The file with the keys of these groups, under its old data key. Only the `sops` block is written anew; time, code
    /// and version stay.
    ///
    /// # Errors
    /// [`SopsError::NotOpened`]; [`SopsError::NoRecipients`] for an empty group; [`SopsError::NotWrapped`];
    /// [`SopsError::Groups`].
    pub fn update_keys(
        &self,
        groups: &[RuleGroup],
        keys: &KeyServices,
        now: jiff::Timestamp,
    ) -> Result<Vec<u8>, SopsError> {
        let threshold = self.metadata.shamir_threshold.map(|threshold| threshold.min(groups.len()));
        self.regroup(&wrapping::wanted(groups, keys, now)?, threshold, keys)
    }

    /// The file with one more group. Every key is wrapped anew, because the data key is split anew.
    ///
    /// # Errors
    /// As for [`EncryptedFile::update_keys`]. SOPS writes a group without keys, which damages the file; it is refused.
    pub fn add_group(
        &self,
        group: &RuleGroup,
        threshold: Option<usize>,
        keys: &KeyServices,
        now: jiff::Timestamp,
    ) -> Result<Vec<u8>, SopsError> {
        let mut groups = self.wanted();
        groups.extend(wrapping::wanted(std::slice::from_ref(group), keys, now)?);
        self.regroup(&groups, threshold.or(self.metadata.shamir_threshold), keys)
    }

    /// The file without a group, counted from 0. Every key is wrapped anew, because the data key is split anew; it is the
    /// same data key, so those who had it keep what they have.
    ///
    /// # Errors
    /// As for [`EncryptedFile::update_keys`]; [`SopsError::NoGroup`], where SOPS crashes;
    /// [`crate::cipher::shamir::ShamirError::FewerThanThreshold`] if the groups that are left could not open the file.
    pub fn delete_group(
        &self,
        index: usize,
        threshold: Option<usize>,
        keys: &KeyServices,
    ) -> Result<Vec<u8>, SopsError> {
        let mut groups = self.wanted();
        if index >= groups.len() {
            return Err(SopsError::NoGroup { index, groups: groups.len() });
        }
        groups.remove(index);
        let threshold = threshold.or(self.metadata.shamir_threshold);
        if threshold.is_some_and(|threshold| threshold > groups.len()) && !groups.is_empty() {
            let problem = crate::cipher::shamir::ShamirError::FewerThanThreshold;
            return Err(SopsError::Groups { groups: groups.len(), problem });
        }
        self.regroup(&groups, threshold, keys)
    }

    fn wanted(&self) -> Vec<Vec<Wanted>> {
        self.metadata.groups.iter().map(|group| group.keys.iter().map(Wanted::of_file).collect()).collect()
    }

    fn regroup(
        &self,
        groups: &[Vec<Wanted>],
        threshold: Option<usize>,
        keys: &KeyServices,
    ) -> Result<Vec<u8>, SopsError> {
        let key = recovery::data_key(&self.metadata, keys)?;
        let mut metadata = self.metadata.clone();
        (metadata.groups, metadata.shamir_threshold) = wrapping::wrap(&key, groups, threshold, keys)?;
        let mut text = self.written(Edits::new(), Some(&metadata))?;
        Ok(std::mem::take(&mut *text))
    }
}
