//! The file format: document, cipher and keys together.
//!
//! ```
//! use lockage::document::{Document, Format, KeyPath, Kind};
//! use lockage::keys::{Keyring, Recipient};
//! use lockage::secret::SecretString;
//! use lockage::sops::{EncryptedFile, Encryption, encrypt};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = "2026-11-21T12:00:00Z".parse::<jiff::Timestamp>()?;
//! # let identity = "AGE-SECRET-KEY-1EU5N4USKG3PPC0KZYGWS59EF9F0PUD9DMNZLQX2NED6NGS4476VSTMM3Y0".to_owned();
//! let recipient = Recipient::parse_age("age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj")?;
//! let plain = b"# the database\npassword: \"blue\"\nport: 5432\n".to_vec();
//! let document = Document::parse(Format::Yaml, plain.clone())?;
//! let file = encrypt(&document, &Encryption::to([recipient]), now)?;
//!
//! let mut keyring = Keyring::new();
//! keyring.add_age_text(&SecretString::new(identity), "keys.txt")?;
//! let opened = EncryptedFile::parse(Format::Yaml, file)?.decrypt(&keyring)?;
//! assert_eq!(opened.text(), plain, "byte for byte, comments and quotes included");
//!
//! let path: KeyPath = "password".parse()?;
//! let changed = opened.set(&path, Kind::Str, &SecretString::new("green".to_owned()), now)?;
//! let opened = EncryptedFile::parse(Format::Yaml, changed.unwrap_or_default())?.decrypt(&keyring)?;
//! assert_eq!(opened.text(), b"# the database\npassword: \"green\"\nport: 5432\n");
//! # Ok(())
//! # }
//! ```
//!
//! Two types say how far a file can be trusted: [`EncryptedFile`] is a text that nobody has opened, [`DecryptedFile`]
//! one whose every value and whose authentication code were checked. [`UnverifiedFile`] can be looked at and not be
//! written back. [`EncryptionScope`] is the one answer to "must this leaf be encrypted?".

mod decrypted;
mod draft;
mod encrypted;
mod encryption;
mod error;
mod kept;
mod metadata;
mod parts;
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
