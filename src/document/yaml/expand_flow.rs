//! A node on one line: a scalar as it is, a collection in brackets.

use super::event::{EventKind, Tag};
use super::source::Source;
use super::token::TokenKind;
use super::{Fault, spelling};
use crate::document::scalar::Kind;

/// How deep a copied collection may be; it bounds the recursion.
const DEPTH_LIMIT: usize = 256;

/// Appends the node at `at` on one line.
pub(super) fn write(source: &Source<'_>, at: usize, flow: bool, out: &mut Vec<u8>) -> Result<(), Fault> {
    node(source, at, flow, DEPTH_LIMIT, out)
}

/// The tag of a node as it is written.
pub(super) fn tag_of<'t>(source: &Source<'t>, at: usize) -> Option<&'t [u8]> {
    let event = &source.events[at];
    let mut token = event.token;
    // Nothing stands behind its own tag or anchor; anything else behind both.
    if event.kind == EventKind::Empty {
        token += 1;
    }
    while token > 0 {
        token -= 1;
        match source.token(token).kind {
            TokenKind::Tag => return Some(&source.text[source.token(token).range()]),
            TokenKind::Anchor => {}
            _ => return None,
        }
    }
    None
}

fn node(source: &Source<'_>, at: usize, flow: bool, depth: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    let event = &source.events[at];
    let start = source.range(event).start;
    if depth == 0 {
        return Err(Fault::too_deep(start, DEPTH_LIMIT));
    }
    if let Some(tag) = tag_of(source, at) {
        out.extend_from_slice(tag);
        out.push(b' ');
    }
    match event.kind {
        EventKind::Mapping | EventKind::Sequence => {
            let mapping = event.kind == EventKind::Mapping;
            out.push(if mapping { b'{' } else { b'[' });
            let mut item = at + 1;
            while source.events[item].kind != EventKind::End {
                if item > at + 1 {
                    out.extend_from_slice(b", ");
                }
                node(source, item, true, depth - 1, out)?;
                item = source.behind(item);
                if mapping {
                    out.extend_from_slice(b": ");
                    node(source, item, true, depth - 1, out)?;
                    item = source.behind(item);
                }
            }
            out.push(if mapping { b'}' } else { b']' });
            Ok(())
        }
        EventKind::Alias => node(source, event.link as usize, flow, depth - 1, out),
        _ => scalar(source, at, flow, out),
    }
}

fn scalar(source: &Source<'_>, at: usize, flow: bool, out: &mut Vec<u8>) -> Result<(), Fault> {
    let event = &source.events[at];
    if event.kind == EventKind::Empty {
        let text = source.kind_of(event)? == Kind::Str;
        out.extend_from_slice(if text { b"\"\"" } else { b"null" });
        return Ok(());
    }
    let token = source.token(event.token);
    let raw = &source.text[token.range()];
    let block = matches!(token.kind, TokenKind::Literal | TokenKind::Folded);
    let one_line = token.line == token.end_line && !block;
    if one_line && (token.kind != TokenKind::Plain || !flow || spelling::is_plain(raw, true)) {
        out.extend_from_slice(raw);
        return Ok(());
    }
    // Of what a tag turns into a number the text would be a text in quotes, too: the tag decides.
    let text = source.text_of(event);
    let plain = token.kind == TokenKind::Plain && (event.tag != Tag::None || spelling::is_text(&text));
    if plain && spelling::is_plain(&text, flow) {
        out.extend_from_slice(&text);
    } else {
        spelling::double_quoted(&String::from_utf8_lossy(&text), out);
    }
    Ok(())
}
