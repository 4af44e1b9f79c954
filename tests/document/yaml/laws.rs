//! Laws of writing, over generated documents and over mutations of them.

use lockage::document::{
    Document, Edits, Format, Graft, KeyId, KeyPath, Kind, LeafId, MetadataEdit, Node, PathPart, Replacement, Scalar,
    Style, Visit,
};
use proptest::prelude::*;

use super::generate::{self, Random};
use super::round_trip::{block, ends_in_block, round_trip, token};

fn text(seed: u64, mutated: bool) -> Vec<u8> {
    let mut random = Random::new(seed);
    let text = generate::document(&mut random);
    if mutated { generate::mutate(&mut random, &text) } else { text.into_bytes() }
}

fn parse(text: &[u8]) -> Option<Document> {
    Document::parse(Format::Yaml, text.to_vec()).ok()
}

fn scalar(document: &Document, index: usize) -> Scalar<'_> {
    document.scalar(LeafId(index as u32)).unwrap()
}

/// One leaf replaced: that leaf is the token, and everything else is what it was.
fn one_leaf(text: &[u8], choice: usize) {
    let Some(plain) = parse(text) else { return };
    let count = plain.outline().leaves.len();
    if plain.outline().aliases || count == 0 {
        return;
    }
    let index = choice % count;
    if !plain.outline().leaves[index].tagged || (0..count).any(|leaf| plain.scalar(LeafId(leaf as u32)).is_err()) {
        return;
    }
    let token = token(index, "str");
    let mut edits = Edits::new();
    edits.leaf(LeafId(index as u32), &Replacement::Token(token.as_bytes()));
    let written = plain.apply(&edits).unwrap();
    let shown = || format!("{}\n=====\n{}", String::from_utf8_lossy(text), String::from_utf8_lossy(&written));
    let Some(found) = parse(&written) else {
        // A key over several lines that has no `:` cannot get a value, nor can the header of an empty block that stands
        // further left than its key; neither is ever encrypted.
        let empty = scalar(&plain, index).canonical.is_empty();
        let style = plain.outline().leaves[index].style;
        assert!(empty && matches!(style, Style::Empty | Style::Literal | Style::Folded), "no YAML:\n{}", shown());
        return;
    };
    assert_eq!(found.outline().leaves.len(), count, "{}", shown());
    for leaf in 0..count {
        let (old, new) = (scalar(&plain, leaf), scalar(&found, leaf));
        if leaf == index {
            assert!(*new.canonical == *token.as_bytes(), "{}", shown());
        } else {
            assert!(old.kind == new.kind && old.canonical == new.canonical, "leaf {leaf} of {index}\n{}", shown());
        }
    }
    let comments = |document: &Document| -> Vec<Vec<u8>> {
        let ranges = document.outline().comments.iter().map(|comment| comment.range.clone());
        ranges.map(|range| document.text()[range].to_vec()).collect()
    };
    assert_eq!(comments(&plain), comments(&found), "{}", shown());
}

fn only(metadata: MetadataEdit) -> Edits {
    let mut edits = Edits::new();
    edits.metadata = metadata;
    edits
}

/// The block goes in and comes out, and between nothing else has changed.
fn metadata(text: &[u8]) {
    let Some(plain) = parse(text) else { return };
    if plain.metadata().is_some() || !plain.outline().more_metadata.is_empty() {
        return;
    }
    let set = only(MetadataEdit::Set(block()));
    let Ok(with) = plain.apply(&set) else { return };
    let shown = || format!("{}\n=====\n{}", String::from_utf8_lossy(text), String::from_utf8_lossy(&with));
    let found = parse(&with).unwrap_or_else(|| panic!("no YAML any more:\n{}", shown()));
    assert!(found.metadata().is_some(), "{}", shown());
    let mac = found.metadata().unwrap().tree.get("mac").and_then(|mac| mac.as_text());
    assert_eq!(mac, Some(token(0, "str").as_str()), "{}", shown());
    let ends = |text: &[u8]| text.ends_with(b"\n");
    if plain.text().is_ascii() && !text.ends_with(b"\r") {
        assert_eq!(ends(&with), ends(text), "{}", shown());
    }
    let again = found.apply(&only(MetadataEdit::Set(block()))).unwrap();
    assert!(*again == *with, "setting the same block again changes\n{}", shown());
    let remove = only(MetadataEdit::Remove);
    let without = found.apply(&remove).unwrap();
    assert!(*without == *text, "{}\n=====\n{}", shown(), String::from_utf8_lossy(&without));
}

/// Every leaf's kind and value, in the order of the walk, aliases and all.
fn values(document: &Document) -> Vec<(Kind, Vec<u8>)> {
    (0..document.outline().leaves.len())
        .map(|index| {
            let scalar = scalar(document, index);
            (scalar.kind, scalar.canonical.into_owned())
        })
        .collect()
}

