//! The text of an encrypted value, `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.
//!
//! Two grammars: [`split`] reads whatever SOPS reads; [`well_formed`] accepts only what SOPS writes, and is what a
//! check asks that must not be fooled by `ENC[` around a password.

use memchr::memmem;

/// What a token starts with.
pub const PREFIX: &[u8] = b"ENC[AES256_GCM,data:";

/// The size of the nonce we write, in bytes.
pub const NONCE_BYTES: usize = 32;

/// The size of the tag, in bytes.
pub const TAG_BYTES: usize = 16;

const NONCE_DIGITS: usize = 44;
const TAG_DIGITS: usize = 24;

/// The `type:` word of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    /// Text.
    Str,
    /// A 64-bit integer.
    Int,
    /// A floating point number.
    Float,
    /// A truth value.
    Bool,
    /// A point in time.
    Time,
    /// A comment.
    Comment,
    /// Bytes; read as text, never written.
    Bytes,
}

impl Label {
    /// The word as it stands in the token.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Time => "time",
            Self::Comment => "comment",
            Self::Bytes => "bytes",
        }
    }

    /// The label of that word.
    #[must_use]
    pub const fn of_word(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"str" => Self::Str,
            b"int" => Self::Int,
            b"float" => Self::Float,
            b"bool" => Self::Bool,
            b"time" => Self::Time,
            b"comment" => Self::Comment,
            b"bytes" => Self::Bytes,
            _ => return None,
        })
    }
}

/// The four parts of a token, still in base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts<'t> {
    /// The ciphertext.
    pub data: &'t [u8],
    /// The nonce.
    pub nonce: &'t [u8],
    /// The tag.
    pub tag: &'t [u8],
    /// The type word.
    pub label: &'t [u8],
}

/// Takes a token apart as leniently as SOPS does: anything may follow the last `]` of its line.
///
/// *Source*: the SOPS format, section 1.3, reader grammar.
#[must_use]
pub fn split(text: &[u8]) -> Option<Parts<'_>> {
    let body = text.strip_prefix(PREFIX)?;
    if let Some(parts) = split_usual(body) {
        return Some(parts);
    }
    let body = memchr::memchr(b'\n', body).map_or(body, |end| &body[..end]);
    let body = &body[..memchr::memrchr(b']', body)?];
    let (body, label) = cut_last(body, b",type:")?;
    let (body, tag) = cut_last(body, b",tag:")?;
    let (data, nonce) = cut_last(body, b",iv:")?;
    (!data.is_empty()).then_some(Parts { data, nonce, tag, label })
}

/// Takes apart the token of an empty text, which SOPS neither writes nor reads, and `rops` writes.
pub(super) fn split_empty(text: &[u8]) -> Option<Parts<'_>> {
    let body = text.strip_prefix(PREFIX)?.strip_prefix(b",iv:")?;
    let (nonce, body) = body.split_at_checked(NONCE_DIGITS)?;
    let (tag, body) = body.strip_prefix(b",tag:")?.split_at_checked(TAG_DIGITS)?;
    (body == b",type:str]").then_some(Parts { data: b"", nonce, tag, label: b"str" })
}

