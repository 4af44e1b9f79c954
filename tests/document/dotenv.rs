//! Dotenv.

use lockage::document::{Document, Format, Graft, KeyPath, Kind, Replacement};
use proptest::prelude::*;

use super::laws::{content, metadata_is_removed_without_a_trace, one_leaf_changes_alone, parse, tokens_and_back};

const EXAMPLES: &[&str] = &[
    "",
    "\n",
    "A=1",
    "A=1\n",
    "A=1\n\n\nB=2\n\n",
    "# top\nA=\"quoted\"\n#\nexport B = x # y\r\n=empty key\nA=twice\n",
    "KEY=a\\nb\\\\n\n",
    "sops=1\nsop_x=2\n",
];

fn fails(text: &str) -> String {
    Document::parse(Format::Dotenv, text.as_bytes().to_vec()).unwrap_err().to_string()
}

#[test]
fn examples_keep_the_laws() {
    for text in EXAMPLES {
        metadata_is_removed_without_a_trace(Format::Dotenv, text.as_bytes());
        tokens_and_back(Format::Dotenv, text.as_bytes());
        one_leaf_changes_alone(Format::Dotenv, text.as_bytes(), 1, "new = #value\nline");
    }
}

#[test]
fn values_are_what_sops_loads() {
    let document = parse(Format::Dotenv, b"export A = x\\ny \r\n#c\n=v");
    let found: Vec<_> =
        content(&document).into_iter().map(|(path, _, bytes)| (path, String::from_utf8(bytes).unwrap())).collect();
    let wanted = [("\"export A \"", " x\ny \r"), (":", "c"), ("\"\"", "v")];
    assert!(found.iter().map(|(path, text)| (path.as_str(), text.as_str())).eq(wanted), "{found:?}");
}

#[test]
fn what_sops_refuses_is_refused() {
    assert!(fails("A=1\n  # x\n").contains("line 2, column 1: expected `KEY=value`"));
    assert!(fails("A=1\n  \n").contains("expected"));
    assert!(fails("A=1\n\r\n").contains("expected"));
    assert!(fails("A=1\nsops_a=1\nsops_a=2\n").contains("line 3, column 1: this metadata entry stands twice"));
    assert!(!fails("CANARY-heron").contains("CANARY"));
}

#[test]
fn metadata_may_stand_anywhere() {
    let document = parse(Format::Dotenv, b"sops_version=3\nA=1\nsops_mac=m\n#c\n sops_x=1\nsops_l__list_0__map_a=b");
    let tree = &document.metadata().unwrap().tree;
    assert_eq!(tree.get("version").unwrap().as_text(), Some("3"));
    assert_eq!(content(&document).len(), 3);
    let mut edits = lockage::document::Edits::new();
    edits.metadata = lockage::document::MetadataEdit::Remove;
    assert_eq!(String::from_utf8_lossy(&document.apply(&edits).unwrap()), "A=1\n#c\n sops_x=1");
}

#[test]
fn a_new_line_stands_before_the_block() {
    let cases = [
        ("", "N=v\n"),
        ("A=1\n", "A=1\nN=v\n"),
        ("A=1", "A=1\nN=v"),
        ("A=1\nsops_mac=m\n", "A=1\nN=v\nsops_mac=m\n"),
        ("A=1\nsops_mac=m", "A=1\nN=v\nsops_mac=m"),
        ("sops_mac=m\nA=1\n", "sops_mac=m\nA=1\nN=v\n"),
    ];
    let path: KeyPath = "N".parse().unwrap();
    for (text, wanted) in cases {
        let new = parse(Format::Dotenv, text.as_bytes())
            .insert(&path, &Graft::Leaf(Replacement::Value { kind: Kind::Str, bytes: b"v" }))
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&new), wanted, "{text}");
    }
    let document = parse(Format::Dotenv, b"A=1\n");
    for (path, why) in [
        ("A", "already"),
        ("sops_x", "reserved"),
        ("a.b", "nesting"),
        ("\"x=y\"", "holds no"),
        ("\"#x\"", "begins with no"),
    ] {
        let value = Replacement::Value { kind: Kind::Str, bytes: b"v" };
        let error = document.insert(&path.parse().unwrap(), &Graft::Leaf(value)).unwrap_err().to_string();
        assert!(error.contains(why), "{path}: {error}");
    }
}

fn any_file() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        4 => ("[^=\n#]?[^=\n]{0,5}", "[^\n]{0,12}").prop_map(|(key, value)| format!("{key}={value}")),
        1 => "#[^\n]{0,8}",
        1 => Just(String::new()),
    ];
    (proptest::collection::vec(line, 0..8), any::<bool>())
        .prop_map(|(lines, ended)| lines.join("\n") + if ended { "\n" } else { "" })
        .prop_filter("no reserved key", |text| !text.lines().any(|line| line.starts_with("sops_")))
}

proptest! {
    #[test]
    fn the_block_leaves_no_trace(text in any_file()) {
        metadata_is_removed_without_a_trace(Format::Dotenv, text.as_bytes());
        tokens_and_back(Format::Dotenv, text.as_bytes());
    }

    #[test]
    fn one_change_is_one_change(text in any_file(), which in any::<usize>(), value in "[^\\\\]*") {
        // A backslash before an `n` cannot be told from a line break in this format, so the values have none.
        one_leaf_changes_alone(Format::Dotenv, text.as_bytes(), which, &value);
    }

    #[test]
    fn hostile_bytes_are_an_error_or_a_document(text in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = Document::parse(Format::Dotenv, text);
    }
}
