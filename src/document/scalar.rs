//! The values a leaf can have, and their canonical bytes.

use std::borrow::Cow;

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

impl std::fmt::Debug for Scalar<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scalar({:?}, …)", self.kind)
    }
}
