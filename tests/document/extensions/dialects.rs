//! Dotenv with quotes: what each dialect takes, and that it comes back.

use lockage::document::{
    CommentId, Dialect, Document, Edits, Format, Graft, KeyPath, Kind, LeafId, MetadataEdit, Replacement, Tree,
};

use super::generate;
use crate::emit::generate as texts;
use crate::laws;
use crate::yaml::generate::Random;

fn value(dialect: Dialect, text: &str) -> Result<String, String> {
    let document =
        Document::parse(Format::Dialect(dialect), text.as_bytes().to_vec()).map_err(|error| error.to_string())?;
    let id = document.find(&KeyPath::new(vec![lockage::document::PathPart::Key("A".into())])).unwrap();
    Ok(String::from_utf8(document.scalar(id).unwrap().canonical.into_owned()).unwrap())
}

#[test]
fn the_laws_hold() {
    for dialect in Dialect::ALL {
        let mut random = Random::new(9);
        let (mut taken, mut refused) = (0, 0);
        while taken < 600 {
            let text = generate::dotenv(&mut random, dialect);
            let format = Format::Dialect(dialect);
            if Document::parse(format, text.clone().into_bytes()).is_err() || text.contains("sops_") {
                refused += 1;
                assert!(refused < 20_000, "{dialect:?} takes nothing");
                continue;
            }
            laws::metadata_is_removed_without_a_trace(format, text.as_bytes());
            laws::tokens_and_back(format, text.as_bytes());
            let new = texts::string(&mut random);
            laws::one_leaf_changes_alone(format, text.as_bytes(), random.below(5), &new);
            taken += 1;
        }
    }
}

#[test]
fn the_same_line_means_what_each_reader_takes_it_for() {
    use Dialect::{Compose, Docker, Node, Shell, Systemd};
    for (text, meanings) in [
        ("A='x y'", [(Compose, "x y"), (Docker, "'x y'"), (Shell, "x y"), (Node, "x y"), (Systemd, "x y")]),
        ("A=\"a\nb\"", [(Compose, "a\nb"), (Shell, "a\nb"), (Node, "a\nb"), (Systemd, "a\nb"), (Systemd, "a\nb")]),
        (
            "A=\"a\\nb\"",
            [(Compose, "a\nb"), (Docker, "\"a\\nb\""), (Shell, "a\\nb"), (Node, "a\nb"), (Systemd, "a\\nb")],
        ),
        ("A=\"\\$x\"", [(Compose, "$x"), (Docker, "\"\\$x\""), (Shell, "$x"), (Node, "\\$x"), (Systemd, "$x")]),
        ("A=b # c", [(Compose, "b"), (Docker, "b # c"), (Shell, "b"), (Node, "b"), (Systemd, "b # c")]),
        ("A=b#c", [(Compose, "b#c"), (Docker, "b#c"), (Shell, "b#c"), (Node, "b"), (Systemd, "b#c")]),
        (
            "A='it\\'s'",
            [(Compose, "it's"), (Docker, "'it\\'s'"), (Compose, "it's"), (Compose, "it's"), (Compose, "it's")],
        ),
        ("A=a\\ b", [(Compose, "a\\ b"), (Docker, "a\\ b"), (Shell, "a b"), (Node, "a\\ b"), (Systemd, "a b")]),
        (
            "A=$5 $$b",
            [(Compose, "$5 $b"), (Docker, "$5 $$b"), (Node, "$5 $$b"), (Systemd, "$5 $$b"), (Systemd, "$5 $$b")],
        ),
        ("A=", [(Compose, ""), (Docker, ""), (Shell, ""), (Node, ""), (Systemd, "")]),
    ] {
        for (dialect, meaning) in meanings {
            assert_eq!(value(dialect, text).as_deref(), Ok(meaning), "{dialect:?} {text:?}");
        }
    }
}

#[test]
fn what_a_dialect_cannot_say_is_refused_with_its_place() {
    use Dialect::{Compose, Docker, Node, Shell, Systemd};
    for (dialect, text, line, column) in [
        (Shell, "A=1\nB=$HOME\n", 2, 3),
        (Shell, "A=a b\n", 1, 3),
        (Shell, "A = b\n", 1, 1),
        (Shell, "A=\"`id`\"\n", 1, 4),
        (Shell, "A='x'y\n", 1, 6),
        (Shell, "A=~/x\n", 1, 3),
        (Shell, "1A=x\n", 1, 1),
        (Compose, "A=${B}\n", 1, 3),
        (Compose, "A=\"$B\"\n", 1, 4),
        (Compose, "A\n", 1, 1),
        (Docker, "A B=c\n", 1, 1),
        (Node, "A='x\n", 1, 3),
        (Systemd, "A=x\\\ny\n", 1, 3),
        (Systemd, "A=x\rB=y\n", 1, 3),
        (Systemd, "# c\rA=x\n", 1, 4),
        (Node, "A=x\n \nB=y\n", 2, 1),
        (Node, "export  A=x\n", 1, 8),
        (Node, "A=x\n # c\nB=y\n", 2, 1),
        (Node, "A=x\ry\n", 1, 3),
        (Compose, "A=1$B\n", 1, 3),
        (Compose, "A=\"x\\0000\"\n", 1, 4),
        (Systemd, "A='x' # c\n", 1, 7),
        (Systemd, "# c\\\nA=x\n", 1, 4),
    ] {
        let error = Document::parse(Format::Dialect(dialect), text.into()).expect_err(text);
        assert_eq!((error.line, error.column), (line, column), "{dialect:?} {text:?}: {error}");
    }
}

