//! The `sops` block: where it goes, comes off, and changes.
//!
//! It stands last in the root mapping of every document, in the root's column, before a final `...`; the text ends as
//! it did before. Of a root that is a list, which SOPS does not take, it is the last item: `- sops:`.

use std::ops::Range;

use super::Fault;
use super::chars::break_len;
use super::print;
use super::spelling;
use super::token::{Scan, Token, TokenKind};
use super::write::line_break;
use crate::document::edit::MetadataEdit;
use crate::document::outline::{Extent, Outline, Root};
use crate::document::tree::Tree;

/// The splices that make `edit` true, in source order.
pub(super) fn splices(
    text: &[u8],
    outline: &Outline,
    edit: &MetadataEdit,
) -> Result<Vec<(Range<usize>, String)>, Fault> {
    let mut splices = match edit {
        MetadataEdit::Keep => Vec::new(),
        MetadataEdit::Remove => remove(text, outline)?,
        MetadataEdit::Set(tree) => set(text, outline, tree)?,
        MetadataEdit::Scalars(scalars) => scalars.iter().map(|(range, new)| scalar(text, range, new)).collect(),
    };
    splices.sort_by_key(|(range, _)| range.start);
    Ok(splices)
}

fn blocks(outline: &Outline) -> impl Iterator<Item = &Range<usize>> {
    outline.metadata.iter().map(|metadata| &metadata.range).chain(&outline.more_metadata)
}

/// A block is whole lines; the last line of a text that ends without a break takes the break before it along.
fn remove(text: &[u8], outline: &Outline) -> Result<Vec<(Range<usize>, String)>, Fault> {
    let mut splices = Vec::new();
    for range in blocks(outline) {
        refuse_braces(text, range)?;
        let mut range = range.clone();
        if !ends_with_break(&text[range.clone()]) {
            range.start -= break_before(text, range.start);
        }
        splices.push((range, String::new()));
    }
    Ok(splices)
}

fn set(text: &[u8], outline: &Outline, tree: &Tree) -> Result<Vec<(Range<usize>, String)>, Fault> {
    let newline = if line_break(text) == b"\r\n" { "\r\n" } else { "\n" };
    let mut splices = Vec::new();
    let mut blocks = blocks(outline).peekable();
    for document in &outline.documents {
        let column = match document.root {
            Root::Block(column) | Root::List(column) => column as usize,
            Root::Nothing => 0,
            Root::Braces(at) => return Err(braces(at)),
            Root::Other(at) => {
                return Err(Fault::not_allowed(
                    at,
                    "a document whose root is neither a block mapping nor a block list cannot hold metadata",
                ));
            }
        };
        let mut block = match document.root {
            Root::List(_) => {
                let mut item = print::block("sops", tree, column + 2, newline);
                item.replace_range(column..=column, "-");
                item
            }
            _ => print::block("sops", tree, column, newline),
        };
        if let Some(old) = blocks.next_if(|range| document.range.contains(&range.start)) {
            refuse_braces(text, old)?;
            if !ends_with_break(&text[old.clone()]) {
                block.truncate(block.len() - newline.len());
            }
            splices.push((old.clone(), block));
            continue;
        }
        let at = document.range.end;
        if at == text.len() && !ends_with_break(text) {
            block.truncate(block.len() - newline.len());
            block.insert_str(0, newline);
        }
        splices.push((at..at, block));
    }
    Ok(splices)
}

/// A new text in the quotes of the old one.
fn scalar(text: &[u8], range: &Range<usize>, new: &str) -> (Range<usize>, String) {
    let mut out = Vec::new();
    match text.get(range.start) {
        Some(b'\'') if spelling::fits_single_quotes(new) => spelling::single_quoted(new, &mut out),
        Some(b'"' | b'\'' | b'|' | b'>') => spelling::double_quoted(new, &mut out),
        _ => spelling::fresh(new, false, &mut out),
    }
    (range.clone(), String::from_utf8_lossy(&out).into_owned())
}

fn braces(at: usize) -> Fault {
    Fault::not_allowed(at, "a root mapping in braces cannot hold metadata; write it as a block, or as JSON")
}

/// In braces the block is a pair, which does not begin its line.
fn refuse_braces(text: &[u8], block: &Range<usize>) -> Result<(), Fault> {
    let begins_line = block.start == 0
        || break_before(text, block.start) > 0
        || text.starts_with(b"\xEF\xBB\xBF") && block.start == 3;
    if begins_line { Ok(()) } else { Err(braces(block.start)) }
}

fn ends_with_break(text: &[u8]) -> bool {
    break_before(text, text.len()) > 0
}

/// The length of the line break that ends right before `at`.
fn break_before(text: &[u8], at: usize) -> usize {
    [2, 1, 3].into_iter().find(|length| *length <= at && break_len(text, at - length) == *length).unwrap_or(0)
}

/// The documents of a stream.
pub(super) fn documents(scan: &Scan) -> Vec<Extent> {
    let mut documents = Vec::new();
    let (mut from, mut first) = (0, 1);
    let mut begun = false;
    for edge in &scan.edges {
        let (edge, token) = (*edge as usize, &scan.tokens[*edge as usize]);
        let start = token.start as usize;
        if begun || edge > first {
            documents.push(Extent { root: root(&scan.tokens[first..edge]), range: from..start });
            from = start;
        }
        begun = token.kind == TokenKind::DocumentStart;
        first = edge + 1;
    }
    documents
}

/// The root of a document of these tokens. What stands before a mapping is its anchor or its tag.
fn root(tokens: &[Token]) -> Root {
    let mut root = Root::Nothing;
    for token in tokens {
        match token.kind {
            TokenKind::BlockMapping => return Root::Block(token.column),
            TokenKind::BlockSequence => return Root::List(token.column),
            TokenKind::FlowMappingStart => return Root::Braces(token.start as usize),
            _ if matches!(root, Root::Nothing) => root = Root::Other(token.start as usize),
            _ => {}
        }
    }
    root
}
