//! What the text of a value means in each dialect, and which text means a value.

use std::borrow::Cow;

use super::kind::{Dialect, Form};

const EXPANDED: &str = "this is not a value yet: `$` or a backquote is expanded by the reader; put it in single quotes";
const SPECIAL: &str = "a character that means something to a shell; put the value in quotes";
pub(super) const RETURN: &str = "a carriage return inside a line, where the line ends to systemd";
const NUL: &str = "a NUL byte";

/// The value of `raw`, which stands in that form, without its quotes; or why it has none.
pub(super) fn read(dialect: Dialect, form: Form, raw: &[u8]) -> Result<Cow<'_, [u8]>, &'static str> {
    use Dialect::{Compose, Docker, Node, Shell, Systemd};
    if raw.contains(&0) {
        return Err(NUL);
    }
    match (dialect, form) {
        (Docker, _) | (Shell | Systemd, Form::Single) => Ok(Cow::Borrowed(raw)),
        (Node, Form::Bare | Form::Single | Form::Backquoted) => without_returns(raw),
        (Compose, Form::Bare | Form::Backquoted) => interpolated(Cow::Borrowed(raw)),
        (Shell, Form::Bare | Form::Backquoted) => shell_word(raw),
        (Systemd, Form::Bare | Form::Backquoted) => {
            let backslashes = raw.iter().rev().take_while(|byte| **byte == b'\\').count();
            if backslashes % 2 == 1 {
                return Err("a value without quotes that goes on in the next line");
            }
            if raw.contains(&b'\r') {
                return Err(RETURN);
            }
            unescaped(raw, |next, out| {
                out.push(next);
                Ok(true)
            })
        }
        (Compose, Form::Single) => unescaped(raw, |next, out| Ok(kept_unless(next == b'\'', next, out))),
        (Shell, Form::Double) => {
            refuse_expansion(raw)?;
            unescaped(raw, |next, out| match next {
                b'\n' => Ok(true),
                _ => Ok(kept_unless(matches!(next, b'$' | b'`' | b'"' | b'\\'), next, out)),
            })
        }
        (Systemd, Form::Double) => unescaped(raw, |next, out| match next {
            b'\n' => Ok(true),
            _ => Ok(kept_unless(matches!(next, b'$' | b'`' | b'"' | b'\\'), next, out)),
        }),
        (Node, Form::Double) => without_returns(raw).map(line_breaks),
        (Compose, Form::Double) => interpolated(compose_escapes(raw)?),
    }
}

/// What Compose's interpolation leaves: `$$` stands for a dollar, and one that begins no name for itself.
///
/// *Source*: the pattern of Compose's templates, which takes a name's letters without regard to case: so to it `\u{17F}`
/// and `\u{212A}` are letters.
fn interpolated(text: Cow<'_, [u8]>) -> Result<Cow<'_, [u8]>, &'static str> {
    if memchr::memchr(b'$', &text).is_none() {
        return Ok(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = &text[..];
    while let Some(at) = memchr::memchr(b'$', rest) {
        let behind = &rest[at + 1..];
        out.extend_from_slice(&rest[..=at]);
        rest = match behind {
            [b'_' | b'{' | b'a'..=b'z' | b'A'..=b'Z', ..] | [0xC5, 0xBF, ..] | [0xE2, 0x84, 0xAA, ..] => {
                return Err(EXPANDED);
            }
            [b'$', behind @ ..] => behind,
            behind => behind,
        };
    }
    out.extend_from_slice(rest);
    Ok(Cow::Owned(out))
}

/// Double quotes of Compose before its interpolation, to which `\$` becomes `$$`.
fn compose_escapes(raw: &[u8]) -> Result<Cow<'_, [u8]>, &'static str> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let escape = &rest[at..];
        let mut length = escape.len().min(2);
        match escape {
            [_, b'n', ..] => out.push(b'\n'),
            [_, b'r', ..] => out.push(b'\r'),
            [_, b't', ..] => out.push(b'\t'),
            [_, b'a', ..] => out.push(0x07),
            [_, b'b', ..] => out.push(0x08),
            [_, b'f', ..] => out.push(0x0C),
            [_, b'v', ..] => out.push(0x0B),
            [_, b'$', ..] => out.extend_from_slice(b"$$"),
            [_, sign @ (b'"' | b'\\'), ..] => out.push(*sign),
            // A character by its octal number, not a byte.
            [_, b'0', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                let char = char::from((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                if char == '\0' {
                    return Err(NUL);
                }
                out.extend_from_slice(char.encode_utf8(&mut [0; 2]).as_bytes());
                length = 5;
            }
            // Of a number that is none Compose leaves out the zero.
            [_, b'0', ..] => out.push(b'\\'),
            // Anything else means itself.
            _ => out.extend_from_slice(&escape[..length]),
        }
        rest = &escape[length..];
    }
    if out.is_empty() && rest.len() == raw.len() {
        return Ok(Cow::Borrowed(raw));
    }
    out.extend_from_slice(rest);
    Ok(Cow::Owned(out))
}

/// Node leaves out every carriage return, so that one inside a line would put together what stands apart.
fn without_returns(raw: &[u8]) -> Result<Cow<'_, [u8]>, &'static str> {
    let out = replaced(raw, b"\r\n");
    if out.contains(&b'\r') { Err("a carriage return inside a line, which Node leaves out") } else { Ok(out) }
}

/// Every `\n` becomes a line break, whatever stands before it.
fn line_breaks(raw: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match replaced(&raw, b"\\n") {
        Cow::Owned(out) => Cow::Owned(out),
        Cow::Borrowed(_) => raw,
    }
}

/// The text with line breaks in place of those two bytes.
fn replaced<'r>(raw: &'r [u8], two: &[u8; 2]) -> Cow<'r, [u8]> {
    let mut out = Vec::new();
    let mut copied = 0;
    for at in memchr::memmem::find_iter(raw, two) {
        out.extend_from_slice(&raw[copied..at]);
        out.push(b'\n');
        copied = at + 2;
    }
    if copied == 0 {
        return Cow::Borrowed(raw);
    }
    out.extend_from_slice(&raw[copied..]);
    Cow::Owned(out)
}

