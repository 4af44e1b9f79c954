//! What writing must heed so that SOPS finds every comment under the path under which it was encrypted.

use lockage::document::{CommentId, Document, Edits, Format, Kind, LeafId, MetadataEdit, Replacement, Visit};
use proptest::prelude::*;

use super::generate::{self, Random};
use super::round_trip::{block, token};
use super::writing::parse;

/// Of each comment its text and the associated data of its collection, in the order of the walk.
fn comments(document: &Document) -> Vec<(String, String)> {
    let mut found = Vec::new();
    document
        .walk(|visit| {
            if let Visit::Comment { id, path } = visit {
                let text = String::from_utf8_lossy(document.comment(id)).into_owned();
                found.push((text, path.associated_data().to_owned()));
            }
            Ok::<(), std::convert::Infallible>(())
        })
        .unwrap();
    found
}

fn path_of(text: &str, comment: &str) -> String {
    let found = comments(&parse(text));
    found.into_iter().find(|(text, _)| text == comment).unwrap_or_else(|| panic!("{comment} is dropped: {text}")).1
}

/// `document` with a token over every value and, if asked, over every comment.
fn encrypted(document: &Document, with_comments: bool, metadata: MetadataEdit) -> Option<Document> {
    let mut edits = Edits::new();
    for index in 0..document.outline().leaves.len() {
        let id = LeafId(index as u32);
        let value = document.scalar(id).ok()?;
        if value.kind != Kind::Null && !value.token.is_empty() {
            edits.leaf(id, &Replacement::Token(token(index, "str").as_bytes()));
        }
    }
    for index in 0..document.outline().comments.len() {
        if with_comments && !document.comment(CommentId(index as u32)).is_empty() {
            edits.comment(CommentId(index as u32), token(index, "comment").as_bytes());
        }
    }
    edits.metadata = metadata;
    let text = document.apply(&edits).ok()?;
    Some(Document::parse(document.format(), text.to_vec()).unwrap())
}

#[test]
fn w1_the_final_text_decides() {
    let text = "a:\n  b:\n    x: 1\n  # c\n";
    assert_eq!(path_of(text, " c"), "a:");
    let last = encrypted(&parse(text), false, MetadataEdit::Set(block())).unwrap();
    assert_eq!(comments(&last)[0], (" c".to_owned(), "a:b:".to_owned()));
}

#[test]
fn w2_a_token_stands_right_behind_the_mark() {
    let written = encrypted(&parse("a: 1 #  c\n"), true, MetadataEdit::Keep).unwrap();
    let text = String::from_utf8(written.text().to_vec()).unwrap();
    assert!(text.ends_with(&format!(" #{}\n", token(0, "comment"))), "{text}");
}

#[test]
fn w3_a_comment_that_touches_its_value_stays_a_comment() {
    for text in ["a: \"x\"# c\n", "a: [x]# c\n", "a: ># c\n  x\nb: 1\n", "a: {b: 'x'# c\n}\n"] {
        let written = encrypted(&parse(text), false, MetadataEdit::Keep).unwrap();
        assert_eq!(comments(&written), comments(&parse(text)), "{text}");
    }
}

#[test]
fn w4_a_block_keeps_its_column_and_the_blank_lines_below() {
    let written =
        encrypted(&parse("a:\n     - |+ # c\n         x\n\n       # d\n     - y\n"), false, MetadataEdit::Keep)
            .unwrap();
    let expected =
        format!("a:\n     - |- # c\n         {}\n\n       # d\n     - {}\n", token(0, "str"), token(1, "str"));
    assert_eq!(String::from_utf8_lossy(written.text()), expected);
}

#[test]
fn w5_the_block_stands_last_in_the_root_s_column() {
    let written = encrypted(&parse("  a: 1\n  # c\n...\n"), false, MetadataEdit::Set(block())).unwrap();
    assert!(written.text().ends_with(b"      version: 3.13.3\n...\n"));
    assert!(
        parse("{a: 1}\n")
            .apply(&{
                let mut edits = Edits::new();
                edits.metadata = MetadataEdit::Set(block());
                edits
            })
            .is_err()
    );
}

