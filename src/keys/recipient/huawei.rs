//! Keys of HuaweiCloud KMS.

use super::shown;
use crate::keys::{KeyError, KeyKind};

/// A key of HuaweiCloud KMS.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HuaweiKmsRecipient {
    /// The region, such as `tr-west-1`.
    pub region: String,
    /// The key's own id.
    pub uuid: String,
}

impl HuaweiKmsRecipient {
    /// *Source*: the SOPS format, section 5.7.
    pub(super) fn parse(text: &str) -> Result<Self, KeyError> {
        let parts: Vec<&str> = text.split(':').map(str::trim).collect();
        match parts[..] {
            [region, uuid] if !region.is_empty() && !uuid.is_empty() => {
                Ok(Self { region: region.to_owned(), uuid: uuid.to_owned() })
            }
            _ => Err(KeyError::Recipient { kind: KeyKind::HuaweiKms, text: shown(text) }),
        }
    }

    /// `REGION:UUID`, which is what the metadata holds.
    #[must_use]
    pub fn key_id(&self) -> String {
        format!("{}:{}", self.region, self.uuid)
    }
}
