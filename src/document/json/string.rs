//! Strings and numbers of JSON.

/// How many bytes are looked at together.
const RUN: usize = 32;

/// U+FFFD, which Go puts in the place of what is no Unicode.
const REPLACEMENT: &[u8] = "\u{FFFD}".as_bytes();

/// The length of a well-formed escape at the start of `text`.
pub(super) fn escape_length(text: &[u8]) -> Option<usize> {
    match text.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => text.get(2..6)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}

/// The length of the JSON number at the start of `text`; 0 if there is none.
pub(super) fn number_length(text: &[u8]) -> usize {
    let digits =
        |from: usize| text.get(from..).map_or(0, |rest| rest.iter().take_while(|b| b.is_ascii_digit()).count());
    let mut at = usize::from(text.first() == Some(&b'-'));
    match text.get(at) {
        Some(b'0') => at += 1,
        Some(b'1'..=b'9') => at += digits(at),
        _ => return 0,
    }
    if text.get(at) == Some(&b'.') {
        match digits(at + 1) {
            0 => return 0,
            length => at += 1 + length,
        }
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        match digits(at + 1 + sign) {
            0 => return 0,
            length => at += 1 + sign + length,
        }
    }
    at
}

/// The value of a string token without its quotes, as Go reads it: what is no Unicode becomes U+FFFD, byte by byte.
pub(super) fn unescape(inner: &[u8]) -> Vec<u8> {
    // A replacement takes three bytes for one, so that this is no bound, but nearly always right.
    let mut out = Vec::with_capacity(inner.len());
    let mut at = 0;
    while at < inner.len() {
        let run = memchr::memchr(b'\\', &inner[at..]).unwrap_or(inner.len() - at);
        unicode(&inner[at..at + run], &mut out);
        at += run;
        let Some(escaped) = inner.get(at + 1) else { break };
        at += 2;
        match escaped {
            b'b' => out.push(0x08),
            b'f' => out.push(0x0C),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => at += code_point(&inner[at..], &mut out),
            other => out.push(*other),
        }
    }
    out
}

/// Appends the code point whose hexadecimal digits begin `text`; gives the bytes it read.
fn code_point(text: &[u8], out: &mut Vec<u8>) -> usize {
    let unit = |from: usize| -> Option<u16> {
        u16::from_str_radix(std::str::from_utf8(text.get(from..from + 4)?).ok()?, 16).ok()
    };
    let first = unit(0).unwrap_or(0xD800);
    let pair = if text.get(4..6) == Some(b"\\u") { unit(6) } else { None };
    let units = [first, pair.unwrap_or(0)];
    let (decoded, read) = match char::decode_utf16([first]).next() {
        Some(Ok(single)) => (single, 4),
        _ => match char::decode_utf16(units).next() {
            Some(Ok(paired)) => (paired, 10),
            _ => ('\u{FFFD}', 4),
        },
    };
    out.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
    read
}

/// Appends `bytes`, every byte that is no UTF-8 replaced.
fn unicode(bytes: &[u8], out: &mut Vec<u8>) {
    for chunk in bytes.utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
        for _ in chunk.invalid() {
            out.extend_from_slice(REPLACEMENT);
        }
    }
}

/// Appends `bytes` as a JSON string with its quotes and no escape that JSON does not demand.
pub(super) fn quote(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for chunk in bytes.utf8_chunks() {
        for run in chunk.valid().as_bytes().chunks(RUN) {
            // Nearly always there is nothing to escape, which is found out for many bytes at once.
            if run.iter().fold(false, |any, byte| any | (*byte < 0x20) | matches!(byte, b'"' | b'\\')) {
                run.iter().for_each(|byte| escape(*byte, out));
            } else {
                out.extend_from_slice(run);
            }
        }
        for _ in chunk.invalid() {
            out.extend_from_slice(REPLACEMENT);
        }
    }
    out.push(b'"');
}

/// Appends one byte of a string, escaped if it must be.
fn escape(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0x08 => out.extend_from_slice(b"\\b"),
        0x0C => out.extend_from_slice(b"\\f"),
        0..=0x1F => {
            let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        }
        _ => out.push(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::{number_length, quote, unescape};

    #[test]
    fn what_is_no_unicode_becomes_one_replacement_a_byte() {
        // As Go's encoding/json has it.
        assert_eq!(unescape(b"\xE2\x82A"), "\u{FFFD}\u{FFFD}A".as_bytes());
        assert_eq!(unescape(br"\ud83d\ude00"), "😀".as_bytes());
        assert_eq!(unescape(br"\ud83d\u0041"), "\u{FFFD}A".as_bytes());
        assert_eq!(unescape(br"\ude00x\ud83d"), "\u{FFFD}x\u{FFFD}".as_bytes());
        assert_eq!(unescape(br"\ud83d\ud83d\ude00"), "\u{FFFD}😀".as_bytes());
        assert_eq!(unescape(br#"\"\\\/\b\f\n\r\t\u00e9"#), "\"\\/\u{8}\u{c}\n\r\t\u{e9}".as_bytes());
    }

    #[test]
    fn quoting_escapes_only_what_it_must() {
        let mut out = Vec::new();
        quote("a\"\\/\n\u{1}\u{7f}<é\u{2028}".as_bytes(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "\"a\\\"\\\\/\\n\\u0001\u{7f}<é\u{2028}\"");
    }

    #[test]
    fn numbers_are_strict() {
        for (text, length) in
            [("0", 1), ("-0.5e+7x", 7), ("01", 1), ("1.", 0), (".5", 0), ("-", 0), ("1e", 0), ("+1", 0)]
        {
            assert_eq!(number_length(text.as_bytes()), length, "{text}");
        }
    }
}
