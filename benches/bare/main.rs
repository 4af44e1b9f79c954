//! The least program that says what `filestatus` says: the documents, the file format and the age keys, no command line.
//!
//! `side_by_side` runs it beside `filestatus`, to show what everything else in the binary costs at the start.

#![allow(missing_docs, clippy::print_stdout)]

use std::path::Path;

use lockage::document::Format;
use lockage::keys::Keyring;
use lockage::secret::SecretString;
use lockage::sops::EncryptedFile;

fn main() {
    let Some(path) = std::env::args_os().nth(1).filter(|path| Path::new(path).is_file()) else { return };
    let identities = std::env::var_os("SOPS_AGE_KEY_FILE").and_then(|path| std::fs::read_to_string(path).ok());
    let mut keyring = Keyring::new();
    let opens = identities.is_some_and(|text| keyring.add_age_text(&SecretString::new(text), "identities").is_ok());
    let text = std::fs::read(&path).unwrap_or_default();
    let encrypted = EncryptedFile::parse(Format::of_path(&path.to_string_lossy()), text).is_ok();
    println!("{{\"encrypted\":{encrypted},\"identities\":{opens}}}");
}
