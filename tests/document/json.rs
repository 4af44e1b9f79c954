//! JSON.

use lockage::document::{Document, Format, Graft, KeyPath, Kind, Replacement};
use proptest::prelude::*;

use super::laws::{content, metadata_is_removed_without_a_trace, one_leaf_changes_alone, parse, tokens_and_back};

const EXAMPLES: &[&str] = &[
    "{}",
    "{ \n }\n",
    "{\n}",
    "{\"a\":1}",
    "{\"a\": 1, \"b\": [true, null, \"\", {}]}\n",
    "{\n\t\"a\": 1.50,\n\t\"b\": [\n\t\t-0,\n\t\t1e3\n\t]\n}\n",
    "{\r\n  \"a\": {\r\n    \"b\": \"c\"\r\n  }\r\n}\r\n",
    "  {\n    \"a\": \"x\\ny\"\n  }  \n\n",
    "{\"a\": \"é<>&\", \"a\": \"twice\", \"\": 9223372036854775808}",
    "{\n\"a\": false\n}\n",
    "{\"sops \": {\"mac\": 1}, \"b\": {\"sops\": 2}}",
];

fn fails(text: &str) -> String {
    Document::parse(Format::Json, text.as_bytes().to_vec()).unwrap_err().to_string()
}

#[test]
fn examples_keep_the_laws() {
    for text in EXAMPLES {
        metadata_is_removed_without_a_trace(Format::Json, text.as_bytes());
        tokens_and_back(Format::Json, text.as_bytes());
        one_leaf_changes_alone(Format::Json, text.as_bytes(), 1, "new \"value\"\n");
    }
}

#[test]
fn a_block_that_does_not_stand_last_goes_with_its_own_comma() {
    let cases = [
        ("{\"sops\": {\"mac\": \"\"}, \"a\": 1}", "{\"a\": 1}"),
        ("{\"a\": 1, \"sops\": {\"mac\": \"\"}, \"b\": 2}", "{\"a\": 1, \"b\": 2}"),
        ("{\n\t\"a\": 1,\n\t\"sops\": {}\n}\n", "{\n\t\"a\": 1\n}\n"),
        ("{\n\t\"sops\": {}\n}\n", "{\n}\n"),
    ];
    for (with, without) in cases {
        let document = parse(Format::Json, with.as_bytes());
        let mut edits = lockage::document::Edits::new();
        edits.metadata = lockage::document::MetadataEdit::Remove;
        assert_eq!(String::from_utf8_lossy(&document.apply(&edits).unwrap()), without);
    }
}

