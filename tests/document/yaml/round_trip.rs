//! The keyless law: a token over every leaf and every comment, then everything back.

use std::collections::BTreeMap;

use lockage::document::{
    CommentId, Document, Edits, Format, Kind, Leaf, LeafId, MetadataEdit, Replacement, Style, Tree,
};

/// What became of a text.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Not a text that can be encrypted as it is.
    Unfit(&'static str),
    /// Every byte came back.
    Same,
    /// Every value came back; these forms did not.
    Losses(Vec<String>),
}

/// A token of the right shape, without any key.
pub(super) fn token(number: usize, word: &str) -> String {
    format!("ENC[AES256_GCM,data:{number:08x},iv:AAAA,tag:AAAA==,type:{word}]")
}

/// A block as SOPS writes it.
pub(super) fn block() -> Tree {
    let entry = |key: &str, value: &str| (key.to_owned(), Tree::text(value));
    let recipient = Tree::Map(vec![
        entry("recipient", "age1recipient"),
        entry("enc", "-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n-----END AGE ENCRYPTED FILE-----\n"),
    ]);
    Tree::Map(vec![
        ("age".to_owned(), Tree::List(vec![recipient])),
        entry("lastmodified", "2026-11-21T00:00:00Z"),
        entry("mac", &token(0, "str")),
        entry("version", "3.13.3"),
    ])
}

struct Value {
    kind: Kind,
    canonical: Vec<u8>,
    token: Vec<u8>,
}

fn values(document: &Document) -> Option<Vec<Value>> {
    let leaves = 0..document.outline().leaves.len();
    leaves
        .map(|index| {
            let scalar = document.scalar(LeafId(index as u32)).ok()?;
            let (canonical, token) = (scalar.canonical.into_owned(), scalar.token.into_owned());
            Some(Value { kind: scalar.kind, canonical, token })
        })
        .collect()
}

/// Encrypts and decrypts `text` with placeholders; panics where a value is lost or a neighbour changes.
pub(super) fn round_trip(format: Format, text: &[u8], name: &str) -> Outcome {
    let Ok(plain) = Document::parse(format, text.to_vec()) else { return Outcome::Unfit("syntax") };
    if plain.outline().aliases {
        return Outcome::Unfit("aliases");
    }
    if plain.metadata().is_some() {
        return Outcome::Unfit("metadata");
    }
    if plain.outline().leaves.iter().any(|leaf| !leaf.tagged) {
        return Outcome::Unfit("tags");
    }
    // Behind such a scalar even a line break would be content, so the metadata cannot follow.
    let ends_line = text.ends_with(b"\n") || text.ends_with(b"\r");
    let is_block = |leaf: &&Leaf| matches!(leaf.style, Style::Literal | Style::Folded);
    if let Some(last) = plain.outline().leaves.last().filter(is_block)
        && !ends_line
        && text[last.range.end..].trim_ascii().is_empty()
        && text[last.range.clone()].trim_ascii_end().len() <= 4
    {
        return Outcome::Unfit("an empty block ends the file");
    }
    let Some(before) = values(&plain) else { return Outcome::Unfit("value out of range") };

    let mut edits = Edits::new();
    let mut tokens = vec![None; before.len()];
    for (index, value) in before.iter().enumerate() {
        if value.kind != Kind::Null && !value.token.is_empty() {
            let text = token(index, "str");
            edits.leaf(LeafId(index as u32), &Replacement::Token(text.as_bytes()));
            tokens[index] = Some(text);
        }
    }
    let comments: Vec<Vec<u8>> =
        (0..plain.outline().comments.len()).map(|index| plain.comment(CommentId(index as u32)).to_vec()).collect();
    for (index, comment) in comments.iter().enumerate() {
        if !comment.is_empty() {
            edits.comment(CommentId(index as u32), token(index, "comment").as_bytes());
        }
    }
    edits.metadata = MetadataEdit::Set(block());
    let Ok(encrypted) = plain.apply(&edits) else { return Outcome::Unfit("no place for metadata") };
    let shown = || String::from_utf8_lossy(&encrypted).into_owned();
    let cipher = Document::parse(format, encrypted.to_vec());
    let cipher = cipher.unwrap_or_else(|error| panic!("{name}: encrypted text does not parse: {error}\n{}", shown()));
    let found = values(&cipher).unwrap();
    assert_eq!(found.len(), before.len(), "{name}: leaves appear or vanish\n{}", shown());
    for (index, (value, expected)) in found.iter().zip(&tokens).enumerate() {
        let expected = expected.as_deref().map_or(&before[index].canonical[..], str::as_bytes);
        assert!(value.canonical == expected, "{name}: leaf {index} differs from its token\n{}", shown());
    }
    assert_eq!(cipher.outline().comments.len(), comments.len(), "{name}: comments appear or vanish\n{}", shown());
    assert!(cipher.metadata().is_some(), "{name}: no metadata\n{}", shown());

    let mut edits = Edits::new();
    for (index, value) in before.iter().enumerate() {
        if tokens[index].is_some() {
            let kind = value.kind;
            edits.leaf(LeafId(index as u32), &Replacement::Value { kind, bytes: &value.token });
        }
    }
    for (index, comment) in comments.iter().enumerate() {
        if !comment.is_empty() {
            edits.comment(CommentId(index as u32), comment);
        }
    }
    edits.metadata = MetadataEdit::Remove;
    let restored =
        cipher.apply(&edits).unwrap_or_else(|error| panic!("{name}: cannot be restored: {error}\n{}", shown()));
    if *restored == text {
        return Outcome::Same;
    }
    let shown = || format!("{}\n=====\n{}", String::from_utf8_lossy(text), String::from_utf8_lossy(&restored));
    let after = Document::parse(format, restored.to_vec());
    let after = after.unwrap_or_else(|error| panic!("{name}: restored text does not parse: {error}\n{}", shown()));
    let found = values(&after).unwrap();
    assert_eq!(found.len(), before.len(), "{name}: leaves appear or vanish\n{}", shown());
    for (index, (value, old)) in found.iter().zip(&before).enumerate() {
        let same = value.kind == old.kind && value.canonical == old.canonical;
        assert!(same, "{name}: leaf {index} has another value\n{}", shown());
    }
    // A value with one of the line breaks that only go-yaml knows takes its blank lines along.
    let exotic = ["\u{85}", "\u{2028}", "\u{2029}"].iter().any(|exotic| String::from_utf8_lossy(text).contains(exotic));
    // A block that becomes a quoted scalar leaves its header's comment outside.
    let styles = |document: &Document| document.outline().leaves.iter().map(|leaf| leaf.style).collect::<Vec<_>>();
    if !exotic && styles(&plain) == styles(&after) {
        assert!(outside(&plain) == outside(&after), "{name}: bytes outside of leaves change\n{}", shown());
    }
    Outcome::Losses(losses(&plain, &after))
}

