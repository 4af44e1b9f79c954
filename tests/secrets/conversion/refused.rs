//! What is refused in our own name, and done as `sops` does it when called so.

use lockage::document::{Document, EmitOptions, Format, KeyPath};
use lockage::sops::{EncryptedFile, RuleSet, Selector, SopsError, encrypt};

use super::{as_sops, encrypted};
use crate::support::{Sops, encryption, keyring, now};

/// Texts that lose something under SOPS, each with its type.
const TEXTS: [(Format, &str); 14] = [
    (Format::Yaml, "{a: CANARY-heron, b: [1, {c: d}]}\n"),
    (Format::Yaml, "# top\n{a: 1}\n---\n{b: 2}\n"),
    (Format::Json, "{\"a\": \"CANARY-heron\"} garbage\n"),
    (Format::Json, "{\"a\": 1}\n{\"b\": 2}\n"),
    (Format::Yaml, "a: &x\n  # inside\n  k: CANARY-heron\nb: *x\n"),
    (Format::Yaml, "a: &x\n  - 1 # one\n  # two\n  - 2\nb:\n  c: *x\n"),
    (Format::Yaml, "a: [ # dropped\n  CANARY-heron]\n"),
    (Format::Yaml, "a: x # one\u{2028}b: y\n"),
    (Format::Ini, "[a]\nx = 1\ny = CANARY-heron\nx = 2\n"),
    (Format::Ini, "[a]\nx = 1\n; at the end\n"),
    (Format::Ini, "[a]\n; above\nx = 1 ; behind\n"),
    (Format::Ini, "; one\n[a] ; two\nx = 1\n"),
    (Format::Yaml, "a: !!int 5\nb: !!float 2\n"),
    (Format::Yaml, "a: &x 1\nb: {*x : 2}\nc_unencrypted: *x\n"),
];

#[test]
fn what_sops_takes_with_losses_is_taken_as_sops_takes_it() {
    let Some(sops) = Sops::find() else { return };
    for (format, text) in TEXTS {
        let theirs = sops.encrypt(format, text.as_bytes(), &[]);
        let ours = encrypted(format, format, text.as_bytes(), &as_sops());
        match (theirs, ours) {
            (Ok(theirs), Ok(ours)) => {
                let printed = |file: &[u8]| {
                    let plain = sops.decrypt(format, file).unwrap_or_else(|error| panic!("{text}: {error:?}"));
                    String::from_utf8(plain).unwrap()
                };
                assert_eq!(printed(&ours), printed(&theirs), "{text}");
                let back = EncryptedFile::parse_as_sops(format, ours).unwrap().decrypt(&keyring());
                assert!(back.is_ok(), "{text}: {back:?}");
            }
            (Err((code, complaint)), Err(error)) => {
                assert_eq!(code, i32::from(error.sops_exit_code(true)), "{text}: {complaint}; {error}");
            }
            (theirs, ours) => panic!("{text}: {theirs:?}, {ours:?}"),
        }
    }
}

#[test]
fn in_our_own_name_they_are_refused() {
    for (format, text) in TEXTS.iter().take(12) {
        let document = Document::parse(*format, text.as_bytes().to_vec());
        let refused =
            document.map_err(SopsError::from).and_then(|plain| encrypt(&plain, &encryption(), &keyring(), now()));
        assert!(refused.is_err(), "{text}");
    }
}

#[test]
fn what_sops_cannot_walk_has_its_exit_code() {
    let sops = Sops::find();
    for (text, wanted) in [
        ("a: 9223372036854775808\n", 23),
        ("a: {b: [18446744073709551615]}\n", 23),
        ("1: a\n", 23),
        ("a: {true: b}\n", 23),
        ("~: a\n", 23),
        ("a: 9223372036854775808\nb: [\n", 2),
        ("- a\n", 2),
        ("text\n", 2),
        ("", 92),
        ("# only a comment\n", 2),
        ("a: 1\n---\n- b\n", 2),
    ] {
        let error = encrypted(Format::Yaml, Format::Yaml, text.as_bytes(), &as_sops()).unwrap_err();
        let empty = text.is_empty();
        assert!(empty || i32::from(error.sops_exit_code(true)) == wanted, "{text:?}: {error}");
        if let Some(sops) = &sops {
            let (code, complaint) = sops.encrypt(Format::Yaml, text.as_bytes(), &[]).unwrap_err();
            assert_eq!(code, wanted, "{text:?}: {complaint}");
        }
    }
}

#[test]
fn an_invalid_pattern_never_matches_as_sops_and_is_an_error_once_reached() {
    let file = "creation_rules:\n  - path_regex: first\n    encrypted_regex: '['\n  - path_regex: '('\n";
    assert!(RuleSet::parse(file, "r").is_err());
    let rules = RuleSet::parse_for(file, "r", Some("first")).unwrap();
    let selector = &rules.rule_for("first").unwrap().selector;
    assert_eq!(Some(selector.clone()), Selector::of_field_as_sops("encrypted_regex", "["));
    assert!(matches!(RuleSet::parse_for(file, "r", Some("other")), Err(SopsError::Rules { line: 4, .. })));
    let Some(sops) = Sops::find() else { return };
    let theirs = sops.encrypt(Format::Yaml, b"a: plain\n", &["--encrypted-regex", "["]).unwrap();
    let opened = EncryptedFile::parse_as_sops(Format::Yaml, theirs).unwrap().decrypt(&keyring()).unwrap();
    assert_eq!(opened.text(), b"a: plain\n");
}

#[test]
fn values_are_extracted_as_sops_shows_them() {
    let Some(sops) = Sops::find() else { return };
    let text = "a:\n  # c\n  l: [1, 2.50, {x: y}, [], null]\n  s: \"two\\nlines\"\n  t: 2024-01-02\nn: 1e21\nb: true\ne: {}\n---\nz: 1\n";
    let file = sops.encrypt(Format::Yaml, text.as_bytes(), &[]).unwrap();
    let tree = EncryptedFile::parse(Format::Yaml, file.clone()).unwrap().decrypt(&keyring()).unwrap().tree().unwrap();
    for path in [
        "[\"a\"]",
        "[\"a\"][\"l\"]",
        "[\"a\"][\"l\"][1]",
        "[\"a\"][\"l\"][2]",
        "[\"a\"][\"l\"][3]",
        "[\"a\"][\"l\"][4]",
        "[\"a\"][\"s\"]",
        "[\"a\"][\"t\"]",
        "[\"n\"]",
        "[\"b\"]",
        "[\"e\"]",
        "[\"x\"]",
        "[\"a\"][\"l\"][9]",
        "[\"n\"][0]",
    ] {
        for output in [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini, Format::Binary] {
            let theirs = sops
                .run(&["decrypt", "--input-type", "yaml", "--output-type", output.word(), "--extract", path], &file);
            let key_path: KeyPath = path.parse().unwrap();
            let ours = tree.select(&key_path).map_err(|error| (1, error.to_string())).and_then(|selected| {
                selected.emit(output, EmitOptions::default()).map_err(|error| (4, error.to_string()))
            });
            match (ours, theirs) {
                (Ok(ours), Ok(theirs)) => {
                    assert_eq!(
                        String::from_utf8_lossy(&ours),
                        String::from_utf8_lossy(&theirs),
                        "{path} as {output:?}"
                    );
                }
                (Err((code, _)), Err((same, _))) if code == same => {}
                (ours, theirs) => panic!("{path} as {output:?}: {ours:?}, {theirs:?}"),
            }
        }
    }
}
