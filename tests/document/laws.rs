//! What holds in every format that has a flat or a nested text.

use lockage::document::{Document, Edits, Format, Kind, LeafId, MetadataEdit, Replacement, Tree, Visit};

/// Metadata with every shape that real metadata has.
pub(crate) fn metadata() -> Tree {
    let scalar = |text: &str, kind| Tree::Scalar { text: text.into(), kind, range: 0..0 };
    Tree::Map(vec![
        (
            "age".into(),
            Tree::List(vec![Tree::Map(vec![
                (
                    "enc".into(),
                    Tree::text("-----BEGIN AGE ENCRYPTED FILE-----\nYQ==\n-----END AGE ENCRYPTED FILE-----\n"),
                ),
                ("recipient".into(), Tree::text("age1x")),
            ])]),
        ),
        ("lastmodified".into(), Tree::text("2026-01-01T00:00:00Z")),
        ("mac".into(), Tree::text("ENC[AES256_GCM,data:a,iv:b,tag:c,type:str]")),
        ("mac_only_encrypted".into(), scalar("True", Kind::Bool)),
        ("shamir_threshold".into(), scalar("2", Kind::Int)),
        ("version".into(), Tree::text("3.13.3")),
    ])
}

/// The path, kind and canonical value of every leaf, and the text of every comment.
///
/// A comment has no kind.
pub(crate) fn content(document: &Document) -> Vec<(String, Option<Kind>, Vec<u8>)> {
    let mut out = Vec::new();
    document
        .walk(|visit| {
            match visit {
                Visit::Leaf { id, path } => {
                    let scalar = document.scalar(id)?;
                    out.push((path.to_key_path().to_string(), Some(scalar.kind), scalar.canonical.into_owned()));
                }
                Visit::Comment { id, path } => {
                    out.push((path.associated_data().to_owned(), None, document.comment(id).to_vec()));
                }
                _ => {}
            }
            Ok::<(), lockage::document::SyntaxError>(())
        })
        .unwrap();
    out
}

pub(crate) fn parse(format: Format, text: &[u8]) -> Document {
    Document::parse(format, text.to_vec()).unwrap_or_else(|error| {
        panic!("{error} in {:?}", String::from_utf8_lossy(text));
    })
}

/// Setting the block and removing it gives the text back; between, the content is the same and the block is read.
pub(crate) fn metadata_is_removed_without_a_trace(format: Format, text: &[u8]) {
    let document = parse(format, text);
    let mut edits = Edits::new();
    edits.metadata = MetadataEdit::Set(metadata());
    let with_block = document.apply(&edits).unwrap();
    let between = parse(format, &with_block);
    let shown = String::from_utf8_lossy(&with_block).into_owned();
    assert_eq!(content(&between), content(&document), "{shown}");
    let tree = &between.metadata().unwrap_or_else(|| panic!("no block in {shown}")).tree;
    assert_eq!(spelled(tree), spelled(&metadata()), "{shown}");

    // Writing it anew in place changes nothing else.
    let again = parse(format, &between.apply(&edits).unwrap());
    assert_eq!(content(&again), content(&document), "{shown}");
    assert_eq!(spelled(&again.metadata().unwrap().tree), spelled(&metadata()), "{shown}");

    // One scalar of it alone.
    if let Some(Tree::Scalar { range, .. }) = tree.get("mac") {
        let mut edits = Edits::new();
        edits.metadata = MetadataEdit::Scalars(vec![(range.clone(), "ENC[new]".into())]);
        let changed = parse(format, &between.apply(&edits).unwrap());
        assert_eq!(changed.metadata().unwrap().tree.get("mac").unwrap().as_text(), Some("ENC[new]"), "{shown}");
        assert_eq!(
            changed.text().len() + "ENC[AES256_GCM,data:a,iv:b,tag:c,type:str]".len(),
            shown.len() + "ENC[new]".len()
        );
    }

    let mut edits = Edits::new();
    edits.metadata = MetadataEdit::Remove;
    let back = between.apply(&edits).unwrap();
    assert_eq!(String::from_utf8_lossy(&back), String::from_utf8_lossy(text));
}

