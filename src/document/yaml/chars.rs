//! Characters as go-yaml sees them: line breaks, blanks, and what may stand in a text at all.
//!
//! *Source*: go-yaml v3; NEL, U+2028 and U+2029 end a line, control characters are refused.

use zeroize::Zeroizing;

use super::Fault;

/// The byte at `at`, 0 behind the end. No text that passed [`check`] holds a 0.
pub(super) fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// The length of the line break at `at`; 0 if there is none.
pub(super) fn break_len(text: &[u8], at: usize) -> usize {
    match byte(text, at) {
        b'\n' => 1,
        b'\r' if byte(text, at + 1) == b'\n' => 2,
        b'\r' => 1,
        0xC2 if byte(text, at + 1) == 0x85 => 2,
        0xE2 if byte(text, at + 1) == 0x80 && matches!(byte(text, at + 2), 0xA8 | 0xA9) => 3,
        _ => 0,
    }
}

/// What the break at `at`, which is `length` bytes long, stands for in a value.
pub(super) fn break_value(text: &[u8], at: usize, length: usize) -> &[u8] {
    if length == 3 { &text[at..at + 3] } else { b"\n" }
}

/// Whether a blank, a line break or the end is at `at`.
pub(super) fn is_blank_or_end(text: &[u8], at: usize) -> bool {
    match byte(text, at) {
        0 | b' ' | b'\t' | b'\n' | b'\r' => true,
        0xC2 | 0xE2 => break_len(text, at) > 0,
        _ => false,
    }
}

/// Whether a document indicator, `---` or `...`, is at `at`, which must be the start of a line.
pub(super) fn is_document_indicator(text: &[u8], at: usize) -> bool {
    matches!(text.get(at..at + 3), Some(b"---" | b"...")) && is_blank_or_end(text, at + 3)
}

/// What anchors, handles and directive names are made of.
pub(super) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The offset of the line break, or of the end, at or behind `from`.
pub(super) fn line_end(text: &[u8], ascii: bool, from: usize) -> usize {
    let rest = &text[from..];
    let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
    if ascii {
        return from + end;
    }
    let wide = memchr::memchr2_iter(0xC2, 0xE2, &rest[..end]).find(|at| break_len(rest, *at) > 0);
    from + wide.unwrap_or(end)
}

/// A text in UTF-16, which its byte order mark tells, as the UTF-8 that go-yaml makes of it; `None` for any other text.
pub(super) fn from_utf16(text: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
    let wide: fn([u8; 2]) -> u16 = match text {
        [0xFF, 0xFE, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] => u16::from_be_bytes,
        _ => return Ok(None),
    };
    let (pairs, rest) = text[2..].as_chunks();
    if !rest.is_empty() {
        return Err(Fault::not_allowed(text.len() - 1, "half a character of UTF-16"));
    }
    // At most three bytes for each two, so that no copy of the plaintext is left behind by growing.
    let mut narrow = Zeroizing::new(Vec::with_capacity(text.len() / 2 * 3));
    let mut at = 2;
    for unit in char::decode_utf16(pairs.iter().map(|pair| wide(*pair))) {
        let unit = unit.map_err(|_| Fault::not_allowed(at, "half a surrogate pair of UTF-16"))?;
        at += 2 * unit.len_utf16();
        narrow.extend_from_slice(unit.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Ok(Some(narrow))
}

/// Refuses what go-yaml's reader refuses; otherwise tells whether every byte is ASCII.
pub(super) fn check(text: &[u8]) -> Result<bool, Fault> {
    if matches!(text, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]) {
        return Err(Fault::not_allowed(0, "UTF-16 is not supported; save the file as UTF-8"));
    }
    // go-yaml takes a second mark for one at the start of every line and loses characters.
    if text.starts_with(b"\xEF\xBB\xBF\xEF\xBB\xBF") {
        return Err(Fault::not_allowed(3, "a second byte order mark"));
    }
    let (mut control, mut high) = (false, 0);
    for chunk in text.chunks(256) {
        for byte in chunk {
            control |= is_control(*byte);
            high |= byte;
        }
    }
    if control && let Some(at) = text.iter().position(|byte| is_control(*byte)) {
        return Err(Fault::not_allowed(at, "control characters are not allowed"));
    }
    if high < 0x80 {
        return Ok(true);
    }
    if let Err(invalid) = std::str::from_utf8(text) {
        return Err(Fault::not_allowed(invalid.valid_up_to(), "the text is not UTF-8"));
    }
    for at in memchr::memchr2_iter(0xC2, 0xEF, text) {
        let refused = match text[at] {
            0xC2 => matches!(byte(text, at + 1), 0x80..=0x9F) && byte(text, at + 1) != 0x85,
            _ => byte(text, at + 1) == 0xBF && byte(text, at + 2) >= 0xBE,
        };
        if refused {
            return Err(Fault::not_allowed(at, "control characters are not allowed"));
        }
    }
    Ok(false)
}

const fn is_control(byte: u8) -> bool {
    (byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r') | (byte == 0x7F)
}