#[test]
fn a_new_value_gets_the_quotes_it_needs_or_is_refused() {
    use Dialect::{Compose, Docker, Node, Shell, Systemd};
    let key = KeyPath::new(vec![lockage::document::PathPart::Key("NEW".into())]);
    for (dialect, value, line) in [
        (Shell, "plain", Some("NEW=plain")),
        (Shell, "a b", Some("NEW='a b'")),
        (Shell, "it's $5", Some("NEW=\"it's \\$5\"")),
        (Compose, "a\nb", Some("NEW='a\nb'")),
        (Compose, "it's", Some("NEW=it's")),
        (Compose, "\\'", Some("NEW=\"\\\\'\"")),
        (Node, "a'\"b #", Some("NEW=`a'\"b #`")),
        (Node, "a'\"`b #", None),
        (Systemd, "a\\b", Some("NEW='a\\b'")),
        (Docker, " a # \"b\"", Some("NEW= a # \"b\"")),
        (Docker, "a\nb", None),
    ] {
        let document = Document::parse(Format::Dialect(dialect), b"A=b\n".to_vec()).unwrap();
        let new = Graft::Leaf(Replacement::Value { kind: Kind::Str, bytes: value.as_bytes() });
        let changed = document.insert(&key, &new).ok().map(|text| String::from_utf8(text.to_vec()).unwrap());
        assert_eq!(changed, line.map(|line| format!("A=b\n{line}\n")), "{dialect:?} {value:?}");
        if let Some(changed) = changed {
            let changed = Document::parse(Format::Dialect(dialect), changed.into_bytes()).unwrap();
            assert_eq!(&*changed.scalar(changed.find(&key).unwrap()).unwrap().canonical, value.as_bytes());
            assert_eq!(&changed.remove(&key).unwrap()[..], b"A=b\n");
        }
    }
}

/// Whoever has a file's key may make any token for it.
#[test]
fn what_is_opened_becomes_no_second_entry() {
    for (dialect, text, evil) in [
        (Dialect::Compose, "A=\"x\"\n", "x\"\nEVIL=\"y"),
        (Dialect::Shell, "A='x'\n", "x'\nEVIL='y"),
        (Dialect::Shell, "A=x\n", "x\nEVIL=y"),
        (Dialect::Node, "A=`x`\n", "x`\nEVIL=`y"),
        (Dialect::Docker, "A=x\n", "x\nEVIL=y"),
        (Dialect::Systemd, "A=\"x\"\n", "x\"\nEVIL=\"y"),
        (Dialect::Node, "A=x\n", "x # y"),
    ] {
        let document = Document::parse(Format::Dialect(dialect), text.into()).unwrap();
        let mut edits = Edits::new();
        edits.opened(LeafId(0), Kind::Str, evil.as_bytes());
        assert!(document.apply(&edits).is_err(), "{dialect:?} {evil:?}");
    }
    for evil in ["c\nEVIL=y", "c\rEVIL=y"] {
        let document = Document::parse(Format::Dialect(Dialect::Shell), b"# c\nA=x\n".to_vec()).unwrap();
        let mut edits = Edits::new();
        edits.comment(CommentId(0), evil.as_bytes());
        assert!(document.apply(&edits).is_err(), "{evil:?}");
    }
}

/// Docker's reader has a buffer of 64 KiB for a line and its break.
#[test]
fn docker_takes_lines_up_to_its_buffer() {
    let line = |length: usize, end: &str| format!("A={}{end}", "x".repeat(length - 2));
    for (length, end, fits) in [(65_535, "\n", true), (65_536, "\n", false), (65_535, "", true), (65_536, "", false)] {
        let read = Document::parse(Format::Dialect(Dialect::Docker), line(length, end).into_bytes());
        assert_eq!(read.is_ok(), fits, "{length} {end:?}");
    }
}

/// Files that were put together by hand or by a merge have two runs of metadata lines, or one in their midst.
#[test]
fn a_new_block_takes_the_place_of_all_old_lines() {
    let formats = Dialect::ALL.map(Format::Dialect).into_iter().chain([Format::Dotenv]);
    for format in formats {
        for (text, before, after) in [
            ("A=1\nsops_a=1\nB=2\n", "A=1\n", "B=2\n"),
            ("A=1\nsops_a=1\nB=2\nsops_b=2\n", "A=1\n", "B=2\n"),
            ("A=1\nsops_a=1\n", "A=1\n", ""),
        ] {
            let document = Document::parse(format, text.into()).unwrap();
            let mut edits = Edits::new();
            edits.metadata = MetadataEdit::Set(Tree::Map(vec![("mac".into(), Tree::text("m"))]));
            let new = String::from_utf8(document.apply(&edits).unwrap().to_vec()).unwrap();
            let dialect = match format {
                Format::Dialect(dialect) => format!("sops_dotenv_dialect={}\n", dialect.word()),
                _ => String::new(),
            };
            assert_eq!(new, format!("{before}{dialect}sops_mac=m\n{after}"), "{format:?} {text:?}");
        }
    }
}
