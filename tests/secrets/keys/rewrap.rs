//! A new data key, and other keys for the old one.

use lockage::cipher::shamir::ShamirError;
use lockage::document::{Document, Format};
use lockage::keys::{KeyServices, Keyring};
use lockage::sops::{EncryptedFile, Encryption, RuleGroup, SopsError, encrypt};

use super::{Person, key_file, services};
use crate::support::{Sops, now};

const FORMATS: [(Format, &str); 5] = [
    (Format::Yaml, "# top\na: CANARY-heron # inline\nb:\n  - 2\n  # in\n  - True\nc_unencrypted: x\n"),
    (Format::Json, "{\n\t\"a\": \"CANARY-heron\",\n\t\"b\": 2.50\n}\n"),
    (Format::Dotenv, "# c\nA=CANARY-heron\n"),
    (Format::Ini, "; c\n[s]\na = CANARY-heron\n"),
    (Format::Binary, "CANARY-heron\0\n"),
];

fn group(people: &[&Person]) -> RuleGroup {
    RuleGroup { keys: people.iter().map(|person| person.recipient.clone()).collect() }
}

fn sealed(format: Format, text: &str, groups: Vec<RuleGroup>) -> EncryptedFile {
    let document = Document::parse(format, text.as_bytes().to_vec()).unwrap();
    let encryption = Encryption { groups, ..Encryption::default() };
    parsed(format, encrypt(&document, &encryption, &KeyServices::from(Keyring::new()), now()).unwrap())
}

fn parsed(format: Format, text: Vec<u8>) -> EncryptedFile {
    EncryptedFile::parse(format, text).unwrap()
}

