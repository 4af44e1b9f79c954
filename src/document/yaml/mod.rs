//! YAML, in the dialect of go-yaml v3, which is SOPS's.
//!
//! Reading: [`chars`] refuses what no YAML holds, [`scanner`] finds tokens and comments, [`parser`] makes events of
//! tokens, [`build`] walks them as SOPS does. [`comments`] says which collection a comment belongs to, [`resolve`] what a
//! scalar is. Every step is one pass with an explicit stack.

mod block;
mod build;
mod chars;
mod comments;
mod event;
mod fault;
mod keys;
mod parser;
mod places;
mod resolve;
mod resolve_number;
mod resolve_time;
mod scan_block;
mod scan_gap;
mod scan_property;
mod scan_scalar;
mod scanner;
mod source;
mod tags;
mod text;
mod token;

use std::borrow::Cow;
use std::ops::Range;

use fault::Fault;
use places::Places;
use source::Source;

use super::edit::{MetadataEdit, Replacement};
use super::key_path::KeyPath;
use super::outline::{Comment, Leaf, Outline};
use super::scalar::Scalar;
use super::syntax::{self, Format, Syntax, SyntaxError, SyntaxErrorKind};

pub(crate) struct Yaml;

impl Syntax for Yaml {
    fn parse(&self, text: &[u8]) -> Result<Outline, SyntaxError> {
        outline(text).map_err(|fault| fault.locate(text))
    }

    fn scalar<'t>(&self, text: &'t [u8], leaf: &Leaf) -> Result<Scalar<'t>, SyntaxError> {
        scalar(text, leaf).ok_or_else(|| {
            let kind = SyntaxErrorKind::NotAllowed("SOPS cannot store this value");
            syntax::error(Format::Yaml, text, leaf.range.start, kind)
        })
    }

    fn write_leaf(&self, _text: &[u8], _leaf: &Leaf, _value: &Replacement<'_>, _out: &mut Vec<u8>) -> Result<(), SyntaxError> { todo!() }
    fn write_comment(&self, _text: &[u8], _comment: &Comment, _new: &[u8], _out: &mut Vec<u8>) -> Result<(), SyntaxError> { todo!() }
    fn metadata_splices(&self, _text: &[u8], _outline: &Outline, _edit: &MetadataEdit) -> Result<Vec<(Range<usize>, String)>, SyntaxError> { todo!() }
    fn insert(&self, _text: &[u8], _outline: &Outline, _path: &KeyPath, _value: &Replacement<'_>) -> Result<Vec<u8>, SyntaxError> { todo!() }
}

fn outline(text: &[u8]) -> Result<Outline, Fault> {
    let source = Source::parse(text)?;
    if source.events.is_empty() {
        return Err(if source.scan.comments.is_empty() {
            Fault::new(0, SyntaxErrorKind::Empty)
        } else {
            Fault::expected(text.len(), "a document; above a file of comments only, SOPS wants a line `---`")
        });
    }
    let places = Places::new(comments::attribute(text, &source.scan));
    build::outline(&source, &places)
}

/// The value of a leaf that is no alias.
fn scalar<'t>(text: &'t [u8], leaf: &Leaf) -> Option<Scalar<'t>> {
    let value = match source::token_kind(leaf.style) {
        Some(kind) => text::text(source::with_break(text, &leaf.range, kind), kind, leaf.context >> 1),
        None => Cow::Borrowed(&b""[..]),
    };
    resolve::scalar(value, leaf.kind, leaf.context & 1 == 1)
}
