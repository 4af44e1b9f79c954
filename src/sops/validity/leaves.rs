//! Values and comments that have to be encrypted and are not.

use super::{Found, Problem};
use crate::cipher::token;
use crate::document::{CommentId, Document, Kind, LeafId, Visit};
use crate::sops::{EncryptionScope, Selector};

/// What stands in a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    /// Nothing: `null` or the empty string, which SOPS leaves as they are.
    Empty,
    /// A well-formed token, that of an empty text included, which is opened in our own name.
    Token,
    /// A value in clear.
    Clear,
}

/// What stands in a leaf. A value that cannot be resolved is a value in clear.
pub(crate) fn worth(document: &Document, id: LeafId) -> Worth {
    let Ok(scalar) = document.scalar(id) else { return Worth::Clear };
    match scalar.kind {
        Kind::Null => Worth::Empty,
        Kind::Str if scalar.canonical.is_empty() => Worth::Empty,
        Kind::Str if token::well_formed(&scalar.canonical) || token::well_formed_empty(&scalar.canonical) => {
            Worth::Token
        }
        _ => Worth::Clear,
    }
}

/// Values and comments in clear that one of the scopes wants encrypted, and tokens that are none.
pub(super) fn leaves(document: &Document, scopes: &[EncryptionScope]) -> Vec<Problem> {
    let outline = document.outline();
    let (mut wanted, mut comments) = (vec![false; outline.leaves.len()], vec![false; outline.comments.len()]);
    for scope in scopes {
        // Where comments choose, those that choose nothing are the reader's own.
        let chosen = matches!(
            scope.selector(),
            Selector::EncryptedSuffix(_) | Selector::EncryptedRegex(_) | Selector::EncryptedCommentRegex(_)
        );
        let never: Result<(), std::convert::Infallible> = scope.walk(document, |visit, must| {
            match visit {
                Visit::Leaf { id, .. } => wanted[id.0 as usize] |= must,
                Visit::Comment { id, .. } => comments[id.0 as usize] |= must,
                _ => {}
            }
            Ok(())
        });
        let Ok(()) = never;
        for (comment, must) in outline.comments.iter().zip(&mut comments) {
            *must |= comment.dropped && !chosen;
        }
    }
    let mut found = Found::new(document, "clear-value");
    for id in (0..).map(LeafId).take(outline.leaves.len()) {
        if worth(document, id) != Worth::Clear {
            continue;
        }
        let begins = document.text()[outline.leaf(id).range.clone()].trim_ascii_start();
        let token = begins.trim_ascii_start().strip_prefix(b"\"").unwrap_or(begins).starts_with(token::PREFIX);
        if token {
            found.check("damaged-token").add(
                outline.leaf(id).range.start,
                "this value looks like a token and is none: a part of it is missing, or of the wrong size",
                "restore it from the version before, or set the value again with `lockage set`",
            );
        } else if wanted[id.0 as usize] {
            found.check("clear-value").add(
                outline.leaf(id).range.start,
                "this value is in clear and has to be encrypted",
                "set it with `lockage set` or `lockage edit`; what was pushed in clear needs a new value",
            );
        }
    }
    for (index, must) in (0..).zip(comments) {
        let text = document.comment(CommentId(index)).trim_ascii();
        if must && !text.is_empty() && !token::well_formed(text) {
            found.check("clear-comment").add(
                outline.comments[index as usize].range.start.saturating_sub(1),
                "this comment is in clear and has to be encrypted",
                "remove it, or write it with `lockage edit`, which encrypts it",
            );
        }
    }
    found.list
}
