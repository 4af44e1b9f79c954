//! Keys of AWS KMS.

use std::collections::BTreeMap;

use super::without_blanks;

/// What a ciphertext of KMS is bound to; an entry without a value is not sent.
pub type EncryptionContext = BTreeMap<String, Option<String>>;

/// A key of AWS KMS, and how to reach it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AwsKmsRecipient {
    /// The key or alias.
    pub arn: String,
    /// The role to take on first; empty for none.
    pub role: String,
    /// What the ciphertext is bound to.
    pub context: EncryptionContext,
    /// The profile of the shared configuration; empty for the default chain.
    pub aws_profile: String,
}

impl AwsKmsRecipient {
    /// Reads `ARN` or `ARN+ROLE`.
    ///
    /// *Source*: the SOPS format, section 5.3: all blanks go, and the first `+arn:` splits.
    pub(super) fn parse(text: &str, context: &EncryptionContext, profile: &str) -> Self {
        let text = without_blanks(text);
        let (arn, role) = match text.find("+arn:") {
            Some(at) if at > 0 => (text[..at].to_owned(), text[at + 1..].to_owned()),
            _ => (text, String::new()),
        };
        Self { arn, role, context: context.clone(), aws_profile: profile.to_owned() }
    }

    pub(super) fn id(&self) -> String {
        let mut id = self.arn.clone();
        if !self.role.is_empty() {
            id.push('+');
            id.push_str(&self.role);
        }
        let pairs = self.context.iter().map(|(key, value)| format!("{key}:{}", value.as_deref().unwrap_or_default()));
        let context = pairs.collect::<Vec<_>>().join(",");
        match (self.aws_profile.as_str(), context.is_empty()) {
            ("", true) => id,
            ("", false) => format!("{id}|{context}"),
            (profile, _) => format!("{id}|{context}|{profile}"),
        }
    }
}
