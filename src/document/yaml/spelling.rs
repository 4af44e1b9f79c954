//! The spellings of a value on one line: plain, in single quotes, in double quotes.

use std::borrow::Cow;

use super::event::Tag;
use super::token::TokenKind;
use super::{chars, resolve, scanner};
use crate::document::scalar::{self, Kind};

/// Whether `text` can stand without quotes as this very text, whatever it would resolve to.
pub(super) fn is_plain(text: &[u8], flow: bool) -> bool {
    if text.is_empty() || text.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        return false;
    }
    if is_surely_plain(text, flow) {
        return true;
    }
    let (before, after): (&[u8], &[u8]) = if flow { (b"[", b"]") } else { (b"k: ", b"\n") };
    let probe = [before, text, after].concat();
    let Ok(ascii) = chars::check(&probe) else { return false };
    let Ok(scan) = scanner::scan(&probe, ascii) else { return false };
    let range = before.len()..before.len() + text.len();
    let solid = || scan.tokens.iter().filter(|token| !token.is_zero_width());
    scan.comments.is_empty()
        && solid().count() == 3
        && solid().any(|token| token.kind == TokenKind::Plain && token.range() == range)
}

/// Printable ASCII that begins with a letter or a digit, ends with no blank and holds nothing that could be an
/// indicator: plain, without asking the scanner, which would take ten times as long as all else about the value.
fn is_surely_plain(text: &[u8], flow: bool) -> bool {
    let ends = text.first().is_some_and(u8::is_ascii_alphanumeric) && text.last() != Some(&b' ');
    ends && text.iter().zip(text.iter().skip(1).chain(b" ")).all(|(byte, next)| match byte {
        b':' => !flow && *next != b' ',
        b' ' => *next != b'#',
        b',' | b'?' | b'[' | b']' | b'{' | b'}' => !flow,
        byte => byte.is_ascii_graphic(),
    })
}

/// Whether a plain `text` is read as text.
pub(super) fn is_text(text: &[u8]) -> bool {
    matches!(resolve::kind(text, true, Tag::None), Ok(Kind::Str))
}

/// Whether older readers take a plain `text` for a truth value or a base-60 number, though go-yaml does not.
///
/// *Source*: the SOPS format, scalar styles of its YAML writer.
pub(super) fn is_ambiguous(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    let sixty = text.contains(&b':')
        && text.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'-' | b'+' | b'_'));
    sixty || matches!(&lower[..], b"y" | b"n" | b"yes" | b"no" | b"on" | b"off" | b"<<")
}

/// Whether `text` may stand raw on one line between quotes.
fn is_printable(text: &str) -> bool {
    text.chars().all(|char| !needs_escape(char))
}

/// Whether `text` can stand in single quotes on one line.
pub(super) fn fits_single_quotes(text: &str) -> bool {
    is_printable(text)
}

/// Line breaks of any kind, control characters, and what go-yaml's reader refuses.
pub(super) fn needs_escape(char: char) -> bool {
    match char {
        '\t' => false,
        '\u{2028}' | '\u{2029}' | '\u{FFFE}' | '\u{FFFF}' => true,
        _ => char.is_control(),
    }
}

pub(super) fn single_quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'\'');
    for byte in text.bytes() {
        if byte == b'\'' {
            out.push(b'\'');
        }
        out.push(byte);
    }
    out.push(b'\'');
}

pub(super) fn double_quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for char in text.chars() {
        let short = match char {
            '"' => b'"',
            '\\' => b'\\',
            '\0' => b'0',
            '\x07' => b'a',
            '\x08' => b'b',
            '\t' => b't',
            '\n' => b'n',
            '\x0B' => b'v',
            '\x0C' => b'f',
            '\r' => b'r',
            '\x1B' => b'e',
            '\u{85}' => b'N',
            '\u{2028}' => b'L',
            '\u{2029}' => b'P',
            _ if needs_escape(char) || char == '\u{FEFF}' => {
                let code = u32::from(char);
                let escaped = if code > 0xFF { format!("\\u{code:04X}") } else { format!("\\x{code:02X}") };
                out.extend_from_slice(escaped.as_bytes());
                continue;
            }
            _ => {
                out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
    out.push(b'"');
}

/// `text` in the first style that holds it, as SOPS chooses: plain, else double quotes where plain would be something
/// else, else single quotes, else double quotes.
pub(super) fn fresh(text: &str, flow: bool, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    if !is_text(bytes) || is_ambiguous(bytes) {
        double_quoted(text, out);
    } else if is_plain(bytes, flow) {
        out.extend_from_slice(bytes);
    } else if fits_single_quotes(text) {
        single_quoted(text, out);
    } else {
        double_quoted(text, out);
    }
}

/// How a value that is no text is written: as it is spelled if it is read back as the same value, else canonically.
pub(super) fn typed(kind: Kind, bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    if kind == Kind::Null {
        return Some(Cow::Borrowed(if is_null(bytes) { bytes } else { b"null" }));
    }
    match (kind, bytes) {
        // SOPS has these for `true` and `false`; for what stood there in capitals a token has one letter.
        (Kind::Bool, b"True") => return Some(Cow::Borrowed(b"true")),
        (Kind::Bool, b"False") => return Some(Cow::Borrowed(b"false")),
        (Kind::Bool, b"T") => return Some(Cow::Borrowed(b"True")),
        (Kind::Bool, b"F") => return Some(Cow::Borrowed(b"False")),
        _ => {}
    }
    let value = scalar::canonical(kind, bytes)?;
    if reads_as(bytes, kind, &value) {
        return Some(Cow::Borrowed(bytes));
    }
    let other: Vec<u8> = match (kind, &value[..]) {
        (Kind::Float, b"+Inf") => b".inf".to_vec(),
        (Kind::Float, b"-Inf") => b"-.inf".to_vec(),
        (Kind::Float, b"NaN") => b".nan".to_vec(),
        // Without the fraction it would be read as an integer.
        (Kind::Float, digits) => [digits, b".0"].concat(),
        (Kind::Bool, word) => word.to_ascii_lowercase(),
        (_, word) => word.to_vec(),
    };
    reads_as(&other, kind, &value).then_some(Cow::Owned(other))
}

fn is_null(bytes: &[u8]) -> bool {
    !bytes.is_empty() && matches!(resolve::kind(bytes, true, Tag::None), Ok(Kind::Null))
}

fn reads_as(bytes: &[u8], kind: Kind, value: &[u8]) -> bool {
    matches!(resolve::kind(bytes, true, Tag::None), Ok(found) if found == kind)
        && is_plain(bytes, true)
        && resolve::scalar(Cow::Borrowed(bytes), kind, false).is_some_and(|read| *read.canonical == *value)
}