fn opens(file: EncryptedFile, people: &[&Person]) -> Option<Vec<u8>> {
    match file.decrypt(&services(people)) {
        Ok(file) => Some(file.text().to_vec()),
        Err(SopsError::NotOpened(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Every token of a file.
fn tokens(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8(text.to_vec()).unwrap();
    text.split("ENC[").skip(1).map(|rest| rest.split(']').next().unwrap().to_owned()).collect()
}

#[test]
fn rotation_renews_every_token_and_real_sops_opens_it() {
    let [ana, ben] = [Person::new(), Person::new()];
    for (format, text) in FORMATS {
        let file = sealed(format, text, vec![group(&[&ana])]);
        let old = tokens(file.document().text());
        let keys = services(&[&ana]);
        let opened = file.decrypt(&keys).unwrap();
        let new = opened.rotate(std::slice::from_ref(&ben.recipient), &[ana.recipient.id()], &keys, now()).unwrap();
        let (fresh, count) = (tokens(&new), old.len());
        assert!(fresh.len() == count && fresh.iter().all(|token| !old.contains(token)), "{format:?}");
        assert_eq!(opens(parsed(format, new.clone()), &[&ben]).as_deref(), Some(text.as_bytes()));
        assert_eq!(opens(parsed(format, new.clone()), &[&ana]), None);
        let Some(sops) = Sops::find() else { continue };
        let path = sops.file("keys.txt", key_file(&[&ben]));
        assert!(sops.with_key_file(path).decrypt(format, &new).is_ok(), "{format:?}");
    }
}

#[test]
fn rotation_adds_nobody_twice_and_leaves_no_group_empty() {
    let [ana, ben] = [Person::new(), Person::new()];
    let keys = services(&[&ana]);
    let opened = sealed(Format::Yaml, "a: 1\n", vec![group(&[&ana])]).decrypt(&keys).unwrap();
    let twice = [ana.recipient.clone(), ben.recipient.clone(), ben.recipient.clone()];
    let new = opened.rotate(&twice, &["unknown".into()], &keys, now()).unwrap();
    assert_eq!(parsed(Format::Yaml, new).metadata().keys().count(), 2);
    assert_eq!(opened.rotate(&[], &[ana.recipient.id()], &keys, now()), Err(SopsError::NoRecipients));
}

#[test]
fn updated_keys_touch_nothing_but_the_block() {
    let [ana, ben, cem] = [Person::new(), Person::new(), Person::new()];
    for (format, text) in FORMATS {
        let file = sealed(format, text, vec![group(&[&ana, &cem])]);
        let wanted = [group(&[&ben, &ana])];
        let changes = file.metadata().key_changes(&wanted);
        assert_eq!(changes.groups[0].common, [ana.recipient.id()]);
        assert_eq!(changes.groups[0].added, [ben.recipient.id()]);
        assert_eq!(changes.groups[0].removed, [cem.recipient.id()]);
        let new = file.update_keys(&wanted, &services(&[&ana]), now()).unwrap();
        assert_eq!(tokens(&new), tokens(file.document().text()), "values and code stay as they are");
        let new = parsed(format, new);
        assert_eq!(new.metadata().lastmodified, file.metadata().lastmodified);
        assert!(new.metadata().key_changes(&wanted).is_empty());
        let bytes = new.document().text().to_vec();
        assert_eq!(opens(new, &[&ben]).as_deref(), Some(text.as_bytes()));
        assert_eq!(opens(parsed(format, bytes.clone()), &[&cem]), None);
        let Some(sops) = Sops::find() else { continue };
        let path = sops.file("keys.txt", key_file(&[&ben]));
        assert!(sops.with_key_file(path).decrypt(format, &bytes).is_ok(), "{format:?}");
    }
}

#[test]
fn one_group_becomes_several_and_one_again() {
    let [ana, ben, cem] = [Person::new(), Person::new(), Person::new()];
    let keys = services(&[&ana, &ben, &cem]);
    let one = sealed(Format::Yaml, "a: 1\n", vec![group(&[&ana])]);
    let two = parsed(Format::Yaml, one.add_group(&group(&[&ben]), None, &keys, now()).unwrap());
    assert_eq!(two.metadata().shamir_threshold, Some(2));
    let three = parsed(Format::Yaml, two.add_group(&group(&[&cem]), None, &keys, now()).unwrap());
    let text = three.document().text().to_vec();
    let three_again = || parsed(Format::Yaml, text.clone());
    assert_eq!((three.metadata().groups.len(), three.metadata().shamir_threshold), (3, Some(2)));
    assert!(opens(three_again(), &[&cem, &ana]).is_some());
    assert!(opens(three_again(), &[&cem]).is_none());

    assert_eq!(three.add_group(&RuleGroup::default(), None, &keys, now()), Err(SopsError::NoRecipients));
    assert_eq!(three.delete_group(3, None, &keys), Err(SopsError::NoGroup { index: 3, groups: 3 }));
    let two = parsed(Format::Yaml, three.delete_group(0, None, &keys).unwrap());
    let problem = ShamirError::FewerThanThreshold;
    assert_eq!(two.delete_group(0, None, &keys), Err(SopsError::Groups { groups: 1, problem }));
    let one = two.delete_group(0, Some(1), &keys).unwrap();
    let shown = String::from_utf8(one.clone()).unwrap();
    assert!(!shown.contains("key_groups") && shown.contains("    shamir_threshold: 1\n"), "{shown}");
    assert!(opens(parsed(Format::Yaml, one), &[&cem]).is_some());
    let Some(sops) = Sops::find() else { return };
    let path = sops.file("keys.txt", key_file(&[&ben, &cem]));
    assert!(sops.with_key_file(path).decrypt(Format::Yaml, &text).is_ok());
}

#[test]
fn what_the_block_says_beside_the_keys_stays_and_real_sops_agrees() {
    let Some(sops) = Sops::find() else { return };
    let [ana, ben] = [Person::new(), Person::new()];
    let id = |person: &Person| person.recipient.id();
    let path = sops.file("keys.txt", key_file(&[&ana]));
    let sops = sops.with_key_file(path);
    sops.file(".sops.yaml", format!("creation_rules: [{{age: '{},{}'}}]\n", id(&ben), id(&ana)));
    for (format, text) in FORMATS {
        let more = if format == Format::Binary { &[][..] } else { &["--unencrypted-suffix", "_clear"] };
        let file = sealed_by(&sops, format, text, &id(&ana), more);
        let ours =
            parsed(format, file.clone()).update_keys(&[group(&[&ben, &ana])], &services(&[&ana]), now()).unwrap();
        let name = format!("f.{}", if format == Format::Dotenv { "env" } else { format.word() });
        sops.file(&name, &file);
        sops.run(&["updatekeys", "--yes", &name], b"").unwrap();
        let mut theirs = without_keys(&sops.read(&name));
        if format == Format::Binary {
            // SOPS adds the selector that it takes a file without one to have.
            theirs = theirs.replace("\t\t\"unencrypted_suffix\": \"_unencrypted\",\n", "");
        }
        assert_eq!(theirs, without_keys(&ours), "{format:?}");
    }
}

fn sealed_by(sops: &Sops, format: Format, text: &str, recipient: &str, more: &[&str]) -> Vec<u8> {
    let word = format.word();
    let mut arguments = vec!["encrypt", "--input-type", word, "--output-type", word, "--filename-override", "x"];
    arguments.extend(["--age", recipient]);
    arguments.extend(more);
    sops.run(&arguments, text.as_bytes()).unwrap()
}

/// The text with every wrapped key blotted out, which two runs make differently.
fn without_keys(text: &[u8]) -> String {
    let text = String::from_utf8(text.to_vec()).unwrap();
    let mut shown = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("-----BEGIN") {
        shown.push_str(before);
        rest = after.split_once("-----END").unwrap().1;
    }
    shown.push_str(rest);
    // SOPS aligns the equal signs of an INI section, we write new lines plainly.
    shown.lines().map(|line| line.split(" =").map(str::trim_end).collect::<Vec<_>>().join(" =") + "\n").collect()
}
