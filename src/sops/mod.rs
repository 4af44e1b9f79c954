//! The file format: document, cipher and keys together.
//!
//! ```
//! use lockage::document::{Document, Format, KeyPath, Kind};
//! use lockage::keys::{KeyServices, Keyring, Recipient};
//! use lockage::secret::SecretString;
//! use lockage::sops::{EncryptedFile, Encryption, encrypt};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = "2026-11-21T12:00:00Z".parse::<jiff::Timestamp>()?;
//! # let identity = "AGE-SECRET-KEY-1EU5N4USKG3PPC0KZYGWS59EF9F0PUD9DMNZLQX2NED6NGS4476VSTMM3Y0".to_owned();
//! let recipient = Recipient::parse_age("age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj")?;
//! let plain = b"# the database\npassword: \"blue\"\nport: 5432\n".to_vec();
//! let document = Document::parse(Format::Yaml, plain.clone())?;
//! let mut keyring = Keyring::new();
//! keyring.add_age_text(&SecretString::new(identity), "keys.txt")?;
//! let keys = KeyServices::from(keyring);
//! let file = encrypt(&document, &Encryption::to([recipient]), &keys, now)?;
//!
//! let opened = EncryptedFile::parse(Format::Yaml, file)?.decrypt(&keys)?;
//! assert_eq!(opened.text(), plain, "byte for byte, comments and quotes included");
//!
//! let path: KeyPath = "password".parse()?;
//! let changed = opened.set(&path, Kind::Str, &SecretString::new("green".to_owned()), now)?;
//! let opened = EncryptedFile::parse(Format::Yaml, changed.unwrap_or_default())?.decrypt(&keys)?;
//! assert_eq!(opened.text(), b"# the database\npassword: \"green\"\nport: 5432\n");
//! # Ok(())
//! # }
//! ```
//!
//! The other formats work alike; the path of a value is dotted in all of them. Without a key a file can be inspected:
//!
//! ```
//! use lockage::document::{Document, Format, KeyPath, Kind, Visit};
//! use lockage::keys::{KeyServices, Keyring, Recipient};
//! use lockage::secret::SecretString;
//! use lockage::sops::{EncryptedFile, Encryption, EncryptionScope, encrypt, validate};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = "2026-11-21T12:00:00Z".parse::<jiff::Timestamp>()?;
//! # let identity = "AGE-SECRET-KEY-1EU5N4USKG3PPC0KZYGWS59EF9F0PUD9DMNZLQX2NED6NGS4476VSTMM3Y0".to_owned();
//! # let recipient = Recipient::parse_age("age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj")?;
//! # let mut keyring = Keyring::new();
//! # keyring.add_age_text(&SecretString::new(identity), "keys.txt")?;
//! # let keys = KeyServices::from(keyring);
//! for (format, plain, path) in [
//!     (Format::Yaml, "# note\ndb:\n  password: 'blue'\n", "db.password"),
//!     (Format::Json, "{\"db\": {\"password\": \"blue\"}}\n", "db.password"),
//!     (Format::Dotenv, "# note\nPASSWORD=blue\n", "PASSWORD"),
//!     (Format::Ini, "[db]\npassword = blue\n", "db.password"),
//!     (Format::Toml, "[db]\npassword = 'blue' # note\n", "db.password"),
//!     (Format::Binary, "blue", "data"),
//! ] {
//!     let document = Document::parse(format, plain.as_bytes().to_vec())?;
//!     let file = encrypt(&document, &Encryption::to([recipient.clone()]), &keys, now)?;
//!     let file = EncryptedFile::parse(format, file)?;
//!
//!     // Without a key: who can open it, and what in it is encrypted.
//!     assert!(validate(file.document(), None).is_empty());
//!     assert_eq!(file.metadata().recipients().collect::<Vec<_>>(), [&recipient]);
//!     EncryptionScope::of_metadata(file.metadata()).walk(file.document(), |visit, encrypted| match visit {
//!         Visit::Leaf { path: leaf, .. } if leaf.to_key_path().to_string() != path || !encrypted => Err("another leaf"),
//!         _ => Ok(()),
//!     })?;
//!
//!     let opened = file.decrypt(&keys)?;
//!     assert_eq!(opened.text(), plain.as_bytes());
//!     if format != Format::Binary {
//!         let path: KeyPath = path.parse()?;
//!         let changed = opened.set(&path, Kind::Str, &SecretString::new("green".to_owned()), now)?;
//!         let changed = EncryptedFile::parse(format, changed.unwrap_or_default())?.decrypt(&keys)?;
//!         assert_eq!(changed.text(), plain.replace("blue", "green").as_bytes());
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Two types say how far a file can be trusted: [`EncryptedFile`] is a text that nobody has opened, [`DecryptedFile`]
//! one whose every value and whose authentication code were checked. [`UnverifiedFile`] can be looked at and not be
//! written back. [`EncryptionScope`] is the one answer to "must this leaf be encrypted?".

mod change;
mod convert;
mod decrypted;
mod draft;
mod encrypted;
mod encryption;
mod error;
mod kept;
mod key_lists;
mod lint;
mod metadata;
mod new_value;
mod not_opened;
mod parts;
mod pattern;
mod place;
mod publish;
mod recovery;
mod regroup;
mod rotate;
mod rules;
mod scope;
mod seal;
mod validity;
mod values;
mod wrapping;

pub use convert::encrypt_as;
pub use decrypted::{DecryptedFile, Value};
pub use encrypted::{EncryptedFile, UnverifiedFile};
pub use encryption::{Encryption, encrypt};
pub use error::SopsError;
pub use lint::{KnownFile, lint_rules};
pub use metadata::{KeyGroup, Metadata, VERSION};
pub use new_value::NewValue;
pub use not_opened::{NotOpened, Tried, TriedGroup};
pub use pattern::Pattern;
pub use publish::{Publication, Recreated};
pub use recovery::fetch_key;
pub use regroup::{GroupChange, KeyChanges, complete};
pub use rules::{DestinationRule, Rule, RuleGroup, RuleSet, Stores};
pub use scope::{DEFAULT_SUFFIX, EncryptionScope, Selector};
pub use seal::Flavour;
pub use validity::{Problem, validate};
pub(crate) use validity::{Worth, as_strict, block, is_governed, key_differences, read_as_named, same_key, worth};
