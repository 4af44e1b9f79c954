//! Bytes to tokens, for go-yaml v3's dialect: where tokens begin, which are keys, where blocks begin and end.
//!
//! *Source*: the behaviour of go-yaml v3, to which the differential test holds it. One pass, no recursion; a token is
//! moved at most 1,024 places (a key becomes one only when its `:` is found).

use super::Fault;
use super::chars::{self, break_len, byte, is_blank_or_end};
use super::token::{RawComment, Scan, Token, TokenKind};

/// go-yaml's bound on open brackets, and on open blocks.
pub(super) const DEPTH_LIMIT: usize = 10_000;

/// go-yaml's bound on the characters of a key without `?`.
const KEY_LIMIT: u32 = 1_024;

/// Where the scanner stands. Lines and columns as in [`Token`].
pub(super) struct Scanner<'t> {
    pub(super) text: &'t [u8],
    pub(super) ascii: bool,
    pub(super) scan: Scan,
    pub(super) pos: usize,
    pub(super) line: u32,
    line_start: usize,
    /// Bytes of the line so far that continue a character.
    wide: usize,
    /// The column of the innermost block, -1 outside of all.
    pub(super) indent: i64,
    indents: Vec<i64>,
    /// How many brackets are open.
    pub(super) flow: usize,
    /// What could still turn out to be a key: one for each open bracket, and one below.
    keys: Vec<Option<SimpleKey>>,
    /// Whether a key, or in blocks any indicator, may begin here.
    pub(super) key_allowed: bool,
}

#[derive(Clone, Copy)]
struct SimpleKey {
    /// In the column of its block, where nothing but a key can stand.
    required: bool,
    token: usize,
    start: u32,
    line: u32,
    column: u32,
}

/// The tokens and comments of `text`, which must have passed [`chars::check`].
pub(super) fn scan(text: &[u8], ascii: bool) -> Result<Scan, Fault> {
    let begin = if text.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let mut scanner = Scanner {
        text,
        ascii,
        scan: Scan { tokens: Vec::with_capacity(text.len() / 24 + 16), ..Scan::default() },
        pos: begin,
        line: 0,
        line_start: begin,
        wide: 0,
        indent: -1,
        indents: Vec::new(),
        flow: 0,
        keys: vec![None],
        key_allowed: true,
    };
    scanner.mark(TokenKind::StreamStart);
    while scanner.next()? {}
    Ok(scanner.scan)
}

