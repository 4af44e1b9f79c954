//! Where go-yaml's dialect is not YAML 1.2, and where writers of YAML stumble: each trap by its small example.

use lockage::document::{Document, Format, Kind, Style, SyntaxErrorKind, Visit};

/// The document, which must be readable.
fn read(text: &str) -> Document {
    Document::parse(Format::Yaml, text.as_bytes().to_vec()).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// Path and value of each leaf.
fn values(text: &str) -> Vec<(String, String)> {
    let document = read(text);
    let mut values = Vec::new();
    document
        .walk(|visit| {
            if let Visit::Leaf { id, path } = visit {
                let scalar = document.scalar(id).map_err(|error| error.to_string())?;
                values.push((path.to_key_path().to_string(), String::from_utf8_lossy(&scalar.canonical).into_owned()));
            }
            Ok::<(), String>(())
        })
        .unwrap();
    values
}

/// The value of the only leaf.
fn value(text: &str) -> String {
    let mut values = values(text);
    assert_eq!(values.len(), 1, "{text:?}");
    values.remove(0).1
}

/// Why the document is refused.
fn refused(text: &[u8]) -> SyntaxErrorKind {
    match Document::parse(Format::Yaml, text.to_vec()) {
        Ok(_) => panic!("{:?} is accepted", String::from_utf8_lossy(text)),
        Err(error) => error.kind,
    }
}

/// What stands in the range of the first leaf.
fn leaf(text: &str) -> &str {
    let document = read(text);
    &text[document.outline().leaves[0].range.clone()]
}

#[test]
fn t1_a_block_without_a_last_line_break_has_none_in_its_value() {
    assert_eq!(value("a: |\n  one"), "one");
    assert_eq!(value("a: |\n  one\n"), "one\n");
    assert_eq!(value("a:\n- |+\n   "), "");
    assert_eq!(value("a: |+\n  one\n\n\n"), "one\n\n\n");
    assert_eq!(value("a: >-\n  one\n  two\n\n\n  three\n"), "one two\n\nthree");
}

#[test]
fn t2_indicators_in_brackets_and_around_anchors() {
    assert_eq!(values("a: [?x]\n"), [("a[0].x".to_owned(), String::new())]);
    assert_eq!(values("a: { ?foo: b}\n"), [("a.foo".to_owned(), "b".to_owned())]);
    assert_eq!(values("a: {foo:}\n"), [("a.foo:".to_owned(), String::new())]);
    assert_eq!(value("a: &an:chor v\n"), ":chor v");
}

#[test]
fn t3_what_go_alone_accepts_and_refuses() {
    assert_eq!(value("a: \"one\ntwo\"\n"), "one two");
    assert_eq!(value("a:\t\"one\"\n"), "one");
    assert_eq!(refused(b"a: \"\\/\"\n"), SyntaxErrorKind::NotAllowed("this escape is not known"));
    assert!(matches!(refused(b"a: \"\\ud83d\\ude00\"\n"), SyntaxErrorKind::NotAllowed(_)));
    assert!(matches!(refused(b"%YAML 1.2\n---\na: 1\n"), SyntaxErrorKind::NotAllowed(_)));
    assert_eq!(value("%YAML 1.1\n---\na: 1\n"), "1");
}

#[test]
fn t4_rare_line_breaks_end_lines() {
    for line_break in ["\u{85}", "\u{2028}", "\u{2029}", "\r", "\r\n"] {
        assert_eq!(values(&format!("a: 1{line_break}b: 2{line_break}")).len(), 2, "{line_break:?}");
    }
    assert_eq!(value("a: |\n  x\u{85}  y\u{2028}"), "x\ny\u{2028}");
}

#[test]
fn t5_what_no_text_may_hold() {
    for bytes in [
        &b"a: \x00"[..],
        b"a: \x07",
        b"a: \x7F",
        b"a: \xC2\x80",
        b"a: \xEF\xBF\xBE",
        b"a: \xFF",
        b"a: \xED\xA0\x80",
        b"\xFF\xFEa\0",
    ] {
        assert!(matches!(refused(bytes), SyntaxErrorKind::NotAllowed(_)), "{bytes:?}");
    }
    assert_eq!(value("\u{FEFF}a: 1\n"), "1");
    assert_eq!(value("a: x\u{FEFF}y\n"), "x\u{FEFF}y");
    assert_eq!(read("\u{FEFF}a: 1\n").outline().keys[0].range, 3..4);
}

#[test]
fn t8_a_tab_below_a_plain_scalar_is_no_error_until_the_scalar_is_quoted() {
    assert_eq!(values("foo: 1\n \t\nbar: 2\n").len(), 2);
    assert!(Document::parse(Format::Yaml, b"foo: '1'\n \t\nbar: 2\n".to_vec()).is_err());
}

#[test]
fn t9_a_leaf_may_touch_what_is_before_it() {
    assert_eq!(leaf("a: [1,two]\n"), "1");
    assert_eq!(leaf("a: {\"b\":\"c\"}\n"), "\"c\"");
    assert_eq!(leaf("a: {b: [-1]}\n"), "-1");
}

#[test]
fn t10_a_block_swallows_what_is_indented_deeper() {
    assert_eq!(value("a: |\n  x\n  # no comment\n # a comment\n"), "x\n# no comment\n");
    assert_eq!(read("a: |\n  x\n  # no comment\n # a comment\n").outline().comments.len(), 1);
}

#[test]
fn t11_ranges_of_blocks() {
    assert_eq!(leaf("a: |\n  x\n\n\nb: 1\n"), "|\n  x");
    assert_eq!(leaf("a: |-\n  x\n\n\nb: 1\n"), "|-\n  x");
    assert_eq!(leaf("a: |+\n  x\n\n\nb: 1\n"), "|+\n  x\n\n");
    assert_eq!(leaf("a: |2+ # h\n  x\n  \n\nb: 1\n"), "|2+ # h\n  x\n  \n");
    assert_eq!(leaf("a: |\nb: 1\n"), "|");
    assert_eq!(leaf("a: &x !!str |\n  x\n"), "|\n  x");
    assert_eq!(value("a: |2+ # h\n  x\n  \n\n"), "x\n\n\n");
}

#[test]
fn t12_a_token_is_plain_in_blocks_only() {
    let token = "ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]";
    assert_eq!(value(&format!("a: {token}\n")), token);
    assert!(Document::parse(Format::Yaml, format!("a: [{token}]\n").into_bytes()).is_err());
    assert_eq!(value(&format!("a: ['{token}']\n")), token);
}

#[test]
fn t13_anchors_survive_the_document() {
    assert_eq!(values("a: &x 1\n---\nb: *x\n"), [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "1".to_owned())]);
    let document = read("a: &x {b: 1}\nc: *x\n");
    assert!(document.outline().aliases);
    let paths: Vec<_> = values("a: &x {b: 1}\nc: *x\n").into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["a.b", "c.b"]);
    assert!(Document::parse(Format::Yaml, b"a: *x\nb: &x 1\n".to_vec()).is_err(), "an alias stands behind its anchor");
    assert!(Document::parse(Format::Yaml, b"a: &x [*x]\n".to_vec()).is_err(), "no alias stands inside its anchor");
}

