//! YAML, in the dialect of go-yaml v3, which is SOPS's.
//!
//! Reading: [`chars`] refuses what no YAML holds, [`scanner`] finds tokens and comments, [`parser`] makes events of
//! tokens, [`build`] walks them as SOPS does. [`comments`] says which collection a comment belongs to, [`resolve`] what a
//! scalar is. Every step is one pass with an explicit stack.

mod block;
mod build;
mod change;
mod chars;
mod comments;
mod context;
mod emit;
mod emit_style;
mod emit_writer;
mod event;
mod expand;
mod expand_flow;
mod fault;
mod insert;
mod keys;
mod manner;
mod metadata;
mod parser;
mod places;
mod print;
mod resolve;
mod resolve_number;
mod resolve_time;
mod scan_block;
mod scan_gap;
mod scan_property;
mod scan_scalar;
mod scanner;
mod source;
mod spelling;
mod tags;
mod text;
mod token;
mod write;
mod write_block;

use std::borrow::Cow;
use std::ops::Range;

use context::Context;
pub(super) use emit::{emit, emit_value};
use fault::Fault;
use places::Places;
use source::Source;

use super::edit::{MetadataEdit, Replacement};
use super::graft::Change;
use super::key_path::KeyPath;
use super::outline::{Comment, Leaf, Outline};
use super::scalar::Scalar;
use super::syntax::{self, Format, Syntax, SyntaxError, SyntaxErrorKind};

pub(crate) struct Yaml;

impl Syntax for Yaml {
    fn parse(&self, text: &[u8]) -> Result<Outline, SyntaxError> {
        outline(text, false).map_err(|fault| fault.locate(text))
    }

    fn parse_as_sops(&self, text: &[u8]) -> Result<(Outline, Option<Vec<u8>>), SyntaxError> {
        let narrow = chars::from_utf16(text).map_err(|fault| fault.locate(text))?;
        let text = narrow.as_deref().map_or(text, Vec::as_slice);
        let outline = outline(text, true).map_err(|fault| fault.locate(text))?;
        Ok((outline, narrow.map(|mut narrow| std::mem::take(&mut *narrow))))
    }

    fn scalar<'t>(&self, text: &'t [u8], leaf: &Leaf) -> Result<Scalar<'t>, SyntaxError> {
        scalar(text, leaf).ok_or_else(|| {
            let kind = SyntaxErrorKind::NotAllowed("SOPS cannot store this value");
            syntax::error(Format::Yaml, text, leaf.range.start, kind)
        })
    }

    fn write_leaf(
        &self,
        text: &[u8],
        leaf: &Leaf,
        value: &Replacement<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), SyntaxError> {
        write::write_leaf(text, leaf, value, None, out).map_err(|fault| fault.locate(text))
    }

    fn write_leaf_with_comment(
        &self,
        text: &[u8],
        leaf: &Leaf,
        value: &Replacement<'_>,
        comment: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SyntaxError> {
        write::write_leaf(text, leaf, value, Some(comment), out).map_err(|fault| fault.locate(text))
    }

    fn write_comment(&self, text: &[u8], comment: &Comment, new: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
        write::write_comment(text, comment, new, out).map_err(|fault| fault.locate(text))
    }

    fn metadata_splices(
        &self,
        text: &[u8],
        outline: &Outline,
        edit: &MetadataEdit,
    ) -> Result<Vec<(Range<usize>, String)>, SyntaxError> {
        metadata::splices(text, outline, edit).map_err(|fault| fault.locate(text))
    }

    fn expand(&self, text: &[u8], _outline: &Outline) -> Result<Option<Vec<u8>>, SyntaxError> {
        expand::expand(text)
    }

    fn change(
        &self,
        text: &[u8],
        outline: &Outline,
        path: &KeyPath,
        change: Change<'_>,
    ) -> Result<Vec<u8>, SyntaxError> {
        let changed = match change {
            Change::Insert(graft) => insert::insert(text, outline, path, graft),
            Change::Replace(graft) => change::replace(text, outline, path, graft),
            Change::Remove => change::remove(text, outline, path),
        };
        changed.map_err(|fault| fault.locate(text))
    }
}

/// `guess` where comments are between line breaks whose rules nobody should carry; a list at the top, which SOPS does not
/// take, is taken otherwise.
fn outline(text: &[u8], guess: bool) -> Result<Outline, Fault> {
    let source = Source::parse(text)?;
    if source.events.is_empty() {
        return Err(if source.scan.comments.is_empty() {
            Fault::new(text.len(), SyntaxErrorKind::Empty)
        } else {
            Fault::expected(text.len(), "a document; above a file of comments only, SOPS wants a line `---`")
        });
    }
    let places = Places::new(comments::attribute_with(text, &source.scan, guess));
    let mut outline = build::outline(&source, &places, !guess)?;
    context::complete(&source.scan, &mut outline.leaves);
    outline.documents = metadata::documents(&source.scan);
    Ok(outline)
}

/// The value of a leaf that is no alias.
fn scalar<'t>(text: &'t [u8], leaf: &Leaf) -> Option<Scalar<'t>> {
    let context = Context::unpack(leaf.context);
    let value = match source::token_kind(leaf.style) {
        Some(kind) => text::text(source::with_break(text, &leaf.range, kind), kind, context.column),
        None => Cow::Borrowed(&b""[..]),
    };
    resolve::scalar(value, leaf.kind, context.binary)
}