fn keys(document: &Document) -> Vec<&str> {
    (0..document.outline().keys.len()).map(|index| document.key(KeyId(index as u32))).collect()
}

/// Copies in the place of aliases have the same values under the same keys.
fn expansion(text: &[u8]) {
    let Some(plain) = parse(text) else { return };
    let leaves = plain.outline().leaves.len();
    if (0..leaves).any(|leaf| plain.scalar(LeafId(leaf as u32)).is_err()) {
        return;
    }
    let Ok(Some(expanded)) = plain.expanded() else { return };
    let shown = || format!("{}\n=====\n{}", String::from_utf8_lossy(text), String::from_utf8_lossy(expanded.text()));
    assert_eq!(values(&plain), values(&expanded), "{}", shown());
    assert_eq!(keys(&plain), keys(&expanded), "{}", shown());
    assert!(matches!(expanded.expanded(), Ok(None)), "{}", shown());
}

fn roots(document: &Document) -> usize {
    let mut depth = 0_usize;
    let begins = document.outline().nodes.iter().filter(|node| match node {
        Node::Open { .. } => {
            depth += 1;
            depth == 1
        }
        Node::Close => {
            depth -= 1;
            false
        }
        _ => false,
    });
    begins.count()
}

/// A new key at the end of the mapping around a leaf, or a new item at the end of its list: nothing else changes.
fn insertion(text: &[u8], choice: usize) {
    let Some(plain) = parse(text) else { return };
    let leaves = plain.outline().leaves.len();
    // A path means the first document, and these leaves may be of any.
    let unfit = plain.outline().aliases || ends_in_block(&plain) || roots(&plain) > 1;
    if unfit || (0..leaves).any(|leaf| plain.scalar(LeafId(leaf as u32)).is_err()) {
        return;
    }
    let mut paths = Vec::new();
    let never: Result<(), std::convert::Infallible> = plain.walk(|visit| {
        if let Visit::Leaf { path, .. } = visit {
            paths.push(path.to_key_path());
        }
        Ok(())
    });
    let Ok(()) = never;
    let Some(near) = paths.get(choice % paths.len().max(1)).and_then(KeyPath::split_last) else { return };
    let (parent, last) = near;
    let mut parts = parent.parts().to_vec();
    let length = |parent: &KeyPath| {
        let below = paths.iter().filter_map(|path| {
            path.parts().get(parent.parts().len()).filter(|_| path.parts().starts_with(parent.parts()))
        });
        below.filter_map(|part| if let PathPart::Index(index) = part { Some(index + 1) } else { None }).max()
    };
    parts.push(match last {
        PathPart::Key(_) => PathPart::Key("new key".to_owned()),
        PathPart::Index(_) => PathPart::Index(length(&parent).unwrap_or(0)),
    });
    let path = KeyPath::new(parts);
    let token = token(7, "str");
    let Ok(written) = plain.insert(&path, &Graft::Leaf(Replacement::Token(token.as_bytes()))) else { return };
    let shown = || format!("{path}\n{}\n=====\n{}", String::from_utf8_lossy(text), String::from_utf8_lossy(&written));
    let found = parse(&written).unwrap_or_else(|| panic!("no YAML any more:\n{}", shown()));
    let new = found.find(&path).unwrap_or_else(|| panic!("not there:\n{}", shown()));
    let mut after = values(&found);
    assert_eq!(after.remove(new.0 as usize), (Kind::Str, token.into_bytes()), "{}", shown());
    assert_eq!(after, values(&plain), "{}", shown());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_leaf_changes_alone(seed: u64, mutated: bool, choice: usize) {
        one_leaf(&text(seed, mutated), choice);
    }

    #[test]
    fn metadata_comes_off_as_it_went_on(seed: u64, mutated: bool) {
        metadata(&text(seed, mutated));
    }

    #[test]
    fn everything_comes_back(seed: u64, mutated: bool) {
        round_trip(Format::Yaml, &text(seed, mutated), "generated");
    }

    #[test]
    fn expansion_keeps_keys_and_values(seed: u64, mutated: bool) {
        expansion(&text(seed, mutated));
    }

    #[test]
    fn insertion_adds_and_changes_nothing(seed: u64, mutated: bool, choice: usize) {
        insertion(&text(seed, mutated), choice);
    }

    #[test]
    fn soup_comes_back(seed: u64) {
        let soup = generate::soup(&mut Random::new(seed));
        one_leaf(soup.as_bytes(), 0);
        metadata(soup.as_bytes());
        expansion(soup.as_bytes());
        insertion(soup.as_bytes(), 0);
        round_trip(Format::Yaml, soup.as_bytes(), "soup");
    }
}

fn cases() -> u32 {
    std::env::var("LOCKAGE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1_000)
}
