//! Keys of Azure Key Vault.

use super::shown;
use crate::keys::{KeyError, KeyKind};

/// A key of Azure Key Vault.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AzureKeyVaultRecipient {
    /// `https://HOST[:PORT]`.
    pub vault_url: String,
    /// The key's name.
    pub name: String,
    /// Its version; empty until the vault was asked for the current one.
    pub version: String,
}

impl AzureKeyVaultRecipient {
    /// *Source*: the SOPS format, section 5.5.
    pub(super) fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let error = || KeyError::Recipient { kind: KeyKind::AzureKeyVault, text: shown(text) };
        let (vault_url, path) = text.split_once("/keys/").ok_or_else(error)?;
        let host = vault_url.strip_prefix("https://").ok_or_else(error)?;
        if host.is_empty() || host.contains('/') {
            return Err(error());
        }
        let (name, version) = path.split_once('/').unwrap_or((path, ""));
        let version = version.strip_suffix('/').unwrap_or(version);
        if name.is_empty() || version.contains('/') {
            return Err(error());
        }
        Ok(Self { vault_url: vault_url.to_owned(), name: name.to_owned(), version: version.to_owned() })
    }

    pub(super) fn id(&self) -> String {
        format!("{}/keys/{}/{}", self.vault_url, self.name, self.version)
    }
}
