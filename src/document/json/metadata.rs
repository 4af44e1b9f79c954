//! The `sops` block in a JSON text: it stands last, laid out like the rest.

use std::ops::Range;

use super::layout::Layout;
use super::outline::name;
use super::scan::{Event, Scanner};
use super::string::{number_length, quote};
use crate::document::edit::MetadataEdit;
use crate::document::outline::Outline;
use crate::document::scalar::{Kind, parse_bool};
use crate::document::syntax::SyntaxError;
use crate::document::tree::Tree;

type Splice = (Range<usize>, String);

pub(super) fn splices(text: &[u8], outline: &Outline, edit: &MetadataEdit) -> Result<Vec<Splice>, SyntaxError> {
    Ok(match edit {
        MetadataEdit::Keep => Vec::new(),
        MetadataEdit::Remove => outline.metadata.iter().map(|old| (old.range.clone(), String::new())).collect(),
        MetadataEdit::Set(tree) => vec![set(text, outline, tree)?],
        MetadataEdit::Scalars(scalars) => {
            scalars.iter().map(|(range, new)| (range.clone(), scalar_in_place(&text[range.clone()], new))).collect()
        }
    })
}

/// The block in SOPS's own layout, without its key.
pub(crate) fn block(tree: &Tree) -> String {
    laid_out(tree, &Layout::default())
}

fn laid_out(tree: &Tree, layout: &Layout) -> String {
    let mut out = Vec::new();
    write(tree, layout, 1, &mut out);
    into_text(out)
}

/// `quote` and the layout make UTF-8 of UTF-8.
fn into_text(out: Vec<u8>) -> String {
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Appends `tree`; the nesting of metadata is a handful of levels, made by us or bounded by the scanner.
fn write(tree: &Tree, layout: &Layout, level: usize, out: &mut Vec<u8>) {
    match tree {
        Tree::Map(entries) => {
            out.push(b'{');
            for (position, (key, value)) in entries.iter().enumerate() {
                separate(position, layout, level, out);
                quote(key.as_bytes(), out);
                layout.colon(out);
                write(value, layout, level + 1, out);
            }
            if !entries.is_empty() {
                layout.line(level, out);
            }
            out.push(b'}');
        }
        Tree::List(items) => {
            out.push(b'[');
            for (position, item) in items.iter().enumerate() {
                separate(position, layout, level, out);
                write(item, layout, level + 1, out);
            }
            if !items.is_empty() {
                layout.line(level, out);
            }
            out.push(b']');
        }
        Tree::Scalar { text, kind, .. } => scalar(text, *kind, out),
    }
}

fn separate(position: usize, layout: &Layout, level: usize, out: &mut Vec<u8>) {
    if position > 0 {
        layout.comma(level + 1, out);
    } else {
        layout.line(level + 1, out);
    }
}

fn scalar(text: &str, kind: Kind, out: &mut Vec<u8>) {
    match kind {
        Kind::Null => out.extend_from_slice(b"null"),
        Kind::Bool if parse_bool(text.as_bytes()) == Some(true) => out.extend_from_slice(b"true"),
        Kind::Bool if parse_bool(text.as_bytes()) == Some(false) => out.extend_from_slice(b"false"),
        Kind::Int | Kind::Float if !text.is_empty() && number_length(text.as_bytes()) == text.len() => {
            out.extend_from_slice(text.as_bytes());
        }
        _ => quote(text.as_bytes(), out),
    }
}

/// A new scalar keeps the old one's kind: what stood in quotes stands in quotes.
fn scalar_in_place(old: &[u8], new: &str) -> String {
    let mut out = Vec::new();
    let kind = if old.starts_with(b"\"") { Kind::Str } else { Kind::Int };
    scalar(new, kind, &mut out);
    into_text(out)
}

/// Where the top-level object has room for the block, or has it already.
#[derive(Default)]
struct Place {
    inside: usize,
    member_end: Option<usize>,
    old: Option<Range<usize>>,
    /// Whether the document is a list.
    list: bool,
}

fn set(text: &[u8], outline: &Outline, tree: &Tree) -> Result<Splice, SyntaxError> {
    let layout = Layout::of(text)?;
    let place = place(text)?;
    if place.list {
        return Ok(set_item(outline, tree, &layout, &place));
    }
    if let Some(old) = place.old {
        return Ok((old, laid_out(tree, &layout)));
    }
    let mut out = Vec::new();
    match place.member_end {
        Some(_) => layout.comma(1, &mut out),
        None => layout.line(1, &mut out),
    }
    out.extend_from_slice(b"\"sops\"");
    layout.colon(&mut out);
    write(tree, &layout, 1, &mut out);
    let at = place.member_end.unwrap_or(place.inside);
    Ok((at..at, into_text(out)))
}

/// The block as the last item of a list.
fn set_item(outline: &Outline, tree: &Tree, layout: &Layout, place: &Place) -> Splice {
    let mut out = Vec::new();
    let old = outline.metadata.as_ref().map(|metadata| metadata.range.clone());
    let at = old.unwrap_or_else(|| {
        let at = place.member_end.unwrap_or(place.inside);
        at..at
    });
    match at.start > place.inside {
        true => layout.comma(1, &mut out),
        false => layout.line(1, &mut out),
    }
    write(&Tree::Map(vec![("sops".to_owned(), tree.clone())]), layout, 1, &mut out);
    (at, into_text(out))
}

fn place(text: &[u8]) -> Result<Place, SyntaxError> {
    let mut scanner = Scanner::new(text);
    let mut place = Place::default();
    let mut value_start = 0;
    let mut is_block = false;
    while let Some(event) = scanner.next()? {
        let depth = scanner.depth();
        let end = match event {
            Event::Open { at, list } if depth == 1 => {
                place.inside = at + 1;
                place.list = list;
                continue;
            }
            Event::Open { at, .. } if depth == 2 => {
                value_start = at;
                continue;
            }
            Event::Key(range) if depth == 1 => {
                is_block = &*name(text, &range) == "sops";
                continue;
            }
            Event::Scalar { range, .. } if depth == 1 => {
                value_start = range.start;
                range.end
            }
            Event::Close { end } if depth == 1 => end,
            _ => continue,
        };
        if is_block {
            place.old = Some(value_start..end);
        } else {
            place.member_end = Some(end);
        }
    }
    Ok(place)
}
