//! Lists at the top of YAML and JSON, which SOPS refuses.

use lockage::document::{Document, Format, Graft, KeyPath, Kind, Replacement};

use crate::laws;

const YAML: &[&str] = &[
    "- a\n- b\n",
    "- a: 1 # one\n  b: two\n# between\n- c\n# end\n",
    "  - a\n  -\n    - b\n",
    "---\n# head\n\n- a\n...\n",
    "- a\r\n- 'b'\r\n",
    "- a\n---\n- b\n",
    "- |\n  text\n- x",
    "- sops: x\n- y\n",
];
const JSON: &[&str] = &[
    "[]",
    "[1]\n",
    "[\n  1,\n  {\"a\": \"b\"}\n]\n",
    "[[\"x\"]]",
    "[{\"sops\": 1}, 2]",
    "[{\"a\":1},{\"b\":2}]",
    "[ ]",
];

#[test]
fn the_laws_hold() {
    for (format, texts) in [(Format::Yaml, YAML), (Format::Json, JSON)] {
        for text in texts {
            laws::metadata_is_removed_without_a_trace(format, text.as_bytes());
            laws::tokens_and_back(format, text.as_bytes());
            laws::one_leaf_changes_alone(format, text.as_bytes(), 0, "new \"value\"");
        }
    }
}

#[test]
fn the_block_is_the_last_item() {
    let mut edits = lockage::document::Edits::new();
    edits.metadata = lockage::document::MetadataEdit::Set(lockage::document::Tree::Map(vec![(
        "mac".into(),
        lockage::document::Tree::text("x"),
    )]));
    let with = |format, text: &str| {
        let document = Document::parse(format, text.into()).unwrap();
        String::from_utf8(document.apply(&edits).unwrap().to_vec()).unwrap()
    };
    assert_eq!(with(Format::Yaml, "- a\n"), "- a\n- sops:\n      mac: x\n");
    assert_eq!(with(Format::Json, "[1]\n"), "[1, {\"sops\": {\"mac\": \"x\"}}]\n");
    assert_eq!(
        with(Format::Json, "[\n  1\n]\n"),
        "[\n  1,\n  {\n    \"sops\": {\n      \"mac\": \"x\"\n    }\n  }\n]\n"
    );
}

#[test]
fn called_as_sops_they_are_refused_as_sops_refuses_them() {
    for (format, text) in [(Format::Yaml, "- a\n"), (Format::Json, "[1]")] {
        assert!(Document::parse(format, text.into()).is_ok());
        let error = Document::parse_as_sops(format, text.into()).unwrap_err();
        assert_eq!((error.line, error.column), (1, 1), "{error}");
        assert!(error.to_string().contains("SOPS"), "{error}");
    }
    assert!(Document::parse(Format::Yaml, b"[a, b]\n".to_vec()).is_ok());
}

#[test]
fn items_come_and_go_before_the_block() {
    let new = Graft::Leaf(Replacement::Value { kind: Kind::Str, bytes: b"new" });
    let index = |text: &str| text.parse::<KeyPath>().unwrap();
    for (format, text, at, added) in [
        (Format::Yaml, "- a\n- sops:\n    mac: x\n", "[1]", "- a\n- new\n- sops:\n    mac: x\n"),
        (Format::Yaml, "- a\n", "[1]", "- a\n- new\n"),
        (Format::Json, "[1, {\"sops\": {\"mac\": \"x\"}}]", "[1]", "[1, \"new\", {\"sops\": {\"mac\": \"x\"}}]"),
        (Format::Json, "[]", "[0]", "[\"new\"]"),
    ] {
        let document = Document::parse(format, text.into()).unwrap();
        let changed = document.insert(&index(at), &new).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(String::from_utf8_lossy(&changed), added);
        let back = Document::parse(format, changed.to_vec()).unwrap().remove(&index(at)).unwrap();
        assert_eq!(String::from_utf8_lossy(&back), text);
    }
}
