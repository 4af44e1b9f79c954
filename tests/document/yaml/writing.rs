//! One scalar, one comment, one block at a time: what is written, byte for byte.

use lockage::document::{CommentId, Document, Edits, Format, Graft, KeyPath, Kind, LeafId, Replacement, SyntaxError};

const TOKEN: &str = "ENC[AES256_GCM,data:AA==,iv:AA==,tag:AA==,type:str]";

pub(super) fn parse(text: &str) -> Document {
    Document::parse(Format::Yaml, text.as_bytes().to_vec()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn shown(text: &[u8]) -> String {
    String::from_utf8(text.to_vec())
        .unwrap()
        .replace(TOKEN, "TOKEN")
        .replace(&format!("\"{}\"", TOKEN.replace(']', "\\x5D")), "MARKED")
}

/// `text` with a token over leaf `index`, and that leaf's value written back over it.
fn over(text: &str, index: u32) -> (String, String) {
    let plain = parse(text);
    let value = plain.scalar(LeafId(index)).unwrap();
    let mut edits = Edits::new();
    edits.leaf(LeafId(index), &Replacement::Token(TOKEN.as_bytes()));
    let encrypted = plain.apply(&edits).unwrap();
    let cipher = parse(std::str::from_utf8(&encrypted).unwrap());
    let mut edits = Edits::new();
    edits.leaf(LeafId(index), &Replacement::Value { kind: value.kind, bytes: &value.token });
    (shown(&encrypted), shown(&cipher.apply(&edits).unwrap()))
}

/// `text` with another value over leaf 0.
fn with(text: &str, kind: Kind, value: &str) -> String {
    let document = parse(text);
    let mut edits = Edits::new();
    edits.leaf(LeafId(0), &Replacement::Value { kind, bytes: value.as_bytes() });
    let written = shown(&document.apply(&edits).unwrap());
    let again = parse(&written);
    let read = again.scalar(LeafId(0)).unwrap();
    assert_eq!((read.kind, &*read.token), (kind, value.as_bytes()), "{written}");
    written
}

#[test]
fn a_token_keeps_the_style_and_the_value_comes_back() {
    let cases = [
        ("a: one\n", "a: TOKEN\n"),
        ("a: 'it''s' # c\n", "a: 'TOKEN' # c\n"),
        ("a: \"x\"# c\n", "a: \"TOKEN\"# c\n"),
        ("a: !!str 5\n", "a: !!str TOKEN\n"),
        ("a: !mine 5\n", "a: !mine TOKEN\n"),
        ("a: &x one\n", "a: &x TOKEN\n"),
        ("a: [one, \"two\"]\n", "a: [MARKED, \"two\"]\n"),
        ("{\"a\":1,\"b\":2}\n", "{\"a\":MARKED,\"b\":2}\n"),
        ("a: |\n  one\n  two\nb: 1\n", "a: |-\n  TOKEN\nb: 1\n"),
        ("a: |-\n     one\nb: 1\n", "a: |-\n     TOKEN\nb: 1\n"),
        ("a: |+ # c\n  one\n\n\nb: 1\n", "a: |- # c\n  TOKEN\n\n\nb: 1\n"),
        ("a: |\n  one\n\n\nb: 1\n", "a: |-\n  TOKEN\n\n\nb: 1\n"),
        ("a: |2+\n   one\n\nb: 1\n", "a: |2-\n  TOKEN\n\nb: 1\n"),
        ("a: |-1\n   one\nb: 1\n", "a: |-1\n TOKEN\nb: 1\n"),
        ("a: |+\n\n\nb: 1\n", "a: |-\n TOKEN\n\n\nb: 1\n"),
        ("a: |\n\n  one\n    two\n\n  three\n", "a: |-\n  TOKEN\n"),
        ("a: >\n  one\n\n  two\nb: 1\n", "a: >-\n  TOKEN\nb: 1\n"),
        ("a: >+\n  one\n    deep\n  two\n\nb: 1\n", "a: >-\n  TOKEN\n\nb: 1\n"),
        ("- &x |\n  one\n", "- &x |\n  one\n"),
        ("a: |\r\n  one\r\n  two\r\nb: 1\r\n", "a: |-\r\n  TOKEN\r\nb: 1\r\n"),
        ("\u{FEFF}a: one\n", "\u{FEFF}a: TOKEN\n"),
        ("  a: one\n...\n", "  a: TOKEN\n...\n"),
        ("a: one", "a: TOKEN"),
        ("a: |-\n  one", "a: |-\n  TOKEN"),
        ("a: 1.50\n", "a: TOKEN\n"),
        ("a: TRUE # c\n", "a: TOKEN # c\n"),
        ("a: .inf\n", "a: TOKEN\n"),
        ("a: 2024-01-02T03:04:05Z\n", "a: TOKEN\n"),
        ("a: x: y\n", ""),
    ];
    for (text, expected) in cases {
        if text.starts_with("- ") || expected.is_empty() {
            continue;
        }
        let (encrypted, restored) = over(text, 0);
        assert_eq!(encrypted, expected);
        assert_eq!(restored, text, "via {encrypted}");
    }
}

#[test]
fn what_a_style_cannot_hold_falls_back() {
    let cases = [
        ("a: x\n", "true", "a: \"true\"\n"),
        ("a: x\n", "yes", "a: yes\n"),
        ("a: x\n", "- y", "a: '- y'\n"),
        ("a: x # c\n", "one\ntwo", "a: \"one\\ntwo\" # c\n"),
        ("a: x\nb: 1\n", "one\ntwo\n", "a: |\n    one\n    two\nb: 1\n"),
        ("a: x\nb: 1\n", "one\n two", "a: |-\n    one\n     two\nb: 1\n"),
        ("a: x\nb: 1\n", "one\n\n\n", "a: |+\n    one\n\n\nb: 1\n"),
        ("a: x\n\nb: 1\n", "one\n\n", "a: |+\n    one\n\nb: 1\n"),
        ("a: x\n\n\nb: 1\n", "one\n\n", "a: \"one\\n\\n\"\n\n\nb: 1\n"),
        ("a: x\n     # deep\nb: 1\n", "one\ntwo", "a: \"one\\ntwo\"\n     # deep\nb: 1\n"),
        ("a: x  \nb: 1\n", "one\ntwo", "a: \"one\\ntwo\"  \nb: 1\n"),
        ("a: x\nb: 1\n", " one\ntwo", "a: \" one\\ntwo\"\nb: 1\n"),
        ("a: [x]\n", "a, b", "a: ['a, b']\n"),
        ("a: 'x'\n", "one\ntwo", "a: \"one\\ntwo\"\n"),
        ("a: 'x'\n", " it's ", "a: ' it''s '\n"),
        ("a: \"x\"\n", "q\"\\\t\r\0\u{85}\u{2028}\u{FEFF}é😀", "a: \"q\\\"\\\\\\t\\r\\0\\N\\L\\uFEFFé😀\"\n"),
        ("a: |-\n  x\nb: 1\n", " one", "a: \" one\"\nb: 1\n"),
        ("a: |- # c\n  x\nb: 1\n", "one\u{85}", "a: \"one\\N\" # c\nb: 1\n"),
        ("a: |-\n  x\nb: 1\n", "", "a: \"\"\nb: 1\n"),
        ("a: |-\n  x", "one\n", "a: \"one\\n\""),
        ("a:\nb: 1\n", "one", "a: one\nb: 1\n"),
        ("{a: , b}\n", "one", "{a: one , b}\n"),
        ("{a}\n", "one", "{a: one}\n"),
        ("? a\n? b\n", "one", "? a\n: one\n? b\n"),
        ("a:\n  - # c\n  - x\n", "one", "a:\n  - one # c\n  - x\n"),
    ];
    for (text, value, expected) in cases {
        assert_eq!(with(text, Kind::Str, value), expected);
    }
}

#[test]
fn typed_values_stand_plain() {
    assert_eq!(with("a: \"x\"\n", Kind::Int, "5"), "a: 5\n");
    assert_eq!(with("a: |-\n  x\nb: 1\n", Kind::Bool, "true"), "a: true\nb: 1\n");
    assert_eq!(with("{\"a\":\"x\"}", Kind::Float, "1.50"), "{\"a\":1.50}");
    assert_eq!(with("a: \"x\"# c\n", Kind::Int, "5"), "a: 5 # c\n");
    let written = |kind, bytes: &str| {
        let document = parse("a: x\n");
        let mut edits = Edits::new();
        edits.leaf(LeafId(0), &Replacement::Value { kind, bytes: bytes.as_bytes() });
        shown(&document.apply(&edits).unwrap())
    };
    // What SOPS puts into a token is not always what YAML reads.
    assert_eq!(written(Kind::Float, "+Inf"), "a: .inf\n");
    assert_eq!(written(Kind::Float, "NaN"), "a: .nan\n");
    assert_eq!(written(Kind::Float, "1"), "a: 1.0\n");
    assert_eq!(written(Kind::Int, "010"), "a: 10\n");
    assert_eq!(written(Kind::Bool, "True"), "a: true\n");
    assert_eq!(written(Kind::Bool, "T"), "a: True\n");
    assert_eq!(written(Kind::Null, ""), "a: null\n");
}

#[test]
fn comments_change_between_their_ends() {
    let document = parse("a: | # one\n  x\n#two\nb: 1 #three\n");
    let mut edits = Edits::new();
    for comment in 0..3 {
        edits.comment(CommentId(comment), TOKEN.as_bytes());
    }
    edits.leaf(LeafId(0), &Replacement::Token(TOKEN.as_bytes()));
    let expected = "a: |- #TOKEN\n  TOKEN\n#TOKEN\nb: 1 #TOKEN\n";
    assert_eq!(shown(&document.apply(&edits).unwrap()), expected);
}

#[test]
fn a_comment_that_sops_wrote_as_a_list_item_becomes_a_comment() {
    let token = TOKEN.replace("str", "comment");
    let document = parse(&format!("l:\n    - {token}\n    - x\n"));
    let item = document.outline().comments.iter().position(|comment| comment.item);
    let mut edits = Edits::new();
    edits.comment(CommentId(u32::try_from(item.unwrap()).unwrap()), b" c");
    assert_eq!(shown(&document.apply(&edits).unwrap()), "l:\n    # c\n    - x\n");
}

fn insert(text: &str, path: &str, value: &Replacement<'_>) -> Result<String, SyntaxError> {
    let path: KeyPath = path.parse().unwrap();
    let written = parse(text).insert(&path, &Graft::Leaf(*value))?;
    let again = parse(std::str::from_utf8(&written).unwrap());
    assert!(again.find(&path).is_some(), "{}", shown(&written));
    Ok(shown(&written))
}

#[test]
fn new_values_stand_like_their_neighbours() {
    let token = Replacement::Token(TOKEN.as_bytes());
    let cases = [
        ("a: 1\n", "b", "a: 1\nb: TOKEN\n"),
        ("a: 1", "b", "a: 1\nb: TOKEN"),
        ("  a: 1 # c\n", "b", "  a: 1 # c\n  b: TOKEN\n"),
        ("a:\n   x: 1\nb: 2\n", "a.z", "a:\n   x: 1\n   z: TOKEN\nb: 2\n"),
        ("a:\n   x:\n     - |+\n      t\n\nb: 2\n", "a.z", "a:\n   x:\n     - |+\n      t\n\n   z: TOKEN\nb: 2\n"),
        ("a: 1\nsops:\n    version: 3.13.3\n", "b", "a: 1\nb: TOKEN\nsops:\n    version: 3.13.3\n"),
        ("sops:\n    version: 3.13.3\n", "b", "b: TOKEN\nsops:\n    version: 3.13.3\n"),
        ("a:\r\n  x: 1\r\n", "a.z", "a:\r\n  x: 1\r\n  z: TOKEN\r\n"),
        ("l:\n- a\n- b: 1\n", "l[2]", "l:\n- a\n- b: 1\n- TOKEN\n"),
        ("l:\n- a\n- b: 1\n", "l[1].c", "l:\n- a\n- b: 1\n  c: TOKEN\n"),
        ("l: [a, 'b'] # c\n", "l[2]", "l: [a, 'b', MARKED] # c\n"),
        ("l: []\n", "l[0]", "l: [MARKED]\n"),
        ("m: {}\n", "m.a", "m: {a: MARKED}\n"),
        ("m: {a: 1,}\n", "m.b", "m: {a: 1, b: MARKED}\n"),
        ("{\"a\":1}\n", "b", "{\"a\":1, \"b\": \"TOKEN\"}\n"),
        ("m: {\n  \"a\": 1 # c\n}\n", "m.b", "m: {\n  \"a\": 1, # c\n  \"b\": \"TOKEN\"\n}\n"),
        ("m: {\n  a: 1,\n}\n", "m.b", "m: {\n  a: 1,\n  b: MARKED,\n}\n"),
        ("---\n", "b", "---\nb: TOKEN\n"),
        ("a: 1\n---\nc: 2\n", "b", "a: 1\nb: TOKEN\n---\nc: 2\n"),
        ("a: 1\n...\n", "b", "a: 1\nb: TOKEN\n...\n"),
        ("a: 1\n", "\"yes\"", "a: 1\n\"yes\": TOKEN\n"),
    ];
    for (text, path, expected) in cases {
        assert_eq!(insert(text, path, &token).unwrap_or_else(|error| panic!("{error}: {text}")), expected);
    }
    let value = |bytes: &'static str| Replacement::Value { kind: Kind::Str, bytes: bytes.as_bytes() };
    assert_eq!(insert("a: 1\n", "b", &value("x\ny\n")).unwrap(), "a: 1\nb: |\n    x\n    y\n");
    assert_eq!(insert("a: 1\n", "b", &value("5")).unwrap(), "a: 1\nb: \"5\"\n");
    let five = Replacement::Value { kind: Kind::Int, bytes: b"5" };
    assert_eq!(insert("a: [1]\n", "a[1]", &five).unwrap(), "a: [1, 5]\n");
}

#[test]
fn new_values_need_a_place() {
    let token = Replacement::Token(TOKEN.as_bytes());
    for (text, path) in [
        ("a: 1\n", "a"),
        ("a: 1\n", "a.b"),
        ("l: [1]\n", "l[0]"),
        ("l: [1]\n", "l[2]"),
        ("l: [1]\n", "l.x"),
        ("a: 1\n", "[0]"),
        ("l: [a: 1]\n", "l[0].b"),
        ("a: &x {b: 1}\nc: *x\n", "c.d"),
    ] {
        let path: KeyPath = path.parse().unwrap();
        assert!(parse(text).insert(&path, &Graft::Leaf(token)).is_err(), "{text} {path}");
    }
}

#[test]
fn aliases_become_copies() {
    let cases = [
        ("a: &x 1\nb: *x\n", "a: &x 1\nb: 1\n"),
        ("a: &x 'q' # c\nb: [*x, {c: *x}]\n", "a: &x 'q' # c\nb: ['q', {c: 'q'}]\n"),
        ("a: &x one, two\nb: [*x]\n", "a: &x one, two\nb: [\"one, two\"]\n"),
        ("a: &x |\n  t\nb: *x\n", "a: &x |\n  t\nb: \"t\\n\"\n"),
        ("a: &x\nb: *x\n", "a: &x\nb: null\n"),
        ("a: &x !!str 5\nb: *x\n", "a: &x !!str 5\nb: !!str 5\n"),
        (
            "a: &x\n   b: 1\n   c: |\n     t\n\n     u\nd:\n  e: *x\nf: 2\n",
            "a: &x\n   b: 1\n   c: |\n     t\n\n     u\nd:\n  e:\n     b: 1\n     c: |\n       t\n\n       u\nf: 2\n",
        ),
        ("a: &x\n- 1\n- 2\nb: *x\n", "a: &x\n- 1\n- 2\nb:\n  - 1\n  - 2\n"),
        ("a: &x {b: 1}\nl:\n  - *x\n  - *x # c\n", "a: &x {b: 1}\nl:\n  - {b: 1}\n  - {b: 1} # c\n"),
        (
            "l:\n  - &x\n    a: 1\n    b: 2\n  - *x\n  - c: *x\n",
            "l:\n  - &x\n    a: 1\n    b: 2\n  - a: 1\n    b: 2\n  - c:\n      a: 1\n      b: 2\n",
        ),
        ("a: &x\n  b: [1, 'y']\nc: {d: *x}\n", "a: &x\n  b: [1, 'y']\nc: {d: {b: [1, 'y']}}\n"),
        ("a: &x\n  b: 1\nd:\n  <<: *x\n", "a: &x\n  b: 1\nd:\n  <<:\n    b: 1\n"),
        // An alias in a copy means what it meant where it was written.
        ("y: &y 1\na: &x {p: *y}\nb: &y 2\nc: *x\nd: *y\n", "y: &y 1\na: &x {p: 1}\nb: &y 2\nc: {p: 1}\nd: 2\n"),
        ("a: &x\n  p: &y 1\nb: &y 2\nc: *x\nd: *y\n", "a: &x\n  p: &y 1\nb: &y 2\nc:\n  p: 1\nd: 2\n"),
    ];
    for (text, expected) in cases {
        let expanded = parse(text).expanded().unwrap().unwrap();
        assert_eq!(shown(expanded.text()), expected);
        let leaves = |document: &Document| document.outline().leaves.len();
        assert_eq!(leaves(&parse(text)), leaves(&expanded), "{text}");
    }
    assert!(parse("a: 1\n").expanded().unwrap().is_none());
}

#[test]
fn what_cannot_be_copied_is_refused() {
    let refused = |text: &str| parse(text).expanded().unwrap_err().line;
    assert_eq!(refused("a: &x\n  # c\n  b: 1\nc: *x\n"), 2);
    assert_eq!(refused("a: &x\n  b: 1 # c\nc: *x\n"), 2);
    assert_eq!(refused("a: &x [1] # c\nc: *x\n"), 1);
    let bomb: String = (1..12).fold("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, level| {
        let inner = level - 1;
        format!("{text}a{level}: &a{level} [{}]\n", vec![format!("*a{inner}"); 10].join(", "))
    });
    assert!(Document::parse(Format::Yaml, bomb.into_bytes()).and_then(|bomb| bomb.expanded()).is_err());
}
