//! Adding a value where none stands: a new key at the end of a mapping, a new item at the end of a list.

use std::ops::Range;

use super::Fault;
use super::chars::{break_len, line_end};
use super::event::EventKind;
use super::manner::{Manner, utf8};
use super::source::Source;
use super::token::TokenKind;
use super::{spelling, write_block};
use crate::document::edit::Replacement;
use crate::document::graft::Graft;
use crate::document::key_path::{KeyPath, PathPart};
use crate::document::outline::Outline;
use crate::document::scalar::Kind;
use crate::document::syntax::SyntaxErrorKind;

/// The text with `value` added at `path` in the first document, in the style of its neighbours.
pub(super) fn insert(text: &[u8], outline: &Outline, path: &KeyPath, value: &Graft<'_>) -> Result<Vec<u8>, Fault> {
    let source = Source::parse(text)?;
    let place = Place::find(&source, outline, path)?;
    let splices = if place.flow { place.in_brackets(value)? } else { place.in_block(value)? };
    Ok(spliced(text, splices))
}

pub(super) type Splices = Vec<(Range<usize>, Vec<u8>)>;

pub(super) fn spliced(text: &[u8], mut splices: Splices) -> Vec<u8> {
    splices.sort_by_key(|(range, _)| range.start);
    let mut out = Vec::with_capacity(text.len() + 256);
    let mut copied = 0;
    for (range, new) in splices {
        out.extend_from_slice(&text[copied..range.start]);
        out.extend_from_slice(&new);
        copied = range.end;
    }
    out.extend_from_slice(&text[copied..]);
    out
}

/// The collection that gets a new item.
struct Place<'s> {
    source: &'s Source<'s>,
    /// The key of the new item; `None` in a list.
    key: Option<&'s str>,
    flow: bool,
    /// Of a block, its column.
    column: usize,
    /// Offset of its first byte, and of its closing bracket.
    range: Range<usize>,
    /// Its last item but metadata: first byte, and the byte behind it.
    last: Option<Range<usize>>,
    manner: Manner,
    /// Where a block without any item goes.
    fallback: usize,
}

fn nowhere(at: usize, what: &'static str) -> Fault {
    Fault::new(at, SyntaxErrorKind::Path(what))
}

impl<'s> Place<'s> {
    fn find(source: &'s Source<'s>, outline: &Outline, path: &'s KeyPath) -> Result<Self, Fault> {
        let Some((name, parents)) = path.parts().split_last() else {
            return Err(nowhere(0, "the path of a new value needs a key"));
        };
        // The first event is the first document, the second its root.
        let mut at = 1;
        for part in parents {
            at = child(source, at, part).ok_or_else(|| {
                nowhere(source.range(&source.events[at]).start, "there is nothing at the path above the new value")
            })?;
        }
        let event = &source.events[at];
        let here = source.range(event).start;
        let key = match (event.kind, name) {
            (EventKind::Mapping, PathPart::Key(key)) => Some(key.as_str()),
            (EventKind::Empty, PathPart::Key(key)) if parents.is_empty() => Some(key.as_str()),
            (EventKind::Sequence, PathPart::Index(index)) => {
                if *index != list_items(source, at).count() {
                    return Err(nowhere(here, "a new list item goes to the end of the list"));
                }
                None
            }
            (EventKind::Alias, _) => return Err(nowhere(here, "an alias stands above the new value")),
            _ => return Err(nowhere(here, "what stands above the new value is no collection that could hold it")),
        };
        if child(source, at, name).is_some() {
            return Err(nowhere(here, "there is a value of this key already"));
        }
        let first = source.token(event.token);
        if first.kind == TokenKind::Key {
            return Err(nowhere(here, "a single pair in a list has no room for another"));
        }
        let documents = source.events.iter().filter(|event| event.kind == EventKind::Document).take(2).count();
        if event.kind == EventKind::Empty && documents > 1 {
            return Err(nowhere(here, "the first of several documents is empty"));
        }
        let is_metadata = |item: &usize| {
            source.is_block_item(*item) && parents.is_empty()
                || parents.is_empty() && key.is_some() && *source.text_of(&source.events[*item]) == *b"sops"
        };
        let last = items(source, at).filter(|item| !is_metadata(item)).last();
        let json = last.is_some_and(|item| source.token(source.events[item].token).kind == TokenKind::DoubleQuoted);
        let empty_root = event.kind == EventKind::Empty;
        let metadata = outline.metadata.as_ref().map(|metadata| metadata.range.start);
        Ok(Self {
            source,
            key,
            flow: matches!(first.kind, TokenKind::FlowMappingStart | TokenKind::FlowSequenceStart),
            column: if empty_root { 0 } else { first.column as usize },
            range: first.start as usize..closing(source, at),
            last: last.map(|item| start_of(source, item)..end_of(source, item, key.is_some())),
            manner: Manner::of(source, outline, json, here),
            fallback: metadata.unwrap_or(source.text.len()),
        })
    }

