//! The escapes that Go's `encoding/json` writes so that JSON may stand in HTML: `\u003c`, `\u003e`, `\u0026`.
//!
//! A value that has them shall get them back, so its token remembers: its last character stands there as an escape.
//! Every reader gives it the same value.

use super::string::quote;

/// `]` in another spelling.
const MARK: &[u8] = b"\\u005d";

const ESCAPES: [(u8, &[u8]); 3] = [(b'<', b"\\u003c"), (b'>', b"\\u003e"), (b'&', b"\\u0026")];

/// Whether a string, quotes included, is written in that way, or is a token that stands for one.
pub(super) fn has(source: &[u8]) -> bool {
    let marked = source.strip_suffix(b"\"").is_some_and(|inner| inner.ends_with(MARK));
    let raw = source.iter().any(|byte| matches!(byte, b'<' | b'>' | b'&'));
    marked || !raw && ESCAPES.iter().any(|(_, escape)| memchr::memmem::find(source, escape).is_some())
}

/// Appends a token that remembers.
pub(super) fn quote_token(token: &[u8], out: &mut Vec<u8>) {
    quote(token, out);
    if out.ends_with(b"]\"") {
        out.truncate(out.len() - 2);
        out.extend_from_slice(MARK);
        out.push(b'"');
    }
}

/// Appends a text with these escapes.
pub(super) fn quote_text(text: &[u8], out: &mut Vec<u8>) {
    let from = out.len();
    quote(text, out);
    let quoted = out.split_off(from);
    for byte in &*zeroize::Zeroizing::new(quoted) {
        match ESCAPES.iter().find(|(char, _)| char == byte) {
            Some((_, escape)) => out.extend_from_slice(escape),
            None => out.push(*byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{has, quote_text, quote_token};

    #[test]
    fn a_token_remembers_the_escapes() {
        assert!(has(br#""a \u003c b""#));
        assert!(!has(br#""a < \u003e b""#));
        assert!(!has(br#""ENC[a]""#));
        let mut out = Vec::new();
        quote_token(b"ENC[a]", &mut out);
        assert_eq!(out, br#""ENC[a\u005d""#);
        assert!(has(&out));
        out.clear();
        quote_text(b"a <\"&> b", &mut out);
        assert_eq!(out, br#""a \u003c\"\u0026\u003e b""#);
    }
}