#[test]
fn values_are_what_sops_loads() {
    let document =
        parse(Format::Json, br#"{"i": -0, "f": 1.0, "b": true, "n": null, "s": "\ud800\u00e9", "big": 1e21}"#);
    let found: Vec<_> = content(&document)
        .into_iter()
        .map(|(_, kind, bytes)| (kind.unwrap(), String::from_utf8(bytes).unwrap()))
        .collect();
    let wanted = [
        (Kind::Int, "0"),
        (Kind::Float, "1"),
        (Kind::Bool, "True"),
        (Kind::Null, ""),
        (Kind::Str, "\u{FFFD}é"),
        (Kind::Float, "1000000000000000000000"),
    ];
    assert!(found.iter().map(|(kind, text)| (*kind, text.as_str())).eq(wanted), "{found:?}");
    let raw = parse(Format::Json, b"{\"a\": \"x\xE2\x82\"}");
    assert_eq!(content(&raw)[0].2, "x\u{FFFD}\u{FFFD}".as_bytes());
}

#[test]
fn errors_say_where() {
    assert_eq!(
        fails(""),
        "json syntax error at line 1, column 1: expected `{`: a JSON file must hold an object or a list"
    );
    assert!(fails("1").contains("must hold an object or a list"));
    assert!(fails("{\"a\":1} x").contains("line 1, column 9: bytes after the document"));
    assert!(fails("{\"a\":1").contains("expected `,` or `}`"));
    assert!(fails("{\"a\":1,}").contains("expected a key"));
    assert!(fails("{\"a\":01}").contains("a number"));
    assert!(fails("{\"a\":1e400}").contains("beyond the range"));
    assert!(fails("{\n\"a\": \"x\ny\"}").contains("line 2, column 8: a control character"));
    assert!(fails("{\"a\": \"\\x\"}").contains("an escape"));
    assert!(
        fails("{\"sops\": 1,\n \"sops\": 2}")
            .contains("line 2, column 2: this key stands twice in one mapping; first at line 1")
    );
    assert!(!fails("{\"a\": \"CANARY-heron").contains("CANARY"));
}

#[test]
fn nesting_is_bounded() {
    let deep = |levels: usize| format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
    parse(Format::Json, deep(9_999).as_bytes());
    assert!(fails(&deep(10_000)).contains("nested deeper than 10000"));
    assert!(fails(&format!("{{\"sops\":{}", "[".repeat(5_000_000))).contains("nested deeper"));
}

#[test]
fn a_new_value_is_laid_out_like_its_neighbours() {
    let cases = [
        ("{}", "a", "{\n\t\"a\": \"v\"\n}"),
        ("{\n}\n", "a", "{\n\t\"a\": \"v\"\n}\n"),
        ("{\"x\":1}", "a", "{\"x\":1,\"a\":\"v\"}"),
        ("{\"x\": 1}", "a", "{\"x\": 1, \"a\": \"v\"}"),
        ("{\n  \"x\": {\n    \"y\": 1\n  }\n}\n", "x.a", "{\n  \"x\": {\n    \"y\": 1,\n    \"a\": \"v\"\n  }\n}\n"),
        ("{\n  \"x\": {}\n}\n", "x.a", "{\n  \"x\": {\n    \"a\": \"v\"\n  }\n}\n"),
        ("{\"x\": [1, 2]}", "x[2]", "{\"x\": [1, 2, \"v\"]}"),
        ("{\"x\": []}", "x[0]", "{\"x\": [\"v\"]}"),
        ("{\n\t\"x\": 1,\n\t\"sops\": {}\n}\n", "a", "{\n\t\"x\": 1,\n\t\"a\": \"v\",\n\t\"sops\": {}\n}\n"),
        ("{\n\t\"sops\": {}\n}\n", "a", "{\n\t\"a\": \"v\",\n\t\"sops\": {}\n}\n"),
    ];
    for (text, path, wanted) in cases {
        let document = parse(Format::Json, text.as_bytes());
        let path: KeyPath = path.parse().unwrap();
        let new = document.insert(&path, &Graft::Leaf(Replacement::Value { kind: Kind::Str, bytes: b"v" })).unwrap();
        assert_eq!(String::from_utf8_lossy(&new), wanted, "{text}");
        let again = parse(Format::Json, &new);
        assert!(again.find(&path).is_some());
    }
    let document = parse(Format::Json, b"{\"a\": {\"b\": 1}, \"l\": [1]}");
    for (path, why) in [
        ("a", "already"),
        ("a.b.c", "already"),
        ("l[0]", "already"),
        ("l[2]", "at its end"),
        ("l.x", "positions"),
        ("sops", "reserved"),
    ] {
        let value = Replacement::Value { kind: Kind::Str, bytes: b"v" };
        let error = document.insert(&path.parse().unwrap(), &Graft::Leaf(value)).unwrap_err().to_string();
        assert!(error.contains(why), "{path}: {error}");
    }
}

/// JSON texts of any nesting, with blanks anywhere blanks may stand.
fn any_value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| format!("{number:?}")),
        ".*".prop_map(|text| serde_json::Value::from(text).to_string()),
    ];
    scalar.prop_recursive(4, 40, 5, |inner| {
        let member = (".{0,4}", blanks(), inner.clone())
            .prop_map(|(key, blank, value)| format!("{}{blank}:{blank}{value}", serde_json::Value::from(key)));
        prop_oneof![
            (proptest::collection::vec(inner, 0..5), blanks())
                .prop_map(|(items, blank)| { format!("[{blank}{}{blank}]", items.join(&format!("{blank},{blank}"))) }),
            (proptest::collection::vec(member, 0..5), blanks())
                .prop_map(|(members, blank)| { format!("{{{blank}{}{blank}}}", members.join(&format!(",{blank}"))) }),
        ]
    })
}

fn blanks() -> impl Strategy<Value = String> {
    "[ \t\n]{0,3}"
}

fn any_object() -> impl Strategy<Value = String> {
    (proptest::collection::vec(("[a-z]{1,3}", any_value()), 0..5), blanks(), blanks()).prop_map(
        |(members, inner, outer)| {
            let members: Vec<_> = members.into_iter().map(|(key, value)| format!("\"{key}\":{inner}{value}")).collect();
            format!("{outer}{{{inner}{}{inner}}}{outer}", members.join(&format!(",{inner}")))
        },
    )
}

proptest! {
    #[test]
    fn the_block_leaves_no_trace(text in any_object()) {
        metadata_is_removed_without_a_trace(Format::Json, text.as_bytes());
    }

    #[test]
    fn one_change_is_one_change(text in any_object(), which in any::<usize>(), value in ".*") {
        one_leaf_changes_alone(Format::Json, text.as_bytes(), which, &value);
    }

    #[test]
    fn it_reads_what_another_reader_reads(text in any_object()) {
        let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
        parse(Format::Json, text.as_bytes());
        prop_assert!(theirs.is_object());
    }

    #[test]
    fn hostile_bytes_are_an_error_or_a_document(text in proptest::collection::vec(prop_oneof![Just(b'{'), Just(b'"'), Just(b'['), Just(b','), Just(b':'), Just(b'}'), Just(b']'), Just(b'\\'), any::<u8>()], 0..64)) {
        let ours = Document::parse(Format::Json, text.clone());
        let valid = serde_json::from_slice::<std::collections::BTreeMap<String, serde_json::Value>>(&text).is_ok();
        prop_assert!(!valid || ours.is_ok() || text.windows(4).any(|part| part == b"sops"));
    }
}
