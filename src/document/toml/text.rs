//! Strings of TOML: reading their escapes, and writing a text in the quotes of an old one.

use std::borrow::Cow;
use std::ops::Range;

use crate::document::syntax::SyntaxErrorKind;

/// The four kinds of quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quotes {
    /// `'`, in which nothing is escaped, or `"`.
    pub(super) literal: bool,
    /// Three of them, between which lines may break.
    pub(super) lines: bool,
}

impl Quotes {
    /// Those that a text begins with.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let literal = match text.first()? {
            b'\'' => true,
            b'"' => false,
            _ => return None,
        };
        Some(Self { literal, lines: text.len() > 2 && text[1] == text[0] && text[2] == text[0] })
    }

    fn mark(self) -> &'static [u8] {
        match (self.literal, self.lines) {
            (false, false) => b"\"",
            (true, false) => b"'",
            (false, true) => b"\"\"\"",
            (true, true) => b"'''",
        }
    }

    /// What stands between the quotes of a whole string, without the line break that a reader drops.
    pub(super) fn inside(self, whole: &Range<usize>, text: &[u8]) -> Range<usize> {
        let mark = self.mark().len();
        let start = whole.start + mark;
        start + if self.lines { first_break(&text[start..]) } else { 0 }..whole.end - mark
    }
}

/// The length of the line break at the start.
fn first_break(text: &[u8]) -> usize {
    match text {
        [b'\n', ..] => 1,
        [b'\r', b'\n', ..] => 2,
        _ => 0,
    }
}

/// The length of the string that `text` begins with, and what is wrong at which offset of it if it does not end.
pub(super) fn length(text: &[u8], quotes: Quotes) -> Result<usize, (usize, SyntaxErrorKind)> {
    let mark = quotes.mark();
    let quote = mark[0];
    let mut at = mark.len();
    loop {
        match text.get(at) {
            None => return Err((text.len(), SyntaxErrorKind::Expected("the quotes that end the string"))),
            Some(&byte) if byte == quote && !quotes.lines => return Ok(at + 1),
            Some(&byte) if byte == quote => {
                let run = text[at..].iter().take_while(|byte| **byte == quote).count();
                // Two quotes may stand right before the three that end it.
                match run {
                    0..3 => at += run,
                    3..=5 => return Ok(at + run),
                    _ => {
                        return Err((
                            at + 5,
                            SyntaxErrorKind::NotAllowed("more than two quotes before the last three"),
                        ));
                    }
                }
            }
            Some(b'\\') if !quotes.literal => {
                at += escape(&text[at..], quotes.lines, &mut Vec::new()).map_err(|kind| (at, kind))?;
            }
            Some(b'\n') if quotes.lines => at += 1,
            Some(b'\r') if quotes.lines && text.get(at + 1) == Some(&b'\n') => at += 2,
            Some(b'\n' | b'\r') => return Err((at, SyntaxErrorKind::Expected("the quotes that end the string"))),
            Some(0..=8 | 0x0B..=0x1F | 0x7F) => {
                return Err((at, SyntaxErrorKind::NotAllowed("a control character in a string")));
            }
            Some(_) => at += 1,
        }
    }
}

/// The value of what stands between quotes.
pub(super) fn value(inside: &[u8], quotes: Quotes) -> Cow<'_, [u8]> {
    if quotes.literal || memchr::memchr(b'\\', inside).is_none() {
        return Cow::Borrowed(inside);
    }
    let mut out = Vec::with_capacity(inside.len());
    let mut at = 0;
    while at < inside.len() {
        let run = memchr::memchr(b'\\', &inside[at..]).unwrap_or(inside.len() - at);
        out.extend_from_slice(&inside[at..at + run]);
        at += run;
        if at < inside.len() {
            at += escape(&inside[at..], quotes.lines, &mut out).unwrap_or(1);
        }
    }
    Cow::Owned(out)
}

