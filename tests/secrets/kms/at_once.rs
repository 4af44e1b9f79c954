//! Many files with a key service that is far away.

use std::path::Path;

use lockage::document::Format;
use lockage::keys::{KeyServices, RemoteKeys, ServiceAddress};
use lockage::sops::EncryptedFile;
use lockage::system::at_once::{KEYS_AT_ONCE, at_once};
use lockage::system::background::Background;

use super::lab::PLAIN;
use crate::common::slow_keys::{SlowKeys, Wait};

#[test]
fn sixty_four_keys_are_unwrapped_at_once_over_one_connection() {
    let folder = tempfile::tempdir().unwrap();
    let key_file = concat!(env!("CARGO_MANIFEST_DIR"), "/secrets/published-test-key.txt");
    let service = SlowKeys::start(Path::new(key_file), folder.path(), Wait::Together(KEYS_AT_ONCE));
    let address = ServiceAddress::parse(&service.uri).unwrap();
    let keys = KeyServices::new().with(RemoteKeys::new(address, Background::default()));
    let files: Vec<Vec<u8>> = (0..80).map(|_| crate::support::encrypt(Format::Yaml, PLAIN).unwrap()).collect();
    let opened = at_once(&files, KEYS_AT_ONCE, |text| {
        let file = EncryptedFile::parse(Format::Yaml, text.clone()).unwrap();
        file.decrypt(&keys).map(|file| file.text().to_vec()).map_err(|error| error.to_string())
    });
    assert!(opened.iter().all(|file| file.as_deref() == Ok(PLAIN)), "{:?}", opened.iter().find(|file| file.is_err()));
}
