//! Aliases replaced by copies of what they stand for, as SOPS loads them.
//!
//! A copy keeps its block layout where its new place allows that, and becomes a flow collection elsewhere. Aliases are
//! replaced innermost first, because an alias inside a copy means what it meant where it was written.

use std::collections::HashMap;
use std::ops::Range;

use super::chars::{break_len, line_end};
use super::event::EventKind;
use super::expand_flow;
use super::insert::end_of;
use super::source::Source;
use super::token::{Container, TokenKind};
use super::write::line_break;
use super::{Fault, comments};
use crate::document::syntax::{SyntaxError, SyntaxErrorKind};

/// What a text may grow to: far more than a file of secrets, far less than the memory.
const SIZE_LIMIT: usize = 64 << 20;

/// How deep aliases may be nested in what aliases stand for.
const ROUNDS: usize = 64;

/// The text without aliases, or `None` if it has none.
pub(super) fn expand(text: &[u8]) -> Result<Option<Vec<u8>>, SyntaxError> {
    let mut expanded: Option<Vec<u8>> = None;
    for _ in 0..ROUNDS {
        let current = expanded.as_deref().unwrap_or(text);
        match round(current).map_err(|fault| fault.locate(current))? {
            Some(next) => expanded = Some(next),
            None => return Ok(expanded),
        }
    }
    Err(bomb(0).locate(text))
}

fn bomb(at: usize) -> Fault {
    Fault::new(at, SyntaxErrorKind::AliasBomb { limit: SIZE_LIMIT })
}

/// Replaces the aliases whose targets hold no alias; `None` if there is none at all.
fn round(text: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
    let source = Source::parse(text)?;
    let aliases: Vec<usize> =
        (0..source.events.len()).filter(|event| source.events[*event].kind == EventKind::Alias).collect();
    if aliases.is_empty() {
        return Ok(None);
    }
    refuse_comments(&source, &aliases)?;
    let holds_alias = |target: usize| {
        let first = aliases.partition_point(|alias| *alias < target);
        aliases.get(first).is_some_and(|alias| *alias < source.behind(target))
    };
    let surroundings = Surroundings::of(&source);
    let mut out = Vec::with_capacity(text.len() * 2);
    let mut copied = 0;
    for alias in &aliases {
        let event = &source.events[*alias];
        let target = event.link as usize;
        let range = source.token(event.token).range();
        if source.events[*alias - 1].kind == EventKind::Document {
            return Err(Fault::not_allowed(range.start, "a document that is an alias as a whole"));
        }
        if holds_alias(target) {
            continue;
        }
        out.extend_from_slice(&text[copied..range.start]);
        write_copy(&source, &surroundings, *alias, target, &mut out)?;
        copied = range.end;
        if out.len() > SIZE_LIMIT {
            return Err(bomb(range.start));
        }
    }
    out.extend_from_slice(&text[copied..]);
    Ok(Some(out))
}

/// SOPS would repeat the comments of a collection under every path; one comment here cannot have two.
fn refuse_comments(source: &Source<'_>, aliases: &[usize]) -> Result<(), Fault> {
    if source.scan.comments.is_empty() {
        return Ok(());
    }
    let mut spans: Vec<Range<u32>> = Vec::new();
    for alias in aliases {
        let target = source.events[*alias].link as usize;
        let behind = source.behind(target) - 1;
        if behind > target {
            spans.push(source.events[target].token..source.events[behind].token + 1);
        }
    }
    spans.sort_unstable_by_key(|span| span.start);
    // Anchored collections are nested or apart: of the spans that begin before a token, the widest decides.
    let mut widest = 0;
    let reach: Vec<u32> = spans
        .iter()
        .map(|span| {
            widest = widest.max(span.end);
            widest
        })
        .collect();
    let inside = |token: u32| {
        let before = spans.partition_point(|span| span.start <= token);
        before > 0 && token < reach[before - 1]
    };
    let places = comments::attribute(source.text, &source.scan);
    for (comment, place) in source.scan.comments.iter().zip(&places) {
        let within = source.scan.tokens.partition_point(|token| token.start < comment.start).saturating_sub(1);
        let owned = match place.container {
            _ if place.dropped => inside(within as u32),
            Container::Root(_) => false,
            Container::Token(token) => inside(token),
        };
        if owned {
            let why = "a comment inside a collection that an alias repeats";
            return Err(Fault::not_allowed(comment.start as usize, why));
        }
    }
    Ok(())
}

