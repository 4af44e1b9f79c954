//! What a scalar is: text, number, truth value, time or nothing, exactly as go-yaml v3 decides.
//!
//! *Source*: `resolve` and the scalar decoder of go-yaml v3 as SOPS calls them.

use std::borrow::Cow;

use base64::Engine as _;

use super::event::Tag;
use super::resolve_number::{self, Number};
use super::resolve_time;
use crate::document::scalar::{self, Kind, Scalar};

/// What a scalar is, with its value where it is not its own text.
enum Value {
    Null,
    Bool(bool),
    Number(Number),
    /// Strict RFC 3339.
    Time(String),
    Str,
}

/// Why a scalar has no value that SOPS could hold.
pub(super) type Refusal = &'static str;

/// Of integers that SOPS reads and has no type for.
pub(super) const TOO_LARGE: Refusal = "an integer above 9223372036854775807 cannot be stored; put it in quotes";

/// The kind of a scalar; `plain` if it has no quotes and is no block.
pub(super) fn kind(text: &[u8], plain: bool, tag: Tag) -> Result<Kind, Refusal> {
    match tag {
        Tag::None if !plain => Ok(Kind::Str),
        Tag::Str | Tag::Merge => Ok(Kind::Str),
        Tag::Binary => decode_binary(text).map(|_| Kind::Str).ok_or("this is no base64, which `!!binary` announces"),
        _ => kind_of(&value(text, tag), tag),
    }
}

/// The value of a scalar whose kind is known; `None` where SOPS could not store it.
pub(super) fn scalar(text: Cow<'_, [u8]>, kind: Kind, binary: bool) -> Option<Scalar<'_>> {
    let canonical = match kind {
        Kind::Str if binary => decode_binary(&text)?,
        Kind::Str => return Some(Scalar { kind, canonical: text.clone(), token: text }),
        Kind::Null => Vec::new(),
        Kind::Bool | Kind::Int | Kind::Float => match (value(&text, Tag::Int), kind) {
            (Value::Bool(value), _) => if value { "True" } else { "False" }.as_bytes().to_vec(),
            (Value::Number(Number::Int(value)), Kind::Float) => scalar::fixed_notation(value as f64).into_bytes(),
            (Value::Number(Number::Int(value)), _) => value.to_string().into_bytes(),
            (Value::Number(Number::Float(value)), _) => scalar::fixed_notation(value).into_bytes(),
            _ => return None,
        },
        Kind::Time => match value(&text, Tag::Time) {
            Value::Time(time) => scalar::canonical(kind, time.as_bytes())?.into_owned(),
            _ => return None,
        },
    };
    let same = kind != Kind::Null && scalar::canonical(kind, &text).is_some_and(|read| *read == *canonical);
    let token = match (kind, &text[..]) {
        // `True` in a token is SOPS's spelling of `true`; it reads the single letter as the same value.
        (Kind::Bool, b"True") => Cow::Borrowed(&b"T"[..]),
        (Kind::Bool, b"False") => Cow::Borrowed(&b"F"[..]),
        _ if same => text,
        _ => Cow::Owned(canonical.clone()),
    };
    Some(Scalar { kind, canonical: Cow::Owned(canonical), token })
}

fn kind_of(value: &Value, tag: Tag) -> Result<Kind, Refusal> {
    let kind = match value {
        Value::Null => Kind::Null,
        Value::Bool(_) => Kind::Bool,
        Value::Number(Number::Int(_)) if tag == Tag::Float => Kind::Float,
        Value::Number(Number::Int(_)) => Kind::Int,
        Value::Number(Number::TooLarge) if tag != Tag::Float => {
            return Err(TOO_LARGE);
        }
        Value::Number(Number::TooLarge) => return Err("an integer above 9223372036854775807 cannot be a `!!float`"),
        Value::Number(Number::Float(_)) => Kind::Float,
        Value::Time(time) if scalar::canonical(Kind::Time, time.as_bytes()).is_none() => {
            return Err("a time with an offset of a day or more cannot be stored; put it in quotes");
        }
        Value::Time(_) => Kind::Time,
        Value::Str => Kind::Str,
    };
    let announced = match tag {
        Tag::Int => Kind::Int,
        Tag::Float => Kind::Float,
        Tag::Bool => Kind::Bool,
        Tag::Null => Kind::Null,
        Tag::Time => Kind::Time,
        _ => return Ok(kind),
    };
    if kind == announced { Ok(kind) } else { Err("this is not what its tag announces") }
}

fn value(text: &[u8], tag: Tag) -> Value {
    match text {
        b"" | b"~" | b"null" | b"Null" | b"NULL" => return Value::Null,
        b"true" | b"True" | b"TRUE" => return Value::Bool(true),
        b"false" | b"False" | b"FALSE" => return Value::Bool(false),
        _ => {}
    }
    // Nothing else begins with a letter; most texts end here.
    if !matches!(text.first(), Some(b'0'..=b'9' | b'+' | b'-' | b'.')) {
        return Value::Str;
    }
    if matches!(tag, Tag::None | Tag::Time)
        && let Some(time) = resolve_time::rfc3339(text)
    {
        return Value::Time(time);
    }
    resolve_number::number(text).map_or(Value::Str, Value::Number)
}

/// Go's standard base64, which passes over line breaks.
fn decode_binary(text: &[u8]) -> Option<Vec<u8>> {
    let lines: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    let config = base64::engine::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    base64::engine::GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(lines).ok()
}
