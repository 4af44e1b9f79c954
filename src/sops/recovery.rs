//! From a file's wrapped keys to its data key, or to a report of what was tried.

use std::fmt;

use crate::cipher::DataKey;
use crate::keys::{KeyError, Keyring};

use super::SopsError;
use super::metadata::{GroupKey, Metadata};

/// Unwraps the data key with what the keyring holds.
///
/// Every key is tried, the damaged ones too, until one opens; the first that does ends the search.
///
/// # Errors
/// [`SopsError::NotOpened`] with what was tried for whom.
pub(super) fn data_key(metadata: &Metadata, keyring: &Keyring) -> Result<DataKey, SopsError> {
    let split = metadata.groups.len() > 1;
    let mut tried = Vec::new();
    for key in metadata.keys() {
        match key {
            _ if split => tried.push(Tried::of(key, Verdict::Split)),
            GroupKey::Other { .. } => tried.push(Tried::of(key, Verdict::UnsupportedKind)),
            GroupKey::Wrapped(wrapped) => match keyring.unwrap(wrapped) {
                Ok(Some(data_key)) => {
                    tracing::debug!(recipient = %wrapped.recipient, "data key unwrapped");
                    return Ok(data_key);
                }
                Ok(None) => tried.push(Tried::of(key, Verdict::NotMine)),
                Err(error) => tried.push(Tried::of(key, Verdict::Failed(error))),
            },
        }
    }
    let identities = keyring.origins().iter().map(|identity| match &identity.recipient {
        Ok(recipient) => format!("{recipient} from {}", identity.origin),
        Err(kind) => format!("{kind} from {}, which is not supported yet", identity.origin),
    });
    Err(SopsError::NotOpened(NotOpened { tried, identities: identities.collect() }))
}

/// A file that no key at hand opens: for each of its keys what was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotOpened {
    /// Its keys in order.
    pub tried: Vec<Tried>,
    /// The identities at hand, each with its origin.
    pub identities: Vec<String>,
}

/// One key of a file, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The word of its kind, such as `age`.
    pub word: &'static str,
    /// What names it, such as a recipient.
    pub id: String,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of trying one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is for somebody else.
    NotMine,
    /// It is for an identity at hand, but something is wrong.
    Failed(KeyError),
    /// It is of a kind that cannot be tried.
    UnsupportedKind,
    /// It unwraps only a share of the data key.
    Split,
}

impl Tried {
    fn of(key: &GroupKey, verdict: Verdict) -> Self {
        match key {
            GroupKey::Wrapped(wrapped) => {
                Self { word: wrapped.recipient.type_word(), id: wrapped.recipient.to_string(), verdict }
            }
            GroupKey::Other { word, id } => Self { word, id: id.clone(), verdict },
        }
    }
}

impl NotOpened {
    pub(super) fn hints(&self) -> Vec<String> {
        let mut hints = Vec::new();
        if self.identities.is_empty() {
            hints.push("no age identity was found; name one: `SOPS_AGE_KEY_FILE=keys.txt`".to_owned());
        } else {
            hints.push(format!("identities at hand: {}", self.identities.join("; ")));
        }
        if self.tried.iter().any(|tried| tried.verdict == Verdict::NotMine) {
            hints.push("somebody who can open the file can add you: `sops rotate -i --add-age age1… FILE`".to_owned());
        }
        if self.tried.iter().any(|tried| matches!(tried.verdict, Verdict::UnsupportedKind | Verdict::Split)) {
            hints.push("the program `sops` may be able to open it: `sops decrypt FILE`".to_owned());
        }
        for tried in &self.tried {
            if let Verdict::Failed(error) = &tried.verdict {
                hints.extend(crate::error::Failure::hints(error));
            }
        }
        hints.dedup();
        hints
    }
}

impl std::error::Error for NotOpened {}

impl fmt::Display for NotOpened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tried.as_slice() {
            [_] => f.write_str("its only key is not available here")?,
            tried => write!(f, "none of its {} keys is available here", tried.len())?,
        }
        let width = self.tried.iter().map(|tried| tried.id.chars().count()).max().unwrap_or_default();
        for tried in &self.tried {
            write!(f, "\n  {} {:width$}  {}", tried.word, tried.id, tried.verdict)?;
        }
        Ok(())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMine => f.write_str("not yours"),
            Self::Failed(error) => error.fmt(f),
            Self::UnsupportedKind => f.write_str("this kind of key is not supported yet"),
            Self::Split => f.write_str("holds only a share of the data key, which is not supported yet"),
        }
    }
}
