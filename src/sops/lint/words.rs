//! The words of `.sops.yaml`.
//!
//! *Source*: the SOPS format, section 8.2.

use super::Lint;
use crate::sops::rules::node::Node;

/// At the top.
pub(super) const FILE: &[&str] = &["creation_rules", "destination_rules", "stores"];

/// Below `stores`.
pub(super) const STORES: &[&str] = &["dotenv", "ini", "json", "json_binary", "yaml"];

/// Of a creation rule.
pub(super) const RULE: &[&str] = &[
    "age",
    "aws_profile",
    "azure_keyvault",
    "dotenv_dialect",
    "encrypted_comment_regex",
    "encrypted_regex",
    "encrypted_suffix",
    "gcp_kms",
    "hc_vault_transit_uri",
    "hckms",
    "key_groups",
    "kms",
    "mac_only_encrypted",
    "path_regex",
    "pgp",
    "shamir_threshold",
    "unencrypted_comment_regex",
    "unencrypted_regex",
    "unencrypted_suffix",
];

/// Of a key group.
pub(super) const GROUP: &[&str] = &["age", "azure_keyvault", "gcp_kms", "hc_vault", "hckms", "kms", "merge", "pgp"];

/// Of a rule of `publish`.
pub(super) const DESTINATION: &[&str] = &[
    "gcs_bucket",
    "gcs_prefix",
    "omit_extensions",
    "path_regex",
    "recreation_rule",
    "s3_bucket",
    "s3_prefix",
    "vault_address",
    "vault_kv_mount_name",
    "vault_kv_version",
    "vault_path",
];

/// The keys of a rule that name recipients.
pub(super) const KEYS: &[&str] = &["age", "azure_keyvault", "gcp_kms", "hc_vault_transit_uri", "hckms", "kms", "pgp"];

/// The known word that is nearest to one that is not known.
pub(super) fn near(word: &str, known: &[&'static str]) -> Option<&'static str> {
    similar::get_close_matches(word, known, 1, 0.6).first().copied()
}

/// A key that SOPS does not know is one that it ignores, and with it what its author meant.
pub(super) fn known(key: &Node, known: &[&'static str], place: &str, lint: &mut Lint) {
    let Some(word) = key.text() else {
        lint.add("unknown-key", key, "this key is no text", "SOPS ignores it: remove it");
        return;
    };
    if known.contains(&word) {
        return;
    }
    let mend = match near(word, known) {
        Some(near) => format!("write `{near}`, or remove it"),
        None => format!("remove it; {place} has {}", listed(known)),
    };
    lint.add("unknown-key", key, format!("`{word}` is no key of {place}; SOPS ignores it"), mend);
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