    fn in_block(&self, value: &Graft<'_>) -> Result<Splices, Fault> {
        let text = self.source.text;
        let at = self.last.as_ref().map_or(self.fallback, |last| {
            let end = line_end(text, false, last.end);
            end + break_len(text, end)
        });
        let newline = self.manner.newline();
        let ends_line =
            at == 0 || [2, 1, 3].iter().any(|length| *length <= at && break_len(text, at - length) == *length);
        let mut line = Vec::new();
        if !ends_line {
            line.extend_from_slice(newline);
        }
        line.resize(line.len() + self.column, b' ');
        match self.key {
            Some(key) => self.manner.key(key, false, &mut line),
            None => line.push(b'-'),
        }
        match (value, self.key) {
            (Graft::Leaf(Replacement::Value { kind: Kind::Str, bytes }), _) if bytes.contains(&b'\n') => {
                let value = utf8(bytes, at)?;
                line.push(b' ');
                if !write_block::appended(text, at, self.column, value, &mut line) {
                    spelling::double_quoted(value, &mut line);
                }
            }
            (_, Some(_)) => self.manner.behind_key(value, self.column, &mut line)?,
            (_, None) => self.manner.behind_dash(value, self.column, &mut line)?,
        }
        if ends_line {
            line.extend_from_slice(newline);
        }
        Ok(vec![(at..at, line)])
    }

    fn in_brackets(&self, value: &Graft<'_>) -> Result<Splices, Fault> {
        let text = self.source.text;
        let mut item = Vec::new();
        if let Some(key) = self.key {
            self.manner.key(key, true, &mut item);
            item.push(b' ');
        }
        self.manner.one_line(value, true, &mut item)?;
        let Some(last) = &self.last else {
            let at = self.range.start + 1;
            return Ok(vec![(at..at, item)]);
        };
        let tokens = &self.source.scan.tokens;
        let behind = tokens.partition_point(|token| (token.start as usize) < last.end);
        let comma =
            tokens[behind..].iter().find(|token| !token.is_zero_width()).filter(|token| token.kind == TokenKind::Comma);
        let mut splices = Vec::new();
        let end = comma.map_or(last.end, |comma| comma.end as usize);
        if comma.is_none() {
            // A comment may begin right behind a quote, but not right behind a comma.
            let comma: &[u8] = if text.get(end) == Some(&b'#') { b", " } else { b"," };
            splices.push((end..end, comma.to_vec()));
        }
        let mut new = Vec::new();
        let line = line_end(text, false, end);
        let line_start =
            text[..last.start].iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(0, |at| at + 1);
        let indent = &text[line_start..last.start];
        let own_lines = line < self.range.end && indent.iter().all(|byte| matches!(byte, b' ' | b'\t'));
        let at = if own_lines {
            new.extend_from_slice(self.manner.newline());
            new.extend_from_slice(indent);
            new.extend_from_slice(&item);
            if comma.is_some() {
                new.push(b',');
            }
            line
        } else {
            new.push(b' ');
            new.extend_from_slice(&item);
            end
        };
        splices.push((at..at, new));
        Ok(splices)
    }
}

/// The events of a collection's items: of a mapping its keys.
pub(super) fn items<'s>(source: &'s Source<'s>, at: usize) -> impl Iterator<Item = usize> + 's {
    let mapping = source.events[at].kind == EventKind::Mapping;
    let collection = mapping || source.events[at].kind == EventKind::Sequence;
    let mut next = at + 1;
    std::iter::from_fn(move || {
        if !collection || source.events[next].kind == EventKind::End {
            return None;
        }
        let item = next;
        next = source.behind(next);
        if mapping {
            next = source.behind(next);
        }
        Some(item)
    })
}

/// The items of a list without the comments among them and the metadata.
fn list_items<'s>(source: &'s Source<'s>, at: usize) -> impl Iterator<Item = usize> + 's {
    let root = at > 0 && source.events[at - 1].kind == EventKind::Document;
    items(source, at)
        .filter(move |item| !source.is_item_comment(&source.events[*item]) && !(root && source.is_block_item(*item)))
}

/// The value at one step below; of a key that stands twice the last.
pub(super) fn child(source: &Source<'_>, at: usize, part: &PathPart) -> Option<usize> {
    let mapping = source.events[at].kind == EventKind::Mapping;
    match part {
        PathPart::Index(index) => (!mapping).then(|| list_items(source, at).nth(*index)).flatten(),
        PathPart::Key(name) if mapping => {
            let named = |key: &usize| *source.text_of(&source.events[source.resolved(*key)]) == *name.as_bytes();
            items(source, at).filter(named).last().map(|key| source.behind(key))
        }
        PathPart::Key(_) => None,
    }
}

/// Where a flow collection's closing bracket stands.
fn closing(source: &Source<'_>, at: usize) -> usize {
    let event = &source.events[at];
    match event.kind {
        EventKind::Mapping | EventKind::Sequence => {
            let end = &source.events[event.link as usize];
            source.solid(end.token).start as usize
        }
        _ => source.text.len(),
    }
}

pub(super) fn start_of(source: &Source<'_>, item: usize) -> usize {
    let event = &source.events[item];
    let mut first = source.token(event.token).start as usize;
    // Its anchor and its tag stand before it.
    let mut token = event.token;
    while token > 0 {
        token -= 1;
        match source.token(token).kind {
            TokenKind::Anchor | TokenKind::Tag => first = source.token(token).start as usize,
            TokenKind::Key | TokenKind::BlockMapping | TokenKind::BlockSequence => {}
            _ => break,
        }
    }
    first
}

/// The byte behind an item, with the blank lines of a block scalar that keeps them.
pub(super) fn end_of(source: &Source<'_>, item: usize, pair: bool) -> usize {
    let value = if pair { source.behind(item) } else { item };
    let last = source.behind(value) - 1;
    let event = &source.events[last];
    if event.kind != EventKind::End {
        return source.range(event).end;
    }
    // Blocks nested in one another may end with the same scalar.
    let mut before = last;
    while source.events[before].kind == EventKind::End {
        before -= 1;
    }
    let before = &source.events[before];
    let end = source.solid(event.token).end as usize;
    if before.kind == EventKind::Scalar { source.range(before).end.max(end) } else { end }
}