/// The last cut that leaves something on the right.
fn cut_last<'t>(text: &'t [u8], mark: &[u8]) -> Option<(&'t [u8], &'t [u8])> {
    let searched = &text[..text.len().checked_sub(1)?];
    let at = memmem::rfind(searched, mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

/// A token whose parts have the usual sizes, found without a search. The rest of `split` would find the same parts.
fn split_usual(body: &[u8]) -> Option<Parts<'_>> {
    let body = body.strip_suffix(b"]")?;
    let colon = body.len().checked_sub(1)? - body.iter().rev().take(8).position(|byte| *byte == b':')?;
    let (body, label) = (body[..colon].strip_suffix(b",type")?, &body[colon + 1..]);
    let (body, tag) = body.split_at(body.len().checked_sub(TAG_DIGITS)?);
    let body = body.strip_suffix(b",tag:")?;
    let (body, nonce) = body.split_at(body.len().checked_sub(NONCE_DIGITS)?);
    let data = body.strip_suffix(b",iv:")?;
    let plain = |part: &[u8]| memchr::memchr3(b'\n', b',', b']', part).is_none();
    (!data.is_empty() && !label.is_empty() && plain(data) && plain(nonce) && plain(tag) && plain(label))
        .then_some(Parts { data, nonce, tag, label })
}

/// Whether `text` is exactly one token as SOPS writes it: canonical base64, a nonce of 32 and a tag of 16 bytes, at
/// least one byte of data, a type word that SOPS writes, and nothing before or after.
#[must_use]
pub fn well_formed(text: &[u8]) -> bool {
    let Some(body) = text.strip_prefix(PREFIX) else { return false };
    let Some(parts) = split_usual(body) else { return false };
    decoded_len(parts.data).is_some_and(|bytes| bytes > 0)
        && decoded_len(parts.nonce) == Some(NONCE_BYTES)
        && decoded_len(parts.tag) == Some(TAG_BYTES)
        && Label::of_word(parts.label).is_some_and(|label| label != Label::Bytes)
}

/// Whether `text` is exactly the token of an empty text as `rops` writes it, with a nonce and a tag of the usual sizes.
/// SOPS refuses it; in our own name it is opened.
#[must_use]
pub fn well_formed_empty(text: &[u8]) -> bool {
    split_empty(text)
        .is_some_and(|parts| decoded_len(parts.nonce) == Some(NONCE_BYTES) && decoded_len(parts.tag) == Some(TAG_BYTES))
}

/// Whether a reader would take `text` for a token, however broken: what a text must not look like to be plain.
#[must_use]
pub fn looks_like(text: &[u8]) -> bool {
    text.starts_with(PREFIX)
}

/// The number of bytes behind canonical, padded base64; `None` if it is not that.
fn decoded_len(text: &[u8]) -> Option<usize> {
    if text.is_empty() || !text.len().is_multiple_of(4) {
        return None;
    }
    let pads = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = &text[..text.len() - pads];
    let mut last = 0;
    for byte in digits {
        last = digit(*byte)?;
    }
    match pads {
        0 => {}
        1 if last & 0b11 == 0 => {}
        2 if last & 0b1111 == 0 => {}
        _ => return None,
    }
    Some(text.len() / 4 * 3 - pads)
}

fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "ENC[AES256_GCM,data:wd2e6q0=,iv:oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8=,\
                         tag:i8uNEf2xBSvWkaEkowSIwA==,type:str]";

    #[test]
    fn a_golden_token_is_well_formed() {
        assert!(well_formed(TOKEN.as_bytes()));
    }

    #[test]
    fn what_is_not_well_formed() {
        for (from, to) in [
            ("wd2e6q0=", ""),
            ("wd2e6q0=", "wd2e6q0"),
            ("wd2e6q0=", "wd2e6q1="),
            ("wd2e6q0=", "blue-house-42"),
            ("wd2e6q0=", "wd2e 6q0"),
            ("vr8=", "vr8"),
            ("oKGi", ""),
            ("i8uN", ""),
            ("SIwA==", "SIwAAA"),
            ("type:str", "type:text"),
            ("type:str", "type:bytes"),
            ("type:str", "type:"),
            ("str]", "str]x"),
            ("str]", "str] "),
            ("str]", "str"),
            ("ENC[", " ENC["),
            ("AES256_GCM", "AES128_GCM"),
        ] {
            assert!(!well_formed(TOKEN.replacen(from, to, 1).as_bytes()), "{from} -> {to}");
        }
        assert!(!well_formed(b"ENC[AES256_GCM,data:,iv:,tag:,type:]"));
    }

    #[test]
    fn the_token_of_an_empty_text_is_of_its_own() {
        let empty = TOKEN.replacen("wd2e6q0=", "", 1);
        assert!(well_formed_empty(empty.as_bytes()));
        assert!(!well_formed_empty(TOKEN.as_bytes()) && !well_formed_empty(b""));
        for (from, to) in [
            ("vr8=", "vr9="),
            ("oKGi", "oKG "),
            ("oKGi", ""),
            ("SIwA==", "SIwAAA"),
            ("type:str", "type:int"),
            ("str]", "str]x"),
            ("ENC[", " ENC["),
        ] {
            assert!(!well_formed_empty(empty.replacen(from, to, 1).as_bytes()), "{from} -> {to}");
        }
    }

    #[test]
    fn the_reader_is_as_lenient_as_sops() {
        let usual = split(TOKEN.as_bytes()).unwrap();
        assert_eq!((usual.data, usual.label), (&b"wd2e6q0="[..], &b"str"[..]));
        let junk = format!("{TOKEN}junk");
        assert_eq!(split(junk.as_bytes()), Some(usual));
        let odd = split(b"ENC[AES256_GCM,data:a,iv:b,tag:c,type:d]e]\n]").unwrap();
        assert_eq!((odd.data, odd.nonce, odd.tag, odd.label), (&b"a"[..], &b"b"[..], &b"c"[..], &b"d]e"[..]));
        assert_eq!(split(b"ENC[AES256_GCM,data:,iv:b,tag:c,type:d]"), None);
        assert_eq!(split(b"ENC[AES256_GCM,data:a,iv:b,tag:c,type:d"), None);
        assert_eq!(split(b"ENC[AES256_GCM,data:a\n,iv:b,tag:c,type:d]"), None);
    }
}
