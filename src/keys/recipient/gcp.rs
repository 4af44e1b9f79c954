//! Keys of Google Cloud KMS.

use super::without_blanks;

/// A key of Google Cloud KMS.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GcpKmsRecipient {
    /// `projects/…/locations/…/keyRings/…/cryptoKeys/…`.
    pub resource_id: String,
}

impl GcpKmsRecipient {
    pub(super) fn parse(text: &str) -> Self {
        Self { resource_id: without_blanks(text) }
    }
}