/// The text without its leaves and the blanks around them: a value right behind its anchor (`&a:b`) gets one, and
/// blank lines that a block keeps are not the block's any more if it becomes a quoted scalar.
fn outside(document: &Document) -> Vec<u8> {
    let mut out = Vec::new();
    let mut ranges: Vec<_> = document.outline().leaves.iter().map(|leaf| leaf.range.clone()).collect();
    ranges.sort_by_key(|range| range.start);
    let mut at = 0;
    for range in ranges {
        out.extend_from_slice(document.text()[at.min(range.start)..range.start].trim_ascii());
        out.push(b'@');
        at = at.max(range.end);
    }
    out.extend_from_slice(document.text()[at..].trim_ascii());
    out
}

fn losses(plain: &Document, after: &Document) -> Vec<String> {
    let mut forms: BTreeMap<String, usize> = BTreeMap::new();
    for (old, new) in plain.outline().leaves.iter().zip(&after.outline().leaves) {
        let source = &plain.text()[old.range.clone()];
        if source != &after.text()[new.range.clone()] {
            *forms.entry(form(old, source)).or_default() += 1;
        }
    }
    if forms.is_empty() {
        forms.insert("blank before a value".to_owned(), 1);
    }
    forms.into_keys().collect()
}

/// The form of a leaf that did not come back as it was.
fn form(leaf: &Leaf, source: &[u8]) -> String {
    let several = source.contains(&b'\n');
    let form = match leaf.style {
        Style::Plain if several => "multi-line plain",
        Style::Plain => return format!("plain {:?}", leaf.kind),
        Style::SingleQuoted if several => "multi-line single-quoted",
        Style::DoubleQuoted if several => "multi-line double-quoted",
        Style::SingleQuoted => "single-quoted",
        Style::DoubleQuoted => "double-quoted escapes",
        Style::Folded => "folded block",
        Style::Literal => "literal block",
        _ => "other",
    };
    form.to_owned()
}
