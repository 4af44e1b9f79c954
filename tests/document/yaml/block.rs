//! The `sops` block as it is written: as SOPS writes it, in its place, and changed in three lines.

use std::process::{Command, Stdio};

use lockage::document::{Document, Edits, Format, MetadataEdit, Tree};

use super::round_trip::block;
use super::writing::parse;
use crate::common;

const RECIPIENTS: [&str; 2] = [
    "age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj",
    "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg",
];

fn apply(text: &str, metadata: MetadataEdit) -> Result<String, lockage::document::SyntaxError> {
    let mut edits = Edits::new();
    edits.metadata = metadata;
    parse(text).apply(&edits).map(|text| String::from_utf8(text.to_vec()).unwrap())
}

/// Encrypts with the real program, with that configuration.
fn encrypted(sops: &std::path::Path, text: &str, configuration: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".sops.yaml"), configuration).unwrap();
    std::fs::write(folder.path().join("file.yaml"), text).unwrap();
    let output = Command::new(sops)
        .args(["encrypt", "file.yaml"])
        .current_dir(folder.path())
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Equal, else the lines that differ.
fn assert_lines(own: &str, theirs: &str) {
    let different: Vec<_> = own.lines().zip(theirs.lines()).filter(|(own, theirs)| own != theirs).collect();
    assert!(own == theirs, "{different:#?}");
}

#[test]
fn the_block_is_printed_as_sops_prints_it() {
    let Some(sops) = common::peer("sops") else { return };
    let [one, other] = RECIPIENTS;
    let configurations = [
        format!("creation_rules:\n  - age: {one}\n"),
        format!(
            "creation_rules:\n  - age: {one},{other}\n    encrypted_regex: '^(a|b: c)$'\n    mac_only_encrypted: true\n"
        ),
        format!("creation_rules:\n  - unencrypted_suffix: '1.5'\n    age: {one}\n"),
        format!(
            "creation_rules:\n  - shamir_threshold: 2\n    key_groups:\n      - age: [{one}]\n      - age: [{other}, {one}]\n"
        ),
    ];
    for configuration in &configurations {
        for text in ["a: 1\n", "a: 1\n---\nb: 2\n"] {
            let theirs = encrypted(&sops, text, configuration);
            let tree = parse(&theirs).metadata().unwrap().tree.clone();
            assert_lines(&apply(&theirs, MetadataEdit::Set(tree.clone())).unwrap(), &theirs);
            let without = apply(&theirs, MetadataEdit::Remove).unwrap();
            assert!(!without.contains("sops"), "{without}");
            assert_lines(&apply(&without, MetadataEdit::Set(tree)).unwrap(), &theirs);
        }
    }
}

#[test]
fn the_block_goes_where_sops_puts_it() {
    let version = || MetadataEdit::Set(Tree::Map(vec![("version".to_owned(), Tree::text("3.13.3"))]));
    let cases = [
        ("a: 1\n", "a: 1\nsops:\n    version: 3.13.3\n"),
        ("a: 1", "a: 1\nsops:\n    version: 3.13.3"),
        ("a: 1\n\n# c\n\n", "a: 1\n\n# c\n\nsops:\n    version: 3.13.3\n"),
        ("a: 1\r\nb: 2\r\n", "a: 1\r\nb: 2\r\nsops:\r\n    version: 3.13.3\r\n"),
        ("a: 1\r\nb: 2", "a: 1\r\nb: 2\r\nsops:\r\n    version: 3.13.3"),
        ("\u{FEFF}a: 1\n", "\u{FEFF}a: 1\nsops:\n    version: 3.13.3\n"),
        ("  a: 1\n", "  a: 1\n  sops:\n      version: 3.13.3\n"),
        ("a: 1\n...\n# c\n", "a: 1\nsops:\n    version: 3.13.3\n...\n# c\n"),
        ("---\n!!map\na: 1\n", "---\n!!map\na: 1\nsops:\n    version: 3.13.3\n"),
        ("---\n# c\n", "---\n# c\nsops:\n    version: 3.13.3\n"),
        (
            "a: 1\n---\n  b: 2\n# c\n...\n%YAML 1.1\n---\nc: 3",
            "a: 1\nsops:\n    version: 3.13.3\n---\n  b: 2\n# c\n  sops:\n      version: 3.13.3\n...\n%YAML 1.1\n---\nc: 3\nsops:\n    version: 3.13.3",
        ),
        // A block that is there already keeps its place.
        ("sops: {version: 1}\na: 1\n", "sops:\n    version: 3.13.3\na: 1\n"),
    ];
    for (text, expected) in cases {
        assert_eq!(apply(text, version()).unwrap(), expected);
        if !text.contains("sops") {
            assert_eq!(apply(expected, MetadataEdit::Remove).unwrap(), text);
        }
    }
    for text in
        ["{a: 1}\n", "--- {a: 1}\n", "{\"a\": 1, \"sops\": {\"version\": \"1\"}}\n", "~\n", "a: 1\n--- !!null\n"]
    {
        let error = apply(text, version()).unwrap_err();
        assert!(error.line >= 1, "{error}");
    }
}

