//! A `sops` block that cannot protect what is above it: without recipients, without its authentication code, or with
//! something in it that does not belong there.

use super::Check;
use crate::cipher::token;
use crate::document::{Document, Format, LeafId};
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::kinship::field;
use crate::guard::reading::{Worth, worth};
use crate::guard::shape::strangers;
use crate::guard::subject::Subject;
use crate::sops::{Metadata, SopsError};

/// Looks at the `sops` block of files under a rule.
pub(super) struct MetadataBlock;

impl Check for MetadataBlock {
    fn id(&self) -> &'static str {
        "metadata"
    }

    fn about(&self) -> &'static str {
        "a `sops` block without recipients or authentication code, incomplete, or with a field that is none of its own"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        if subject.governing.is_empty() {
            return Ok(());
        }
        let Some(document) = subject.document()? else { return Ok(()) };
        let Some(metadata) = document.metadata() else {
            if let Some(at) = first_token(document) {
                found.add(
                    at,
                    "encrypted values, but no `sops` block: nobody can open them",
                    "restore the block from the version before",
                );
            }
            return Ok(());
        };
        let top = At::offset(document.text(), metadata.range.start);
        match Metadata::from_tree(&metadata.tree) {
            Err(SopsError::NoKeys) => {
                found.add(top, "the `sops` block has no recipient: nobody can open the file", "encrypt it again")
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
            Ok(read) => code(document, &read, top, found),
        }
        for stranger in strangers(&metadata.tree) {
            let at = stranger.offset.map_or(top, |offset| At::offset(document.text(), offset));
            found.add(
                at,
                format!(
                    "the `sops` block holds {} as SOPS does not write it, and nothing in the block is encrypted",
                    stranger.what
                ),
                "remove it, or restore the block from the version before",
            );
        }
        odd_names(document, metadata.range.clone(), found);
        repeated(document, found);
        Ok(())
    }
}

fn first_token(document: &Document) -> Option<At> {
    let leaves = (0..).map(LeafId).take(document.outline().leaves.len());
    let first = leaves.into_iter().find(|id| worth(document, *id) == Worth::Token)?;
    Some(At::offset(document.text(), document.outline().leaf(first).range.start))
}

/// The authentication code is a token like any other.
fn code(document: &Document, read: &Metadata, top: At, found: &mut Findings) {
    let at = field(document, "mac").map_or(top, |(_, offset)| At::offset(document.text(), offset));
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
fn odd_names(document: &Document, block: std::ops::Range<usize>, found: &mut Findings) {
    if !matches!(document.format(), Format::Dotenv | Format::Ini) {
        return;
    }
    let text = &document.text()[block.clone()];
    for at in memchr::memmem::find_iter(text, b"__list_") {
        let rest = &text[at + 7..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let ends = rest[digits..].starts_with(b"__map_") || rest.get(digits).is_some_and(|byte| b" =".contains(byte));
        if digits == 0 || !ends {
            found.add(
                At::offset(document.text(), block.start + at),
                "a name of the `sops` block holds a position that is no number",
                "restore the block from the version before",
            );
        }
    }
}

/// Later documents repeat the block of the first; SOPS reads only that, so that anything could stand in theirs.
fn repeated(document: &Document, found: &mut Findings) {
    let (text, outline) = (document.text(), document.outline());
    let Some(first) = &outline.metadata else { return };
    let wanted = text[first.range.clone()].trim_ascii();
    for range in &outline.more_metadata {
        if text[range.clone()].trim_ascii() != wanted {
            found.add(
                At::offset(text, range.start),
                "the `sops` block of this document differs from the first one's, which alone is read",
                "encrypt the file again",
            );
        }
    }
}
