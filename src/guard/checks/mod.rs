//! The checks: one file each, one word each in [`REGISTRY`].

mod clear_comment;
mod clear_value;
mod damaged;
mod decrypted_copy;
mod hidden_text;
mod kubernetes_secret;
mod loosened_rule;
mod metadata;
mod moved_value;
mod private_key;
mod recipients;
mod secret_name;
mod selector;
mod stale_mac;
mod suffix;
mod unreadable;
mod unreadable_rules;

use super::error::GuardError;
use super::finding::Findings;
use super::subject::Subject;
use super::world::World;
use crate::repo::RepoPath;

/// One check. It looks at one staged file, or once at everything, and never prints.
pub(super) trait Check: Sync {
    /// The word that findings and exceptions know it by.
    fn id(&self) -> &'static str;

    /// What it finds, in one line.
    fn about(&self) -> &'static str;

    /// Looks at one staged file.
    fn look(&self, _subject: &Subject<'_>, _found: &mut Findings) -> Result<(), GuardError> {
        Ok(())
    }

    /// Looks once at everything.
    fn look_around(&self, _world: &World<'_>) -> Result<Vec<(RepoPath, Findings)>, GuardError> {
        Ok(Vec::new())
    }
}

/// Every check there is.
pub(super) static REGISTRY: &[&dyn Check] = &[
    &unreadable_rules::UnreadableRules,
    &loosened_rule::LoosenedRule,
    &private_key::PrivateKey,
    &unreadable::Unreadable,
    &clear_value::ClearValue,
    &clear_comment::ClearComment,
    &hidden_text::HiddenText,
    &suffix::Suffix,
    &secret_name::SecretName,
    &metadata::MetadataBlock,
    &recipients::Recipients,
    &selector::WeakSelector,
    &stale_mac::StaleMac,
    &damaged::Damaged,
    &moved_value::MovedValue,
    &decrypted_copy::DecryptedCopy,
    &kubernetes_secret::KubernetesSecret,
];

/// A check in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Description {
    /// The word that findings and exceptions know it by.
    pub id: &'static str,
    /// What it finds.
    pub about: &'static str,
}

pub(super) fn descriptions() -> Vec<Description> {
    REGISTRY.iter().map(|check| Description { id: check.id(), about: check.about() }).collect()
}
