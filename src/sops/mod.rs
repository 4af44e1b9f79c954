//! The file format.

mod error;
mod metadata;
mod pattern;
mod recovery;
mod rules;
mod scope;

pub use error::SopsError;
pub use metadata::{GroupKey, KeyGroup, Metadata, VERSION};
pub use pattern::Pattern;
pub use recovery::{NotOpened, Tried, Verdict};
pub use rules::{Rule, RuleGroup, RuleKey, RuleSet};
pub use scope::{DEFAULT_SUFFIX, EncryptionScope, Selector};
