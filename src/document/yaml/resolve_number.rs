//! Numbers as go-yaml v3 spells them.

use std::borrow::Cow;

use crate::document::scalar;

/// A number.
pub(super) enum Number {
    /// Within 64 bits with a sign.
    Int(i64),
    /// Within 64 bits without a sign only, which SOPS cannot store.
    TooLarge,
    /// Any other.
    Float(f64),
}

/// The number that `text` spells; it begins with a digit, a sign or a point.
pub(super) fn number(text: &[u8]) -> Option<Number> {
    match text {
        b".nan" | b".NaN" | b".NAN" => return Some(Number::Float(f64::NAN)),
        b".inf" | b".Inf" | b".INF" | b"+.inf" | b"+.Inf" | b"+.INF" => return Some(Number::Float(f64::INFINITY)),
        b"-.inf" | b"-.Inf" | b"-.INF" => return Some(Number::Float(f64::NEG_INFINITY)),
        [b'.', ..] => return scalar::parse_float(text).map(Number::Float),
        _ => {}
    }
    let digits: Cow<'_, [u8]> = if memchr::memchr(b'_', text).is_some() {
        text.iter().copied().filter(|byte| *byte != b'_').collect()
    } else {
        Cow::Borrowed(text)
    };
    signed(&digits)
        .or_else(|| magnitude(&digits).map(|_| Number::TooLarge))
        .or_else(|| float(&digits).map(Number::Float))
        .or_else(|| sign_behind_prefix(&digits))
}

/// An integer in Go's base 0: decimal, `0x`, `0o`, `0b`, or octal with a bare `0`.
fn signed(text: &[u8]) -> Option<Number> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        _ => (false, text),
    };
    int(negative, magnitude(digits)?)
}

fn int(negative: bool, magnitude: u64) -> Option<Number> {
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }.map(Number::Int)
}

fn magnitude(text: &[u8]) -> Option<u64> {
    match text {
        [b'0', b'x' | b'X', digits @ ..] if !digits.is_empty() => radix(digits, 16),
        [b'0', b'o' | b'O', digits @ ..] if !digits.is_empty() => radix(digits, 8),
        [b'0', b'b' | b'B', digits @ ..] if !digits.is_empty() => radix(digits, 2),
        b"0" => Some(0),
        [b'0', digits @ ..] => radix(digits, 8),
        _ => radix(text, 10),
    }
}

fn radix(digits: &[u8], radix: u32) -> Option<u64> {
    if digits.is_empty() || digits.iter().any(|byte| !byte.is_ascii_alphanumeric()) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

/// The decimal forms only: `1.0`, `5.`, `1e5`, not `0x1p3`.
fn float(text: &[u8]) -> Option<f64> {
    if text.iter().any(|byte| !matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
        return None;
    }
    scalar::parse_float(text)
}

/// `0b-1` and `0o+7`: go-yaml cuts the prefix off and reads a signed number.
fn sign_behind_prefix(text: &[u8]) -> Option<Number> {
    let (rest, base) = match text {
        [b'0', b'b', rest @ ..] => (rest, 2),
        [b'0', b'o', rest @ ..] => (rest, 8),
        _ => return None,
    };
    match rest {
        [b'-', digits @ ..] => int(true, radix(digits, base)?),
        [b'+', digits @ ..] => int(false, radix(digits, base)?),
        _ => None,
    }
}