#[test]
fn t14_where_nothing_stands() {
    let document = read("k:\nl: {x}\nm: [a, ]\n");
    let empty: Vec<_> = document.outline().leaves.iter().filter(|leaf| leaf.style == Style::Empty).collect();
    assert_eq!(empty.iter().map(|leaf| leaf.range.clone()).collect::<Vec<_>>(), [2..2, 8..8]);
    assert!(empty.iter().all(|leaf| leaf.kind == Kind::Null));
    assert_eq!(value("k: !!str\n"), "");
}

#[test]
fn sops_refuses_and_so_do_we() {
    let twice = |text: &str| match refused(text.as_bytes()) {
        SyntaxErrorKind::DuplicateKey { first_line } => first_line,
        other => panic!("{text:?}: {other}"),
    };
    assert_eq!(twice("a: 1\nb: 2\na: 3\n"), 1);
    assert_eq!(twice("m:\n  l:\n  - {x: 1, 'x': 2}\n"), 3);
    assert_eq!(twice("sops: {}\nsops: {}\n"), 1);
    assert_eq!(values("a: 1\n---\nb: 1\nb: 2\n").len(), 3, "later documents may");
    let many: String = (0..40).map(|key| format!("k{key}: 1\n")).collect();
    assert_eq!(twice(&format!("{many}k7: 2\n")), 8);
    for text in ["text\n", "1: a\n", "a: {true: b}\n", "~: a\n", "? [a]\n: b\n", "a: 9223372036854775808\n"] {
        let kind = refused(text.as_bytes());
        assert!(matches!(kind, SyntaxErrorKind::NotAllowed(_) | SyntaxErrorKind::Unwalkable(_)), "{text:?}");
    }
    for text in ["- a\n", "a: 1\n---\n- b\n"] {
        assert!(Document::parse(Format::Yaml, text.into()).is_ok(), "{text:?} is ours alone");
        assert!(Document::parse_as_sops(Format::Yaml, text.into()).is_err(), "{text:?}");
    }
    for text in
        ["a: !!int x\n", "a: !!binary '%'\n", "a: !!null x\n", "<<: 1\n", "a: !e!x 1\n", "%YAML 1.1\n%YAML 1.1\n---\n"]
    {
        assert!(matches!(refused(text.as_bytes()), SyntaxErrorKind::NotAllowed(_)), "{text:?}");
    }
    assert_eq!(refused(b""), SyntaxErrorKind::Empty);
    assert_eq!(refused(b"\n  \n"), SyntaxErrorKind::Empty);
    assert!(matches!(refused(b"# only a comment\n"), SyntaxErrorKind::Expected(_)));
    assert!(values("---\n# only a comment\n").is_empty());
}

#[test]
fn an_error_names_line_and_column_and_no_byte_of_the_text() {
    let error = Document::parse(Format::Yaml, "ok: 1\nécole: [CANARY-heron\n".as_bytes().to_vec()).unwrap_err();
    assert_eq!((error.line, error.column), (3, 1));
    let error = Document::parse(Format::Yaml, "école: \"CANARY-heron \\q\"\n".as_bytes().to_vec()).unwrap_err();
    assert_eq!((error.line, error.column), (1, 22));
    assert!(!format!("{error} {error:?}").contains("heron"));
}
