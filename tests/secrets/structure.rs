//! Values that come with new parents, replace what is there, or go.

use lockage::document::{Format, KeyPath, Kind};
use lockage::sops::{DecryptedFile, EncryptedFile, Flavour, NewValue};

use crate::support::{Sops, decrypt, encrypt, keyring, now};

fn open(format: Format, file: &[u8]) -> DecryptedFile {
    EncryptedFile::parse(format, file.to_vec()).unwrap().decrypt(&keyring()).unwrap()
}

fn path(text: &str) -> KeyPath {
    text.parse().unwrap()
}

fn map(entries: Vec<(&str, NewValue)>) -> NewValue {
    NewValue::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn text(value: &str) -> NewValue {
    NewValue::leaf(Kind::Str, value)
}

/// The plaintext after a change; the real `sops` must open what was written.
fn after(format: Format, plain: &str, change: impl Fn(&DecryptedFile) -> Option<Vec<u8>>) -> String {
    let file = encrypt(format, plain.as_bytes()).unwrap();
    let new = change(&open(format, &file)).unwrap();
    if let Some(sops) = Sops::find() {
        let theirs = sops.decrypt(format, &new).unwrap_or_else(|error| panic!("{plain}: {error:?}"));
        assert!(!String::from_utf8_lossy(&theirs).contains("ENC["));
    }
    String::from_utf8(decrypt(format, &new).unwrap()).unwrap()
}

fn put(format: Format, plain: &str, at: &str, value: &NewValue) -> String {
    after(format, plain, |file| file.put(&path(at), value, Flavour::Own, now()).unwrap())
}

fn put_as_sops(format: Format, plain: &str, at: &str, value: &NewValue) -> String {
    after(format, plain, |file| file.put(&path(at), value, Flavour::Sops, now()).unwrap())
}

fn unset(format: Format, plain: &str, at: &str) -> String {
    after(format, plain, |file| file.unset(&path(at), Flavour::Own, now()).unwrap())
}

#[test]
fn missing_parents_are_made_in_the_style_of_the_file() {
    let yaml = |plain, at, value: &NewValue| put(Format::Yaml, plain, at, value);
    assert_eq!(yaml("a: 1\n", "b.c.d", &text("x")), "a: 1\nb:\n    c:\n        d: x\n");
    assert_eq!(yaml("a:\n  b: 1\n", "a.c.d", &text("x")), "a:\n  b: 1\n  c:\n    d: x\n");
    assert_eq!(yaml("a:\n  - 1\n# end\n", "b.c[0]", &text("x")), "a:\n  - 1\nb:\n  c:\n    - x\n# end\n");
    assert_eq!(yaml("a:\n- 1\nb:\n  c: 1\n", "d[0].e", &text("x")), "a:\n- 1\nb:\n  c: 1\nd:\n- e: x\n");
    assert_eq!(yaml("a:\n- 1\n", "a[1].b", &text("x")), "a:\n- 1\n- b: x\n");
    assert_eq!(yaml("a: {b: 1}\n", "a.c.d", &text("x")), "a: {b: 1, c: {d: x}}\n");
    assert_eq!(yaml("a:\nb: 1\n", "a.c", &text("x")), "a:\n    c: x\nb: 1\n");
    assert_eq!(yaml("a: ~\nb: 1\n", "a.c", &text("x")), "a:\n    c: x\nb: 1\n");
    assert_eq!(yaml("a:\r\n  b: 1\r\n", "c.d", &text("x")), "a:\r\n  b: 1\r\nc:\r\n  d: x\r\n");
    let json = |plain, at, value: &NewValue| put(Format::Json, plain, at, value);
    assert_eq!(json("{\n  \"a\": 1\n}\n", "b.c", &text("x")), "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": \"x\"\n  }\n}\n");
    assert_eq!(json("{\"a\":{\"b\":1}}", "a.c[0]", &text("x")), "{\"a\":{\"b\":1,\"c\":[\"x\"]}}");
    assert_eq!(json("{\"a\": {}}", "a.c", &text("x")), "{\"a\": {\"c\": \"x\"}}");
    assert_eq!(put(Format::Ini, "[a]\nb = 1\n", "c.d", &text("x")), "[a]\nb = 1\n\n[c]\nd = x\n");
}

#[test]
fn collections_go_in_whole() {
    let value = map(vec![
        ("u", text("x y")),
        ("l", NewValue::List(vec![NewValue::leaf(Kind::Int, "1"), map(vec![("k", text("v")), ("m", text(""))])])),
        ("e", NewValue::Map(vec![])),
        ("plain_unencrypted", NewValue::leaf(Kind::Bool, "true")),
    ]);
    let wanted =
        "a:\n  b: 1\nc:\n  u: x y\n  l:\n    - 1\n    - k: v\n      m: \"\"\n  e: {}\n  plain_unencrypted: true\n";
    assert_eq!(put(Format::Yaml, "a:\n  b: 1\n", "c", &value), wanted);
    assert_eq!(
        put(Format::Json, "{\n\t\"a\": 1\n}\n", "c", &value),
        "{\n\t\"a\": 1,\n\t\"c\": {\n\t\t\"u\": \"x y\",\n\t\t\"l\": [\n\t\t\t1,\n\t\t\t{\n\t\t\t\t\"k\": \"v\",\n\t\t\t\t\"m\": \"\"\n\t\t\t}\n\t\t],\n\t\t\"e\": {},\n\t\t\"plain_unencrypted\": true\n\t}\n}\n"
    );
    // In the place of what is there.
    let small = map(vec![("aa", text("aaa"))]);
    assert_eq!(put(Format::Yaml, "a: 2 # n\nb: ba\n", "a", &small), "a: {aa: aaa} # n\nb: ba\n");
    assert_eq!(put(Format::Yaml, "a: 2\nb: ba\n", "a", &small), "a:\n    aa: aaa\nb: ba\n");
    assert_eq!(put(Format::Yaml, "a:\n  x: 1\n  # c\n  y: 2\nb: ba\n", "a", &small), "a:\n  aa: aaa\nb: ba\n");
    assert_eq!(put(Format::Yaml, "a:\n  x: 1\nb: ba\n", "a", &text("t")), "a: t\nb: ba\n");
}

#[test]
fn a_replaced_collection_leaves_its_neighbours() {
    let yaml = |plain, at, value: &NewValue| put(Format::Yaml, plain, at, value);
    assert_eq!(yaml("l:\n  - a: 1\n    b: 2\n  - c\n", "l[0]", &text("x")), "l:\n  - x\n  - c\n");
    assert_eq!(
        yaml("l:\n  - a\n  - c\n", "l[0]", &map(vec![("k", text("v")), ("w", text("z"))])),
        "l:\n  - k: v\n    w: z\n  - c\n"
    );
    assert_eq!(yaml("l: [a, {b: 1}]\nz: 1\n", "l[1]", &text("x")), "l: [a, x]\nz: 1\n");
    assert_eq!(yaml("a: |\n  one\n  two\nb: 1\n", "a", &map(vec![("k", text("v"))])), "a:\n    k: v\nb: 1\n");
    assert_eq!(put_as_sops(Format::Yaml, "a: 1\nb: 2\n", "a.c[3].d", &text("x")), "a:\n    c:\n        - d: x\nb: 2\n");
    assert_eq!(put_as_sops(Format::Yaml, "l:\n    - a\n", "l[9]", &text("x")), "l:\n    - a\n    - x\n");
    assert_eq!(put_as_sops(Format::Json, "{\"a\": 1}", "a.b", &text("x")), "{\"a\": {\"b\": \"x\"}}");
    assert_eq!(put(Format::Json, "{\"a\": [1, {\"b\": 2}], \"c\": 3}", "a", &text("x")), "{\"a\": \"x\", \"c\": 3}");
}

#[test]
fn what_goes_takes_its_lines_with_it() {
    for (plain, at, wanted) in [
        ("a: 1\nb: 2\n", "a", "b: 2\n"),
        ("a: 1\nb: 2 # n\n", "b", "a: 1\n"),
        ("# head\na:\n  x: 1\n  y: 2\nb: 2\n", "a.x", "# head\na:\n  y: 2\nb: 2\n"),
        ("a:\n  x: 1\nb: 2\n", "a.x", "a: {}\nb: 2\n"),
        ("a:\n  - x\nb: 2\n", "a[0]", "a: []\nb: 2\n"),
        ("a:\n  - x\n  - y\n  - z\n", "a[1]", "a:\n  - x\n  - z\n"),
        ("a:\n  - x: 1\n    y: 2\n  - z\n", "a[0].x", "a:\n  - y: 2\n  - z\n"),
        ("a:\n  - x: 1\n    y: 2\n  - z\n", "a[0]", "a:\n  - z\n"),
        ("a: {x: 1, y: 2}\n", "a.x", "a: {y: 2}\n"),
        ("a: {x: 1, y: 2}\n", "a.y", "a: {x: 1}\n"),
        ("a: [x]\nb: 1\n", "a[0]", "a: []\nb: 1\n"),
        ("a: |\n  one\n  two\nb: 1\n", "a", "b: 1\n"),
        ("a:\nb: 1\n", "a", "b: 1\n"),
    ] {
        assert_eq!(unset(Format::Yaml, plain, at), wanted, "{plain} {at}");
    }
    for (plain, at, wanted) in [
        ("{\n  \"a\": 1,\n  \"b\": 2\n}\n", "a", "{\n  \"b\": 2\n}\n"),
        ("{\n  \"a\": 1,\n  \"b\": [1, 2]\n}\n", "b[1]", "{\n  \"a\": 1,\n  \"b\": [1]\n}\n"),
        ("{\"a\": {\"b\": 1 }}", "a.b", "{\"a\": {}}"),
        ("{\"a\": 1, \"b\": 2}", "b", "{\"a\": 1}"),
    ] {
        assert_eq!(unset(Format::Json, plain, at), wanted, "{plain} {at}");
    }
    assert_eq!(unset(Format::Dotenv, "A=1\n# c\nB=2\n", "A"), "# c\nB=2\n");
    assert_eq!(unset(Format::Ini, "[a]\nb = 1\nc = 2\n\n[d]\ne = 3\n", "a.b"), "[a]\nc = 2\n\n[d]\ne = 3\n");
    assert_eq!(unset(Format::Ini, "[a]\nb = 1\n\n[d]\ne = 3\n", "a"), "[d]\ne = 3\n");
    assert_eq!(unset(Format::Ini, "[a]\nb = 1\n\n[d]\ne = 3\n", "d"), "[a]\nb = 1\n");
    let file = open(Format::Yaml, &encrypt(Format::Yaml, b"a: 1\n").unwrap());
    assert!(file.unset(&path("b"), Flavour::Own, now()).unwrap().is_none());
    let aliased = encrypt(Format::Yaml, b"a_unencrypted: &x 1\nb_unencrypted: *x\n").unwrap();
    assert!(open(Format::Yaml, &aliased).unset(&path("a_unencrypted"), Flavour::Own, now()).is_err());
}
