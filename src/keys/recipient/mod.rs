//! Who a data key can be wrapped for: plain data, checked as SOPS checks it, no I/O.

mod age;
mod aws;
mod azure;
mod gcp;
mod huawei;
mod pgp;
mod vault;

use std::collections::BTreeMap;
use std::fmt;

pub use age::{AgeKind, AgeRecipient};
pub use aws::{AwsKmsRecipient, EncryptionContext};
pub use azure::AzureKeyVaultRecipient;
pub use gcp::GcpKmsRecipient;
pub use huawei::HuaweiKmsRecipient;
pub use pgp::PgpRecipient;
pub use vault::VaultTransitRecipient;

use super::{KeyError, KeyKind};

/// Somebody, or something, that a data key can be wrapped for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// An age recipient of whatever sort.
    Age(AgeRecipient),
    /// An OpenPGP key.
    Pgp(PgpRecipient),
    /// A key of AWS KMS.
    AwsKms(AwsKmsRecipient),
    /// A key of Google Cloud KMS.
    GcpKms(GcpKmsRecipient),
    /// A key of HuaweiCloud KMS.
    HuaweiKms(HuaweiKmsRecipient),
    /// A key of Azure Key Vault.
    AzureKeyVault(AzureKeyVaultRecipient),
    /// A key of Vault's transit engine.
    VaultTransit(VaultTransitRecipient),
}

impl Recipient {
    /// Reads an age recipient; blanks around it are ignored.
    ///
    /// # Errors
    /// [`KeyError::Recipient`].
    pub fn parse_age(text: &str) -> Result<Self, KeyError> {
        AgeRecipient::parse(text).map(Self::Age)
    }

    /// Reads a fingerprint; blanks in it are dropped, anything else is left to `gpg`.
    #[must_use]
    pub fn parse_pgp(text: &str) -> Self {
        Self::Pgp(PgpRecipient::parse(text))
    }

    /// Reads `ARN` or `ARN+ROLE`; what it means is checked when it is used, as SOPS does.
    #[must_use]
    pub fn parse_aws_kms(text: &str, context: &EncryptionContext, profile: &str) -> Self {
        Self::AwsKms(AwsKmsRecipient::parse(text, context, profile))
    }

    /// Reads a resource id, `projects/…/cryptoKeys/…`, which is checked when it is used.
    #[must_use]
    pub fn parse_gcp_kms(text: &str) -> Self {
        Self::GcpKms(GcpKmsRecipient::parse(text))
    }

    /// Reads `REGION:UUID`.
    ///
    /// # Errors
    /// [`KeyError::Recipient`].
    pub fn parse_huawei_kms(text: &str) -> Result<Self, KeyError> {
        HuaweiKmsRecipient::parse(text).map(Self::HuaweiKms)
    }

    /// Reads `https://HOST/keys/NAME[/VERSION]`.
    ///
    /// # Errors
    /// [`KeyError::Recipient`].
    pub fn parse_azure_key_vault(text: &str) -> Result<Self, KeyError> {
        AzureKeyVaultRecipient::parse(text).map(Self::AzureKeyVault)
    }

    /// Reads `SCHEME://HOST[:PORT]/vN/ENGINE…/keys/NAME`.
    ///
    /// # Errors
    /// [`KeyError::Recipient`].
    pub fn parse_vault_transit(text: &str) -> Result<Self, KeyError> {
        VaultTransitRecipient::parse(text).map(Self::VaultTransit)
    }

    /// Reads one recipient of a kind as it stands in a flag, without a context or a profile.
    ///
    /// # Errors
    /// [`KeyError::Recipient`].
    pub fn parse(kind: KeyKind, text: &str) -> Result<Self, KeyError> {
        match kind {
            KeyKind::Age => Self::parse_age(text),
            KeyKind::Pgp => Ok(Self::parse_pgp(text)),
            KeyKind::AwsKms => Ok(Self::parse_aws_kms(text, &BTreeMap::new(), "")),
            KeyKind::GcpKms => Ok(Self::parse_gcp_kms(text)),
            KeyKind::HuaweiKms => Self::parse_huawei_kms(text),
            KeyKind::AzureKeyVault => Self::parse_azure_key_vault(text),
            KeyKind::VaultTransit => Self::parse_vault_transit(text),
        }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        match self {
            Self::Age(_) => KeyKind::Age,
            Self::Pgp(_) => KeyKind::Pgp,
            Self::AwsKms(_) => KeyKind::AwsKms,
            Self::GcpKms(_) => KeyKind::GcpKms,
            Self::HuaweiKms(_) => KeyKind::HuaweiKms,
            Self::AzureKeyVault(_) => KeyKind::AzureKeyVault,
            Self::VaultTransit(_) => KeyKind::VaultTransit,
        }
    }

