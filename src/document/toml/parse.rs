//! One pass over a TOML text: statements, values and comments with their byte ranges.

use std::ops::Range;

use super::tables::{Fault, Item, ItemId, Made, Part, ROOT, Statement, Tables};
use super::{atom, text};
use crate::document::outline::{Comment, CommentId, Leaf, Style};
use crate::document::scalar::Kind;
use crate::document::syntax::SyntaxErrorKind;

/// The reserved table.
pub(super) const SOPS: &str = "sops";

/// What a text holds.
pub(super) struct Parsed {
    pub(super) tables: Tables,
    pub(super) comments: Vec<Comment>,
    /// The lines of the `sops` tables, one range for each run of them.
    pub(super) blocks: Vec<Range<usize>>,
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    tables: Tables,
    comments: Vec<Comment>,
    /// The table of the last header.
    table: ItemId,
    /// Whether that is one of the `sops` tables, and the comments since its last statement.
    in_block: bool,
    waiting: Vec<CommentId>,
    blocks: Vec<Range<usize>>,
}

/// What comes next inside a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// An item of an array, or its end.
    Item,
    /// A comma or the end of an array or table in braces.
    Next,
    /// A key of a table in braces, or its end.
    Key,
}

const SPLIT: SyntaxErrorKind =
    SyntaxErrorKind::NotAllowed("a comment inside the `sops` tables, where it would be lost");
const RESERVED: SyntaxErrorKind =
    SyntaxErrorKind::NotAllowed("`sops` is the name of the metadata, a table of its own: `[sops]`");

