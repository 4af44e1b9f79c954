//! The file format.

mod decrypted;
mod encrypted;
mod encryption;
mod error;
mod kept;
mod metadata;
mod pattern;
mod recovery;
mod rules;
mod scope;
mod seal;
mod values;

pub use decrypted::{DecryptedFile, Value};
pub use encrypted::{EncryptedFile, UnverifiedFile};
pub use encryption::{Encryption, encrypt};
pub use error::SopsError;
pub use metadata::{GroupKey, KeyGroup, Metadata, VERSION};
pub use pattern::Pattern;
pub use recovery::{NotOpened, Tried, Verdict};
pub use rules::{Rule, RuleGroup, RuleKey, RuleSet};
pub use scope::{DEFAULT_SUFFIX, EncryptionScope, Selector};
pub use seal::Flavour;
