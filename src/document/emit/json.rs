//! JSON as Go's `encoding/json` writes it.

use super::{EmitError, EmitOptions, number};
use crate::document::buffer::Buffer;
use crate::document::owned::{OwnedTree, Part};
use crate::document::scalar::{Kind, parse_float};

/// SOPS writes the first document only.
pub(super) fn file(tree: &OwnedTree, options: EmitOptions, out: &mut Buffer) -> Result<(), EmitError> {
    let root = tree.roots().next().unwrap_or(0);
    value(tree, root, options, out)?;
    out.push(b'\n');
    Ok(())
}

/// The value that begins at `at`, without a line break behind it.
pub(super) fn value(tree: &OwnedTree, at: usize, options: EmitOptions, out: &mut Buffer) -> Result<(), EmitError> {
    let unit = match options.indent {
        None | Some(-1) => "\t".to_owned(),
        Some(columns) => match usize::try_from(columns) {
            Ok(columns) => " ".repeat(columns.min(4096)),
            Err(_) => return Err(EmitError::Indent("JSON Indentation parameter smaller than -1 is not accepted")),
        },
    };
    Writer { tree, unit, open: Vec::new(), out }.value(at)
}

struct Writer<'t, 'o> {
    tree: &'t OwnedTree,
    unit: String,
    /// Of each open container whether it is a list, and whether it has an item yet.
    open: Vec<(bool, bool)>,
    out: &'o mut Buffer,
}

impl Writer<'_, '_> {
    fn value(mut self, at: usize) -> Result<(), EmitError> {
        for part in &self.tree.parts()[at..] {
            match *part {
                Part::Comment { .. } => {}
                Part::Key(span) => {
                    self.item();
                    quote(self.tree.text(span), self.out);
                    self.out.extend(b": ");
                }
                Part::Scalar { kind, span } => {
                    self.list_item();
                    scalar(kind, self.tree.text(span), self.out)?;
                }
                Part::Open { list } => {
                    self.list_item();
                    self.out.push(if list { b'[' } else { b'{' });
                    self.open.push((list, false));
                }
                Part::Close => {
                    let Some((list, filled)) = self.open.pop() else { return Ok(()) };
                    if filled {
                        self.line();
                    }
                    self.out.push(if list { b']' } else { b'}' });
                }
            }
            if self.open.is_empty() && !matches!(part, Part::Comment { .. }) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn list_item(&mut self) {
        if self.open.last().is_some_and(|(list, _)| *list) {
            self.item();
        }
    }

    fn item(&mut self) {
        if let Some((_, filled)) = self.open.last_mut() {
            if std::mem::replace(filled, true) {
                self.out.push(b',');
            }
            self.line();
        }
    }

    fn line(&mut self) {
        self.out.push(b'\n');
        for _ in 0..self.open.len() {
            self.out.extend(self.unit.as_bytes());
        }
    }
}

fn scalar(kind: Kind, bytes: &[u8], out: &mut Buffer) -> Result<(), EmitError> {
    match kind {
        Kind::Str | Kind::Time => quote(bytes, out),
        Kind::Int => out.extend(bytes),
        Kind::Bool => out.extend(if bytes == b"True" { b"true" } else { b"false" }),
        Kind::Null => out.extend(b"null"),
        Kind::Float => {
            let value = parse_float(bytes).unwrap_or(f64::NAN);
            if !value.is_finite() {
                return Err(EmitError::NotFinite(match value {
                    value if value.is_nan() => "NaN",
                    value if value > 0.0 => "+Inf",
                    _ => "-Inf",
                }));
            }
            out.extend(number::json(value).as_bytes());
        }
    }
    Ok(())
}

/// Go escapes what could end a script element, too, and has U+FFFD for every byte that is no UTF-8.
pub(super) fn quote(bytes: &[u8], out: &mut Buffer) {
    out.push(b'"');
    for chunk in bytes.utf8_chunks() {
        let text = chunk.valid();
        let mut copied = 0;
        for (at, char) in text.char_indices() {
            let escape: &[u8] = match char {
                '"' => b"\\\"",
                '\\' => b"\\\\",
                '\n' => b"\\n",
                '\r' => b"\\r",
                '\t' => b"\\t",
                '\x08' => b"\\b",
                '\x0C' => b"\\f",
                '<' => b"\\u003c",
                '>' => b"\\u003e",
                '&' => b"\\u0026",
                '\u{2028}' => b"\\u2028",
                '\u{2029}' => b"\\u2029",
                '\0'..='\x1F' => {
                    let code = char as u8;
                    let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
                    &[b'\\', b'u', b'0', b'0', digit(code >> 4), digit(code & 15)]
                }
                _ => continue,
            };
            out.extend(&text.as_bytes()[copied..at]);
            out.extend(escape);
            copied = at + char.len_utf8();
        }
        out.extend(&text.as_bytes()[copied..]);
        for _ in chunk.invalid() {
            out.extend(b"\\ufffd");
        }
    }
    out.push(b'"');
}
