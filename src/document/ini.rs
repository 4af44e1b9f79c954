//! Sections of `key = value` lines.
//!
//! *Source*: the SOPS format, "INI" (`stores/ini/store.go` of SOPS 3.13, package `ini.v1`). Refused, because SOPS
//! would lose or corrupt it: a key twice in one section, the key `-`, a comment at the end of the file, a key with a
//! comment above and another one behind it.

mod change;
mod lenient;
mod outline;
mod scan;

use std::ops::Range;

use super::edit::{MetadataEdit, Replacement};
use super::flat::{flatten, spell};
use super::graft::Change;
use super::key_path::KeyPath;
use super::outline::{Comment, Leaf, Outline};
use super::scalar::{Kind, Scalar};
use super::syntax::{Format, Syntax, SyntaxError, SyntaxErrorKind, error};
use super::trailer;
use scan::{Form, TRIPLE, unquote};

pub(crate) struct Ini;

/// The section SOPS keeps its metadata in.
const SOPS: &str = "sops";

impl Syntax for Ini {
    fn parse(&self, text: &[u8]) -> Result<Outline, SyntaxError> {
        outline::read(text)
    }

    fn parse_as_sops(&self, text: &[u8]) -> Result<(Outline, Option<Vec<u8>>), SyntaxError> {
        match outline::read(text) {
            Err(SyntaxError {
                kind: SyntaxErrorKind::NotAllowed(_) | SyntaxErrorKind::DuplicateKey { .. }, ..
            }) => {
                let text = lenient::rewritten(text)?;
                Ok((outline::read(&text)?, Some(text)))
            }
            outline => outline.map(|outline| (outline, None)),
        }
    }

    fn scalar<'t>(&self, text: &'t [u8], leaf: &Leaf) -> Result<Scalar<'t>, SyntaxError> {
        let value = unquote(&text[leaf.range.clone()], form(leaf));
        Ok(Scalar { kind: Kind::Str, canonical: value.clone(), token: value })
    }

    fn write_leaf(
        &self,
        text: &[u8],
        leaf: &Leaf,
        value: &Replacement<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), SyntaxError> {
        let failed = |kind| error(Format::Ini, text, leaf.range.start, kind);
        let written = write_value(value, form(leaf), out).map_err(failed)?;
        let line_end = memchr::memchr(b'\n', &text[leaf.range.end..]).map_or(text.len(), |at| leaf.range.end + at);
        let behind = !text[leaf.range.end..line_end].trim_ascii().is_empty();
        if behind && matches!(written, Form::Triple | Form::Backquoted) {
            return Err(failed(SyntaxErrorKind::NotAllowed("a raw value before a comment, which INI would drop")));
        }
        Ok(())
    }

    fn write_comment(
        &self,
        _text: &[u8],
        _comment: &Comment,
        new: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SyntaxError> {
        for (position, line) in new.split(|byte| *byte == b'\n').enumerate() {
            if position > 0 {
                out.push(b'\n');
                let marked = matches!(line.trim_ascii_start().first(), None | Some(b'#' | b';'));
                out.extend_from_slice(if marked { b"" } else { b"; " });
            }
            out.extend_from_slice(line);
        }
        Ok(())
    }

    fn metadata_splices(
        &self,
        text: &[u8],
        outline: &Outline,
        edit: &MetadataEdit,
    ) -> Result<Vec<(Range<usize>, String)>, SyntaxError> {
        Ok(match edit {
            MetadataEdit::Keep => Vec::new(),
            MetadataEdit::Remove => {
                let blank = outline.metadata.as_ref().is_some_and(|block| blank_before(text, block.range.start));
                trailer::remove(text, outline, line_break(text), usize::from(blank))
            }
            MetadataEdit::Set(tree) => {
                let mut lines = vec![format!("[{SOPS}]")];
                for (name, value) in flatten(tree) {
                    lines.push(format!("{name} = {}", quoted(&value)));
                }
                trailer::set(text, outline, &lines, line_break(text), 1)
            }
            MetadataEdit::Scalars(scalars) => scalars.iter().map(|(range, new)| (range.clone(), quoted(new))).collect(),
        })
    }

    fn change(
        &self,
        text: &[u8],
        outline: &Outline,
        path: &KeyPath,
        change: Change<'_>,
    ) -> Result<Vec<u8>, SyntaxError> {
        change::change(text, outline, path, change).map_err(|kind| error(Format::Ini, text, 0, kind))
    }
}