impl Scanner<'_> {
    pub(super) fn byte(&self) -> u8 {
        byte(self.text, self.pos)
    }

    pub(super) fn column(&self) -> u32 {
        (self.pos - self.line_start - self.wide) as u32
    }

    /// Moves to `to`, which is on the same line.
    pub(super) fn advance_to(&mut self, to: usize) {
        if !self.ascii {
            self.wide += self.text[self.pos..to].iter().filter(|byte| (**byte & 0xC0) == 0x80).count();
        }
        self.pos = to;
    }

    /// Passes the line break here, if there is one.
    pub(super) fn new_line(&mut self) -> bool {
        let length = break_len(self.text, self.pos);
        if length == 0 {
            return false;
        }
        self.pos += length;
        self.line += 1;
        self.line_start = self.pos;
        self.wide = 0;
        true
    }

    /// A token that begins here and whose end is not known yet.
    pub(super) fn open(&self, kind: TokenKind) -> Token {
        let start = self.pos as u32;
        Token { kind, start, end: start, line: self.line, column: self.column(), end_line: self.line }
    }

    pub(super) fn push(&mut self, token: Token) {
        self.scan.tokens.push(token);
    }

    /// A zero-width token here.
    fn mark(&mut self, kind: TokenKind) {
        let token = self.open(kind);
        self.push(token);
    }

    /// A token of `length` ASCII bytes.
    fn take(&mut self, kind: TokenKind, length: usize) {
        let mut token = self.open(kind);
        self.advance_to(self.pos + length);
        token.end = self.pos as u32;
        self.push(token);
    }

    pub(super) fn push_comment(&mut self) {
        let (start, line, column) = (self.pos as u32, self.line, self.column());
        let end = chars::line_end(self.text, self.ascii, self.pos);
        self.advance_to(end);
        self.scan.comments.push(RawComment { start, end: end as u32, line, column });
    }

    /// Scans the next token with its zero-width companions; false after the last.
    fn next(&mut self) -> Result<bool, Fault> {
        self.skip_gap();
        self.close_blocks(i64::from(self.column()));
        if self.pos >= self.text.len() {
            return self.stream_end();
        }
        if self.column() == 0 {
            if self.byte() == b'%' {
                self.reset()?;
                return self.directive().map(|()| true);
            }
            if chars::is_document_indicator(self.text, self.pos) {
                self.reset()?;
                let kind = if self.byte() == b'-' { TokenKind::DocumentStart } else { TokenKind::DocumentEnd };
                self.take(kind, 3);
                return Ok(true);
            }
        }
        self.token()?;
        // A scalar passes the line breaks behind itself; a comment that follows them is not a trailing one.
        let trailing = |token: &Token| token.kind != TokenKind::Entry && token.end_line == self.line;
        if self.scan.tokens.last().is_some_and(trailing) {
            self.skip_trailing_comment();
        }
        Ok(true)
    }

    fn token(&mut self) -> Result<(), Fault> {
        let next_is_blank = is_blank_or_end(self.text, self.pos + 1);
        let block = self.flow == 0;
        match self.byte() {
            b'[' => self.open_bracket(TokenKind::FlowSequenceStart),
            b'{' => self.open_bracket(TokenKind::FlowMappingStart),
            b']' => self.close_bracket(TokenKind::FlowSequenceEnd),
            b'}' => self.close_bracket(TokenKind::FlowMappingEnd),
            b',' => self.comma(),
            b'-' if next_is_blank => self.entry(),
            b'?' if !block || next_is_blank => self.complex_key(),
            b':' if !block || next_is_blank => self.value(),
            b'*' => self.property(TokenKind::Alias),
            b'&' => self.property(TokenKind::Anchor),
            b'!' => self.property(TokenKind::Tag),
            b'|' if block => self.block_scalar(TokenKind::Literal),
            b'>' if block => self.block_scalar(TokenKind::Folded),
            b'\'' => self.flow_scalar(TokenKind::SingleQuoted),
            b'"' => self.flow_scalar(TokenKind::DoubleQuoted),
            b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b'\t' => {
                Err(self.fault("this character cannot begin a value; put it in quotes"))
            }
            _ => self.flow_scalar(TokenKind::Plain),
        }
    }

    pub(super) fn fault(&self, what: &'static str) -> Fault {
        Fault::not_allowed(self.pos, what)
    }

    /// Closes everything before a directive or a document indicator.
    fn reset(&mut self) -> Result<(), Fault> {
        self.close_blocks(-1);
        self.forget_key()?;
        self.key_allowed = false;
        self.scan.edges.push(self.scan.tokens.len() as u32);
        Ok(())
    }

    fn stream_end(&mut self) -> Result<bool, Fault> {
        self.reset()?;
        self.mark(TokenKind::StreamEnd);
        Ok(false)
    }

    fn open_bracket(&mut self, kind: TokenKind) -> Result<(), Fault> {
        self.remember_key()?;
        if self.flow == DEPTH_LIMIT {
            return Err(Fault::too_deep(self.pos, DEPTH_LIMIT));
        }
        self.flow += 1;
        self.keys.push(None);
        self.key_allowed = true;
        self.take(kind, 1);
        Ok(())
    }

    fn close_bracket(&mut self, kind: TokenKind) -> Result<(), Fault> {
        self.forget_key()?;
        if self.flow > 0 {
            self.flow -= 1;
            self.keys.pop();
        }
        self.key_allowed = false;
        self.take(kind, 1);
        Ok(())
    }

    fn comma(&mut self) -> Result<(), Fault> {
        self.forget_key()?;
        self.key_allowed = true;
        self.take(TokenKind::Comma, 1);
        Ok(())
    }

    fn entry(&mut self) -> Result<(), Fault> {
        if self.flow == 0 {
            if !self.key_allowed {
                return Err(self.fault("a list item cannot begin here"));
            }
            self.open_block(self.column(), None, TokenKind::BlockSequence)?;
        }
        self.forget_key()?;
        self.key_allowed = true;
        self.take(TokenKind::Entry, 1);
        Ok(())
    }

    fn complex_key(&mut self) -> Result<(), Fault> {
        if self.flow == 0 {
            if !self.key_allowed {
                return Err(self.fault("a key cannot begin here"));
            }
            self.open_block(self.column(), None, TokenKind::BlockMapping)?;
        }
        self.forget_key()?;
        self.key_allowed = self.flow == 0;
        self.take(TokenKind::Key, 1);
        Ok(())
    }

    fn value(&mut self) -> Result<(), Fault> {
        if let Some(key) = self.simple_key()? {
            let SimpleKey { token, start, line, column, .. } = key;
            let mark = Token { kind: TokenKind::Key, start, end: start, line, column, end_line: line };
            self.scan.tokens.insert(token, mark);
            self.open_block(column, Some((token, mark)), TokenKind::BlockMapping)?;
            self.key_allowed = false;
        } else {
            if self.flow == 0 {
                if !self.key_allowed {
                    return Err(self.fault("a value cannot stand here; is a key missing, or a quote?"));
                }
                self.open_block(self.column(), None, TokenKind::BlockMapping)?;
            }
            self.key_allowed = self.flow == 0;
        }
        self.take(TokenKind::Value, 1);
        Ok(())
    }

    fn property(&mut self, kind: TokenKind) -> Result<(), Fault> {
        self.remember_key()?;
        self.key_allowed = false;
        match kind {
            TokenKind::Tag => self.tag(),
            _ => self.anchor(kind),
        }
    }

    fn flow_scalar(&mut self, kind: TokenKind) -> Result<(), Fault> {
        self.remember_key()?;
        self.key_allowed = false;
        match kind {
            TokenKind::SingleQuoted => self.single_quoted(),
            TokenKind::DoubleQuoted => self.double_quoted(),
            _ => self.plain(),
        }
    }

    /// Opens a block at `column` if it is deeper than the innermost one; at a key that has become one, before it.
    fn open_block(&mut self, column: u32, at: Option<(usize, Token)>, kind: TokenKind) -> Result<(), Fault> {
        if self.flow > 0 || self.indent >= i64::from(column) {
            return Ok(());
        }
        if self.indents.len() == DEPTH_LIMIT {
            return Err(Fault::too_deep(self.pos, DEPTH_LIMIT));
        }
        self.indents.push(self.indent);
        self.indent = i64::from(column);
        match at {
            Some((index, key)) => self.scan.tokens.insert(index, Token { kind, ..key }),
            None => self.mark(kind),
        }
        Ok(())
    }

    /// Closes every block that is deeper than `column`.
    fn close_blocks(&mut self, column: i64) {
        while self.flow == 0 && self.indent > column {
            self.mark(TokenKind::End);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    /// The innermost candidate for a key, if it is still on this line and near enough; it is used up.
    fn simple_key(&mut self) -> Result<Option<SimpleKey>, Fault> {
        let Some(key) = self.keys.last_mut().and_then(Option::take) else { return Ok(None) };
        if key.line == self.line && key.column + KEY_LIMIT >= self.column() {
            return Ok(Some(key));
        }
        if key.required { Err(lonely(key)) } else { Ok(None) }
    }

    pub(super) fn remember_key(&mut self) -> Result<(), Fault> {
        if !self.key_allowed {
            return Ok(());
        }
        self.forget_key()?;
        let column = self.column();
        let required = self.flow == 0 && self.indent == i64::from(column);
        let token = self.scan.tokens.len();
        let key = SimpleKey { required, token, start: self.pos as u32, line: self.line, column };
        if let Some(slot) = self.keys.last_mut() {
            *slot = Some(key);
        }
        Ok(())
    }

    pub(super) fn forget_key(&mut self) -> Result<(), Fault> {
        match self.keys.last_mut().and_then(Option::take) {
            Some(key) if key.required => Err(lonely(key)),
            _ => Ok(()),
        }
    }
}

fn lonely(key: SimpleKey) -> Fault {
    Fault::expected(key.start as usize, "a `:` behind this key, on its line and within 1,024 characters")
}
