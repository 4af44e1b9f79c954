//! Anything else, encrypted whole: SOPS keeps it as the string `data` of a JSON object.
//!
//! *Source*: the SOPS format, "Binary". A text that is such an object with its `sops` block is the encrypted form;
//! any other text is one leaf.

use std::borrow::Cow;
use std::ops::Range;

use super::edit::{MetadataEdit, Replacement};
use super::graft::Change;
use super::json::{self, Json};
use super::key_path::KeyPath;
use super::outline::{Comment, KeyId, Leaf, LeafId, Node, Outline, Style};
use super::scalar::{Kind, Scalar};
use super::syntax::{Format, Syntax, SyntaxError, SyntaxErrorKind, error};
use super::tree::Tree;

pub(crate) struct Binary;

/// The key SOPS keeps the content under.
const DATA: &str = "data";

impl Syntax for Binary {
    fn parse(&self, text: &[u8]) -> Result<Outline, SyntaxError> {
        if let Ok(outline) = Json.parse(text)
            && outline.metadata.is_some()
        {
            return Ok(outline);
        }
        Ok(whole(text))
    }

    fn scalar<'t>(&self, text: &'t [u8], leaf: &Leaf) -> Result<Scalar<'t>, SyntaxError> {
        if leaf.style != Style::Whole {
            return Json.scalar(text, leaf);
        }
        let content = &text[leaf.range.clone()];
        Ok(Scalar { kind: Kind::Str, canonical: Cow::Borrowed(content), token: Cow::Borrowed(content) })
    }

    /// A token is written as JSON, a value as the content itself, whatever the form of the text.
    fn write_leaf(
        &self,
        text: &[u8],
        leaf: &Leaf,
        value: &Replacement<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), SyntaxError> {
        match value {
            // Of an empty file nothing is encrypted; its frame holds the empty string already.
            Replacement::Token(_) if leaf.style == Style::Whole && leaf.range.is_empty() => {}
            Replacement::Token(_) => Json.write_leaf(text, leaf, value, out)?,
            Replacement::Value { bytes, .. } => out.extend_from_slice(bytes),
        }
        Ok(())
    }

    fn write_comment(&self, text: &[u8], comment: &Comment, new: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
        Json.write_comment(text, comment, new, out)
    }

    fn metadata_splices(
        &self,
        text: &[u8],
        outline: &Outline,
        edit: &MetadataEdit,
    ) -> Result<Vec<(Range<usize>, String)>, SyntaxError> {
        match edit {
            MetadataEdit::Set(tree) if outline.metadata.is_none() => Ok(frame(text, tree)),
            MetadataEdit::Remove if outline.metadata.is_some() => unframe(text, outline),
            _ => Json.metadata_splices(text, outline, edit),
        }
    }

    fn change(
        &self,
        text: &[u8],
        _outline: &Outline,
        _path: &KeyPath,
        _change: Change<'_>,
    ) -> Result<Vec<u8>, SyntaxError> {
        Err(error(Format::Binary, text, 0, SyntaxErrorKind::Path("a binary file has no keys but `data`")))
    }
}

/// Whether a text that no other format could begin so is the encrypted form of a binary file.
pub(super) fn is_encrypted(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"{") && Json.parse(text).is_ok_and(|outline| outline.metadata.is_some())
}

/// A plaintext: one leaf.
pub(super) fn whole(text: &[u8]) -> Outline {
    let mut outline = Outline {
        nodes: vec![Node::Open { list: false }, Node::Key(KeyId(0)), Node::Leaf(LeafId(0)), Node::Close],
        leaves: vec![Leaf { range: 0..text.len(), kind: Kind::Str, style: Style::Whole, tagged: true, context: 0 }],
        ..Outline::default()
    };
    outline.push_key(0..0, DATA);
    outline
}

/// The object around the content.
fn frame(text: &[u8], tree: &Tree) -> Vec<(Range<usize>, String)> {
    let head = "{\n\t\"data\": ".to_owned();
    let tail = format!(",\n\t\"sops\": {}\n}}\n", json::block(tree));
    if text.is_empty() {
        return vec![(0..0, format!("{head}\"\"{tail}"))];
    }
    vec![(0..0, head), (text.len()..text.len(), tail)]
}

/// Everything but the content goes.
fn unframe(text: &[u8], outline: &Outline) -> Result<Vec<(Range<usize>, String)>, SyntaxError> {
    let content = match (&outline.nodes[..], &outline.leaves[..]) {
        ([Node::Open { .. }, Node::Key(key), Node::Leaf(_), Node::Close], [leaf])
            if outline.key(*key) == DATA && leaf.kind == Kind::Str =>
        {
            leaf.range.clone()
        }
        _ => {
            let kind = SyntaxErrorKind::Expected("an object with one string `data` beside its `sops` block");
            return Err(error(Format::Binary, text, 0, kind));
        }
    };
    if &text[content.clone()] == b"\"\"" {
        return Ok(vec![(0..text.len(), String::new())]);
    }
    Ok(vec![(0..content.start, String::new()), (content.end..text.len(), String::new())])
}
