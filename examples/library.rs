//! lockage as a library: encrypt, inspect, check, set and decrypt, in every format.
//!
//! Nothing here needs a terminal, an environment variable or a file: keys, texts and the time are handed in.
//! `cargo run --example library` prints what it sees without a key.

#![allow(clippy::print_stdout)]

use std::error::Error;

use lockage::document::{Document, Format, KeyPath, Kind, Visit};
use lockage::keys::{KeyServices, Keyring, Recipient};
use lockage::secret::SecretString;
use lockage::sops::{EncryptedFile, Encryption, EncryptionScope, encrypt, validate};

/// An identity whose secret half is public; yours comes from wherever you keep it.
const IDENTITY: &str = include_str!("../secrets/published-test-key.txt");

fn main() -> Result<(), Box<dyn Error>> {
    let recipient = Recipient::parse_age(lockage::keys::published::RECIPIENT)?;
    let mut keyring = Keyring::new();
    keyring.add_age_text(&SecretString::new(IDENTITY.to_owned()), "the published test key")?;
    let keys = KeyServices::from(keyring);
    let now = jiff::Timestamp::now();

    for (format, plain, path) in [
        (Format::Yaml, "# the database\ndb:\n  password: 'blue'\n  name_unencrypted: app\n", Some("db.password")),
        (Format::Json, "{\"db\": {\"password\": \"blue\"}}\n", Some("db.password")),
        (Format::Dotenv, "# the database\nPASSWORD=blue\n", Some("PASSWORD")),
        (Format::Ini, "[db]\npassword = blue\n", Some("db.password")),
        (Format::Binary, "blue", None),
    ] {
        let document = Document::parse(format, plain.as_bytes().to_vec())?;
        let file = encrypt(&document, &Encryption::to([recipient.clone()]), &keys, now)?;

        let encrypted = EncryptedFile::parse(format, file)?;
        inspect(&encrypted);
        let opened = encrypted.decrypt(&keys)?;
        assert_eq!(opened.text(), plain.as_bytes(), "byte for byte");

        let Some(path) = path else { continue };
        let path: KeyPath = path.parse()?;
        let changed = opened.set(&path, Kind::Str, &SecretString::new("green".to_owned()), now)?;
        let changed = EncryptedFile::parse(format, changed.ok_or("nothing changed")?)?.decrypt(&keys)?;
        assert_eq!(changed.text(), plain.replace("blue", "green").as_bytes(), "only that value");
    }
    Ok(())
}

/// What can be said of a file without a key.
fn inspect(file: &EncryptedFile) {
    let (document, metadata) = (file.document(), file.metadata());
    println!("{}, last changed {}", document.format().word(), metadata.lastmodified);
    for recipient in metadata.recipients() {
        println!("  for {recipient}");
    }
    let scope = EncryptionScope::of_metadata(metadata);
    let never: Result<(), std::convert::Infallible> = scope.walk(document, |visit, encrypted| {
        if let Visit::Leaf { path, .. } = visit {
            println!("  {} {}", if encrypted { "encrypted" } else { "in clear " }, path.to_key_path());
        }
        Ok(())
    });
    let Ok(()) = never;
    for problem in validate(document, None) {
        println!("  line {}: {}", problem.line, problem.message);
    }
}
