//! The `sops` block by itself: does it name who can open the file, is its authentication code there, and is everything
//! in it what SOPS writes?

use super::leaves::{Worth, worth};
use super::shape::strangers;
use super::{Found, Problem};
use crate::cipher::token;
use crate::document::{Document, Format, LeafId, Tree};
use crate::sops::{Metadata, SopsError};

/// What is wrong with the block; that there is none is wrong only where there are tokens.
pub(crate) fn block(document: &Document) -> Vec<Problem> {
    let mut found = Found::new(document, "metadata");
    let Some(metadata) = document.metadata() else {
        if let Some(offset) = first_token(document) {
            found.add(
                offset,
                "encrypted values, but no `sops` block: nobody can open them",
                "restore the block from the version before",
            );
        }
        return found.list;
    };
    let top = metadata.range.start;
    match Metadata::from_tree(&metadata.tree) {
        Err(SopsError::NoKeys) => {
            found.add(top, "the `sops` block has no recipient: nobody can open the file", "encrypt it again");
        }
        Err(SopsError::Metadata { field, reason }) => {
            found.add(
                top,
                format!("`{field}` of the `sops` block {reason}"),
                "restore the block from the version before, or encrypt again",
            );
        }
        Err(_) => found.add(
            top,
            "the `sops` block holds an entry that cannot be used",
            "restore it from the version before, or encrypt again",
        ),
        Ok(read) => code(document, &read, top, &mut found),
    }
    for stranger in strangers(&metadata.tree) {
        found.add(
            stranger.offset.unwrap_or(top),
            format!(
                "the `sops` block holds {} as SOPS does not write it, and nothing in the block is encrypted",
                stranger.what
            ),
            "remove it, or restore the block from the version before",
        );
    }
    odd_names(document, metadata.range.clone(), &mut found);
    repeated(document, &mut found);
    found.list
}

fn first_token(document: &Document) -> Option<usize> {
    let leaves = (0..).map(LeafId).take(document.outline().leaves.len());
    let first = leaves.into_iter().find(|id| worth(document, *id) == Worth::Token)?;
    Some(document.outline().leaf(first).range.start)
}

/// The authentication code is a token like any other.
fn code(document: &Document, read: &Metadata, top: usize, found: &mut Found<'_>) {
    let at = match document.metadata().and_then(|block| block.tree.get("mac")) {
        Some(Tree::Scalar { range, .. }) => range.start,
        _ => top,
    };
    match &read.mac {
        None => found.add(
            top,
            "the `sops` block has no `mac`: a change of the file would not be noticed",
            "restore the line, or encrypt the file again",
        ),
        Some(mac) if !token::well_formed(mac.as_bytes()) => {
            found.add(
                at,
                "`mac` of the `sops` block is no well-formed token",
                "restore the line, or encrypt the file again",
            );
        }
        Some(_) => {}
    }
    if read.keys().next().is_none() {
        found.add(top, "the `sops` block has no recipient: nobody can open the file", "encrypt it again");
    }
}

/// In the flat formats the position in a list stands in a name, and SOPS reads a position that is no number as 0.
fn odd_names(document: &Document, block: std::ops::Range<usize>, found: &mut Found<'_>) {
    if !matches!(document.format(), Format::Dotenv | Format::Dialect(_) | Format::Ini) {
        return;
    }
    let text = &document.text()[block.clone()];
    let header = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
    if document.format() == Format::Ini && header != b"[sops]" {
        found.add(block.start, "text stands beside the header of the `sops` section", "remove it");
    }
    for at in memchr::memmem::find_iter(text, b"__list_") {
        let rest = &text[at + 7..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let ends = rest[digits..].starts_with(b"__map_") || rest.get(digits).is_some_and(|byte| b" =".contains(byte));
        if digits == 0 || !ends {
            found.add(
                block.start + at,
                "a name of the `sops` block holds a position that is no number",
                "restore the block from the version before",
            );
        }
    }
}

/// Later documents repeat the block of the first; SOPS reads only that, so that anything could stand in theirs.
fn repeated(document: &Document, found: &mut Found<'_>) {
    let (text, outline) = (document.text(), document.outline());
    let Some(first) = &outline.metadata else { return };
    let wanted = text[first.range.clone()].trim_ascii();
    for range in &outline.more_metadata {
        if text[range.clone()].trim_ascii() != wanted {
            found.add(
                range.start,
                "the `sops` block of this document differs from the first one's, which alone is read",
                "encrypt the file again",
            );
        }
    }
}
