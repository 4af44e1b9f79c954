//! A metadata block that is a run of whole lines, standing last in a text that may lack a final line break.
//!
//! The encrypted text ends as the plain one did: without a break at the end the block has none either, and that is
//! how its removal knows that the break before it came with it.

use std::ops::Range;

use super::edit::MetadataEdit;
use super::outline::Outline;
use super::tree::Tree;

/// What the names of metadata lines begin with where the block is lines `NAME=value`.
pub(super) const PREFIX: &str = "sops_";

type Splice = (Range<usize>, String);

/// What an edit of the metadata does to a block of lines `NAME=value`, which `entries` makes of a tree.
pub(super) fn splices(
    text: &[u8],
    outline: &Outline,
    edit: &MetadataEdit,
    line_break: &str,
    entries: impl FnOnce(&Tree) -> Vec<(String, String)>,
) -> Vec<Splice> {
    // Such a line holds no line break: the two characters `\n` stand for it.
    let escape = |value: &str| value.replace('\n', "\\n");
    match edit {
        MetadataEdit::Keep => Vec::new(),
        MetadataEdit::Remove => remove(text, outline, line_break, 0),
        MetadataEdit::Set(tree) => {
            let lines: Vec<String> =
                entries(tree).iter().map(|(name, value)| format!("{PREFIX}{name}={}", escape(value))).collect();
            set(text, outline, &lines, line_break, 0)
        }
        MetadataEdit::Scalars(scalars) => scalars.iter().map(|(range, new)| (range.clone(), escape(new))).collect(),
    }
}

/// Removes all lines of the block, and `blank_lines` before it that came with it.
pub(super) fn remove(text: &[u8], outline: &Outline, line_break: &str, blank_lines: usize) -> Vec<Splice> {
    let Some(metadata) = &outline.metadata else { return Vec::new() };
    let mut ranges: Vec<Range<usize>> = vec![metadata.range.clone()];
    ranges.extend(outline.more_metadata.iter().cloned());
    let unbroken = !text.ends_with(b"\n");
    for (position, range) in ranges.iter_mut().enumerate() {
        let mut breaks = if position == 0 { blank_lines } else { 0 };
        if unbroken && range.end == text.len() {
            breaks += 1;
        }
        for _ in 0..breaks {
            let came = text[..range.start].ends_with(line_break.as_bytes());
            range.start -= if came { line_break.len() } else { 0 };
        }
    }
    ranges.into_iter().map(|range| (range, String::new())).collect()
}

/// Puts `lines` in the old block's place, or last behind `blank_lines`.
pub(super) fn set(
    text: &[u8],
    outline: &Outline,
    lines: &[String],
    line_break: &str,
    blank_lines: usize,
) -> Vec<Splice> {
    let mut block = lines.join(line_break);
    if let Some(metadata) = &outline.metadata {
        let old = metadata.range.clone();
        if text[old.clone()].ends_with(b"\n") {
            block.push_str(line_break);
        }
        let rest = outline.more_metadata.iter().map(|range| (range.clone(), String::new()));
        return std::iter::once((old, block)).chain(rest).collect();
    }
    let broken = text.ends_with(b"\n");
    let mut new = String::new();
    if !text.is_empty() {
        for _ in 0..blank_lines + usize::from(!broken) {
            new.push_str(line_break);
        }
    }
    new.push_str(&block);
    if broken {
        new.push_str(line_break);
    }
    vec![(text.len()..text.len(), new)]
}

/// The text with one more line behind the last one that is not of the block at its end.
pub(super) fn insert_line(text: &[u8], outline: &Outline, line: &[u8]) -> Vec<u8> {
    let blocks = outline.metadata.iter().map(|metadata| &metadata.range).chain(&outline.more_metadata);
    let at = blocks.filter(|range| range.end == text.len()).map(|range| range.start).next().unwrap_or(text.len());
    let (before, after) = text.split_at(at);
    let mut out = Vec::with_capacity(text.len() + line.len() + 1);
    out.extend_from_slice(before);
    let unbroken = !before.is_empty() && !before.ends_with(b"\n");
    if unbroken {
        out.push(b'\n');
    }
    out.extend_from_slice(line);
    if !unbroken {
        out.push(b'\n');
    }
    out.extend_from_slice(after);
    out
}
