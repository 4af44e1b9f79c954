//! Text of an encrypted file that is no value, no key, no comment and not the `sops` block: tags, anchors, directives,
//! and whatever a reader skips. Nothing of it is ever encrypted.

use std::ops::Range;

use super::Check;
use crate::document::{Document, Format, Style};
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::subject::Subject;
use crate::guard::words::{Looks, looks};

/// Looks at what is between the parts of encrypted files.
pub(super) struct HiddenText;

impl Check for HiddenText {
    fn id(&self) -> &'static str {
        "hidden-text"
    }

    fn about(&self) -> &'static str {
        "text of an encrypted file that is no value, key or comment: a tag, an anchor, or what a reader skips"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        let Some(document) = subject.encrypted()? else { return Ok(()) };
        for gap in gaps(document) {
            for word in words(document.text(), gap) {
                if is_odd(document, &document.text()[word.clone()]) {
                    found.add(
                        At::of(document, word.start),
                        "text stands here that is neither a value nor a key nor a comment, and is never encrypted",
                        "remove it",
                    );
                }
            }
        }
        Ok(())
    }
}

/// What no part of the document covers.
fn gaps(document: &Document) -> Vec<Range<usize>> {
    let outline = document.outline();
    let leaves = outline.leaves.iter().filter(|leaf| leaf.style != Style::Empty).map(|leaf| leaf.range.clone());
    let keys = outline.keys.iter().map(|key| key.range.clone());
    let comments = outline.comments.iter().map(|comment| comment.range.clone());
    let blocks = outline.metadata.iter().map(|block| block.range.clone()).chain(outline.more_metadata.iter().cloned());
    let mut parts: Vec<Range<usize>> = leaves.chain(keys).chain(comments).chain(blocks).collect();
    parts.sort_by_key(|part| (part.start, part.end));
    let mut gaps = Vec::new();
    let mut at = 0;
    for part in parts {
        if part.start > at {
            gaps.push(at..part.start);
        }
        at = at.max(part.end);
    }
    gaps.push(at..document.text().len());
    gaps
}

/// The runs between blanks and brackets.
fn words(text: &[u8], gap: Range<usize>) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for at in gap.clone() {
        let inside = !text[at].is_ascii_whitespace() && !b"[]{},\"\'".contains(&text[at]);
        match (inside, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.map(|from| from..gap.end));
    words
}

/// In YAML a tag, an anchor or a directive may be named like any name; elsewhere there is nothing to say at all, but for
/// the names of tables and the word before a variable's.
fn is_odd(document: &Document, word: &[u8]) -> bool {
    let word = String::from_utf8_lossy(word);
    let name = word.trim_start_matches(['!', '&', '*', '%', '-', '?', ':']);
    match document.format() {
        Format::Dialect(_) if word == "export" => false,
        // A header names its tables again.
        Format::Toml => {
            let known = |part: &str| document.outline().has_key_with(part);
            let parts = word.split(['.', '=']).filter(|part| part.chars().any(char::is_alphanumeric));
            parts.into_iter().any(|part| !known(part))
        }
        Format::Yaml => {
            let introduced =
                word.starts_with(['!', '&', '*', '%']) || name.is_empty() || word == "1.1" || word == "1.2";
            looks(name) != Looks::Name || !introduced && name.chars().any(char::is_alphanumeric)
        }
        _ => name.chars().any(char::is_alphanumeric),
    }
}