/// Names, texts and nothing of kinds or places, which a flat format does not keep.
fn spelled(tree: &Tree) -> Vec<(String, String)> {
    let mut out = Vec::new();
    spell("", tree, &mut out);
    // TOML has scalars before tables; a dialect names itself.
    out.retain(|(name, _)| name != ".dotenv_dialect");
    out.sort();
    out
}

fn spell(name: &str, tree: &Tree, out: &mut Vec<(String, String)>) {
    match tree {
        Tree::Map(entries) => entries.iter().for_each(|(key, value)| spell(&format!("{name}.{key}"), value, out)),
        Tree::List(items) => items.iter().enumerate().for_each(|(at, item)| spell(&format!("{name}[{at}]"), item, out)),
        Tree::Scalar { text, .. } => out.push((name.to_owned(), text.to_lowercase())),
    }
}

/// Every leaf becomes a token and every comment too, and what they held comes back over the tokens, byte for byte.
pub(crate) fn tokens_and_back(format: Format, text: &[u8]) {
    let back = by_way_of_tokens(format, text);
    assert_eq!(String::from_utf8_lossy(&back), String::from_utf8_lossy(text));
}

/// What becomes of a text over tokens.
pub(crate) fn by_way_of_tokens(format: Format, text: &[u8]) -> Vec<u8> {
    let document = parse(format, text);
    let mut edits = Edits::new();
    let mut held: Vec<(Kind, Vec<u8>)> = Vec::new();
    for (at, _) in document.outline().leaves.iter().enumerate() {
        let id = LeafId(u32::try_from(at).unwrap());
        let scalar = document.scalar(id).unwrap();
        let token = format!("ENC[AES256_GCM,data:{at},iv:a=,tag:b==,type:str]");
        // SOPS leaves null and the empty text alone.
        if scalar.kind != Kind::Null && !scalar.token.is_empty() {
            edits.leaf(id, &Replacement::Token(token.as_bytes()));
        }
        held.push((scalar.kind, scalar.token.into_owned()));
    }
    edits.metadata = MetadataEdit::Set(metadata());
    let encrypted = parse(format, &document.apply(&edits).unwrap());
    let shown = String::from_utf8_lossy(encrypted.text()).into_owned();
    assert_eq!(encrypted.outline().leaves.len(), held.len(), "{shown}");

    let mut edits = Edits::new();
    for (at, (kind, bytes)) in held.iter().enumerate() {
        let id = LeafId(u32::try_from(at).unwrap());
        if *kind != Kind::Null && !bytes.is_empty() {
            let token = encrypted.scalar(id).unwrap();
            assert_eq!(token.canonical, format!("ENC[AES256_GCM,data:{at},iv:a=,tag:b==,type:str]").as_bytes());
            edits.opened(id, *kind, bytes);
        }
    }
    edits.metadata = MetadataEdit::Remove;
    encrypted.apply(&edits).unwrap_or_else(|error| panic!("{error} by way of {shown}")).to_vec()
}

/// One leaf replaced: parsing again shows that change and no other.
pub(crate) fn one_leaf_changes_alone(format: Format, text: &[u8], which: usize, value: &str) {
    let document = parse(format, text);
    let leaves = document.outline().leaves.len();
    // To TOML as `rops` has it this text is nothing.
    if leaves == 0 || format == Format::Toml && value == "null" {
        return;
    }
    let which = which % leaves;
    let mut edits = Edits::new();
    let id = LeafId(u32::try_from(which).unwrap());
    edits.leaf(id, &Replacement::Value { kind: Kind::Str, bytes: value.as_bytes() });
    let Ok(changed) = document.apply(&edits) else {
        // Only INI and the dialects have texts that they cannot write.
        assert!(matches!(format, Format::Ini | Format::Dialect(_)), "{value:?}");
        return;
    };
    let changed = parse(format, &changed);
    let (before, after) = (content(&document), content(&changed));
    assert_eq!(before.len(), after.len(), "{value:?} in {text:?}", text = String::from_utf8_lossy(text));
    let mut leaf = 0;
    for (old, new) in before.iter().zip(&after) {
        let is_comment = old.1.is_none();
        if !is_comment && leaf == which {
            assert_eq!((&new.0, new.1, &new.2[..]), (&old.0, Some(Kind::Str), value.as_bytes()));
        } else {
            assert_eq!(old, new);
        }
        leaf += usize::from(!is_comment);
    }
}
