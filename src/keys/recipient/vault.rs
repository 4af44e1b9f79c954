//! Keys of Vault's transit engine.

use super::shown;
use crate::keys::{KeyError, KeyKind};

/// A key of the transit engine of HashiCorp Vault or OpenBao.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VaultTransitRecipient {
    /// `SCHEME://HOST[:PORT]`.
    pub vault_address: String,
    /// Where the engine is mounted; it may have slashes.
    pub engine_path: String,
    /// The key's name.
    pub key_name: String,
}

impl VaultTransitRecipient {
    /// *Source*: the SOPS format, section 5.6: a path in front of `/vN/` is refused.
    pub(super) fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let error = || KeyError::Recipient { kind: KeyKind::VaultTransit, text: shown(text) };
        let (scheme, rest) = text.split_once("://").ok_or_else(error)?;
        let (host, path) = rest.split_once('/').ok_or_else(error)?;
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        let [version, engine @ .., "keys", name] = parts.as_slice() else { return Err(error()) };
        let numbered = version
            .strip_prefix('v')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()));
        if scheme.is_empty() || host.is_empty() || !numbered || engine.is_empty() || name.is_empty() {
            return Err(error());
        }
        Ok(Self {
            vault_address: format!("{scheme}://{host}"),
            engine_path: engine.join("/"),
            key_name: (*name).to_owned(),
        })
    }

    pub(super) fn id(&self) -> String {
        format!("{}/v1/{}/keys/{}", self.vault_address, self.engine_path, self.key_name)
    }
}
