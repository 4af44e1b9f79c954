//! What the text of a value means in each dialect, and which text means a value.

use std::borrow::Cow;

use super::kind::{Dialect, Form};

const EXPANDED: &str = "this is not a value yet: `$` or a backquote is expanded by the reader; put it in single quotes";
const SPECIAL: &str = "a character that means something to a shell; put the value in quotes";
const ESCAPE: &str = "an escape that readers of this dialect do not agree on";

/// The value of `raw`, which stands in that form, without its quotes; or why it has none.
pub(super) fn read(dialect: Dialect, form: Form, raw: &[u8]) -> Result<Cow<'_, [u8]>, &'static str> {
    use Dialect::{Compose, Docker, Node, Shell, Systemd};
    if raw.contains(&0) {
        return Err("a NUL byte");
    }
    match (dialect, form) {
        (Docker, _) | (Node, Form::Bare | Form::Single | Form::Backquoted) | (Shell | Systemd, Form::Single) => {
            Ok(Cow::Borrowed(raw))
        }
        (Compose, Form::Bare) if raw.contains(&b'$') => Err(EXPANDED),
        (Compose, Form::Bare | Form::Backquoted) => Ok(Cow::Borrowed(raw)),
        (Shell, Form::Bare | Form::Backquoted) => shell_word(raw),
        (Systemd, Form::Bare | Form::Backquoted) => unescaped(raw, |next, out| {
            out.push(next);
            Ok(true)
        }),
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
        (Node, Form::Double) => Ok(line_breaks(raw)),
        (Compose, Form::Double) => {
            refuse_expansion(&raw.iter().copied().filter(|byte| *byte != b'`').collect::<Vec<u8>>())?;
            unescaped(raw, |next, out| {
                out.push(match next {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'a' => 0x07,
                    b'b' => 0x08,
                    b'f' => 0x0C,
                    b'v' => 0x0B,
                    b'$' | b'"' | b'\\' => next,
                    b'c' | b'0' => return Err(ESCAPE),
                    _ => return Ok(false),
                });
                Ok(true)
            })
        }
    }
}

/// Every `\n` becomes a line break, whatever stands before it.
fn line_breaks(raw: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::new();
    let mut copied = 0;
    for at in memchr::memmem::find_iter(raw, b"\\n") {
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
    let edges = value.trim_matches([' ', '\t', '\u{B}', '\u{C}', '\u{85}', '\u{A0}']) != value;
    let verbatim = |fits: bool| fits.then_some(Cow::Borrowed(value));
    if value.contains('\0') || dialect == Node && value.contains('\r') {
        return None;
    }
    match (dialect, form) {
        (Docker, Form::Bare) => verbatim(!breaks && !value.contains('\r')),
        (Docker, _) | (Compose | Shell | Systemd, Form::Backquoted) => None,
        (_, Form::Bare) if breaks || edges || value.contains('\r') || value.starts_with(['\'', '"', '`']) => None,
        (Compose, Form::Bare) => {
            verbatim(!value.contains(['#', '$', '\\']) && !value.trim().is_empty() | value.is_empty())
        }
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
