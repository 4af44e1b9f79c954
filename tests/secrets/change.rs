//! Reading one value, changing one, and writing an edited file back.

use lockage::cipher::shamir::ShamirError;
use lockage::document::{Document, Format, KeyPath, Kind};
use lockage::secret::SecretString;
use lockage::sops::{DecryptedFile, EncryptedFile, Encryption, Flavour, RuleGroup, RuleSet, SopsError};

use crate::support::{Sops, decrypt, encrypt, encrypt_with, encryption, keyring, now, recipient};

const PLAIN: &str = "# top\ndb:\n    password: \"CANARY-heron\" # inline\n    port: 5432\n    on: True\n    none:\n    empty: ''\nhosts:\n    - \
                     one\n    - one\n    # in the list\n    - two\nplain_unencrypted: seen\n# last\n";

fn open(format: Format, file: &[u8]) -> DecryptedFile {
    EncryptedFile::parse(format, file.to_vec()).unwrap().decrypt(&keyring()).unwrap()
}

fn later() -> jiff::Timestamp {
    "2026-11-22T01:02:03Z".parse().unwrap()
}

fn path(text: &str) -> KeyPath {
    text.parse().unwrap()
}

fn set(file: &[u8], at: &str, kind: Kind, value: &str) -> Option<Vec<u8>> {
    open(Format::Yaml, file).set(&path(at), kind, &SecretString::new(value.into()), later()).unwrap()
}

/// The lines that differ, which must be as many.
fn changed_lines(before: &[u8], after: &[u8]) -> Vec<(String, String)> {
    let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
    assert_eq!(before.lines().count(), after.lines().count());
    let pairs = before.lines().zip(after.lines()).filter(|(old, new)| old != new);
    pairs.map(|(old, new)| (old.to_owned(), new.to_owned())).collect()
}

#[test]
fn get_reads_values_of_every_kind() {
    let file = open(Format::Yaml, &encrypt(Format::Yaml, PLAIN.as_bytes()).unwrap());
    let get = |at: &str| {
        let value = file.get(&path(at)).unwrap()?;
        Some((value.kind, value.text.expose_secret().to_owned()))
    };
    assert_eq!(get("db.password"), Some((Kind::Str, "CANARY-heron".into())));
    assert_eq!(get("db.port"), Some((Kind::Int, "5432".into())));
    assert_eq!(get("db.on"), Some((Kind::Bool, "true".into())));
    assert_eq!(get("db.none"), Some((Kind::Null, String::new())));
    assert_eq!(get("db.empty"), Some((Kind::Str, String::new())));
    assert_eq!(get("hosts[2]"), Some((Kind::Str, "two".into())));
    assert_eq!(get("plain_unencrypted"), Some((Kind::Str, "seen".into())));
    assert_eq!(get("db"), None);
    assert_eq!(get("hosts[3]"), None);
}

#[test]
fn set_changes_three_lines() {
    let file = encrypt(Format::Yaml, PLAIN.as_bytes()).unwrap();
    for (at, kind, value, line) in [
        ("db.password", Kind::Str, "green: house", "    password: \"green: house\" # inline"),
        ("db.port", Kind::Int, "5433", "    port: 5433"),
        ("db.none", Kind::Bool, "true", "    none: true"),
        ("db.empty", Kind::Str, "full", "    empty: 'full'"),
        ("hosts[1]", Kind::Str, "three", "    - three"),
    ] {
        let new = set(&file, at, kind, value).unwrap();
        let lines = changed_lines(&file, &new);
        assert_eq!(lines.len(), 3, "{at}: {lines:?}");
        let plain = String::from_utf8(decrypt(Format::Yaml, &new).unwrap()).unwrap();
        assert!(plain.lines().any(|found| found == line), "{at}:\n{plain}");
        if let Some(sops) = Sops::find() {
            assert!(sops.decrypt(Format::Yaml, &new).is_ok(), "{at}");
        }
    }
    let new = set(&file, "plain_unencrypted", Kind::Str, "shown").unwrap();
    assert!(changed_lines(&file, &new).iter().any(|(_, new)| new == "plain_unencrypted: shown"));
    assert!(decrypt(Format::Yaml, &new).is_ok());
}

#[test]
fn set_of_the_same_value_writes_nothing() {
    let file = encrypt(Format::Yaml, PLAIN.as_bytes()).unwrap();
    assert!(set(&file, "db.password", Kind::Str, "CANARY-heron").is_none());
    assert!(set(&file, "db.port", Kind::Int, "5432").is_none());
    assert!(set(&file, "db.port", Kind::Str, "5432").is_some());
}

#[test]
fn set_adds_what_is_not_there() {
    for (format, plain, at, wanted) in [
        (Format::Yaml, PLAIN, "db.user", "    user: ana\n"),
        (Format::Yaml, PLAIN, "new_unencrypted", "new_unencrypted: ana\n"),
        (Format::Yaml, PLAIN, "hosts[3]", "    - ana\n"),
        (Format::Json, "{\n  \"a\": {\"b\": 1}\n}\n", "a.c", "\"c\": \"ana\""),
        (Format::Dotenv, "# note\nA=1\n", "B", "B=ana\n"),
    ] {
        let file = encrypt(format, plain.as_bytes()).unwrap();
        let value = SecretString::new("ana".into());
        let new = open(format, &file).set(&path(at), Kind::Str, &value, later()).unwrap().unwrap();
        let plain = String::from_utf8(decrypt(format, &new).unwrap()).unwrap();
        assert!(plain.contains(wanted), "{at}: {plain}");
        assert_eq!(String::from_utf8_lossy(&new).contains("ana"), at.ends_with("_unencrypted"), "{at}");
        if let Some(sops) = Sops::find() {
            let theirs = sops.decrypt(format, &new).unwrap_or_else(|error| panic!("{at}: {error:?}"));
            assert!(!String::from_utf8_lossy(&theirs).contains("ENC["), "{at}");
        }
    }
}

