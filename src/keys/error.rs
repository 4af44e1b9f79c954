//! Why a key could not be read or used.

use super::KeyKind;
use crate::error::{Class, Failure};

/// Why a key could not be read or used. Never holds a byte of an identity, a data key or a share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A text is no recipient.
    #[error("`{text}` is no {}", article(*.kind))]
    Recipient {
        /// What it was to be.
        kind: KeyKind,
        /// The text, which is no secret unless an identity was given by mistake; then it is left out.
        text: String,
    },
    /// A line of an identity file is no identity.
    #[error("line {line} of {origin} is no age identity")]
    Identity {
        /// Where the identities came from.
        origin: String,
        /// 1-based.
        line: usize,
    },
    /// An identity file is itself encrypted.
    #[error("{origin} is protected by a passphrase, and nobody gave it")]
    Passphrase {
        /// Where the identities came from.
        origin: String,
    },
    /// An identity cannot be used.
    #[error("{origin}: {reason}")]
    Unusable {
        /// Where it came from.
        origin: String,
        /// Why.
        reason: &'static str,
    },
    /// A plugin is not installed.
    #[error("the program `age-plugin-{name}` is not in the PATH")]
    PluginMissing {
        /// Its name.
        name: String,
    },
    /// A plugin failed.
    #[error("an age plugin says: {said}")]
    Plugin {
        /// Its own words.
        said: String,
    },
    /// There is no identity in a place that was named for them.
    #[error("{origin} holds no identity")]
    NoIdentity {
        /// Where they were expected.
        origin: String,
    },
    /// Keys of this kind go nowhere: no service for them was set up.
    #[error("nothing here works with `{kind}` keys such as `{id}`")]
    NoService {
        /// The kind.
        kind: KeyKind,
        /// The key.
        id: String,
    },
    /// A key could not be wrapped.
    #[error("the data key cannot be wrapped for `{recipient}`")]
    Wrap {
        /// For whom.
        recipient: String,
    },
    /// A wrapped key is for an identity at hand, yet does not open.
    #[error("the key wrapped for `{recipient}` is damaged: {reason}")]
    Damaged {
        /// For whom.
        recipient: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A program or a server that holds the key did not do it.
    #[error("{}: {}", .0.id, .0.problem)]
    Service(Box<ServiceError>),
}

/// What a program or a server that holds a key said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    /// The key, as [`super::Recipient::id`] gives it.
    pub id: String,
    /// What happened, in a sentence without the key's name.
    pub problem: String,
    /// The class: [`Class::World`] for a server that is away, [`Class::Untrusted`] for a "no" or a wrong answer,
    /// [`Class::Usage`] for what is to be mended on this machine.
    pub class: Class,
    /// What to do, if there is something.
    pub hint: Option<String>,
    /// What SOPS prints in its place, where scripts look for that.
    pub sops: Option<String>,
}

impl ServiceError {
    /// An error of this class, without a hint.
    #[must_use]
    pub fn new(id: String, class: Class, problem: impl Into<String>) -> Self {
        Self { id, problem: problem.into(), class, hint: None, sops: None }
    }
}

impl From<ServiceError> for KeyError {
    fn from(error: ServiceError) -> Self {
        Self::Service(Box::new(error))
    }
}

/// What a recipient of a kind is called.
const fn article(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::AwsKms => "ARN of a key of AWS KMS",
        KeyKind::GcpKms => "resource id of a key of Google Cloud KMS",
        KeyKind::HuaweiKms => "key of HuaweiCloud KMS",
        KeyKind::AzureKeyVault => "URL of a key of Azure Key Vault",
        KeyKind::VaultTransit => "URI of a key of Vault's transit engine",
        KeyKind::Pgp => "fingerprint",
        KeyKind::Age => "age recipient",
    }
}

impl KeyError {
    /// What SOPS says in its place, where that is known.
    #[must_use]
    pub fn sops_text(&self) -> String {
        match self {
            Self::Recipient { kind: KeyKind::Age, text } => {
                format!("failed to parse input, unknown recipient type: \"{text}\"")
            }
            Self::Recipient { kind: KeyKind::AzureKeyVault, text } => {
                format!("could not parse \"{text}\" into a valid Azure Key Vault MasterKey []")
            }
            Self::Recipient { kind: KeyKind::VaultTransit, text } => match text.split_once("://") {
                None => format!(
                    "missing scheme in Vault URL (should be like this: +https://vault.example.com:8200/v1/transit/keys/keyName), got: {text}"
                ),
                Some(_) => "vault path does not seem to be formatted correctly: (eg. https://vault.example.com:8200/v1/transit/keys/keyName)".to_owned(),
            },
            Self::Recipient { kind: KeyKind::HuaweiKms, text } => {
                format!("invalid key ID format: expected 'region:key-uuid', got \"{text}\"")
            }
            Self::Service(error) => error.sops.clone().unwrap_or_else(|| error.problem.clone()),
            other => other.to_string(),
        }
    }
}

impl Failure for KeyError {
    fn class(&self) -> Class {
        match self {
            Self::Damaged { .. } | Self::Unusable { .. } | Self::Plugin { .. } => Class::Untrusted,
            Self::Wrap { .. } => Class::World,
            Self::Service(error) => error.class,
            _ => Class::Usage,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Recipient { kind, .. } => vec![
                match kind {
                    KeyKind::Age => "an age recipient begins with `age1` or `ssh-`; `age-keygen -y keys.txt` prints it",
                    KeyKind::HuaweiKms => "it is `REGION:UUID`",
                    KeyKind::AzureKeyVault => "it is `https://HOST/keys/NAME/VERSION`",
                    KeyKind::VaultTransit => "it is `https://HOST:8200/v1/ENGINE/keys/NAME`",
                    _ => return Vec::new(),
                }
                .into(),
            ],
            Self::Identity { .. } => vec![
                "an identity begins with `AGE-SECRET-KEY-1` and stands alone on its line, without blanks around it"
                    .into(),
            ],
            Self::Passphrase { .. } => vec!["run it in a terminal, where a passphrase can be asked for".into()],
            Self::PluginMissing { name } => vec![format!("install `age-plugin-{name}`")],
            Self::Damaged { .. } => {
                vec!["take the `sops` block from an older version of the file: `git log -p`".into()]
            }
            Self::Service(error) => error.hint.iter().cloned().collect(),
            _ => Vec::new(),
        }
    }
}