fn write_copy(
    source: &Source<'_>,
    surroundings: &Surroundings,
    alias: usize,
    target: usize,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    let first = source.events[target].token;
    let kind = source.token(first).kind;
    let block = matches!(kind, TokenKind::BlockMapping | TokenKind::BlockSequence | TokenKind::Entry);
    let untagged = expand_flow::tag_of(source, target).is_none();
    let token = source.events[alias].token;
    match surroundings.block_place(source, token, first) {
        Some(place) if block && untagged => {
            if place.new_line {
                while matches!(out.last(), Some(b' ' | b'\t')) {
                    out.pop();
                }
                out.extend_from_slice(line_break(source.text));
                out.resize(out.len() + place.column, b' ');
            }
            write_lines(source, target, place.column, out);
            Ok(())
        }
        _ => expand_flow::write(source, target, surroundings.in_flow(token), out),
    }
}

/// The lines of a block collection, moved to another column and without its anchors.
fn write_lines(source: &Source<'_>, target: usize, column: usize, out: &mut Vec<u8>) {
    let first = source.events[target].token;
    let span = source.token(first).start as usize..end_of(source, target, false);
    let mut copy = Vec::with_capacity(span.len());
    let mut at = span.start;
    let anchors = source.scan.tokens[first as usize..].iter().take_while(|token| (token.start as usize) < span.end);
    for anchor in anchors.filter(|token| token.kind == TokenKind::Anchor) {
        let range = anchor.range();
        copy.extend_from_slice(&source.text[at..range.start]);
        at = range.end + usize::from(source.text.get(range.end) == Some(&b' '));
    }
    copy.extend_from_slice(&source.text[at.min(span.end)..span.end]);

    let old = source.token(first).column as usize;
    let mut at = 0;
    while at < copy.len() {
        let end = line_end(&copy, false, at);
        let behind = end + break_len(&copy, end);
        if at > 0 && end > at {
            let blanks = copy[at..end].iter().take_while(|byte| **byte == b' ').count();
            out.resize(out.len() + column.saturating_sub(old), b' ');
            at += blanks.min(old.saturating_sub(column));
        }
        out.extend_from_slice(&copy[at..behind]);
        at = behind;
    }
}

/// Where a block copy can stand.
struct BlockPlace {
    column: usize,
    new_line: bool,
}

/// What surrounds aliases and block collections, by token.
#[derive(Default)]
struct Surroundings {
    /// Of each alias whether it is in brackets, and the column of the block around it.
    aliases: HashMap<u32, (bool, u32)>,
    /// Of each block collection, how much deeper it is than the one around it.
    steps: HashMap<u32, u32>,
}

/// The step where the target itself shows none.
const STEP: u32 = 2;

impl Surroundings {
    fn of(source: &Source<'_>) -> Self {
        let mut found = Self::default();
        let mut levels: Vec<u32> = Vec::new();
        let mut flow = 0_usize;
        for (index, token) in (0..).zip(&source.scan.tokens) {
            match token.kind {
                TokenKind::BlockMapping | TokenKind::BlockSequence => {
                    let step = levels.last().and_then(|level| token.column.checked_sub(*level)).unwrap_or(STEP);
                    found.steps.insert(index, step);
                    levels.push(token.column);
                }
                TokenKind::End => {
                    levels.pop();
                }
                TokenKind::FlowSequenceStart | TokenKind::FlowMappingStart => flow += 1,
                TokenKind::FlowSequenceEnd | TokenKind::FlowMappingEnd => flow = flow.saturating_sub(1),
                TokenKind::Alias => {
                    found.aliases.insert(index, (flow > 0, levels.last().copied().unwrap_or(0)));
                }
                _ => {}
            }
        }
        found
    }

    fn in_flow(&self, alias: u32) -> bool {
        self.aliases.get(&alias).is_some_and(|(flow, _)| *flow)
    }

    /// A block fits behind `key:` on its own lines, or behind a dash; nothing else may follow on the line.
    fn block_place(&self, source: &Source<'_>, alias: u32, target: u32) -> Option<BlockPlace> {
        let (flow, level) = *self.aliases.get(&alias)?;
        let token = source.token(alias);
        let rest = &source.text[token.end as usize..];
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let ends_line = blanks == rest.len() || break_len(rest, blanks) > 0;
        let before = source.solid(alias.checked_sub(1)?);
        if flow || !ends_line || before.line != token.line {
            return None;
        }
        match before.kind {
            TokenKind::Value => {
                let step = self.steps.get(&target).copied().filter(|step| (1..=8).contains(step)).unwrap_or(STEP);
                Some(BlockPlace { column: (level + step) as usize, new_line: true })
            }
            TokenKind::Entry => Some(BlockPlace { column: token.column as usize, new_line: false }),
            _ => None,
        }
    }
}
