//! Quirks of the `sops` block.

use lockage::document::{Format, Kind};
use lockage::secret::SecretString;
use lockage::sops::{EncryptedFile, Encryption, SopsError};

use super::yaml;
use crate::support::{Sops, decrypt, encrypt_with, encryption, keyring, now};

#[track_caller]
fn both_refuse(file: &str, fits: impl Fn(&SopsError) -> bool) {
    let error = decrypt(Format::Yaml, file.as_bytes()).unwrap_err();
    assert!(fits(&error) && error.sops_exit_code(false) == 1, "{error:?}");
    if let Some(sops) = Sops::find() {
        assert_eq!(sops.decrypt(Format::Yaml, file.as_bytes()).unwrap_err().0, 1);
    }
}

#[track_caller]
fn both_open(file: &str) {
    decrypt(Format::Yaml, file.as_bytes()).unwrap();
    if let Some(sops) = Sops::find() {
        sops.decrypt(Format::Yaml, file.as_bytes()).unwrap();
    }
}

/// 33. Only the first document's block counts; where it is missing there the file has none.
#[test]
fn the_first_documents_block_counts() {
    let file = yaml("a: one\n---\nb: two\n");
    let (first, second) = file.split_once("\n---\n").unwrap();
    let block = first.find("sops:").unwrap();
    let (only_second, only_first) = (
        format!("{}\n---\n{second}", first[..block].trim_end()),
        format!("{first}\n---\n{}", &second[..second.find("sops:").unwrap()]),
    );
    both_refuse(&only_second, |error| matches!(error, SopsError::NotEncrypted));
    both_open(&only_first);
}

/// 36. A time without quotes is a time and no text, which 3.13 refuses. We follow, and always write quotes.
#[test]
fn a_time_without_quotes_is_refused() {
    let file = yaml("a: one\n");
    assert!(file.contains("lastmodified: \"2026-11-21T12:00:00Z\""), "{file}");
    let plain = file.replace("\"2026-11-21T12:00:00Z\"", "2026-11-21T12:00:00Z");
    both_refuse(&plain, |error| matches!(error, SopsError::Metadata { field, .. } if field == "lastmodified"));
}

/// 6.3: names in any case, texts for numbers, a mapping for a list of one, unknown fields, comments.
#[test]
fn the_block_is_read_leniently() {
    let file = yaml("a: one\n");
    for (from, to) in [
        ("    lastmodified:", "    LastModified:"),
        ("    version: 3.13.3", "    version: 99.0.0"),
        ("    version: 3.13.3", "    version: \"1.x\"\n    unknown: {a: [b]}"),
        ("    version: 3.13.3", "    # a comment\n    version: v3.13.3"),
        ("    version: 3.13.3", "    shamir_threshold: \"2\"\n    version: 3.13.3"),
        ("    version: 3.13.3", "    mac_only_encrypted: \"false\"\n    kms: []\n    pgp: null\n    version: 3.13.3"),
    ] {
        let changed = file.replace(from, to);
        assert_ne!(file, changed);
        both_open(&changed);
    }
    for (from, to) in [
        ("    version: 3.13.3", "    version: 3.13"),
        ("    version: 3.13.3\n", ""),
        ("    unencrypted_suffix: _unencrypted", "    unencrypted_suffix: _unencrypted\n    encrypted_suffix: a"),
        ("    version: 3.13.3", "    shamir_threshold: two\n    version: 3.13.3"),
    ] {
        let changed = file.replace(from, to);
        assert_ne!(file, changed);
        both_refuse(&changed, |error| matches!(error, SopsError::Metadata { .. }));
    }
}

/// 73. `set` does not raise the version of a file.
#[test]
fn the_version_of_a_file_stays() {
    let file = yaml("a: one\n").replace("version: 3.13.3", "version: 3.9.0");
    let opened = EncryptedFile::parse(Format::Yaml, file.into_bytes()).unwrap().decrypt(&keyring()).unwrap();
    let value = SecretString::new("two".to_owned());
    let changed = opened.set(&"a".parse().unwrap(), Kind::Str, &value, now()).unwrap().unwrap();
    assert!(String::from_utf8(changed).unwrap().contains("version: 3.9.0"));
}

/// 75. A threshold over a single group is written down and harmless; `lockage check --rules` says so.
#[test]
fn a_threshold_over_one_group_is_harmless() {
    let encryption = Encryption { shamir_threshold: Some(3), ..encryption() };
    let file = String::from_utf8(encrypt_with(Format::Yaml, b"a: one\n", &encryption).unwrap()).unwrap();
    assert!(file.contains("shamir_threshold: 3"), "{file}");
    both_open(&file);
    let rules = "creation_rules: [{pgp: A, shamir_threshold: 3}]";
    assert_eq!(lockage::sops::lint_rules(rules, &[])[0].check, "silent-shamir");
}
