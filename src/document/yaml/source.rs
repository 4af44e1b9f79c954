//! A parsed text: tokens, comments, events, and what stands at each of them.

use std::borrow::Cow;
use std::ops::Range;

use super::chars::{self, break_len, byte};
use super::context::Context;
use super::event::{Event, EventKind, Tag};
use super::token::{Scan, Token, TokenKind};
use super::{Fault, parser, resolve, scanner, text};
use crate::document::outline::{Leaf, Style};
use crate::document::scalar::Kind;
use crate::document::syntax::SyntaxErrorKind;

/// Offsets are kept in 32 bits.
const SIZE_LIMIT: usize = 1 << 31;

/// A text with its tokens and events.
pub(super) struct Source<'t> {
    pub(super) text: &'t [u8],
    pub(super) scan: Scan,
    pub(super) events: Vec<Event>,
}

impl<'t> Source<'t> {
    /// Whether the mapping at `at`, an item of a list at the top, is the `sops` block: its only key, and the last item.
    pub(super) fn is_block_item(&self, at: usize) -> bool {
        let kind = |at: usize| self.events.get(at).map(|event| event.kind);
        if kind(at) != Some(EventKind::Mapping) || kind(at + 1) != Some(EventKind::Scalar) {
            return false;
        }
        let end = self.behind(at + 2);
        kind(end) == Some(EventKind::End)
            && kind(end + 1) == Some(EventKind::End)
            && matches!(kind(end + 2), None | Some(EventKind::Document))
            && *self.text_of(&self.events[at + 1]) == *b"sops"
    }

    pub(super) fn parse(text: &'t [u8]) -> Result<Self, Fault> {
        if text.len() > SIZE_LIMIT {
            return Err(Fault::not_allowed(0, "more than 2 GiB of text"));
        }
        let ascii = chars::check(text)?;
        let scan = scanner::scan(text, ascii)?;
        let events = parser::parse(text, &scan.tokens)?;
        Ok(Self { text, scan, events })
    }

    pub(super) fn token(&self, index: u32) -> &Token {
        &self.scan.tokens[index as usize]
    }

    /// The index behind the event at `index` and everything in it.
    pub(super) fn behind(&self, index: usize) -> usize {
        let event = &self.events[index];
        match event.kind {
            EventKind::Mapping | EventKind::Sequence => event.link as usize + 1,
            _ => index + 1,
        }
    }

    /// Where an event stands: a scalar with its blank lines if it keeps them; nothing, where it would stand.
    pub(super) fn range(&self, event: &Event) -> Range<usize> {
        match event.kind {
            EventKind::Empty => {
                let behind = self.solid(event.token).end as usize;
                behind..behind
            }
            _ => self.scalar_range(self.token(event.token)),
        }
    }

    /// The token at `index`, or the last one before it that has bytes.
    pub(super) fn solid(&self, index: u32) -> &Token {
        let mut at = index.min(self.scan.tokens.len() as u32 - 1);
        while at > 0 && self.token(at).is_zero_width() {
            at -= 1;
        }
        self.token(at)
    }

    /// A block that keeps its blank lines (`|+`) reaches up to the last of their breaks, which is left out.
    fn scalar_range(&self, token: &Token) -> Range<usize> {
        let range = token.range();
        if !matches!(token.kind, TokenKind::Literal | TokenKind::Folded) {
            return range;
        }
        let header = self.text.get(range.start + 1..range.start + 3).unwrap_or_default();
        if !(header.first() == Some(&b'+') || matches!(header, [b'1'..=b'9', b'+'])) {
            return range;
        }
        let mut end = range.end;
        let mut line = chars::line_end(self.text, false, end);
        loop {
            let mut next = line + break_len(self.text, line);
            while byte(self.text, next) == b' ' {
                next += 1;
            }
            if next == line || break_len(self.text, next) == 0 {
                return range.start..end;
            }
            (end, line) = (next, next);
        }
    }