/// Reads the escape at the start of `text`: appends what it stands for, gives its length.
fn escape(text: &[u8], lines: bool, out: &mut Vec<u8>) -> Result<usize, SyntaxErrorKind> {
    let refused = SyntaxErrorKind::Expected("an escape as TOML writes it");
    let plain = match text.get(1) {
        Some(b'b') => 0x08,
        Some(b't') => b'\t',
        Some(b'n') => b'\n',
        Some(b'f') => 0x0C,
        Some(b'r') => b'\r',
        Some(b'e') => 0x1B,
        Some(b'"') => b'"',
        Some(b'\\') => b'\\',
        Some(b'x') => return code_point(text, 2, out).ok_or(refused),
        Some(b'u') => return code_point(text, 4, out).ok_or(refused),
        Some(b'U') => return code_point(text, 8, out).ok_or(refused),
        Some(b' ' | b'\t' | b'\n' | b'\r') if lines => {
            let blanks = text[1..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            if first_break(&text[1 + blanks..]) == 0 {
                return Err(refused);
            }
            // A lone `\r` is no line break; whoever reads on refuses it.
            let rest = &text[1 + blanks..];
            let mut at = 0;
            loop {
                match rest.get(at) {
                    Some(b' ' | b'\t' | b'\n') => at += 1,
                    Some(b'\r') if rest.get(at + 1) == Some(&b'\n') => at += 2,
                    _ => return Ok(1 + blanks + at),
                }
            }
        }
        _ => return Err(refused),
    };
    out.push(plain);
    Ok(2)
}

fn code_point(text: &[u8], digits: usize, out: &mut Vec<u8>) -> Option<usize> {
    let hex = std::str::from_utf8(text.get(2..2 + digits)?).ok()?;
    let plain = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let found = u32::from_str_radix(hex, 16).ok().filter(|_| plain).and_then(char::from_u32)?;
    out.extend_from_slice(found.encode_utf8(&mut [0; 4]).as_bytes());
    Some(2 + digits)
}

/// Appends `value` in the quotes of `old`, or in double ones where those cannot hold it.
pub(super) fn write(value: &str, old: &[u8], out: &mut Vec<u8>) {
    let quotes = Quotes::of(old).unwrap_or(Quotes { literal: false, lines: false });
    let broken = if quotes.lines { first_break(&old[3..]) } else { 0 };
    // Behind the opening quotes a first line break would be dropped.
    let dropped = quotes.lines && broken == 0 && first_break(value.as_bytes()) > 0;
    if quotes.literal && fits_literal(value, quotes.lines) && !dropped {
        out.extend_from_slice(quotes.mark());
        out.extend_from_slice(&old[3.min(old.len())..][..broken]);
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(quotes.mark());
        return;
    }
    if !quotes.lines {
        return basic(value, out);
    }
    out.extend_from_slice(b"\"\"\"");
    out.extend_from_slice(&old[3..][..broken]);
    basic_lines(value, dropped, out);
    out.extend_from_slice(b"\"\"\"");
}

fn fits_literal(value: &str, lines: bool) -> bool {
    let bytes = value.as_bytes();
    let control = |at: usize| match bytes[at] {
        b'\n' => !lines,
        b'\r' => !lines || bytes.get(at + 1) != Some(&b'\n'),
        byte => byte != b'\t' && byte.is_ascii_control(),
    };
    let quotes = if lines { value.contains("'''") || value.ends_with('\'') } else { value.contains('\'') };
    !quotes && !(0..bytes.len()).any(control)
}

/// Appends `value` in double quotes on one line.
pub(super) fn basic(value: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    value.bytes().for_each(|byte| push(byte, out));
    out.push(b'"');
}

fn push(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0x08 => out.extend_from_slice(b"\\b"),
        0x0C => out.extend_from_slice(b"\\f"),
        byte if byte.is_ascii_control() => out.extend_from_slice(format!("\\u{byte:04X}").as_bytes()),
        byte => out.push(byte),
    }
}

/// The inside of a string of several lines: breaks, tabs and up to two quotes in a row stand for themselves.
fn basic_lines(value: &str, mut first: bool, out: &mut Vec<u8>) {
    let bytes = value.as_bytes();
    let mut run = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let break_follows = byte == b'\r' && bytes.get(at + 1) == Some(&b'\n');
        run = if byte == b'"' { run + 1 } else { 0 };
        match byte {
            b'"' if run == 3 || at + 1 == bytes.len() => {
                out.extend_from_slice(b"\\\"");
                run = 0;
            }
            b'\n' | b'\r' if first => push(byte, out),
            b'"' | b'\t' | b'\n' => out.push(byte),
            b'\r' if break_follows => out.push(byte),
            byte => push(byte, out),
        }
        first &= break_follows;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, (usize, SyntaxErrorKind)> {
        let quotes = Quotes::of(text.as_bytes()).unwrap();
        let end = length(text.as_bytes(), quotes)?;
        let inside = quotes.inside(&(0..end), text.as_bytes());
        Ok(String::from_utf8(value(&text.as_bytes()[inside], quotes).into_owned()).unwrap())
    }

    #[test]
    fn every_text_comes_back_from_every_kind_of_quotes() {
        let texts = [
            "",
            "a",
            "it's",
            "\"",
            "\"\"",
            "\"\"\"",
            "'''",
            "''",
            "a\nb\n",
            "\n",
            "\r\n",
            "\r",
            "\r\nx",
            "\t",
            "é\u{1F600}",
        ];
        let texts = texts.iter().chain(&["\\", "\u{1}", "\u{7F}", "a'", "a\"\"\"\"b\"", "\\\n  x", "\n\n", "'\n'"]);
        for text in texts {
            for old in
                ["1", "\"\"", "''", "\"\"\"\"\"\"", "''''''", "\"\"\"\nx\"\"\"", "'''\r\nx'''", "\"\"\"\\\nx\"\"\""]
            {
                let mut out = Vec::new();
                write(text, old.as_bytes(), &mut out);
                let written = String::from_utf8(out).unwrap();
                assert_eq!(read(&written).as_deref(), Ok(*text), "{old:?} {written:?}");
            }
        }
    }

    #[test]
    fn what_is_no_string_is_told_with_its_place() {
        for (text, at) in
            [("\"a", 2), ("'a\nb'", 2), ("\"\\q\"", 1), ("\"\\uD800\"", 1), ("\"a\u{1}\"", 2), ("\"\"\"a\\ b\"\"\"", 4)]
        {
            assert_eq!(read(text).map_err(|(at, _)| at), Err(at), "{text:?}");
        }
        assert_eq!(read("\"\"\"a\\\n\n \tb\"\"\"").as_deref(), Ok("ab"));
        assert_eq!(read("\"\"\"\"\"a\"\"\"\"\"").as_deref(), Ok("\"\"a\"\""));
    }
}
