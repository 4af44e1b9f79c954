//! The values a leaf can have, and their canonical bytes.

mod number;
mod time;

use std::borrow::Cow;

use zeroize::Zeroize as _;

pub use number::{fixed_notation, parse_float, parse_int};

/// The kind of a value, with SOPS's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text.
    Str,
    /// A 64-bit signed integer.
    Int,
    /// A 64-bit floating point number.
    Float,
    /// A truth value.
    Bool,
    /// A point in time.
    Time,
    /// Nothing; never encrypted.
    Null,
}

/// A value in two spellings.
///
/// *Source*: the SOPS format, types and MAC input (`aes/cipher.go`, `sops.go` of SOPS 3.13).
pub struct Scalar<'a> {
    /// Its kind.
    pub kind: Kind,
    /// The bytes that the MAC hashes and that SOPS itself would encrypt: `True`, `1.5`, `2024-01-01T00:00:00Z`.
    pub canonical: Cow<'a, [u8]>,
    /// The bytes a token shall hold so that the source spelling comes back: equal to `canonical` unless SOPS's reader
    /// gives the source spelling the same value (`1.50`, `TRUE`, `1e3`).
    pub token: Cow<'a, [u8]>,
}

impl Scalar<'_> {
    /// Wipes what had to be decoded; what is a part of the text is wiped with it.
    pub fn wipe(self) {
        for bytes in [self.canonical, self.token] {
            if let Cow::Owned(mut bytes) = bytes {
                bytes.zeroize();
            }
        }
    }
}

impl std::fmt::Debug for Scalar<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scalar({:?}, …)", self.kind)
    }
}

/// The bytes that the MAC hashes for what a token of this kind holds; `None` where SOPS's reader refuses the spelling.
///
/// An integer is decimal whatever its zeros (`010` is ten); a null has no bytes.
///
/// *Source*: the SOPS format, "Types: plaintext bytes ↔ value"; the readers are Go's `Atoi`, `ParseFloat`,
/// `ParseBool` and the strict RFC 3339 of `time`.
#[must_use]
pub fn canonical(kind: Kind, bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    let text =
        |text: String| if text.as_bytes() == bytes { Cow::Borrowed(bytes) } else { Cow::Owned(text.into_bytes()) };
    match kind {
        Kind::Str => Some(Cow::Borrowed(bytes)),
        Kind::Null => Some(Cow::Borrowed(b"")),
        Kind::Int => parse_int(bytes).map(|value| text(value.to_string())),
        Kind::Float => parse_float(bytes).map(|value| text(fixed_notation(value))),
        Kind::Bool => parse_bool(bytes).map(|value| Cow::Borrowed(if value { &b"True"[..] } else { b"False" })),
        Kind::Time => time::canonical(bytes),
    }
}

/// The truth value that Go's `ParseBool` reads.
#[must_use]
pub fn parse_bool(bytes: &[u8]) -> Option<bool> {
    match bytes {
        b"1" | b"t" | b"T" | b"TRUE" | b"true" | b"True" => Some(true),
        b"0" | b"f" | b"F" | b"FALSE" | b"false" | b"False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
