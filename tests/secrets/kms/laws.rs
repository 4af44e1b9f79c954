//! How often and how much at once key services and people are asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::age::secrecy::SecretString as AgeSecret;
use lockage::document::{Document, Format};
use lockage::keys::{KeyService, KeyServices, Keyring, Prompt, Recipient, RemoteKeys, ServiceAddress, WrappedKey};
use lockage::secret::{SecretBytes, SecretString};
use lockage::sops::{EncryptedFile, Encryption, RuleGroup, encrypt};
use lockage::system::at_once::{KEYS_AT_ONCE, at_once};
use lockage::system::background::Background;

use super::lab::PLAIN;
use crate::common::any_keys::AnyKeys;
use crate::common::slow_keys::{SlowKeys, Wait};
use crate::keys::Person;
use crate::support::{now, recipient};

fn remote(uri: &str) -> KeyServices {
    let address = ServiceAddress::parse(uri).unwrap();
    KeyServices::new().with(RemoteKeys::new(address, Background::default()))
}

fn sealed(keys: &KeyServices, encryption: &Encryption) -> Vec<u8> {
    encrypt(&Document::parse(Format::Yaml, PLAIN.to_vec()).unwrap(), encryption, keys, now()).unwrap()
}

fn decrypts(text: &[u8], keys: &KeyServices) -> bool {
    let file = EncryptedFile::parse(Format::Yaml, text.to_vec()).unwrap();
    file.decrypt(keys).is_ok_and(|file| file.text() == PLAIN)
}

#[test]
fn each_wrapped_key_is_taken_to_a_service_once_however_many_files_hold_it() {
    let folder = tempfile::tempdir().unwrap();
    let service = AnyKeys::start(folder.path());
    let of_all = Encryption::to([Recipient::parse_pgp("AB")]);
    let distinct: Vec<Vec<u8>> = (0..25).map(|_| sealed(&remote(&service.uri), &of_all)).collect();
    assert_eq!(service.asked().len(), 25);
    // A hundred files, each of which is there four times.
    let files: Vec<&Vec<u8>> = distinct.iter().cycle().take(100).collect();
    let keys = remote(&service.uri);
    assert!(at_once(&files, KEYS_AT_ONCE, |text| decrypts(text, &keys)).into_iter().all(|opened| opened));
    assert_eq!(service.asked().len(), 25);
    assert!(files.iter().all(|text| decrypts(text, &keys)) && service.asked().is_empty(), "what is known stays known");
}

#[test]
fn the_groups_of_a_file_are_asked_for_at_once_and_one_key_of_each_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let any = AnyKeys::start(folder.path());
    let groups = |keys: &[&str]| RuleGroup { keys: keys.iter().map(|key| Recipient::parse_pgp(key)).collect() };
    let split = Encryption {
        groups: vec![groups(&["A", "B"]), groups(&["C", "D"]), groups(&["E", "F"])],
        shamir_threshold: Some(2),
        ..Encryption::default()
    };
    let file = sealed(&remote(&any.uri), &split);
    assert_eq!(any.asked().len(), 6);
    assert!(decrypts(&file, &remote(&any.uri)));
    assert_eq!(any.asked().len(), 3, "SOPS, too, asks every group");

    // With a service that answers none of them before all are there.
    let key_file = concat!(env!("CARGO_MANIFEST_DIR"), "/secrets/published-test-key.txt");
    let slow = SlowKeys::start(std::path::Path::new(key_file), folder.path(), Wait::Together(4));
    let alone = || RuleGroup { keys: vec![recipient()] };
    let four = Encryption { groups: (0..4).map(|_| alone()).collect(), ..Encryption::default() };
    let file = sealed(&crate::support::keyring(), &four);
    assert!(decrypts(&file, &remote(&slow.uri)));
}

/// Answers with a passphrase and counts.
struct Answer(AtomicUsize);

impl Prompt for Answer {
    fn passphrase(&self, _: &str) -> Option<SecretString> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Some(SecretString::new("open sesame".to_owned()))
    }

    fn show(&self, _: &str) {}

    fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
        None
    }

    fn line(&self, _: &str) -> Option<String> {
        None
    }
}

#[test]
fn sixty_four_threads_lead_to_one_question() {
    let person = Person::new();
    let mut lock = ::age::scrypt::Recipient::new(AgeSecret::from("open sesame".to_owned()));
    lock.set_work_factor(10);
    let locked = ::age::encrypt(&lock, format!("{}\n", person.identity).as_bytes()).unwrap();
    let answer = Arc::new(Answer(AtomicUsize::new(0)));
    let mut keyring = Keyring::new().asking(Arc::clone(&answer) as Arc<dyn Prompt>);
    keyring.add_age_file(SecretBytes::new(locked), "keys.age").unwrap();
    let share = SecretBytes::new(vec![7; 32]);
    let wrapped: Vec<WrappedKey> = (0..64)
        .map(|_| WrappedKey {
            recipient: person.recipient.clone(),
            created_at: None,
            enc: Keyring::new().wrap(&person.recipient, &share).unwrap(),
        })
        .collect();
    let keys = KeyServices::from(keyring);
    let opened = at_once(&wrapped, 64, |wrapped| keys.unwrap(wrapped).is_ok());
    assert!(opened.into_iter().all(|opened| opened));
    assert_eq!(answer.0.load(Ordering::SeqCst), 1);
}