#[test]
fn values_of_every_sort_are_spelled_so_that_they_are_read_back() {
    let text = |text: &str| Tree::text(text);
    let entry = |key: &str, tree: Tree| (key.to_owned(), tree);
    let made = |kind, text: &str| Tree::Scalar { text: text.to_owned(), kind, range: 0..0 };
    let tree = Tree::Map(vec![
        entry("z", text("1")),
        entry("y", text("")),
        entry("number", made(lockage::document::Kind::Int, "2")),
        entry("flag", made(lockage::document::Kind::Bool, "true")),
        entry("lines", text("one\n\n two\n")),
        entry("strip", text("one\ntwo")),
        entry("keep", text("one\n\n\n")),
        entry("led", text(" one\ntwo")),
        entry("date", text("2026-11-21T00:00:00Z")),
        entry("mark", text("a: b # c")),
        entry("empty", Tree::List(Vec::new())),
        entry("none", Tree::Map(Vec::new())),
        entry("nested", Tree::List(vec![Tree::List(vec![text("a"), text("b")]), text("c")])),
    ]);
    let written = apply("a: 1\n", MetadataEdit::Set(tree.clone())).unwrap();
    let expected = "a: 1\nsops:
    date: \"2026-11-21T00:00:00Z\"
    empty: []
    flag: true
    keep: |+
        one\n\n
    led: \" one\\ntwo\"
    lines: |
        one

         two
    mark: 'a: b # c'
    nested:
        - - a
          - b
        - c
    none: {}
    number: 2
    strip: |-
        one
        two
    \"y\": \"\"
    z: \"1\"\n";
    assert_eq!(written, expected);
    let read = parse(&written);
    let read = &read.metadata().unwrap().tree;
    for (key, value) in if let Tree::Map(entries) = &tree { entries } else { panic!() } {
        if let Tree::Scalar { text, kind, .. } = value {
            let Some(Tree::Scalar { text: found, kind: of, .. }) = read.get(key) else { panic!("{key}") };
            let same = found == text || (*kind != lockage::document::Kind::Str && found.eq_ignore_ascii_case(text));
            assert!(same && of == kind, "{key}");
        }
    }
}

#[test]
fn setting_two_scalars_changes_two_lines() {
    let text = apply("a: 1\n", MetadataEdit::Set(block())).unwrap();
    let document = parse(&text);
    let place = |key: &str| match document.metadata().unwrap().tree.get(key) {
        Some(Tree::Scalar { range, .. }) => range.clone(),
        _ => panic!("{key}"),
    };
    let edits = vec![
        (place("mac"), "ENC[AES256_GCM,data:new]".to_owned()),
        (place("lastmodified"), "2027-01-01T00:00:00Z".to_owned()),
    ];
    let changed = apply(&text, MetadataEdit::Scalars(edits)).unwrap();
    let different: Vec<_> =
        text.lines().zip(changed.lines()).filter(|(old, new)| old != new).map(|(_, new)| new).collect();
    assert_eq!(different, ["    lastmodified: \"2027-01-01T00:00:00Z\"", "    mac: ENC[AES256_GCM,data:new]"]);
    assert_eq!(text.lines().count(), changed.lines().count());
    assert!(Document::parse(Format::Yaml, changed.into_bytes()).is_ok());
}
