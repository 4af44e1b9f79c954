//! TOML, which SOPS does not know; the layout is that of `rops`.
//!
//! *Source*: TOML 1.0, with what 1.1 allows beyond it (`\e`, `\xHH`, line breaks in braces, times without seconds). As
//! in `rops`, a date or time is a text, and the text `null` stands for nothing and is never encrypted. A token stands
//! in the quotes of what it replaces, that of a date in double ones with its first letter escaped, so that the date
//! comes back without quotes.

mod atom;
mod change;
mod metadata;
mod outline;
mod parse;
mod tables;
mod text;

use std::borrow::Cow;
use std::ops::Range;

use super::edit::{MetadataEdit, Replacement};
use super::graft::Change;
use super::key_path::KeyPath;
use super::outline::{Comment, Leaf, Outline};
use super::scalar::{Kind, Scalar, canonical, parse_bool, parse_float, parse_int};
use super::syntax::{Format, Syntax, SyntaxError, SyntaxErrorKind, error};

pub(crate) struct Toml;

/// How the token of a date begins, behind its quotes: the escaped `E` of `ENC[`.
const DATE_MARK: &[u8] = b"\"\\u0045";

impl Syntax for Toml {
    fn parse(&self, text: &[u8]) -> Result<Outline, SyntaxError> {
        outline::read(text).map_err(|(at, kind)| error(Format::Toml, text, at, kind))
    }

    fn scalar<'t>(&self, text: &'t [u8], leaf: &Leaf) -> Result<Scalar<'t>, SyntaxError> {
        let (canonical, token) = bytes(text, leaf).ok_or_else(|| {
            let kind = SyntaxErrorKind::NotAllowed("a value beyond 64 bits");
            error(Format::Toml, text, leaf.range.start, kind)
        })?;
        Ok(Scalar { kind: leaf.kind, canonical, token })
    }

    fn canonical<'b>(&self, _text: &[u8], _leaf: &Leaf, kind: Kind, bytes: &'b [u8]) -> Option<Cow<'b, [u8]>> {
        match kind {
            Kind::Float => match parse_float(bytes) {
                Some(value) if value.is_infinite() => Some(Cow::Owned(atom::number_text(value).into_bytes())),
                _ => canonical(kind, bytes),
            },
            _ => canonical(kind, bytes),
        }
    }

    fn write_leaf(
        &self,
        text: &[u8],
        leaf: &Leaf,
        value: &Replacement<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), SyntaxError> {
        write_value(value, &text[leaf.range.clone()], out)
            .map_err(|kind| error(Format::Toml, text, leaf.range.start, kind))
    }

    fn write_comment(&self, text: &[u8], comment: &Comment, new: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
        if new.iter().any(|byte| matches!(byte, 0..=8 | 0x0A..=0x1F | 0x7F)) || std::str::from_utf8(new).is_err() {
            let kind = SyntaxErrorKind::NotAllowed("a comment with a line break or another control character");
            return Err(error(Format::Toml, text, comment.range.start, kind));
        }
        out.extend_from_slice(new);
        Ok(())
    }

    fn metadata_splices(
        &self,
        text: &[u8],
        outline: &Outline,
        edit: &MetadataEdit,
    ) -> Result<Vec<(Range<usize>, String)>, SyntaxError> {
        Ok(metadata::splices(text, outline, edit))
    }

    fn change(
        &self,
        text: &[u8],
        _outline: &Outline,
        path: &KeyPath,
        change: Change<'_>,
    ) -> Result<Vec<u8>, SyntaxError> {
        change::change(text, path, change).map_err(|(at, kind)| error(Format::Toml, text, at, kind))
    }
}

/// The canonical bytes of a leaf, and those that its token shall hold.
fn bytes<'t>(text: &'t [u8], leaf: &Leaf) -> Option<(Cow<'t, [u8]>, Cow<'t, [u8]>)> {
    let source = &text[leaf.range.clone()];
    if leaf.kind == Kind::Null {
        return Some((Cow::Borrowed(b""), Cow::Borrowed(b"")));
    }
    let Some(quotes) = text::Quotes::of(source) else { return atom::bytes(source, leaf.kind) };
    let value = || text::value(&text[quotes.inside(&leaf.range, text)], quotes);
    Some((value(), value()))
}

/// Appends a value in the style of what stood there.
fn write_value(value: &Replacement<'_>, old: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxErrorKind> {
    let (kind, bytes) = match value {
        Replacement::Token(token) if atom::is_time(old) || old.starts_with(DATE_MARK) => {
            out.extend_from_slice(DATE_MARK);
            out.extend_from_slice(token.get(1..).unwrap_or_default());
            out.push(b'"');
            return Ok(());
        }
        Replacement::Token(token) => (Kind::Str, *token),
        Replacement::Value { kind, bytes } => (*kind, *bytes),
    };
    let refused = SyntaxErrorKind::NotAllowed("the value is not of its own kind");
    let spelled = |kind| atom::kind(bytes) == Some(kind);
    match kind {
        Kind::Null => out.extend_from_slice(b"\"null\""),
        Kind::Bool => out.extend_from_slice(if parse_bool(bytes).ok_or(refused)? { b"true" } else { b"false" }),
        Kind::Int if spelled(kind) => out.extend_from_slice(bytes),
        Kind::Int => out.extend_from_slice(parse_int(bytes).ok_or(refused)?.to_string().as_bytes()),
        Kind::Float if spelled(kind) => out.extend_from_slice(bytes),
        Kind::Float => out.extend_from_slice(float_text(parse_float(bytes).ok_or(refused)?).as_bytes()),
        Kind::Str | Kind::Time => {
            let date = atom::is_time(old) || old.starts_with(DATE_MARK) || kind == Kind::Time;
            if date && atom::is_time(bytes) {
                out.extend_from_slice(bytes);
                return Ok(());
            }
            let value = std::str::from_utf8(bytes)
                .map_err(|_| SyntaxErrorKind::NotAllowed("bytes that are no UTF-8, which TOML cannot hold"))?;
            text::write(value, old, out);
        }
    }
    Ok(())
}

/// A number that reads back as one with a fraction.
fn float_text(value: f64) -> String {
    let text = value.to_string();
    match text.as_str() {
        "NaN" => "nan".to_owned(),
        _ if value.is_infinite() || text.contains('.') => text,
        _ => format!("{text}.0"),
    }
}

/// Appends a key, in quotes where it needs them.
fn write_key(key: &str, out: &mut Vec<u8>) {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !key.is_empty() && key.bytes().all(bare) {
        out.extend_from_slice(key.as_bytes());
    } else {
        text::basic(key, out);
    }
}