fn kept_unless(escaped: bool, next: u8, out: &mut Vec<u8>) -> bool {
    if escaped {
        out.push(next);
    }
    escaped
}

/// Shows each byte behind a backslash; where `take` does not take it, both stay, and the byte is looked at again unless
/// it is a backslash itself.
fn unescaped(
    raw: &[u8],
    take: impl Fn(u8, &mut Vec<u8>) -> Result<bool, &'static str>,
) -> Result<Cow<'_, [u8]>, &'static str> {
    if memchr::memchr(b'\\', raw).is_none() {
        return Ok(Cow::Borrowed(raw));
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        at += 1;
        match raw.get(at) {
            Some(&next) if byte == b'\\' => {
                if !take(next, &mut out)? {
                    out.extend_from_slice(&[byte, next]);
                }
                at += 1;
            }
            _ => out.push(byte),
        }
    }
    Ok(Cow::Owned(out))
}

/// Refuses a `$` or a backquote without a backslash.
fn refuse_expansion(raw: &[u8]) -> Result<(), &'static str> {
    let mut escaped = false;
    for byte in raw {
        match byte {
            b'\\' => escaped = !escaped,
            b'$' | b'`' if !escaped => return Err(EXPANDED),
            _ => escaped = false,
        }
    }
    Ok(())
}

/// A word without quotes: a backslash protects the byte behind it.
fn shell_word(raw: &[u8]) -> Result<Cow<'_, [u8]>, &'static str> {
    let mut escaped = false;
    let mut before = b':';
    for &byte in raw {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'$' | b'`' => return Err(EXPANDED),
            b'~' if before == b':' => return Err(EXPANDED),
            b' ' | b'\t' | b'\r' | b'|' | b'&' | b';' | b'(' | b')' | b'<' | b'>' | b'"' | b'\'' => {
                return Err(SPECIAL);
            }
            _ => {}
        }
        before = byte;
    }
    if escaped || raw.contains(&b'\n') {
        return Err(SPECIAL);
    }
    unescaped(raw, |next, out| {
        out.push(next);
        Ok(true)
    })
}

/// The text that means `value` in that form, without quotes; `None` where the form cannot hold it.
pub(super) fn spell(dialect: Dialect, form: Form, value: &str) -> Option<Cow<'_, str>> {
    use Dialect::{Compose, Docker, Node, Shell, Systemd};
    let breaks = value.contains('\n');
    let edges = value.trim() != value;
    let verbatim = |fits: bool| fits.then_some(Cow::Borrowed(value));
    if value.contains('\0') || dialect == Node && value.contains('\r') {
        return None;
    }
    match (dialect, form) {
        (Docker, Form::Bare) => verbatim(!breaks && !value.contains('\r')),
        (Docker, _) | (Compose | Shell | Systemd, Form::Backquoted) => None,
        (_, Form::Bare) if breaks || edges || value.contains('\r') || value.starts_with(['\'', '"', '`']) => None,
        (Compose, Form::Bare) => verbatim(!value.contains(['#', '$', '\\'])),
        (Node, Form::Bare) => verbatim(!value.contains('#')),
        (Systemd, Form::Bare) => verbatim(!value.contains('\\')),
        (Shell, Form::Bare) => {
            let plain = |char: char| char.is_alphanumeric() || "_@%+=:,./-^[]".contains(char);
            verbatim(value.chars().all(plain))
        }
        (Shell | Systemd | Node, Form::Single) => verbatim(!value.contains('\'')),
        (Node, Form::Backquoted) => verbatim(!value.contains('`')),
        (Node, Form::Double) => verbatim(!value.contains('"') && !value.contains('\\')),
        (Compose, Form::Single) => {
            let fits =
                !value.contains("\\'") && !value.ends_with('\\') && !value.contains("\r\n") && !value.contains("\\\\");
            fits.then(|| escaped(value, "'"))
        }
        (Compose, Form::Double) => Some(Cow::Owned(escaped(value, "\\\"$").replace('\r', "\\r"))),
        (Shell | Systemd, Form::Double) => Some(escaped(value, "\\\"$`")),
    }
}

/// The text with a backslash before each of those.
fn escaped<'v>(value: &'v str, special: &str) -> Cow<'v, str> {
    if !value.contains(|char| special.contains(char)) {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len() + 8);
    for char in value.chars() {
        if special.contains(char) {
            out.push('\\');
        }
        out.push(char);
    }
    Cow::Owned(out)
}
