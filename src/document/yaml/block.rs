//! The `sops` block: where it stands, and its content as a small tree.

use std::collections::HashMap;
use std::ops::Range;

use super::Fault;
use super::chars::{break_len, line_end};
use super::event::EventKind;
use super::source::Source;
use super::token::TokenKind;
use crate::document::scalar::Kind;
use crate::document::syntax::SyntaxErrorKind;
use crate::document::tree::Tree;

/// Far beyond what SOPS writes; it keeps the recursion shallow.
const DEPTH_LIMIT: usize = 32;

/// Far beyond what SOPS writes; a bound on copies for aliases.
const NODE_LIMIT: usize = 1 << 20;

/// The bytes of the block whose key is the event at `key`: whole lines, or in a root in braces the pair alone.
pub(super) fn range(source: &Source<'_>, key: usize) -> Range<usize> {
    let event = &source.events[key];
    let mut first = event.token;
    while first > 0 && source.token(first).kind != TokenKind::Key {
        first -= 1;
    }
    let start = source.token(first).start as usize;
    let behind = source.behind(key + 1) - 1;
    let last = &source.events[behind];
    let end = match last.kind {
        EventKind::End => {
            // A block scalar's blank lines belong to it where it keeps them.
            let before = source.events[..behind].iter().rev().find(|event| event.kind != EventKind::End);
            let scalar_end =
                before.filter(|event| event.kind == EventKind::Scalar).map(|event| source.range(event).end);
            scalar_end.unwrap_or(0).max(source.solid(last.token).end as usize)
        }
        _ => source.range(last).end,
    };
    if in_braces(source, key) {
        return start..end;
    }
    // Of a list at the top the whole item is the block, with its dash.
    let mut start = start;
    if key > 1 && source.is_block_item(key - 1) {
        let before = source.text[..start].iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        start -= (before + 1).min(start);
    }
    let blanks = source.text[..start].iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let line = line_end(source.text, false, end);
    start - blanks..line + break_len(source.text, line)
}

/// Whether the root mapping that this key belongs to stands in braces.
fn in_braces(source: &Source<'_>, key: usize) -> bool {
    let token = |index: usize| source.token(source.events[index].token).kind;
    let mut at = key;
    while at > 0 && source.events[at - 1].kind != EventKind::Document {
        at -= 1;
    }
    matches!(token(source.resolved(at)), TokenKind::FlowMappingStart | TokenKind::FlowSequenceStart)
}

/// The value at `at` as a tree.
pub(super) fn tree(source: &Source<'_>, at: usize) -> Result<Tree, Fault> {
    Reader { source, left: NODE_LIMIT }.tree(at, DEPTH_LIMIT)
}

struct Reader<'s> {
    source: &'s Source<'s>,
    left: usize,
}

impl Reader<'_> {
    fn tree(&mut self, at: usize, depth: usize) -> Result<Tree, Fault> {
        let source = self.source;
        let start = source.range(&source.events[at]).start;
        let Some(left) = self.left.checked_sub(1) else {
            return Err(Fault::not_allowed(start, "aliases repeat too much of the metadata"));
        };
        self.left = left;
        if depth == 0 {
            return Err(Fault::too_deep(start, DEPTH_LIMIT));
        }
        let target = source.resolved(at);
        match source.events[target].kind {
            EventKind::Mapping => self.map(target, depth),
            EventKind::Sequence => {
                let mut items = Vec::new();
                let mut item = target + 1;
                while source.events[item].kind != EventKind::End {
                    items.push(self.tree(item, depth - 1)?);
                    item = source.behind(item);
                }
                Ok(Tree::List(items))
            }
            _ => self.scalar(at, target),
        }
    }

    fn map(&mut self, at: usize, depth: usize) -> Result<Tree, Fault> {
        let source = self.source;
        let mut entries: Vec<(String, Tree)> = Vec::new();
        let mut names = HashMap::new();
        let mut key = at + 1;
        while source.events[key].kind != EventKind::End {
            let start = source.range(&source.events[key]).start;
            let Tree::Scalar { text: name, kind: Kind::Str, .. } = self.tree(key, depth - 1)? else {
                return Err(Fault::not_allowed(start, "SOPS takes only text for a key; put it in quotes"));
            };
            let value = source.behind(key);
            if let Some(first) = names.insert(name.clone(), start) {
                let (first_line, _) = crate::document::positions::position(source.text, first);
                return Err(Fault::new(start, SyntaxErrorKind::DuplicateKey { first_line }));
            }
            entries.push((name, self.tree(value, depth - 1)?));
            key = source.behind(value);
        }
        Ok(Tree::Map(entries))
    }

    fn scalar(&self, at: usize, target: usize) -> Result<Tree, Fault> {
        let source = self.source;
        let event = &source.events[target];
        let leaf = source.leaf(event)?;
        let range = source.range(&source.events[at]);
        let text = super::scalar(source.text, &leaf).map_or_else(Vec::new, |scalar| scalar.canonical.into_owned());
        Ok(Tree::Scalar { text: String::from_utf8_lossy(&text).into_owned(), kind: leaf.kind, range })
    }
}
