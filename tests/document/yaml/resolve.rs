//! What a scalar is, and which bytes a token shall hold so that its spelling comes back.

use lockage::document::{Document, Format, Kind};

/// Kind, canonical bytes and token bytes of the value of `a`.
fn scalar(value: &str) -> (Kind, String, String) {
    let document = Document::parse(Format::Yaml, format!("a: {value}\n").into_bytes()).unwrap();
    let scalar = document.scalar(lockage::document::LeafId(0)).unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (scalar.kind, text(&scalar.canonical), text(&scalar.token))
}

#[test]
fn the_source_spelling_is_kept_where_the_reader_gives_it_the_same_value() {
    let kept = [
        ("1.50", Kind::Float, "1.5"),
        ("1e3", Kind::Float, "1000"),
        (".5", Kind::Float, "0.5"),
        ("5.", Kind::Float, "5"),
        ("-0.0", Kind::Float, "-0"),
        ("08", Kind::Float, "8"),
        ("true", Kind::Bool, "True"),
        ("FALSE", Kind::Bool, "False"),
        ("+5", Kind::Int, "5"),
        ("-0", Kind::Int, "0"),
        ("00", Kind::Int, "0"),
        ("!!float 3", Kind::Float, "3"),
        ("!!int '7'", Kind::Int, "7"),
        ("2024-01-02T03:04:05.500Z", Kind::Time, "2024-01-02T03:04:05.5Z"),
        ("2024-01-02T03:04:05+00:00", Kind::Time, "2024-01-02T03:04:05Z"),
    ];
    for (spelling, kind, canonical) in kept {
        let source = spelling.split(' ').next_back().unwrap().trim_matches('\'');
        assert_eq!(scalar(spelling), (kind, canonical.to_owned(), source.to_owned()), "{spelling}");
    }
}

#[test]
fn the_canonical_spelling_is_stored_where_the_reader_would_read_another_value() {
    let changed = [
        ("010", Kind::Int, "8"),
        ("0o17", Kind::Int, "15"),
        ("0x1F", Kind::Int, "31"),
        ("0b101", Kind::Int, "5"),
        ("0b-1", Kind::Int, "-1"),
        ("1_000", Kind::Int, "1000"),
        (".inf", Kind::Float, "+Inf"),
        ("-.INF", Kind::Float, "-Inf"),
        (".NaN", Kind::Float, "NaN"),
        ("2024-01-02", Kind::Time, "2024-01-02T00:00:00Z"),
        ("2024-1-2 3:4:5.50", Kind::Time, "2024-01-02T03:04:05.5Z"),
        ("2024-01-02t03:04:05+01:60", Kind::Time, "2024-01-02T03:04:05+02:00"),
    ];
    for (spelling, kind, canonical) in changed {
        assert_eq!(scalar(spelling), (kind, canonical.to_owned(), canonical.to_owned()), "{spelling}");
    }
}

#[test]
fn what_looks_like_more_is_text() {
    let texts = [
        "yes",
        "no",
        "on",
        "1:20",
        "0o8",
        "1e400",
        "0x1p3",
        "0b2",
        "2024-02-30",
        "2024-01-02T03:04:05",
        "2024-13-01",
        "..",
        "+",
        "-x",
        "0x",
        "nulL",
        "!!str 5",
        "!t 5",
        "'5'",
        "\"true\"",
    ];
    for spelling in texts {
        let source = spelling.split(' ').next_back().unwrap().trim_matches(['\'', '"']);
        assert_eq!(scalar(spelling), (Kind::Str, source.to_owned(), source.to_owned()), "{spelling}");
    }
    assert_eq!(scalar("!!binary aGVsbG8="), (Kind::Str, "hello".to_owned(), "hello".to_owned()));
    assert_eq!(scalar("<<"), (Kind::Str, "<<".to_owned(), "<<".to_owned()));
}

#[test]
fn integers_keep_to_64_bits() {
    assert_eq!(scalar("9223372036854775807").0, Kind::Int);
    assert_eq!(scalar("-9223372036854775808").0, Kind::Int);
    assert_eq!(scalar("-9223372036854775809").0, Kind::Float);
    assert_eq!(scalar("+9223372036854775808").0, Kind::Float);
    assert_eq!(
        scalar("99999999999999999999"),
        (Kind::Float, "100000000000000000000".into(), "99999999999999999999".into())
    );
    assert_eq!(scalar("0xFFFFFFFFFFFFFFFFF").0, Kind::Str);
}

#[test]
fn text_of_every_style() {
    let texts = [
        ("'it''s'", "it's"),
        ("\"\\t\\x41\\u00e9\\U0001F600\\N\\_\\L\\P\\\"\\\\\\e\\0\"", "\tAé😀\u{85}\u{A0}\u{2028}\u{2029}\"\\\u{1B}\0"),
        ("\"one \\\n  two\\\n\n  three\"", "one two\nthree"),
        ("one\n  two\n\n\n  three  ", "one two\n\nthree"),
        ("'one\n\n  two '", "one\ntwo "),
        (">\n  a\n  b\n\n    c\n    d\n\n  e", "a b\n\n  c\n  d\n\ne\n"),
        ("|2\n    x\n  y", "  x\ny\n"),
        ("|\r\n  x\r\n  y\r\n", "x\ny\n"),
    ];
    for (spelling, text) in texts {
        assert_eq!(scalar(spelling), (Kind::Str, text.to_owned(), text.to_owned()), "{spelling:?}");
    }
}
