//! How new values are laid out: with the text's own line break, indentation and quotes.

use super::event::EventKind;
use super::source::Source;
use super::token::TokenKind;
use super::write::{self, line_break};
use super::{Fault, spelling};
use crate::document::edit::Replacement;
use crate::document::graft::Graft;
use crate::document::outline::Outline;
use crate::document::scalar::Kind;

/// SOPS's indentation.
const STEP: usize = 4;

/// The habits of one text.
pub(super) struct Manner {
    newline: &'static [u8],
    /// From a mapping's column to that of a mapping in it.
    step: usize,
    /// From a mapping's column to that of a list in it.
    list_step: usize,
    /// Whether keys, and texts in brackets, stand in double quotes, as in JSON.
    json: bool,
    /// Where a fault is shown.
    at: usize,
}

impl Manner {
    /// Reads the habits off the text, the `sops` block left out; `at` is where something new goes.
    pub(super) fn of(source: &Source<'_>, outline: &Outline, json: bool, at: usize) -> Self {
        let block = outline.metadata.as_ref().map_or(0..0, |metadata| metadata.range.clone());
        let (mut step, mut list_step) = (None, None);
        // For each open collection its column, if it is a block mapping.
        let mut open: Vec<Option<usize>> = Vec::new();
        for event in &source.events {
            match event.kind {
                EventKind::Document => open.clear(),
                EventKind::End => drop(open.pop()),
                EventKind::Mapping | EventKind::Sequence => {
                    let first = source.token(event.token);
                    let (list, column) = (event.kind == EventKind::Sequence, first.column as usize);
                    let flow = matches!(first.kind, TokenKind::FlowMappingStart | TokenKind::FlowSequenceStart);
                    let parent = open.last().copied().flatten();
                    if let Some(parent) = parent.filter(|_| !flow && !block.contains(&(first.start as usize))) {
                        let found = if list { &mut list_step } else { &mut step };
                        *found = found.or(column.checked_sub(parent));
                    }
                    open.push((!flow && !list).then_some(column));
                }
                _ => {}
            }
            if step.is_some() && list_step.is_some() {
                break;
            }
        }
        let step = step.or(list_step.filter(|step| *step > 0)).filter(|step| *step > 0).unwrap_or(STEP);
        Self { newline: line_break(source.text), step, list_step: list_step.unwrap_or(step), json, at }
    }

    pub(super) fn newline(&self) -> &'static [u8] {
        self.newline
    }

    /// Appends a key with its colon.
    pub(super) fn key(&self, key: &str, flow: bool, out: &mut Vec<u8>) {
        if self.json {
            spelling::double_quoted(key, out);
        } else {
            spelling::fresh(key, flow, out);
        }
        out.push(b':');
    }

    /// Appends what follows the colon of a key in a block mapping at `column`.
    pub(super) fn behind_key(&self, graft: &Graft<'_>, column: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        match graft {
            Graft::Map(entries) if !entries.is_empty() => {
                self.line(column + self.step, out);
                self.mapping(entries, column + self.step, out)
            }
            Graft::List(items) if !items.is_empty() => {
                self.line(column + self.list_step, out);
                self.list(items, column + self.list_step, out)
            }
            _ => {
                out.push(b' ');
                self.one_line(graft, false, out)
            }
        }
    }

    /// Appends what follows the dash of a list at `column`.
    pub(super) fn behind_dash(&self, graft: &Graft<'_>, column: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        out.push(b' ');
        match graft {
            Graft::Map(entries) if !entries.is_empty() => self.mapping(entries, column + 2, out),
            Graft::List(items) if !items.is_empty() => self.list(items, column + 2, out),
            _ => self.one_line(graft, false, out),
        }
    }

    fn mapping(&self, entries: &[(String, Graft<'_>)], column: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        for (position, (key, graft)) in entries.iter().enumerate() {
            if position > 0 {
                self.line(column, out);
            }
            self.key(key, false, out);
            self.behind_key(graft, column, out)?;
        }
        Ok(())
    }

    fn list(&self, items: &[Graft<'_>], column: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        for (position, graft) in items.iter().enumerate() {
            if position > 0 {
                self.line(column, out);
            }
            out.push(b'-');
            self.behind_dash(graft, column, out)?;
        }
        Ok(())
    }

    /// Appends a value on one line, collections in brackets.
    pub(super) fn one_line(&self, graft: &Graft<'_>, flow: bool, out: &mut Vec<u8>) -> Result<(), Fault> {
        match graft {
            Graft::Leaf(value) => return self.leaf(value, flow, out),
            Graft::Map(entries) => {
                out.push(b'{');
                for (position, (key, graft)) in entries.iter().enumerate() {
                    out.extend_from_slice(if position > 0 { b", " } else { b"" });
                    self.key(key, true, out);
                    out.push(b' ');
                    self.one_line(graft, true, out)?;
                }
                out.push(b'}');
            }
            Graft::List(items) => {
                out.push(b'[');
                for (position, graft) in items.iter().enumerate() {
                    out.extend_from_slice(if position > 0 { b", " } else { b"" });
                    self.one_line(graft, true, out)?;
                }
                out.push(b']');
            }
        }
        Ok(())
    }

    fn leaf(&self, value: &Replacement<'_>, flow: bool, out: &mut Vec<u8>) -> Result<(), Fault> {
        match value {
            Replacement::Token(token) if flow && self.json => {
                out.push(b'"');
                out.extend_from_slice(token);
                out.push(b'"');
            }
            Replacement::Token(token) => write::fresh_token(token, flow, out),
            Replacement::Value { kind: Kind::Str, bytes } if flow && self.json => {
                spelling::double_quoted(utf8(bytes, self.at)?, out);
            }
            Replacement::Value { kind: Kind::Str, bytes } => spelling::fresh(utf8(bytes, self.at)?, flow, out),
            Replacement::Value { kind, bytes } => {
                let spelled = spelling::typed(*kind, bytes);
                let refused = || Fault::not_allowed(self.at, "this value cannot be written in YAML");
                out.extend_from_slice(&spelled.ok_or_else(refused)?);
            }
        }
        Ok(())
    }

    fn line(&self, column: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(self.newline);
        out.resize(out.len() + column, b' ');
    }
}

pub(super) fn utf8(bytes: &[u8], at: usize) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|_| Fault::not_allowed(at, "this value is not UTF-8 text"))
}
