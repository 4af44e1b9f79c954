//! Key types, key groups, and what is done to the keys of a file.

mod age;
mod groups;
mod passphrases;
mod pem;
mod pgp;
mod rewrap;
mod run;
mod sources;

use lockage::keys::{KeyServices, Keyring, Recipient};
use lockage::secret::SecretString;

/// Somebody with an X25519 identity.
pub struct Person {
    pub identity: String,
    pub recipient: Recipient,
}

impl Person {
    pub fn new() -> Self {
        use ::age::secrecy::ExposeSecret as _;
        let identity = ::age::x25519::Identity::generate();
        let recipient = Recipient::parse_age(&identity.to_public().to_string()).unwrap();
        Self { identity: identity.to_string().expose_secret().to_owned(), recipient }
    }
}

/// The key services of these people together.
pub fn services(people: &[&Person]) -> KeyServices {
    let mut keyring = Keyring::new();
    for person in people {
        keyring.add_age_text(&SecretString::new(person.identity.clone()), "a person").unwrap();
    }
    keyring.into()
}

/// Their identities as a key file.
pub fn key_file(people: &[&Person]) -> String {
    people.iter().map(|person| format!("{}\n", person.identity)).collect()
}
