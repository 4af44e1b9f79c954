//! The `sops` tables: they stand last, behind an empty line.

use std::ops::Range;

use super::text;
use crate::document::edit::MetadataEdit;
use crate::document::outline::Outline;
use crate::document::scalar::{Kind, parse_bool};
use crate::document::trailer;
use crate::document::tree::Tree;

/// The line break of a text: that of its first line.
pub(super) fn line_break(text: &[u8]) -> &'static str {
    match memchr::memchr(b'\n', text) {
        Some(at) if at > 0 && text[at - 1] == b'\r' => "\r\n",
        _ => "\n",
    }
}

pub(super) fn splices(text: &[u8], outline: &Outline, edit: &MetadataEdit) -> Vec<(Range<usize>, String)> {
    let newline = line_break(text);
    match edit {
        MetadataEdit::Keep => Vec::new(),
        MetadataEdit::Remove => trailer::remove(text, outline, newline, 1),
        MetadataEdit::Set(tree) => {
            let mut lines = Vec::new();
            table("sops", tree, false, newline == "\n", &mut lines);
            trailer::set(text, outline, &lines, newline, 1)
        }
        MetadataEdit::Scalars(scalars) => {
            scalars.iter().map(|(range, new)| (range.clone(), scalar_in_place(&text[range.clone()], new))).collect()
        }
    }
}

/// The lines of a table: its scalars first, then the tables in it. A text may break only where lines end as it has it.
fn table(name: &str, tree: &Tree, of_array: bool, breaks: bool, lines: &mut Vec<String>) {
    let Tree::Map(entries) = tree else { return };
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(if of_array { format!("[[{name}]]") } else { format!("[{name}]") });
    let is_table = |tree: &Tree| match tree {
        Tree::Map(entries) => !entries.is_empty(),
        Tree::List(items) => !items.is_empty() && items.iter().all(|item| matches!(item, Tree::Map(_))),
        Tree::Scalar { .. } => false,
    };
    for (key, value) in entries.iter().filter(|(_, value)| !is_table(value)) {
        let mut line = Vec::new();
        super::write_key(key, &mut line);
        line.extend_from_slice(b" = ");
        inline(value, breaks, &mut line);
        lines.extend(String::from_utf8_lossy(&line).split('\n').map(str::to_owned));
    }
    for (key, value) in entries.iter().filter(|(_, value)| is_table(value)) {
        let mut below = format!("{name}.").into_bytes();
        super::write_key(key, &mut below);
        let below = String::from_utf8_lossy(&below).into_owned();
        match value {
            Tree::List(items) => items.iter().for_each(|item| table(&below, item, true, breaks, lines)),
            value => table(&below, value, false, breaks, lines),
        }
    }
}

/// A value on one line, but for a text of several, which gets as many.
fn inline(tree: &Tree, breaks: bool, out: &mut Vec<u8>) {
    match tree {
        Tree::Scalar { text, kind, .. } => scalar(text, *kind, breaks, out),
        Tree::List(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                out.extend_from_slice(if at == 0 { b"" } else { b", " });
                inline(item, breaks, out);
            }
            out.push(b']');
        }
        Tree::Map(entries) => {
            out.push(b'{');
            for (at, (key, value)) in entries.iter().enumerate() {
                out.extend_from_slice(if at == 0 { b" " } else { b", " });
                super::write_key(key, out);
                out.extend_from_slice(b" = ");
                inline(value, breaks, out);
            }
            out.extend_from_slice(if entries.is_empty() { b"}" } else { b" }" });
        }
    }
}

fn scalar(value: &str, kind: Kind, breaks: bool, out: &mut Vec<u8>) {
    match kind {
        Kind::Bool => match parse_bool(value.as_bytes()) {
            Some(truth) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
            None => text::basic(value, out),
        },
        Kind::Int | Kind::Float if super::atom::kind(value.as_bytes()) == Some(kind) => {
            out.extend_from_slice(value.as_bytes());
        }
        _ if breaks && value.contains('\n') => text::write(value, b"\"\"\"\n\"\"\"", out),
        _ => text::basic(value, out),
    }
}

/// A new scalar in the quotes of the old one.
fn scalar_in_place(old: &[u8], new: &str) -> String {
    let mut out = Vec::new();
    text::write(new, old, &mut out);
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
