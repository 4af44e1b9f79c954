//! A `sops` block that cannot protect what is above it: without recipients, without its authentication code, or with
//! something in it that does not belong there.

use super::Check;
use crate::cipher::token;
use crate::document::{Document, LeafId, Tree};
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::kinship::field;
use crate::guard::reading::{Worth, worth};
use crate::guard::subject::Subject;
use crate::sops::{Metadata, SopsError};

/// Looks at the `sops` block of files under a rule.
pub(super) struct MetadataBlock;

/// Every field of the block that SOPS knows.
const FIELDS: &[&str] = &[
    "age",
    "azure_kv",
    "encrypted_comment_regex",
    "encrypted_regex",
    "encrypted_suffix",
    "gcp_kms",
    "hc_vault",
    "hckms",
    "key_groups",
    "kms",
    "lastmodified",
    "mac",
    "mac_only_encrypted",
    "pgp",
    "shamir_threshold",
    "unencrypted_comment_regex",
    "unencrypted_regex",
    "unencrypted_suffix",
    "version",
];

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
        strangers(document, &metadata.tree, top, found);
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

/// SOPS ignores fields that it does not know, so that anything could stand there in clear.
fn strangers(document: &Document, tree: &Tree, top: At, found: &mut Findings) {
    let Tree::Map(entries) = tree else { return };
    for (key, value) in entries {
        if FIELDS.iter().any(|known| known.eq_ignore_ascii_case(key)) {
            continue;
        }
        let at = match value {
            Tree::Scalar { range, .. } if !range.is_empty() => At::offset(document.text(), range.start),
            _ => top,
        };
        found.add(
            at,
            "the `sops` block holds a field that is none of its own, and nothing in the block is encrypted",
            "remove it",
        );
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
