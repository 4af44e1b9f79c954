//! A comment in clear that a rule wants encrypted.

use super::Check;
use crate::cipher::token;
use crate::document::CommentId;
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::subject::Subject;

/// Looks at every comment of files under a rule.
pub(super) struct ClearComment;

impl Check for ClearComment {
    fn id(&self) -> &'static str {
        "clear-comment"
    }

    fn about(&self) -> &'static str {
        "a comment in clear that a creation rule wants encrypted, or one inside the `sops` block"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        let (Some(governing), Some(document)) = (subject.governing.first(), subject.document()?) else {
            return Ok(());
        };
        // A file that is not encrypted at all is one finding, not one for each comment.
        if document.metadata().is_none() && !subject.clear(document).is_empty() {
            return Ok(());
        }
        let demand = subject.demand(document);
        for (index, comment) in (0..).zip(&document.outline().comments) {
            let text = document.comment(CommentId(index)).trim_ascii();
            if demand.comment(CommentId(index)) && !text.is_empty() && !token::well_formed(text) {
                found.add(
                    At::of(document, comment.range.start.saturating_sub(1)),
                    format!("this comment is in clear; the rule at {} wants it encrypted", governing.shown()),
                    "remove it, or write it with `lockage edit`, which encrypts it",
                );
            }
        }
        if let Some(metadata) = document.metadata() {
            for offset in inside(document.text(), metadata.range.clone()) {
                found.add(
                    At::of(document, offset),
                    "a comment inside the `sops` block is never encrypted",
                    "remove it",
                );
            }
        }
        Ok(())
    }
}

/// Where comment lines stand in the block. A comment behind a value there would end the value's line; the tokens and
/// armor in it hold no `#`.
fn inside(text: &[u8], range: std::ops::Range<usize>) -> Vec<usize> {
    let mut found = Vec::new();
    let mut start = range.start;
    for line in text[range].split_inclusive(|byte| *byte == b'\n') {
        // Behind a quote nothing more of the line is a comment.
        let open = &line[..line.iter().position(|byte| matches!(byte, b'"' | b'\'')).unwrap_or(line.len())];
        let begins = |at: &usize| *at == 0 || open[at - 1].is_ascii_whitespace();
        found.extend(memchr::memchr_iter(b'#', open).find(begins).map(|at| start + at));
        start += line.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn comments_inside_the_block_are_told_from_what_is_quoted_or_joined() {
        let text = b"# above\nsops:\n    # one\n    a: b # two\n    c: '# d'\n    e: f#g\n    h: \"x\" # i\n# # three";
        let found = inside(text, 8..text.len());
        let wanted = ["# one", "# two", "# # three"];
        assert_eq!(found, wanted.map(|word| text.windows(word.len()).position(|at| at == word.as_bytes()).unwrap()));
        // A line has one comment, however many signs are in it.
        assert_eq!(inside("# ".repeat(300_000).as_bytes(), 0..600_000), [0]);
    }
}
