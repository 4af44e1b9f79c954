//! The lists of wrapped keys in the `sops` block.
//!
//! *Source*: the SOPS format, sections 5, 6.1 and 6.3.

use crate::document::{Kind, Tree};
use crate::keys::{
    AgeRecipient, AwsKmsRecipient, AzureKeyVaultRecipient, EncryptionContext, GcpKmsRecipient, KeyKind, PgpRecipient,
    Recipient, VaultTransitRecipient, WrappedKey,
};

use super::SopsError;
use super::metadata::{KeyGroup, associated_data_of, field, text, wrong};

/// The list of groups, where there are several.
pub(super) const GROUPS: &str = "key_groups";

/// Reads the groups: keys at the top are the only group, whatever `key_groups` says.
pub(super) fn read(tree: &Tree) -> Result<Vec<KeyGroup>, SopsError> {
    let only = group(tree)?;
    if !only.keys.is_empty() {
        return Ok(vec![only]);
    }
    let groups = list(tree, GROUPS)?.into_iter().map(group).collect::<Result<Vec<_>, _>>()?;
    if groups.is_empty() { Err(SopsError::NoKeys) } else { Ok(groups) }
}

/// The entries that groups become: sorted by name, as everything in the block.
pub(super) fn written(groups: &[KeyGroup]) -> Vec<(String, Tree)> {
    match groups {
        [] => Vec::new(),
        [only] => lists(only, &[]),
        // SOPS leaves these two out of no group.
        several => {
            let groups = several.iter().map(|group| Tree::Map(lists(group, &[KeyKind::Age, KeyKind::VaultTransit])));
            vec![(GROUPS.to_owned(), Tree::List(groups.collect()))]
        }
    }
}

/// Whether an entry of the block is about keys.
pub(super) fn is_about_keys(name: &str) -> bool {
    name.eq_ignore_ascii_case(GROUPS) || KeyKind::ALL.iter().any(|kind| name.eq_ignore_ascii_case(kind.word()))
}

fn lists(group: &KeyGroup, always: &[KeyKind]) -> Vec<(String, Tree)> {
    let mut lists = Vec::new();
    for kind in KeyKind::ALL {
        let keys: Vec<Tree> =
            group.keys.iter().filter(|key| key.recipient.kind() == kind).map(|key| Tree::Map(entry(key))).collect();
        if !keys.is_empty() || always.contains(&kind) {
            lists.push((kind.word().to_owned(), Tree::List(keys)));
        }
    }
    lists.sort_by(|(a, _), (b, _)| a.cmp(b));
    lists
}

fn entry(key: &WrappedKey) -> Vec<(String, Tree)> {
    let mut entry = vec![("enc".to_owned(), Tree::text(key.enc.clone()))];
    let mut put = |name: &str, value: &str| entry.push((name.to_owned(), Tree::text(value)));
    match &key.recipient {
        Recipient::Age(age) => put("recipient", age.text()),
        Recipient::Pgp(pgp) => put("fp", &pgp.fingerprint),
        Recipient::GcpKms(gcp) => put("resource_id", &gcp.resource_id),
        Recipient::HuaweiKms(huawei) => put("key_id", &huawei.key_id()),
        Recipient::AzureKeyVault(azure) => {
            put("vault_url", &azure.vault_url);
            put("name", &azure.name);
            put("version", &azure.version);
        }
        Recipient::VaultTransit(vault) => {
            put("vault_address", &vault.vault_address);
            put("engine_path", &vault.engine_path);
            put("key_name", &vault.key_name);
        }
        Recipient::AwsKms(aws) => {
            put("arn", &aws.arn);
            put("aws_profile", &aws.aws_profile);
            if !aws.role.is_empty() {
                put("role", &aws.role);
            }
        }
    }
    if !matches!(key.recipient, Recipient::Age(_)) {
        put("created_at", key.created_at.as_deref().unwrap_or_default());
    }
    if let Recipient::AwsKms(AwsKmsRecipient { context, .. }) = &key.recipient
        && !context.is_empty()
    {
        let null = Tree::Scalar { text: String::new(), kind: Kind::Null, range: 0..0 };
        let pairs = context.iter().map(|(name, value)| {
            (name.clone(), value.as_ref().map_or_else(|| null.clone(), |value| Tree::text(value.clone())))
        });
        entry.push(("context".to_owned(), Tree::Map(pairs.collect())));
    }
    entry.sort_by(|(a, _), (b, _)| a.cmp(b));
    entry
}

