//! JSON with an object at the top, or a list, which SOPS does not take.
//!
//! *Source*: the SOPS format, "JSON"; SOPS reads with Go's `encoding/json`.

mod escapes;
mod insert;
mod layout;
mod metadata;
mod outline;
mod scan;
mod string;

use std::borrow::Cow;
use std::ops::Range;

use super::Format;
use super::edit::{MetadataEdit, Replacement};
use super::graft::Change;
use super::key_path::KeyPath;
use super::outline::{Comment, Leaf, Outline};
use super::scalar::{Kind, Scalar, canonical, fixed_notation, parse_bool, parse_float};
use super::syntax::{Syntax, SyntaxError, SyntaxErrorKind, error};

use escapes::Manner;
pub(super) use metadata::block;
use string::{quote, unescape};

pub(crate) struct Json;

/// [`Leaf::context`] of a string whose value is not the text between its quotes.
const ESCAPED: u32 = 1;

impl Syntax for Json {
    fn parse(&self, text: &[u8]) -> Result<Outline, SyntaxError> {
        outline::read(text)
    }

    fn parse_as_sops(&self, text: &[u8]) -> Result<(Outline, Option<Vec<u8>>), SyntaxError> {
        if text.trim_ascii_start().starts_with(b"[") {
            let at = text.len() - text.trim_ascii_start().len();
            let kind = SyntaxErrorKind::Expected("`{`: SOPS only supports JSON files with a top-level object");
            return Err(error(Format::Json, text, at, kind));
        }
        let refused = match outline::read(text) {
            Ok(outline) => return Ok((outline, None)),
            Err(refused) => refused,
        };
        let end = outline::end(text)?;
        if text[end..].trim_ascii().is_empty() {
            return Err(refused);
        }
        let text = [&text[..end], b"\n"].concat();
        Ok((outline::read(&text)?, Some(text)))
    }

    fn scalar<'t>(&self, text: &'t [u8], leaf: &Leaf) -> Result<Scalar<'t>, SyntaxError> {
        let source = &text[leaf.range.clone()];
        if leaf.kind == Kind::Str {
            let inner = &text[leaf.range.start + 1..leaf.range.end - 1];
            let value = || if leaf.context == ESCAPED { Cow::Owned(unescape(inner)) } else { Cow::Borrowed(inner) };
            return Ok(Scalar { kind: Kind::Str, canonical: value(), token: value() });
        }
        let canonical = canonical(leaf.kind, source).ok_or_else(|| {
            error(Format::Json, text, leaf.range.start, SyntaxErrorKind::NotAllowed("a number SOPS cannot hold"))
        })?;
        // `true` has one spelling in JSON, so it needs no memory; numbers have many.
        let token = if leaf.kind == Kind::Bool { canonical.clone() } else { Cow::Borrowed(source) };
        Ok(Scalar { kind: leaf.kind, canonical, token })
    }

    fn write_leaf(
        &self,
        text: &[u8],
        leaf: &Leaf,
        value: &Replacement<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), SyntaxError> {
        let manner = || Manner::of(&text[leaf.range.clone()]);
        match value {
            Replacement::Token(token) => manner().mark(token, out),
            Replacement::Value { kind: Kind::Str, bytes } => manner().quote(bytes, out),
            Replacement::Value { .. } => {
                return write_value(value, out).map_err(|kind| error(Format::Json, text, leaf.range.start, kind));
            }
        }
        Ok(())
    }

    fn write_comment(
        &self,
        text: &[u8],
        comment: &Comment,
        _new: &[u8],
        _out: &mut Vec<u8>,
    ) -> Result<(), SyntaxError> {
        Err(error(Format::Json, text, comment.range.start, SyntaxErrorKind::NotAllowed("JSON has no comments")))
    }

    fn metadata_splices(
        &self,
        text: &[u8],
        outline: &Outline,
        edit: &MetadataEdit,
    ) -> Result<Vec<(Range<usize>, String)>, SyntaxError> {
        metadata::splices(text, outline, edit)
    }

    fn change(
        &self,
        text: &[u8],
        outline: &Outline,
        path: &KeyPath,
        change: Change<'_>,
    ) -> Result<Vec<u8>, SyntaxError> {
        let block = outline.metadata.as_ref().map(|metadata| metadata.range.clone());
        match change {
            Change::Insert(graft) => insert::insert(text, path, graft, block),
            Change::Replace(graft) => insert::replace(text, path, graft, block),
            Change::Remove => insert::remove(text, path, block),
        }
    }
}

/// Appends a value as JSON; a number's own spelling stays where JSON has it.
fn write_value(value: &Replacement<'_>, out: &mut Vec<u8>) -> Result<(), SyntaxErrorKind> {
    let (kind, bytes) = match value {
        Replacement::Token(bytes) => (Kind::Str, *bytes),
        Replacement::Value { kind, bytes } => (*kind, *bytes),
    };
    let refused = SyntaxErrorKind::NotAllowed("the value is not of its own kind");
    match kind {
        Kind::Str => quote(bytes, out),
        Kind::Null => out.extend_from_slice(b"null"),
        Kind::Bool => {
            out.extend_from_slice(if parse_bool(bytes).ok_or(refused)? { b"true" } else { b"false" });
        }
        Kind::Time => quote(&canonical(kind, bytes).ok_or(refused)?, out),
        Kind::Int | Kind::Float if !bytes.is_empty() && string::number_length(bytes) == bytes.len() => {
            out.extend_from_slice(bytes);
        }
        Kind::Int => out.extend_from_slice(&canonical(kind, bytes).ok_or(refused)?),
        Kind::Float => {
            let number = parse_float(bytes).ok_or(refused)?;
            if !number.is_finite() {
                return Err(SyntaxErrorKind::NotAllowed("JSON has no infinity and no NaN"));
            }
            out.extend_from_slice(fixed_notation(number).as_bytes());
        }
    }
    Ok(())
}