#[test]
fn w6_comments_without_a_faithful_place_are_marked() {
    let dropped = |text: &str| parse(text).outline().comments.iter().map(|comment| comment.dropped).collect::<Vec<_>>();
    assert_eq!(dropped("a: [ # c\n  1]\nb: 2 # d\n"), [true, false]);
    assert_eq!(dropped("a:\n  b: 1\n  # c\n# d\n\n  e: 2\n"), [true, false]);
    assert_eq!(dropped("m: 1\nl:\n  # c\n  -\n"), [true]);
    assert_eq!(dropped("# c\n---\n# d\n"), [true, false]);
    assert_eq!(dropped("a: 1 # c\n...\n# d\n\n# e\n"), [false, false, true]);
    assert_eq!(dropped("%YAML 1.1 # c\n---\na: 1\n"), [true]);
    // Layouts whose rules nobody should carry.
    assert_eq!(dropped("a: 1\n# c\u{2028}b: 2\n"), [true]);
    assert_eq!(dropped(&format!("a: 1\n# c\n{}b: 2\n", "\n".repeat(600))), [true]);
    assert_eq!(dropped(&format!("a: 1{}# c\n", " ".repeat(600))), [true]);
}

#[test]
fn w7_both_forms_of_a_comment_in_a_list_have_its_path() {
    let token = token(0, "comment");
    for text in [format!("l:\n    - {token}\n    - x\n"), format!("l:\n    #{token}\n    - x\n")] {
        let document = parse(&text);
        assert_eq!(comments(&document), [(token.clone(), "l:".to_owned())], "{text}");
        let x = document.find(&"l[0]".parse().unwrap());
        assert_eq!(x, Some(LeafId(0)), "a comment takes no position in its list");
    }
}

#[test]
fn w8_a_token_stays_on_its_line() {
    let long = format!("ENC[AES256_GCM,data:{},iv:AAAA,tag:AAAA==,type:str]", "A".repeat(5_000));
    for text in ["a: x\n", "a: 'x'\n", "a: \"x\"\n", "a: [x]\n", "a: |\n  x\n", "a: >\n  x\n"] {
        let mut edits = Edits::new();
        edits.leaf(LeafId(0), &Replacement::Token(long.as_bytes()));
        let written = parse(text).apply(&edits).unwrap();
        let again = Document::parse(Format::Yaml, written.to_vec()).unwrap();
        assert!(*again.scalar(LeafId(0)).unwrap().token == *long.as_bytes());
        assert_eq!(written.iter().filter(|byte| **byte == b'\n').count(), text.lines().count());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// W3 and W4: tokens over values and comments move no comment to another path, unless the text ends in a comment
    /// without a line break: then the comment's length decides, and only the metadata below it makes it harmless.
    #[test]
    fn tokens_move_no_comment(seed: u64, mutated: bool) {
        let mut random = Random::new(seed);
        let text = generate::document(&mut random);
        let mut text = if mutated { generate::mutate(&mut random, &text) } else { text.into_bytes() };
        if !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        let Ok(plain) = Document::parse(Format::Yaml, text.clone()) else { return Ok(()) };
        if plain.outline().aliases || plain.outline().leaves.iter().any(|leaf| !leaf.tagged) {
            return Ok(());
        }
        let Some(written) = encrypted(&plain, true, MetadataEdit::Keep) else { return Ok(()) };
        let paths = |document: &Document| comments(document).into_iter().map(|(_, path)| path).collect::<Vec<_>>();
        let shown = || format!("{}\n=====\n{}", String::from_utf8_lossy(&text), String::from_utf8_lossy(written.text()));
        assert_eq!(paths(&plain), paths(&written), "{}", shown());
    }
}