    /// The text of a scalar; of nothing, nothing.
    pub(super) fn text_of(&self, event: &Event) -> Cow<'t, [u8]> {
        if event.kind == EventKind::Empty {
            return Cow::Borrowed(b"");
        }
        let kind = self.token(event.token).kind;
        let range = self.range(event);
        text::text(with_break(self.text, &range, kind), kind, self.content_column(event.token))
    }

    /// The column of a block scalar's content, 0 for other scalars.
    fn content_column(&self, token: u32) -> u32 {
        if self.scan.blocks.is_empty() {
            return 0;
        }
        let found = self.scan.blocks.binary_search_by_key(&token, |(block, _)| *block);
        found.map_or(0, |at| self.scan.blocks[at].1)
    }

    /// The kind of a scalar or of nothing.
    pub(super) fn kind_of(&self, event: &Event) -> Result<Kind, Fault> {
        let refused = |why| match self.range(event).start {
            at if why == resolve::TOO_LARGE => Fault::new(at, SyntaxErrorKind::Unwalkable(why)),
            at => Fault::not_allowed(at, why),
        };
        if event.kind == EventKind::Empty {
            return resolve::kind(b"", true, event.tag).map_err(refused);
        }
        let token = self.token(event.token);
        let plain = token.kind == TokenKind::Plain;
        if event.tag == Tag::None && (!plain || self.is_surely_text(token)) {
            return Ok(Kind::Str);
        }
        resolve::kind(&self.text_of(event), plain, event.tag).map_err(refused)
    }

    /// Whether a plain scalar begins like no number, no truth value and no null.
    fn is_surely_text(&self, token: &Token) -> bool {
        !matches!(
            byte(self.text, token.start as usize),
            b'0'..=b'9' | b'+' | b'-' | b'.' | b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F'
        )
    }

    /// Whether a list item is an encrypted comment: SOPS writes one as a plain scalar in a block list, always.
    pub(super) fn is_item_comment(&self, event: &Event) -> bool {
        let token = self.token(event.token);
        let dash = event.token.checked_sub(1).map(|before| self.token(before).kind);
        let text = &self.text[token.range()];
        event.kind == EventKind::Scalar
            && token.kind == TokenKind::Plain
            && dash == Some(TokenKind::Entry)
            && text.starts_with(b"ENC[AES256_GCM,")
            && text.ends_with(b",type:comment]")
    }

    /// The leaf that a scalar, or nothing, is.
    pub(super) fn leaf(&self, event: &Event) -> Result<Leaf, Fault> {
        let kind = self.kind_of(event)?;
        let style = if event.kind == EventKind::Empty { Style::Empty } else { style(self.token(event.token).kind) };
        let column = self.content_column(event.token);
        let context = Context { binary: event.tag == Tag::Binary, column, ..Context::default() };
        Ok(Leaf { range: self.range(event), kind, style, tagged: !event.tag.refuses_text(), context: context.pack() })
    }

    /// What an alias stands for, any other event itself.
    pub(super) fn resolved(&self, index: usize) -> usize {
        let event = &self.events[index];
        if event.kind == EventKind::Alias { event.link as usize } else { index }
    }
}

/// The bytes of a scalar; of a block, its last line break as well.
pub(super) fn with_break<'t>(text: &'t [u8], range: &Range<usize>, kind: TokenKind) -> &'t [u8] {
    let block = matches!(kind, TokenKind::Literal | TokenKind::Folded);
    let end = if block { range.end + break_len(text, range.end) } else { range.end };
    text.get(range.start..end).unwrap_or_default()
}

fn style(kind: TokenKind) -> Style {
    match kind {
        TokenKind::SingleQuoted => Style::SingleQuoted,
        TokenKind::DoubleQuoted => Style::DoubleQuoted,
        TokenKind::Literal => Style::Literal,
        TokenKind::Folded => Style::Folded,
        _ => Style::Plain,
    }
}

/// The token kind that a leaf of that style is made of; `None` where there is no text at all.
pub(super) const fn token_kind(style: Style) -> Option<TokenKind> {
    match style {
        Style::Plain => Some(TokenKind::Plain),
        Style::SingleQuoted => Some(TokenKind::SingleQuoted),
        Style::DoubleQuoted => Some(TokenKind::DoubleQuoted),
        Style::Literal => Some(TokenKind::Literal),
        Style::Folded => Some(TokenKind::Folded),
        Style::Alias | Style::Empty | Style::Whole => None,
    }
}
