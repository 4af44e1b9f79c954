//! Who can open a file, held to who should.

use crate::keys::{AgeKind, Recipient, WrappedKey};
use crate::sops::{Metadata, Rule};

/// What differs between the keys of a file and those of its rule, in words; nothing where the rule names none.
pub(crate) fn key_differences(metadata: &Metadata, rule: &Rule) -> Vec<String> {
    if rule.keys().next().is_none() {
        return Vec::new();
    }
    let mut found = differences(metadata, rule);
    if metadata.groups.len() > 1 && threshold(rule.shamir_threshold, rule) > threshold(metadata.shamir_threshold, rule)
    {
        found.push("fewer key groups than the rule wants are enough to open the file".into());
    }
    found
}

/// Without a threshold every group is needed.
fn threshold(given: Option<usize>, rule: &Rule) -> usize {
    given.unwrap_or(rule.groups.len())
}

/// What differs, group by group.
fn differences(metadata: &Metadata, rule: &Rule) -> Vec<String> {
    if metadata.groups.len() != rule.groups.len() {
        return vec![format!("the file has {} key groups, its rule {}", metadata.groups.len(), rule.groups.len())];
    }
    let mut differences = Vec::new();
    for (has, wants) in metadata.groups.iter().zip(&rule.groups) {
        for key in &wants.keys {
            if !has.keys.iter().any(|known| same(key, known)) {
                differences.push(format!("the recipient {} is missing from the file", named(key)));
            }
        }
        for key in &has.keys {
            if !wants.keys.iter().any(|known| same(known, key)) {
                differences.push(format!(
                    "the recipient {} is not one of the rule's and can open the file",
                    given(&key.recipient)
                ));
            }
        }
    }
    differences
}

/// The same key, and wrapped for it.
fn same(wanted: &Recipient, given: &WrappedKey) -> bool {
    !given.enc.trim().is_empty() && same_key(wanted, &given.recipient)
}

/// What names the key, and not what is to be done with it: a rule may leave out an alias's role or a key's version.
pub(crate) fn same_key(wanted: &Recipient, given: &Recipient) -> bool {
    match (wanted, given) {
        (Recipient::Pgp(wanted), Recipient::Pgp(given)) => wanted.fingerprint.eq_ignore_ascii_case(&given.fingerprint),
        (Recipient::AwsKms(wanted), Recipient::AwsKms(given)) => wanted.arn == given.arn,
        (Recipient::AzureKeyVault(wanted), Recipient::AzureKeyVault(given)) => {
            let versions = wanted.version.is_empty() || wanted.version == given.version;
            versions && (&wanted.vault_url, &wanted.name) == (&given.vault_url, &given.name)
        }
        (wanted, given) => wanted == given,
    }
}

fn named(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Age(_) => format!("`{recipient}`"),
        other => format!("`{other}` ({})", other.type_word()),
    }
}

/// A recipient as the file names it. Anything may stand there: only what has a checksum is surely one and is printed.
fn given(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Age(age) if age.kind() == AgeKind::X25519 && Recipient::parse_age(age.text()).is_ok() => {
            named(recipient)
        }
        other => format!("of kind {}", other.type_word()),
    }
}