pub(super) fn parse(text: &[u8]) -> Result<Parsed, Fault> {
    if let Err(error) = std::str::from_utf8(text) {
        return Err((error.valid_up_to(), SyntaxErrorKind::NotAllowed("bytes that are no UTF-8")));
    }
    let mut parser = Parser {
        text,
        at: if text.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 },
        tables: Tables::new(),
        comments: Vec::new(),
        table: ROOT,
        in_block: false,
        waiting: Vec::new(),
        blocks: Vec::new(),
    };
    while parser.statement()? {}
    parser.leave_block();
    Ok(Parsed { tables: parser.tables, comments: parser.comments, blocks: parser.blocks })
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    fn expected<T>(&self, what: &'static str) -> Result<T, Fault> {
        Err((self.at, SyntaxErrorKind::Expected(what)))
    }

    /// Passes a line break, if one stands here.
    fn line_break(&mut self) -> bool {
        let length = match self.text.get(self.at..) {
            Some([b'\n', ..]) => 1,
            Some([b'\r', b'\n', ..]) => 2,
            _ => 0,
        };
        self.at += length;
        length > 0
    }

    /// One line, or as many as a value takes; `false` at the end.
    fn statement(&mut self) -> Result<bool, Fault> {
        self.blanks();
        let start = self.at;
        match self.peek() {
            None => return Ok(false),
            Some(b'\n' | b'\r') => {}
            Some(b'#') => {
                let comment = self.comment()?;
                if self.in_block {
                    self.waiting.push(comment);
                } else {
                    self.tables.comment(self.table, comment, false);
                }
            }
            Some(b'[') => self.header(start)?,
            Some(_) => self.key_and_value(start)?,
        }
        if !self.line_break() && self.peek().is_some() {
            return self.expected("the end of the line");
        }
        if self.in_block
            && self.waiting.is_empty()
            && let Some(block) = self.blocks.last_mut()
            && self.at > block.end
            && !self.text[block.end..self.at].trim_ascii().is_empty()
        {
            block.end = self.at;
        }
        Ok(true)
    }

    /// A comment's text up to the end of its line.
    fn comment(&mut self) -> Result<CommentId, Fault> {
        let start = self.at + 1;
        let rest = &self.text[start..];
        let mut end = start + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        if end > start && self.text[end - 1] == b'\r' && end < self.text.len() {
            end -= 1;
        }
        let control = |byte: &u8| matches!(byte, 0..=8 | 0x0A..=0x1F | 0x7F);
        if let Some(at) = self.text[start..end].iter().position(control) {
            return Err((start + at, SyntaxErrorKind::NotAllowed("a control character in a comment")));
        }
        self.at = end;
        let id = u32::try_from(self.comments.len())
            .map_err(|_| (start, SyntaxErrorKind::NotAllowed("more than 2^32 comments")))?;
        self.comments.push(Comment { range: start..end, inline: false, dropped: false, item: false });
        Ok(CommentId(id))
    }

    /// A comment at the end of a statement's line stands before what the line defines, or first in its table.
    fn comment_behind(&mut self, container: ItemId, before_last: bool) -> Result<(), Fault> {
        self.blanks();
        if self.peek() != Some(b'#') {
            return Ok(());
        }
        if self.in_block {
            return Err((self.at, SPLIT));
        }
        let comment = self.comment()?;
        self.tables.comment(container, comment, before_last);
        Ok(())
    }

    fn header(&mut self, start: usize) -> Result<(), Fault> {
        self.at += 1;
        let of_array = self.peek() == Some(b'[');
        self.at += usize::from(of_array);
        let key = self.key()?;
        let close: &[u8] = if of_array { b"]]" } else { b"]" };
        if !self.text[self.at..].starts_with(close) {
            return self.expected(if of_array { "`]]`" } else { "`]`" });
        }
        self.at += close.len();
        let sops = key.first().is_some_and(|part| &*part.name == SOPS);
        let name = key.first().map_or(start, |part| part.range.start);
        if sops && of_array && key.len() == 1 {
            return Err((name, RESERVED));
        }
        if !(sops && self.in_block) {
            self.leave_block();
        } else if !self.waiting.is_empty() {
            return Err((start, SPLIT));
        }
        let line = start - self.text[..start].iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if sops && !self.in_block {
            self.blocks.push(line..line);
        }
        self.in_block = sops;
        self.table = self.tables.header(key, of_array)?;
        self.tables.statements.push(Statement { item: self.table, header: true, range: line..self.at });
        self.comment_behind(self.table, false)
    }

    /// The `sops` tables end; comments behind them belong to the file.
    fn leave_block(&mut self) {
        self.in_block = false;
        for comment in std::mem::take(&mut self.waiting) {
            self.tables.comment(ROOT, comment, false);
        }
    }

    fn key_and_value(&mut self, start: usize) -> Result<(), Fault> {
        if self.in_block && !self.waiting.is_empty() {
            return Err((start, SPLIT));
        }
        let key = self.key()?;
        if self.table == ROOT && key.first().is_some_and(|part| &*part.name == SOPS) {
            return Err((start, RESERVED));
        }
        let (holder, item) = self.pair(self.table, key)?;
        let line = start - self.text[..start].iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        self.tables.statements.push(Statement { item, header: false, range: line..self.at });
        self.comment_behind(holder, true)
    }

    /// The parts of a key, up to what follows it.
    fn key(&mut self) -> Result<Vec<Part>, Fault> {
        let mut parts = Vec::new();
        loop {
            self.blanks();
            let start = self.at;
            let rest = &self.text[start..];
            let name = match text::Quotes::of(rest) {
                Some(quotes) => {
                    let quotes = text::Quotes { lines: false, ..quotes };
                    let length = text::length(rest, quotes).map_err(|(at, kind)| (start + at, kind))?;
                    self.at += length;
                    text::value(&rest[1..length - 1], quotes)
                }
                None => {
                    let bare = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
                    self.at += rest.iter().take_while(bare).count();
                    if self.at == start {
                        return self.expected("a key");
                    }
                    (&self.text[start..self.at]).into()
                }
            };
            let name = String::from_utf8_lossy(&name).into();
            parts.push(Part { range: start..self.at, name });
            if parts.len() > super::tables::MOST_DEPTH {
                return Err((start, SyntaxErrorKind::TooDeep { limit: super::tables::MOST_DEPTH }));
            }
            self.blanks();
            if self.peek() != Some(b'.') {
                return Ok(parts);
            }
            self.at += 1;
        }
    }

    /// What follows a key: the table that holds the value, and the value itself with all that is in it.
    fn pair(&mut self, table: ItemId, key: Vec<Part>) -> Result<(ItemId, ItemId), Fault> {
        let (holder, first, opened) = self.value_of(table, key, None)?;
        let mut open = Vec::from_iter(opened.map(|expect| (first, expect)));
        while let Some(&mut (container, ref mut expect)) = open.last_mut() {
            let list = matches!(self.tables.items.get(container as usize), Some(Item::Array { .. }));
            self.blanks_and_lines(container)?;
            match (self.peek(), *expect) {
                (Some(b']'), _) if list => {
                    self.at += 1;
                    self.tables.close(container, self.at);
                    open.pop();
                }
                (Some(b'}'), _) if !list => {
                    self.at += 1;
                    self.tables.close(container, self.at);
                    open.pop();
                }
                (Some(b','), Expect::Next) => {
                    self.at += 1;
                    *expect = if list { Expect::Item } else { Expect::Key };
                }
                (_, Expect::Next) => return self.expected(if list { "`,` or `]`" } else { "`,` or `}`" }),
                (_, Expect::Item) => {
                    *expect = Expect::Next;
                    let (item, opens) = self.value()?;
                    let at = self.at;
                    let id = self.tables.push(container, item, at)?;
                    open.extend(opens.map(|expect| (id, expect)));
                }
                (_, Expect::Key) => {
                    *expect = Expect::Next;
                    let key = self.key()?;
                    let (_, id, opens) = self.value_of(container, key, Some(container))?;
                    open.extend(opens.map(|expect| (id, expect)));
                }
            }
        }
        Ok((holder, first))
    }

    /// In braces a line may break behind the `=`.
    fn value_of(
        &mut self,
        table: ItemId,
        key: Vec<Part>,
        braces: Option<ItemId>,
    ) -> Result<(ItemId, ItemId, Option<Expect>), Fault> {
        if self.peek() != Some(b'=') {
            return self.expected("`=`");
        }
        self.at += 1;
        match braces {
            Some(container) => self.blanks_and_lines(container)?,
            None => self.blanks(),
        }
        let (item, opens) = self.value()?;
        let (holder, id) = self.tables.entry(table, key, item)?;
        Ok((holder, id, opens))
    }

    /// Line breaks and comments between what brackets or braces hold.
    fn blanks_and_lines(&mut self, container: ItemId) -> Result<(), Fault> {
        loop {
            self.blanks();
            if self.peek() == Some(b'#') {
                if self.in_block {
                    return Err((self.at, SPLIT));
                }
                let comment = self.comment()?;
                self.tables.comment(container, comment, false);
            } else if !self.line_break() {
                return Ok(());
            }
        }
    }

    /// A scalar, or the beginning of an array or a table in braces.
    fn value(&mut self) -> Result<(Item, Option<Expect>), Fault> {
        let start = self.at;
        let rest = &self.text[start..];
        let (kind, style) = match self.peek() {
            Some(b'[') => {
                self.at += 1;
                let item = Item::Array { of_tables: false, children: Vec::new(), span: start..self.at };
                return Ok((item, Some(Expect::Item)));
            }
            Some(b'{') => {
                self.at += 1;
                let item = Item::Table { made: Made::Inline, children: Vec::new(), span: start..self.at };
                return Ok((item, Some(Expect::Key)));
            }
            Some(b'"' | b'\'') => {
                let Some(quotes) = text::Quotes::of(rest) else { return self.expected("a value") };
                // Two quotes are the empty string, unless a third follows them.
                self.at += text::length(rest, quotes).map_err(|(at, kind)| (start + at, kind))?;
                (Kind::Str, if quotes.literal { Style::SingleQuoted } else { Style::DoubleQuoted })
            }
            _ => {
                let length = atom_length(rest);
                let kind = atom::kind(&rest[..length]);
                let Some(kind) = kind else { return self.expected("a value as TOML writes it") };
                self.at += length;
                (kind, Style::Plain)
            }
        };
        let range = start..self.at;
        let null = kind == Kind::Str && style != Style::Plain && &self.text[start + 1..self.at - 1] == b"null";
        let kind = if null { Kind::Null } else { kind };
        Ok((Item::Leaf(Leaf { range, kind, style, tagged: true, context: 0 }), None))
    }
}

/// The length of what may be a number, a word, or a date with its time behind a blank.
fn atom_length(text: &[u8]) -> usize {
    let run = |text: &[u8]| {
        let part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'.' | b':');
        text.iter().take_while(part).count()
    };
    let length = run(text);
    if length == 10
        && text.get(10) == Some(&b' ')
        && atom::is_time(&text[..10])
        && text.get(11).is_some_and(u8::is_ascii_digit)
    {
        return 11 + run(&text[11..]);
    }
    length
}
