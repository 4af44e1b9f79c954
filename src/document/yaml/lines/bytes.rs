//! What the bytes of a line may be.

use crate::document::scalar::Kind;
use crate::document::yaml::chars::byte;
use crate::document::yaml::event::Tag;
use crate::document::yaml::resolve;
use crate::document::yaml::source::is_surely_text;

/// go-yaml's bound on keys is 1,024 characters.
const KEY_LIMIT: usize = 1_000;

/// What a byte may be: bit 0 in a key, bit 1 at its beginning, bit 2 at the beginning of a plain value.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut at = 0x21;
    while at < 0x100 {
        let byte = at as u8;
        classes[at] = match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'/' => 0b111,
            b'.' | b'-' => 0b101,
            b'?' | b':' | b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"'
            | b'%' | b'@' | b'`' => 0,
            _ => 0b100,
        };
        at += 1;
    }
    classes
};

/// Whether a key may begin at `at`.
pub(super) fn begins_key(text: &[u8], at: usize) -> bool {
    CLASSES[usize::from(byte(text, at))] & 0b010 != 0
}

/// Where the run of characters that may make a key ends.
pub(super) fn key_end(text: &[u8], start: usize) -> usize {
    let mut end = start + 1;
    while CLASSES[usize::from(byte(text, end))] & 0b001 != 0 {
        end += 1;
    }
    end
}

/// The key that the characters make, if they make one.
pub(super) fn key(name: &[u8]) -> Option<&str> {
    let is_text = is_surely_text(name) || resolve::kind(name, true, Tag::None) == Ok(Kind::Str);
    if !is_text || name.len() > KEY_LIMIT {
        return None;
    }
    std::str::from_utf8(name).ok()
}

/// Where the blanks at `at` end.
pub(super) fn behind_blanks(text: &[u8], mut at: usize) -> usize {
    while byte(text, at) == b' ' {
        at += 1;
    }
    at
}

/// Where the line that holds `at` ends: its line break, or the end of the text.
pub(super) fn line_end(text: &[u8], at: usize) -> usize {
    at + memchr::memchr(b'\n', &text[at..]).unwrap_or(text.len() - at)
}

/// The length of the plain scalar that ends with its line, or with the blanks before its comment; `None` if it does
/// neither, or is none.
pub(super) fn plain(rest: &[u8]) -> Option<usize> {
    let first = *rest.first()?;
    if CLASSES[usize::from(first)] & 0b100 == 0 || first == b'-' && matches!(byte(rest, 1), b' ' | b'\n' | 0) {
        return None;
    }
    let mut at = 0;
    loop {
        at += memchr::memchr2(b' ', b'\n', &rest[at..]).unwrap_or(rest.len() - at);
        if rest[at - 1] == b':' {
            return None;
        }
        let end = at;
        at = behind_blanks(rest, at);
        if matches!(byte(rest, at), b'#' | b'\n' | 0) {
            return Some(end);
        }
    }
}

/// What a plain scalar is; `None` if SOPS does not take it.
pub(super) fn kind(text: &[u8]) -> Option<Kind> {
    if is_surely_text(text) { Some(Kind::Str) } else { resolve::kind(text, true, Tag::None).ok() }
}

/// Whether there is nothing but printable characters and line feeds. The other line breaks, the later control characters
/// and the byte order mark begin with one of three bytes, which are looked at more closely.
pub(super) fn is_printable(text: &[u8]) -> bool {
    let mut high = 0;
    let printable = text.chunks(256).enumerate().all(|(index, chunk)| {
        let mut suspect = false;
        let all = chunk.iter().fold(true, |all, byte| {
            high |= byte;
            suspect |= matches!(byte, 0x7F | 0xC2 | 0xE2 | 0xEF);
            all & ((*byte >= 0x20) | (*byte == b'\n'))
        });
        all && (!suspect || (index * 256..index * 256 + chunk.len()).all(|at| !is_odd(text, at)))
    });
    printable && (high < 0x80 || std::str::from_utf8(text).is_ok())
}

/// Whether a character that is no printable one, or another line break, or a byte order mark, begins at `at`.
fn is_odd(text: &[u8], at: usize) -> bool {
    match text[at] {
        0x7F => true,
        0xC2 => byte(text, at + 1) < 0xA0,
        0xE2 => byte(text, at + 1) == 0x80 && matches!(byte(text, at + 2), 0xA8 | 0xA9),
        0xEF => matches!(byte(text, at + 1), 0xBB | 0xBF),
        _ => false,
    }
}