#[test]
fn set_refuses_what_it_cannot_do() {
    let file = encrypt(Format::Yaml, PLAIN.as_bytes()).unwrap();
    let file = open(Format::Yaml, &file);
    let value = SecretString::new("CANARY-heron".into());
    let refused = |at: &str, kind| file.set(&path(at), kind, &value, later()).unwrap_err();
    assert!(matches!(refused("db.port", Kind::Int), SopsError::NotOfKind { kind: "integer", .. }));
    assert!(matches!(refused("db.port.below", Kind::Str), SopsError::NoPlace { .. }));
    assert!(matches!(refused("hosts[9]", Kind::Str), SopsError::NoPlace { .. }));
    assert!(matches!(refused("hosts.key", Kind::Str), SopsError::NoPlace { .. }));
}

#[test]
fn an_edit_keeps_every_token_that_it_does_not_touch() {
    let sops = Sops::find();
    let mut files = vec![encrypt(Format::Yaml, PLAIN.as_bytes()).unwrap()];
    if let Some(sops) = &sops {
        files.push(sops.encrypt(Format::Yaml, PLAIN.as_bytes(), &[]).unwrap());
    }
    for file in files {
        let opened = open(Format::Yaml, &file);
        let plain = String::from_utf8(opened.text().to_vec()).unwrap();
        let edited =
            plain.replace("CANARY-heron", "new").replace("- two", "- two\n    - four").replace("# top", "# head");
        let document = Document::parse(Format::Yaml, edited.clone().into_bytes()).unwrap();
        let new = opened.reencrypt(&document, Flavour::Own, later()).unwrap().unwrap();
        assert_eq!(String::from_utf8(decrypt(Format::Yaml, &new).unwrap()).unwrap(), edited);

        let (old, new) = (String::from_utf8(file).unwrap(), String::from_utf8(new).unwrap());
        let tokens = |text: &str| -> Vec<String> {
            let body = text.split("\nsops:\n").next().unwrap().to_owned();
            body.match_indices("ENC[").map(|(at, _)| body[at..].split(']').next().unwrap().to_owned()).collect()
        };
        let (old, new) = (tokens(&old), tokens(&new));
        let kept = old.iter().filter(|token| new.contains(token)).count();
        assert_eq!((old.len() - kept, new.len() - kept), (2, 3), "{old:?}\n{new:?}");
        if let Some(sops) = &sops {
            let text = opened.reencrypt(&document, Flavour::Own, later()).unwrap().unwrap();
            assert!(sops.decrypt(Format::Yaml, &text).is_ok());
        }
    }
}

#[test]
fn an_edit_that_changes_nothing_writes_nothing() {
    let opened = open(Format::Yaml, &encrypt(Format::Yaml, PLAIN.as_bytes()).unwrap());
    let same = Document::parse(Format::Yaml, opened.text().to_vec()).unwrap();
    assert!(opened.reencrypt(&same, Flavour::Own, later()).unwrap().is_none());
    let json = Document::parse(Format::Json, b"{}".to_vec()).unwrap();
    assert!(matches!(opened.reencrypt(&json, Flavour::Own, later()), Err(SopsError::OtherFormat { .. })));
    let block = Document::parse(Format::Yaml, b"a: 1\nsops: {}\n".to_vec()).unwrap();
    let refused = opened.reencrypt(&block, Flavour::Own, later());
    assert!(matches!(refused, Err(SopsError::AlreadyEncrypted { line: 2 })), "{refused:?}");
}

#[test]
fn nobody_or_too_many_to_encrypt_for() {
    let with = |encryption: &Encryption| encrypt_with(Format::Yaml, b"a: 1\n", encryption).unwrap_err();
    assert_eq!(with(&Encryption::default()), SopsError::NoRecipients);
    assert_eq!(with(&Encryption::to([])), SopsError::NoRecipients);
    let mut two = encryption();
    two.groups.push(two.groups[0].clone());
    two.shamir_threshold = Some(3);
    assert_eq!(with(&two), SopsError::Groups { groups: 2, problem: ShamirError::FewerThanThreshold });
    two.groups.push(RuleGroup::default());
    assert_eq!(with(&two), SopsError::NoRecipients);
    let rules = RuleSet::parse("creation_rules: [{pgp: ABC}]", "r").unwrap();
    let pgp = Encryption::of_rule(rules.rule_for("x").unwrap());
    assert!(matches!(with(&pgp), SopsError::NotWrapped { failures } if failures.len() == 1));
}

#[test]
fn keys_of_other_kinds_stay_in_the_file() {
    let text = String::from_utf8(encrypt(Format::Yaml, b"a: 1\n").unwrap()).unwrap();
    let pgp = "    pgp:\n        - created_at: \"2026-01-01T00:00:00Z\"\n          enc: x\n          fp: ABC\n    unencrypted_suffix";
    let text = text.replace("    unencrypted_suffix", pgp);
    let opened = open(Format::Yaml, text.as_bytes());
    assert_eq!((opened.metadata().keys().count(), opened.metadata().recipients().last()), (2, Some(&recipient())));
    let document = Document::parse(Format::Yaml, b"a: 2\n".to_vec()).unwrap();
    let new = opened.reencrypt(&document, Flavour::Own, now()).unwrap().unwrap();
    let new = String::from_utf8(new).unwrap();
    assert!(new.contains(pgp), "{new}");
}
