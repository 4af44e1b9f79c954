//! The seven kinds of keys.

use std::fmt;

/// What kind a key is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyKind {
    /// AWS KMS.
    AwsKms,
    /// Google Cloud KMS.
    GcpKms,
    /// HuaweiCloud KMS.
    HuaweiKms,
    /// Azure Key Vault.
    AzureKeyVault,
    /// The transit engine of HashiCorp Vault or OpenBao.
    VaultTransit,
    /// OpenPGP.
    Pgp,
    /// age.
    Age,
}

impl KeyKind {
    /// Every kind, in the order in which SOPS loads the lists of a file.
    ///
    /// *Source*: the SOPS format, section 4.
    pub const ALL: [Self; 7] =
        [Self::AwsKms, Self::GcpKms, Self::HuaweiKms, Self::AzureKeyVault, Self::VaultTransit, Self::Pgp, Self::Age];

    /// The word of its list in the metadata, and in a decryption order.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::AwsKms => "kms",
            Self::GcpKms => "gcp_kms",
            Self::HuaweiKms => "hckms",
            Self::AzureKeyVault => "azure_kv",
            Self::VaultTransit => "hc_vault",
            Self::Pgp => "pgp",
            Self::Age => "age",
        }
    }

    /// The kind of that word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether using it takes a request over the network.
    #[must_use]
    pub const fn is_remote(self) -> bool {
        !matches!(self, Self::Pgp | Self::Age)
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