    /// The word that the metadata has for its kind.
    #[must_use]
    pub const fn type_word(&self) -> &'static str {
        self.kind().word()
    }

    /// The text that SOPS knows it by, in reports, in differences and when a key is to be removed.
    ///
    /// *Source*: the SOPS format, section 5.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Age(age) => age.text().to_owned(),
            Self::Pgp(pgp) => pgp.fingerprint.clone(),
            Self::AwsKms(aws) => aws.id(),
            Self::GcpKms(gcp) => gcp.resource_id.clone(),
            Self::HuaweiKms(huawei) => huawei.key_id(),
            Self::AzureKeyVault(azure) => azure.id(),
            Self::VaultTransit(vault) => vault.id(),
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id())
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.type_word(), self.id())
    }
}

/// The text for an error message, unless somebody took an identity for a recipient.
fn shown(text: &str) -> String {
    let upper = text.to_ascii_uppercase();
    if upper.contains("SECRET") || upper.contains("PRIVATE") { "…".into() } else { text.chars().take(200).collect() }
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|letter| *letter != ' ').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_sops() {
        let context: EncryptionContext =
            [("b".to_owned(), Some("2".to_owned())), ("a".to_owned(), Some("1".to_owned()))].into();
        let arn = " arn:aws:kms:eu-west-1:1:key/k + arn:aws:iam::1:role/r ";
        let ids = [
            Recipient::parse_aws_kms("arn:aws:kms:x:1:key/k", &BTreeMap::new(), "").id(),
            Recipient::parse_aws_kms(arn, &context, "").id(),
            Recipient::parse_aws_kms(arn, &context, "dev").id(),
            Recipient::parse_aws_kms("arn:x", &BTreeMap::new(), "dev").id(),
            Recipient::parse_pgp("AB CD!").id(),
            Recipient::parse_gcp_kms(" projects/p ").id(),
            Recipient::parse_huawei_kms(" tr-west-1: abc").unwrap().id(),
            Recipient::parse_azure_key_vault("https://v.vault.azure.net/keys/n/1").unwrap().id(),
            Recipient::parse_vault_transit("https://v:8200/v1/a/b/keys/n").unwrap().id(),
        ];
        let wanted = [
            "arn:aws:kms:x:1:key/k",
            "arn:aws:kms:eu-west-1:1:key/k+arn:aws:iam::1:role/r|a:1,b:2",
            "arn:aws:kms:eu-west-1:1:key/k+arn:aws:iam::1:role/r|a:1,b:2|dev",
            "arn:x||dev",
            "ABCD!",
            "projects/p",
            "tr-west-1:abc",
            "https://v.vault.azure.net/keys/n/1",
            "https://v:8200/v1/a/b/keys/n",
        ];
        assert_eq!(ids, wanted);
    }

    #[test]
    fn what_is_none_is_refused_and_an_identity_is_not_shown() {
        for (kind, text) in [
            (KeyKind::Age, ""),
            (KeyKind::Age, "age1x"),
            (KeyKind::HuaweiKms, "abc"),
            (KeyKind::HuaweiKms, "a:b:c"),
            (KeyKind::AzureKeyVault, "http://v/keys/n"),
            (KeyKind::AzureKeyVault, "https://v/x/keys/n"),
            (KeyKind::VaultTransit, "https://v/prefix/v1/a/keys/n"),
            (KeyKind::VaultTransit, "https://v/v1/a/n"),
        ] {
            assert!(matches!(Recipient::parse(kind, text), Err(KeyError::Recipient { .. })), "{kind} {text}");
        }
        let secret = "AGE-SECRET-KEY-1EU5N4USKG3PPC0KZYGWS59EF9F0PUD9DMNZLQX2NED6NGS4476VSTMM3Y0";
        let shown = Recipient::parse_age(secret).unwrap_err().to_string();
        assert!(!shown.contains("EU5N"), "{shown}");
    }
}
