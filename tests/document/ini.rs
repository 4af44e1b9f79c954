//! INI.

use lockage::document::{Document, Format, Graft, KeyPath, Kind, Replacement};
use proptest::prelude::*;

use super::laws::{content, metadata_is_removed_without_a_trace, one_leaf_changes_alone, parse, tokens_and_back};

const EXAMPLES: &[&str] = &[
    "",
    "\n",
    "k = v",
    "k=v\n[a]\nx: 1\n\n[a]\nx=2\n\n\n",
    "; top\n# more\n\n; still\n[a] \nk = \"q\" \n  ; own\n  b   = 'x'\n",
    "[a] ; behind\r\nk = v # too\r\n",
    "k = \"\"\"raw # \\ \"\n two\"\"\"\nb = `x;y`\n",
    "[a.b]\nk =\n\"q=u\"=1\n",
];

fn fails(text: &str) -> String {
    Document::parse(Format::Ini, text.as_bytes().to_vec()).unwrap_err().to_string()
}

#[test]
fn examples_keep_the_laws() {
    for text in EXAMPLES {
        metadata_is_removed_without_a_trace(Format::Ini, text.as_bytes());
        tokens_and_back(Format::Ini, text.as_bytes());
        for value in ["new", "a;b", " blank ", "two\nlines", "\"", "`", "x\\", "\"\"\"", ""] {
            one_leaf_changes_alone(Format::Ini, text.as_bytes(), 1, value);
        }
    }
}

#[test]
fn values_are_what_sops_loads() {
    let text = b"g = 1\n; head\n[s]\nk = \"a # b\"\n; one\n; two\n\"j=\" = ''\n";
    let found: Vec<_> = content(&parse(Format::Ini, text))
        .into_iter()
        .map(|(path, _, bytes)| (path, String::from_utf8(bytes).unwrap()))
        .collect();
    // A quote does not protect a comment mark.
    let wanted =
        [("DEFAULT.g", "1"), ("s:", "head"), ("s.k", "\"a"), ("s:", "b\""), ("s.j=", ""), ("s:", "one\n; two")];
    assert!(found.iter().map(|(path, text)| (path.as_str(), text.as_str())).eq(wanted), "{found:?}");
}

#[test]
fn joined_lines_are_one_value() {
    let text = b"[s]\nj = 'x'\nc = one \\\n  two\\\n three\nq = it's\n";
    let found: Vec<_> =
        content(&parse(Format::Ini, text)).into_iter().map(|(_, _, bytes)| String::from_utf8(bytes).unwrap()).collect();
    assert_eq!(found, ["x", "one twothree", "it's"]);
}

#[test]
fn what_sops_would_lose_is_refused() {
    assert!(
        fails("[a]\nk=1\nk=2\n").contains("line 3, column 1: this key stands twice in one mapping; first at line 2")
    );
    assert!(fails("-=x\n").contains("the key `-`"));
    assert!(fails("k=1\n; end\n").contains("line 2, column 3: a comment at the end"));
    assert!(fails("; above\nk=1 ; behind\n").contains("above and one behind"));
    assert!(fails("k=`x` y\n").contains("behind a quoted value"));
    assert!(fails("nothing\n").contains("expected `=` or `:`"));
    assert!(fails("[a\n").contains("expected `]`"));
    assert!(fails("[]\n").contains("a section's name"));
    assert!(fails("= x\n").contains("expected a key"));
    assert!(fails("k = \"\"\"x\n").contains("the quote at the end"));
}

#[test]
fn a_new_line_stands_last_in_its_section() {
    let cases = [
        ("[a]\nx = 1\n\n[b]\ny = 2\n", "a.n", "[a]\nx = 1\nn = v\n\n[b]\ny = 2\n"),
        ("[a]\nx = 1\n\n[b]\ny = 2", "b.n", "[a]\nx = 1\n\n[b]\ny = 2\nn = v"),
        ("[a]\n", "a.n", "[a]\nn = v\n"),
        ("[a]\n", "DEFAULT.n", "n = v\n[a]\n"),
    ];
    for (text, path, wanted) in cases {
        let path: KeyPath = path.parse().unwrap();
        let new = parse(Format::Ini, text.as_bytes())
            .insert(&path, &Graft::Leaf(Replacement::Value { kind: Kind::Str, bytes: b"v" }))
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&new), wanted, "{text}");
    }
}

fn any_file() -> impl Strategy<Value = String> {
    let section = (
        proptest::option::of("[a-z]{1,3}"),
        proptest::collection::btree_map("[a-z]{1,4}", "[ a-z0-9'=:.-]{0,10}[a-z\"]?", 0..4),
        "\n{0,2}",
    );
    (proptest::collection::vec(section, 0..4), any::<bool>()).prop_map(|(sections, ended)| {
        let mut text = String::new();
        for (position, (name, entries, gap)) in sections.into_iter().enumerate() {
            let name = name.unwrap_or_else(|| format!("s{position}"));
            text += &format!("[{name}x]\n");
            for (key, value) in entries {
                text += &format!("{key} = {value}\n");
            }
            text += &gap;
        }
        if !ended {
            text.truncate(text.trim_end().len());
        }
        text
    })
}

proptest! {
    #[test]
    fn the_block_leaves_no_trace(text in any_file()) {
        metadata_is_removed_without_a_trace(Format::Ini, text.as_bytes());
        tokens_and_back(Format::Ini, text.as_bytes());
    }

    #[test]
    fn one_change_is_one_change(text in any_file(), which in any::<usize>(), value in "[^\r\u{b}\u{c}]*") {
        one_leaf_changes_alone(Format::Ini, text.as_bytes(), which, &value);
    }

    #[test]
    fn hostile_bytes_are_an_error_or_a_document(text in proptest::collection::vec(prop_oneof![Just(b'"'), Just(b'['), Just(b'='), Just(b'\n'), Just(b'`'), Just(b']'), Just(b'\\'), Just(b';'), any::<u8>()], 0..64)) {
        let _ = Document::parse(Format::Ini, text);
    }
}
