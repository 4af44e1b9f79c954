//! Something else in a value's place, and items that go with their lines.

use std::ops::Range;

use super::Fault;
use super::chars::{break_len, line_end};
use super::event::EventKind;
use super::insert::{child, end_of, items, spliced, start_of};
use super::manner::Manner;
use super::source::Source;
use super::token::TokenKind;
use crate::document::graft::Graft;
use crate::document::key_path::{KeyPath, PathPart};
use crate::document::outline::Outline;
use crate::document::syntax::SyntaxErrorKind;

/// An item on the way: the collection that holds it, and its place in it.
struct Item<'s> {
    source: &'s Source<'s>,
    outline: &'s Outline,
    /// The events of the collection, of the key (in a list of the item itself), and of the value.
    parent: usize,
    key: usize,
    value: usize,
    /// Whether it stands in brackets, however far out.
    flow: bool,
}

/// The text with `graft` in the place of what stands at `path` in the first document.
pub(super) fn replace(text: &[u8], outline: &Outline, path: &KeyPath, graft: &Graft<'_>) -> Result<Vec<u8>, Fault> {
    let source = Source::parse(text)?;
    let item = Item::find(&source, outline, path.parts())?;
    Ok(spliced(text, vec![item.replaced(graft)?]))
}

/// The text without the item at `path` in the first document. A collection that would be left without an item becomes
/// an empty one in brackets, but for the root.
pub(super) fn remove(text: &[u8], outline: &Outline, path: &KeyPath) -> Result<Vec<u8>, Fault> {
    let source = Source::parse(text)?;
    let item = Item::find(&source, outline, path.parts())?;
    let list = source.events[item.parent].kind == EventKind::Sequence;
    if items(&source, item.parent).count() > 1 {
        let range = if item.parent_is_flow() { item.range_in_brackets() } else { item.lines() };
        return Ok(spliced(text, vec![(range, Vec::new())]));
    }
    let Some((_, parents)) = path.parts().split_last().filter(|(_, parents)| !parents.is_empty()) else {
        let rest: &[u8] = match (item.parent_is_flow(), list) {
            (true, _) => b"",
            (false, true) => b"[]",
            (false, false) => b"{}",
        };
        let range = start_of(&source, item.key)..item.end();
        return Ok(spliced(text, vec![(range, rest.to_vec())]));
    };
    let empty = if list { Graft::List(Vec::new()) } else { Graft::Map(Vec::new()) };
    let parent = Item::find(&source, outline, parents)?;
    if item.parent_is_flow() {
        let range = start_of(&source, item.key)..item.end();
        return Ok(spliced(text, vec![(range, Vec::new())]));
    }
    Ok(spliced(text, vec![parent.replaced(&empty)?]))
}

impl<'s> Item<'s> {
    fn find(source: &'s Source<'s>, outline: &'s Outline, path: &[PathPart]) -> Result<Self, Fault> {
        let nowhere = |at: usize| Fault::new(at, SyntaxErrorKind::Path("there is nothing at this path"));
        let (mut at, mut flow) = (1, false);
        let mut found = None;
        for part in path {
            let value = child(source, at, part).ok_or_else(|| nowhere(source.range(&source.events[at]).start))?;
            flow |= is_flow(source, at);
            let key = items(source, at).filter(|item| value == *item || value == source.behind(*item)).last();
            let key = key.ok_or_else(|| nowhere(0))?;
            found = Some(Self { source, outline, parent: at, key, value, flow });
            at = value;
        }
        found.ok_or_else(|| nowhere(0))
    }

    fn parent_is_flow(&self) -> bool {
        is_flow(self.source, self.parent)
    }

    fn in_list(&self) -> bool {
        self.key == self.value
    }

    /// The byte behind the value.
    fn end(&self) -> usize {
        end_of(self.source, self.value, false)
    }

    fn replaced(&self, graft: &Graft<'_>) -> Result<(Range<usize>, Vec<u8>), Fault> {
        let (source, text) = (self.source, self.source.text);
        let event = &source.events[self.value];
        let (start, end) = if event.kind == EventKind::Empty {
            let behind = source.range(event).end;
            (behind, behind)
        } else {
            (start_of(source, self.value), self.end())
        };
        let json = source.token(source.events[self.key].token).kind == TokenKind::DoubleQuoted && !self.in_list();
        let manner = Manner::of(source, self.outline, json, start);
        let mark = text[..start].iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |at| at + 1);
        // Behind the mark there is the value or, in between, a comment; a comment may also follow it on its last line.
        let commented = !matches!(text.get(mark.wrapping_sub(1)), Some(b':' | b'-' | b'?'));
        let tail = &text[end..line_end(text, false, end)];
        let followed = !tail.trim_ascii().is_empty();
        let mut new = Vec::new();
        let simple = matches!(graft, Graft::Leaf(_)) || graft.is_empty();
        if self.flow || commented || (followed && !simple) {
            let pad = start == end && !text[..start].ends_with(b" ");
            new.extend_from_slice(if pad { b" " } else { b"" });
            manner.one_line(graft, self.flow || !simple, &mut new)?;
            return Ok((start..end, new));
        }
        let column = source.token(source.events[self.parent].token).column as usize;
        if self.in_list() {
            manner.behind_dash(graft, column, &mut new)?;
        } else {
            manner.behind_key(graft, column, &mut new)?;
        }
        Ok((mark..end, new))
    }

    /// In a block: the lines of the item; of one that begins behind a dash or a `?`, what reaches to the next item.
    fn lines(&self) -> Range<usize> {
        let text = self.source.text;
        let key = start_of(self.source, self.key);
        let start = if self.in_list() { self.dash(key) } else { key };
        let line = text[..start].iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(0, |at| at + 1);
        let end =
            if self.source.events[self.value].kind == EventKind::Empty { start.max(self.end()) } else { self.end() };
        if text[line..start].iter().all(|byte| *byte == b' ') {
            let end = line_end(text, false, end);
            return line..end + break_len(text, end);
        }
        let next = items(self.source, self.parent).find(|item| *item > self.value);
        match next.map(|next| {
            if self.in_list() { self.dash(start_of(self.source, next)) } else { start_of(self.source, next) }
        }) {
            Some(next) if text[end..next].iter().all(u8::is_ascii_whitespace) => start..next,
            _ => start..end,
        }
    }

    /// Where the dash before a list item stands.
    fn dash(&self, item: usize) -> usize {
        let tokens = &self.source.scan.tokens;
        let behind = tokens.partition_point(|token| (token.start as usize) <= item);
        let dash = tokens[..behind].iter().rev().find(|token| token.kind == TokenKind::Entry);
        dash.map_or(item, |dash| dash.start as usize)
    }

    /// In brackets: the item and one comma.
    fn range_in_brackets(&self) -> Range<usize> {
        let text = self.source.text;
        let all: Vec<usize> = items(self.source, self.parent).collect();
        let start = start_of(self.source, self.key);
        let at = all.iter().position(|item| *item == self.key).unwrap_or(0);
        if let Some(next) = all.get(at + 1) {
            return start..start_of(self.source, *next);
        }
        match at.checked_sub(1).map(|before| end_of(self.source, all[before], !self.in_list())) {
            Some(before) if text[before..start].contains(&b',') => before..self.end(),
            _ => start..self.end(),
        }
    }
}

fn is_flow(source: &Source<'_>, collection: usize) -> bool {
    let first = source.token(source.events[collection].token).kind;
    matches!(first, TokenKind::FlowMappingStart | TokenKind::FlowSequenceStart)
}
