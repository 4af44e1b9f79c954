//! age recipients.

use std::fmt;

use super::shown;
use crate::keys::{KeyError, KeyKind, age};

/// An age recipient, as the text it was given as.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AgeRecipient {
    kind: AgeKind,
    text: String,
}

/// The sorts of age recipients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AgeKind {
    /// `age1…`.
    X25519,
    /// `age1pq1…`: ML-KEM-768 and X25519 together.
    Hybrid,
    /// `age1NAME1…`, the business of a program `age-plugin-NAME`.
    Plugin,
    /// `ssh-ed25519 …` or `ssh-rsa …`.
    Ssh,
    /// None that anybody knows: metadata may hold what no recipient can be made of.
    Unknown,
}

impl AgeRecipient {
    /// *Source*: the SOPS format, section 5.1: a second `1` marks a plugin, since the alphabet of the rest has none.
    pub(super) fn parse(text: &str) -> Result<Self, KeyError> {
        let recipient = Self::verbatim(text.trim());
        let whole = age::is_whole(recipient.kind, &recipient.text);
        if whole { Ok(recipient) } else { Err(KeyError::Recipient { kind: KeyKind::Age, text: shown(text.trim()) }) }
    }

    /// A recipient as a file names it, which is only a label there: it is checked when something is wrapped for it.
    #[must_use]
    pub fn verbatim(text: &str) -> Self {
        let kind = if text.starts_with("age1pq1") {
            AgeKind::Hybrid
        } else if text.starts_with("age1") && text.matches('1').count() > 1 {
            AgeKind::Plugin
        } else if text.starts_with("age1") {
            AgeKind::X25519
        } else if text.starts_with("ssh-") {
            AgeKind::Ssh
        } else {
            AgeKind::Unknown
        };
        Self { kind, text: text.to_owned() }
    }

    /// What sort it is.
    #[must_use]
    pub const fn kind(&self) -> AgeKind {
        self.kind
    }

    /// Whether both are the same; behind an SSH key a comment does not count.
    #[must_use]
    pub fn is(&self, other: &str) -> bool {
        let key = |text: &str| -> String { text.split(' ').take(2).collect::<Vec<_>>().join(" ") };
        match self.kind {
            AgeKind::Ssh => key(&self.text) == key(other),
            _ => self.text == other,
        }
    }

    /// As it was given; behind an SSH key there may be a comment.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
