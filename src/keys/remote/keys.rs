//! A recipient as the key service's messages have it, and back.

use super::messages::{AgeKey, AzureKeyVaultKey, GcpKmsKey, HuaweiKmsKey, Key, KeyType, KmsKey, PgpKey, VaultKey};
use crate::keys::{
    AgeRecipient, AwsKmsRecipient, AzureKeyVaultRecipient, GcpKmsRecipient, KeyError, PgpRecipient, Recipient,
    VaultTransitRecipient,
};

/// The message for a recipient. Entries of an encryption context without a value are left out: there is no place for
/// them, and the cloud does not see them either.
pub(super) fn message(recipient: &Recipient) -> Key {
    let key_type = match recipient {
        Recipient::Age(age) => KeyType::Age(AgeKey { recipient: age.text().to_owned() }),
        Recipient::Pgp(pgp) => KeyType::Pgp(PgpKey { fingerprint: pgp.fingerprint.clone() }),
        Recipient::AwsKms(aws) => KeyType::Kms(KmsKey {
            arn: aws.arn.clone(),
            role: aws.role.clone(),
            context: aws.context.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect(),
            aws_profile: aws.aws_profile.clone(),
        }),
        Recipient::GcpKms(gcp) => KeyType::GcpKms(GcpKmsKey { resource_id: gcp.resource_id.clone() }),
        Recipient::HuaweiKms(huawei) => KeyType::HuaweiKms(HuaweiKmsKey { key_id: huawei.key_id() }),
        Recipient::AzureKeyVault(azure) => KeyType::AzureKeyVault(AzureKeyVaultKey {
            vault_url: azure.vault_url.clone(),
            name: azure.name.clone(),
            version: azure.version.clone(),
        }),
        Recipient::VaultTransit(vault) => KeyType::Vault(VaultKey {
            vault_address: vault.vault_address.clone(),
            engine_path: vault.engine_path.clone(),
            key_name: vault.key_name.clone(),
        }),
    };
    Key { key_type: Some(key_type) }
}

/// The recipient of a message.
pub(super) fn recipient(key: &KeyType) -> Result<Recipient, KeyError> {
    Ok(match key {
        KeyType::Age(age) => Recipient::Age(AgeRecipient::verbatim(&age.recipient)),
        KeyType::Pgp(pgp) => Recipient::Pgp(PgpRecipient { fingerprint: pgp.fingerprint.clone() }),
        KeyType::Kms(aws) => Recipient::AwsKms(AwsKmsRecipient {
            arn: aws.arn.clone(),
            role: aws.role.clone(),
            context: aws.context.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect(),
            aws_profile: aws.aws_profile.clone(),
        }),
        KeyType::GcpKms(gcp) => Recipient::GcpKms(GcpKmsRecipient { resource_id: gcp.resource_id.clone() }),
        KeyType::HuaweiKms(huawei) => Recipient::parse_huawei_kms(&huawei.key_id)?,
        KeyType::AzureKeyVault(azure) => Recipient::AzureKeyVault(AzureKeyVaultRecipient {
            vault_url: azure.vault_url.clone(),
            name: azure.name.clone(),
            version: azure.version.clone(),
        }),
        KeyType::Vault(vault) => Recipient::VaultTransit(VaultTransitRecipient {
            vault_address: vault.vault_address.clone(),
            engine_path: vault.engine_path.clone(),
            key_name: vault.key_name.clone(),
        }),
    })
}

/// A recipient in the words of the question whether to answer for it.
///
/// *Source*: the notes on the wire, section 7, for the words about Vault and age.
pub(super) fn description(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Age(_) => "Unknown key type".to_owned(),
        Recipient::Pgp(pgp) => format!("PGP key with fingerprint {}", pgp.fingerprint),
        Recipient::AwsKms(aws) => format!("AWS KMS key with ARN {}", aws.arn),
        Recipient::GcpKms(gcp) => format!("GCP KMS key with resource ID {}", gcp.resource_id),
        Recipient::HuaweiKms(huawei) => format!("HuaweiCloud KMS key with key ID {}", huawei.key_id()),
        Recipient::AzureKeyVault(azure) => {
            format!("Azure Key Vault key with URL {}/keys/{}/{}", azure.vault_url, azure.name, azure.version)
        }
        Recipient::VaultTransit(_) => format!("Hashicorp Vault key with URI {}", recipient.id()),
    }
}
