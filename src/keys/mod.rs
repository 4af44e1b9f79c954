//! Who can unwrap a data key: one file per key type.
//!
//! A [`Recipient`] is plain data. A [`KeyService`] wraps and unwraps; [`LocalKeys`] is the one of this process, and
//! [`KeyServices`] are several, asked in order.
//!
//! ```
//! use lockage::keys::{KeyServices, Keyring, Recipient, WrappedKey};
//! use lockage::secret::{SecretBytes, SecretString};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let recipient = Recipient::parse_age("age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj")?;
//! let nobody = KeyServices::from(Keyring::new());
//! let enc = nobody.wrap(&recipient, &SecretBytes::new(vec![7; 32])).map_err(|_| "it cannot be wrapped")?;
//! let wrapped = WrappedKey { recipient, created_at: None, enc };
//! assert!(nobody.unwrap(&wrapped).is_err(), "an empty keyring opens nothing");
//!
//! let mut keyring = Keyring::new();
//! # let text = "AGE-SECRET-KEY-1EU5N4USKG3PPC0KZYGWS59EF9F0PUD9DMNZLQX2NED6NGS4476VSTMM3Y0".to_owned();
//! let identities = SecretString::new(text);
//! keyring.add_age_text(&identities, "keys.txt")?;
//! let share = KeyServices::from(keyring).unwrap(&wrapped).map_err(|_| "it does not open")?;
//! assert_eq!(share.len(), 32);
//! # Ok(())
//! # }
//! ```

mod age;
mod cloud;
mod error;
mod keyring;
mod kind;
mod local;
mod operation;
mod order;
mod pgp;
mod prompt;
pub mod published;
mod recipient;
mod remote;
mod service;
mod services;
mod surroundings;

pub use cloud::{
    AwsKms, AzureKeyVault, Destination, GcpKms, HuaweiKms, Publisher, Standing, VaultTransit, with_clouds,
};
pub use error::{KeyError, ServiceError};
pub use keyring::{IdentityOrigin, Keyring};
pub use kind::KeyKind;
pub use local::LocalKeys;
pub use order::DecryptionOrder;
pub use pgp::Gpg;
pub use prompt::Prompt;
pub use recipient::{
    AgeKind, AgeRecipient, AwsKmsRecipient, AzureKeyVaultRecipient, EncryptionContext, GcpKmsRecipient,
    HuaweiKmsRecipient, PgpRecipient, Recipient, VaultTransitRecipient,
};
pub use remote::{
    Consent, ConsentError, KeyServer, KeyServerError, Question, RemoteKeys, ServiceAddress, ServiceAddressError,
};
pub use service::KeyService;
pub use services::{KeyServices, Refusal, Unwrapped};
pub use surroundings::Surroundings;

/// A data key, or a share of one, encrypted to one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WrappedKey {
    /// Who can unwrap it.
    pub recipient: Recipient,
    /// When the recipient was put into the file, as it stands there; age keys have none.
    pub created_at: Option<String>,
    /// The wrapped key as the metadata holds it; for age an armored file with its final line break.
    pub enc: String,
}
