//! The `sops` block: found, taken out of the walk, read.

use lockage::document::{Document, Format, Kind, Tree, Visit};

use crate::common;

fn read(text: &str) -> Document {
    Document::parse(Format::Yaml, text.as_bytes().to_vec()).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// What the block's range holds.
fn block(text: &str) -> &str {
    &text[read(text).metadata().unwrap().range.clone()]
}

#[test]
fn the_block_is_whole_lines() {
    assert_eq!(block("a: 1\nsops:\n  mac: x # c\n  version: 3\n"), "sops:\n  mac: x # c\n  version: 3\n");
    assert_eq!(block("a: 1\nsops:\n  mac: x"), "sops:\n  mac: x");
    assert_eq!(block("a: 1\nsops: {mac: x} # c\n\n# d\n"), "sops: {mac: x} # c\n");
    assert_eq!(block("sops:\n  enc: |\n    x\n\nb: 1\n"), "sops:\n  enc: |\n    x\n");
    assert_eq!(block("sops:\n- enc: |+\n    x\n\nb: 1\n"), "sops:\n- enc: |+\n    x\n\n");
    assert_eq!(block("  a: 1\r\n  \"sops\":\r\n    mac: x\r\n  b: 2\r\n"), "  \"sops\":\r\n    mac: x\r\n");
    assert_eq!(block("? &k sops\n: mac: x\nb: 2\n"), "? &k sops\n: mac: x\n");
    assert_eq!(block("a: 1\nsops:\n...\n"), "sops:\n");
    assert_eq!(block("\u{FEFF}sops:\n  mac: x\n"), "sops:\n  mac: x\n");
    assert_eq!(block("{\"a\": 1, \"sops\": {\"mac\": \"x\"}}\n"), "\"sops\": {\"mac\": \"x\"}");
}

#[test]
fn the_walk_leaves_the_block_out() {
    let document = read(
        "a: 1\n# keep\nsops: # go\n  mac: x # go\n  # go\n  version: 3\nb: {sops: 2}\n---\nsops:\n  mac: y\nc: 3\n",
    );
    let mut leaves = Vec::new();
    let mut comments = Vec::new();
    document
        .walk(|visit| {
            match visit {
                Visit::Leaf { path, .. } => leaves.push(path.to_key_path().to_string()),
                Visit::Comment { id, .. } => comments.push(String::from_utf8_lossy(document.comment(id)).into_owned()),
                _ => {}
            }
            Ok::<(), ()>(())
        })
        .unwrap();
    assert_eq!(leaves, ["a", "b.sops", "c"]);
    assert_eq!(comments, [" keep"]);
    assert_eq!(document.outline().comments.len(), 1);
    assert_eq!(document.outline().more_metadata.len(), 1);
}

#[test]
fn scalars_of_the_block_say_where_they_stand() {
    let text = "sops:\n  lastmodified: \"2026-01-02T03:04:05Z\"\n  shamir_threshold: 2\n  age:\n  - enc: |\n      x\n    recipient: &r age1\n";
    let document = read(text);
    let Tree::Scalar { text: time, kind, range } = document.metadata().unwrap().tree.get("lastmodified").unwrap()
    else {
        panic!()
    };
    assert_eq!(
        (time.as_str(), *kind, &text[range.clone()]),
        ("2026-01-02T03:04:05Z", Kind::Str, "\"2026-01-02T03:04:05Z\"")
    );
    let tree = &document.metadata().unwrap().tree;
    assert!(matches!(tree.get("shamir_threshold"), Some(Tree::Scalar { kind: Kind::Int, .. })));
    let Some(Tree::List(age)) = tree.get("age") else { panic!() };
    assert_eq!(age[0].get("enc").and_then(Tree::as_text), Some("x\n"));
    assert_eq!(age[0].get("recipient").and_then(Tree::as_text), Some("age1"));
}

#[test]
fn a_hostile_block_is_refused() {
    let deep = format!("sops: {}\n", "[".repeat(1_000) + &"]".repeat(1_000));
    assert!(Document::parse(Format::Yaml, deep.into_bytes()).is_err());
    let double = "sops:\n  a: 1\n  a: 2\n";
    assert!(Document::parse(Format::Yaml, double.as_bytes().to_vec()).is_err());
    assert!(matches!(read("sops: text\n").metadata().unwrap().tree, Tree::Scalar { .. }));
}

#[test]
fn the_file_that_sops_wrote() {
    let Some(specification) = common::spec("sops-format.md") else { return };
    let specification = std::fs::read_to_string(specification).unwrap();
    let (_, rest) = specification.split_once("Complete file written by the reference").unwrap();
    let file = rest.split("```").nth(1).unwrap().trim_start();
    let document = read(file);
    let mut aad = Vec::new();
    document
        .walk(|visit| {
            match visit {
                Visit::Leaf { id, path } => {
                    let scalar = document.scalar(id).unwrap();
                    aad.push((path.associated_data().to_owned(), scalar.canonical.starts_with(b"ENC[")));
                }
                Visit::Comment { id, path } => {
                    assert!(document.comment(id).starts_with(b"ENC["));
                    aad.push((path.associated_data().to_owned(), true));
                }
                _ => {}
            }
            Ok::<(), ()>(())
        })
        .unwrap();
    let wanted = [
        (":", true),
        ("str:", true),
        ("int:", true),
        ("float:", true),
        ("bool:", true),
        ("null:", false),
        ("empty:", false),
        ("time:", true),
        ("list:", true),
        ("list:", true),
        ("list:k:", true),
        (":", true),
        ("plain_unencrypted:", false),
    ];
    assert_eq!(aad, wanted.map(|(path, token)| (path.to_owned(), token)));
    let metadata = document.metadata().unwrap();
    assert_eq!(metadata.range.end, file.len());
    assert_eq!(metadata.tree.get("version").and_then(Tree::as_text), Some("3.13.2"));
    let Some(Tree::List(age)) = metadata.tree.get("age") else { panic!() };
    assert!(age[0].get("enc").and_then(Tree::as_text).unwrap().ends_with("-----END AGE ENCRYPTED FILE-----\n"));
}