fn group(tree: &Tree) -> Result<KeyGroup, SopsError> {
    let mut keys = Vec::new();
    for kind in KeyKind::ALL {
        for entry in list(tree, kind.word())? {
            if !matches!(entry, Tree::Map(_)) {
                return Err(wrong(kind.word(), "holds something that is no mapping"));
            }
            keys.push(key(kind, entry)?);
        }
    }
    Ok(KeyGroup { keys })
}

fn key(kind: KeyKind, entry: &Tree) -> Result<WrappedKey, SopsError> {
    let named = |name: &str| text(entry, name).map(|found| found.map(|(text, _)| text).unwrap_or_default());
    let recipient = match kind {
        KeyKind::Age => Recipient::Age(AgeRecipient::verbatim(&named("recipient")?)),
        KeyKind::Pgp => Recipient::Pgp(PgpRecipient { fingerprint: named("fp")? }),
        KeyKind::GcpKms => Recipient::GcpKms(GcpKmsRecipient { resource_id: named("resource_id")? }),
        KeyKind::HuaweiKms => Recipient::parse_huawei_kms(&named("key_id")?)?,
        KeyKind::AzureKeyVault => Recipient::AzureKeyVault(AzureKeyVaultRecipient {
            vault_url: named("vault_url")?,
            name: named("name")?,
            version: named("version")?,
        }),
        KeyKind::VaultTransit => Recipient::VaultTransit(VaultTransitRecipient {
            vault_address: named("vault_address")?,
            engine_path: named("engine_path")?,
            key_name: named("key_name")?,
        }),
        KeyKind::AwsKms => Recipient::AwsKms(AwsKmsRecipient {
            arn: named("arn")?,
            role: named("role")?,
            context: context(entry)?,
            aws_profile: named("aws_profile")?,
        }),
    };
    let created_at = match kind {
        KeyKind::Age => None,
        _ => {
            let created_at = named("created_at")?;
            if associated_data_of(&created_at).is_none() {
                return Err(wrong(format!("created_at of {recipient}"), "is no time in the form of RFC 3339"));
            }
            Some(created_at)
        }
    };
    Ok(WrappedKey { recipient, created_at, enc: named("enc")? })
}

fn context(entry: &Tree) -> Result<EncryptionContext, SopsError> {
    match field(entry, "context") {
        None => Ok(EncryptionContext::new()),
        Some(Tree::Map(pairs)) => pairs
            .iter()
            .map(|(name, value)| match value {
                Tree::Scalar { kind: Kind::Null, .. } => Ok((name.clone(), None)),
                Tree::Scalar { text, .. } => Ok((name.clone(), Some(text.clone()))),
                _ => Err(wrong("context", "holds something that is no text")),
            })
            .collect(),
        Some(Tree::Scalar { text, .. }) if text.is_empty() => Ok(EncryptionContext::new()),
        Some(_) => Err(wrong("context", "is no mapping")),
    }
}

/// A list field; absent is empty, and a single mapping is a list of one.
fn list<'t>(tree: &'t Tree, name: &str) -> Result<Vec<&'t Tree>, SopsError> {
    match field(tree, name) {
        None => Ok(Vec::new()),
        Some(Tree::List(entries)) => Ok(entries.iter().collect()),
        Some(map @ Tree::Map(entries)) => Ok(if entries.is_empty() { Vec::new() } else { vec![map] }),
        Some(Tree::Scalar { text, .. }) if text.is_empty() => Ok(Vec::new()),
        Some(Tree::Scalar { .. }) => Err(wrong(name, "is no list")),
    }
}