fn form(leaf: &Leaf) -> Form {
    Form::ALL.into_iter().nth(leaf.context as usize).unwrap_or(Form::Plain)
}

/// The file's own line break, the same before and after the block was added.
fn line_break(text: &[u8]) -> &'static str {
    let returns = memchr::memmem::find(text, b"\r\n").is_some() || text.ends_with(b"\r");
    if returns { "\r\n" } else { "\n" }
}

/// Whether the line before `at` is empty.
fn blank_before(text: &[u8], at: usize) -> bool {
    let before = &text[..at];
    before.ends_with(b"\n\n") || before.ends_with(b"\n\r\n")
}

/// Metadata texts hold no line break in INI: the two characters `\n` stand for it.
fn quoted(value: &str) -> String {
    let escaped = value.replace('\n', "\\n");
    let mut out = Vec::new();
    match quote(escaped.as_bytes(), Form::Plain, &mut out) {
        Ok(_) => String::from_utf8(out).unwrap_or(escaped),
        Err(_) => escaped,
    }
}

fn write_value(value: &Replacement<'_>, form: Form, out: &mut Vec<u8>) -> Result<Form, SyntaxErrorKind> {
    let (kind, bytes) = match value {
        Replacement::Token(bytes) => (Kind::Str, *bytes),
        Replacement::Value { kind: Kind::Null, .. } => {
            return Err(SyntaxErrorKind::NotAllowed("a null cannot be written: every value is a text in this format"));
        }
        Replacement::Value { kind, bytes } => (*kind, *bytes),
    };
    let spelled = spell(kind, bytes).ok_or(SyntaxErrorKind::NotAllowed("the value is not of its own kind"))?;
    quote(&zeroize::Zeroizing::new(spelled), form, out)
}

/// Appends `value` in `form` if that can hold it, else in the first form that can.
fn quote(value: &[u8], form: Form, out: &mut Vec<u8>) -> Result<Form, SyntaxErrorKind> {
    let forms = [form, Form::Plain, Form::Double, Form::Backquoted, Form::Triple];
    let chosen = forms.into_iter().find(|form| holds(*form, value));
    let chosen = chosen.ok_or(SyntaxErrorKind::NotAllowed("a value that INI cannot write"))?;
    let mark: &[u8] = match chosen {
        Form::Plain | Form::Joined => b"",
        Form::Single => b"'",
        Form::Double => b"\"",
        Form::Triple => TRIPLE,
        Form::Backquoted => b"`",
    };
    for part in [mark, value, mark] {
        out.extend_from_slice(part);
    }
    Ok(chosen)
}

/// Whether what is written in that form is read back as the same value.
fn holds(form: Form, value: &[u8]) -> bool {
    let marked = memchr::memchr3(b'#', b';', b'\n', value).or_else(|| memchr::memchr(b'\r', value)).is_some();
    let last = value.last();
    match form {
        Form::Joined => false,
        Form::Plain => {
            let surrounded = matches!(value, [q @ (b'\'' | b'"'), inner @ .., last] if q == last && !inner.contains(q));
            !marked
                && !surrounded
                && value.trim_ascii().len() == value.len()
                && !value.starts_with(b"`")
                && !value.starts_with(TRIPLE)
                && last != Some(&b'\\')
        }
        Form::Single => !marked && !value.contains(&b'\''),
        Form::Double => !marked && !value.contains(&b'"') && !value.is_empty(),
        Form::Backquoted => !value.contains(&b'`'),
        Form::Triple => memchr::memmem::find(value, TRIPLE).is_none() && last != Some(&b'"') && !value.is_empty(),
    }
}
