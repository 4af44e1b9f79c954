//! Inputs made to hurt: bounded in depth, and in steps and memory for each byte.
//!
//! Counts, no clocks: a quadratic reader does not end here within any patience.

use lockage::document::{Document, Format, SyntaxErrorKind};

const SIZE: usize = 1 << 18;

/// Parses `unit` repeated to 256 KiB, between `before` and `after`.
fn repeat(before: &str, unit: &str, after: &str) -> Result<Document, SyntaxErrorKind> {
    let text = format!("{before}{}{after}", unit.repeat(SIZE / unit.len()));
    Document::parse(Format::Yaml, text.into_bytes()).map_err(|error| error.kind)
}

fn too_deep(result: Result<Document, SyntaxErrorKind>) {
    assert_eq!(result.unwrap_err(), SyntaxErrorKind::TooDeep { limit: 10_000 });
}

#[test]
fn depth_ends_at_ten_thousand() {
    too_deep(repeat("a: ", "[", ""));
    too_deep(repeat("a: ", "{a: ", ""));
    too_deep(repeat("a: ", "[a: ", ""));
    too_deep(repeat("", "- ", ""));
    too_deep(repeat("a:\n", "- ", ""));
    too_deep(repeat("", "? ", ""));
    let stairs: String = (0..1_300).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    assert_eq!(Document::parse(Format::Yaml, stairs.into_bytes()).unwrap().outline().keys.len(), 1_300);
    let nested = format!("a: {}{}\n", "[".repeat(10_000), "]".repeat(10_000));
    let document = Document::parse(Format::Yaml, nested.into_bytes()).unwrap();
    assert_eq!(document.outline().nodes.len(), 20_000 + 3);
}

#[test]
fn one_line_of_brackets() {
    let outline = |document: &Document| (document.outline().nodes.len(), document.outline().leaves.len());
    let items = SIZE / 2;
    assert_eq!(outline(&repeat("a: [", "1,", "]").unwrap()), (items + 5, items));
    assert_eq!(outline(&repeat("a: [", "a: b, ", "]").unwrap()).1, SIZE / 6);
    assert!(repeat("a: [", "[]: 1,", "1]").is_err(), "a list is no key");
    assert_eq!(outline(&repeat("a: [", "[[[[[[[[a]]]]]]]],", "]").unwrap()).1, SIZE / 18);
    assert!(repeat("a: {", "a: 1,", "}").is_err(), "equal keys");
}

#[test]
fn keys_that_are_none() {
    assert!(repeat("", "a", ": 1\n").is_err(), "a key is at most 1,024 characters long");
    assert!(repeat("", "a\n", "").is_err());
    assert!(repeat("a: [", "\"é\" ", "").is_err());
    assert!(repeat("", "&a ", "b: 1\n").is_err());
    assert!(repeat("a: {", "x: {y: ", "").is_err());
    let limit = |length: usize| format!("{}: 1\n", "é".repeat(length));
    assert!(Document::parse(Format::Yaml, limit(1_024).into_bytes()).is_ok());
    assert!(Document::parse(Format::Yaml, limit(1_025).into_bytes()).is_err());
}

#[test]
fn long_scalars() {
    for (before, unit, after) in [
        ("a: \"", "\\u00e9\\n", "\"\n"),
        ("a: \"", "\\\n ", "\"\n"),
        ("a: '", "''", "'\n"),
        ("a: '", "\n", "'\n"),
        ("a: ", "x ", "\n"),
        ("a: x", "\n ", "y\n"),
        ("a: x", "\n", "b: 1\n"),
        ("a: |\n", " x\n\n", ""),
        ("a: >\n", " x\n", ""),
        ("a: |+\n", " \n", ""),
        ("a: |\n", " ", "x\n"),
    ] {
        let document = repeat(before, unit, after).unwrap_or_else(|error| panic!("{unit:?}: {error}"));
        let scalar = document.scalar(lockage::document::LeafId(0)).unwrap();
        assert!(scalar.canonical.len() <= SIZE, "{unit:?}");
    }
}

#[test]
fn comments_and_blanks() {
    for (before, unit, after) in [
        ("a: 1\n", "#\n", ""),
        ("a: 1\n", "  # c\n # c\n", "b: 2\n"),
        ("a: 1\n", " \n", ""),
        ("a: 1\n", "\t#\n", ""),
        ("a: [", "#\n", "]\n"),
        ("a: [", "1, #\n", "]\n"),
        ("a:\n", "  - x # c\n\n  # d\n", ""),
        ("", "---\n", ""),
        ("a: 1\n", "...\n", ""),
        ("", "--- # c\n", ""),
        ("a: x", " ", "# c\n"),
    ] {
        let document = repeat(before, unit, after);
        assert!(document.is_ok() || unit.starts_with('\t'), "{unit:?}: {:?}", document.err());
    }
}

#[test]
fn aliases_are_copies_within_bounds() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    let error = Document::parse(Format::Yaml, bomb.clone().into_bytes()).unwrap_err();
    assert_eq!(error.kind, SyntaxErrorKind::NotAllowed("aliases repeat too much of the document"));
    // go-yaml looks at the first document only; the bound is for all.
    assert!(Document::parse(Format::Yaml, format!("x: 1\n---\n{bomb}").into_bytes()).is_err());
    let many = "a: &x 1\nb: [".to_owned() + &"*x, ".repeat(100_000) + "]\n";
    let document = Document::parse(Format::Yaml, many.into_bytes()).unwrap();
    assert_eq!(document.outline().leaves.len(), 100_001);
    let shared =
        "a: &x {b: 1, c: [2, 3]}\n".to_owned() + &(0..1_000).map(|key| format!("k{key}: *x\n")).collect::<String>();
    let document = Document::parse(Format::Yaml, shared.into_bytes()).unwrap();
    assert_eq!(document.outline().leaves.len(), 3 * 1_001);
}

#[test]
fn anchors_and_tags() {
    let anchors: String = (0..50_000).map(|name| format!("- &a{name} x\n")).collect();
    assert_eq!(
        Document::parse(Format::Yaml, format!("l:\n{anchors}").into_bytes()).unwrap().outline().leaves.len(),
        50_000
    );
    assert!(repeat("a: !", "%41", " x\n").is_ok());
    assert!(repeat("a: !<", "x", "> x\n").is_ok());
    assert!(repeat("", "%TAG !a! b\n", "---\n").is_err(), "twice the same handle");
}
