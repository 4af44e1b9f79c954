//! JSON as a run of events with byte ranges; an explicit stack, so that nesting costs no call frames.

use std::ops::Range;

use super::string;
use crate::document::Format;
use crate::document::scalar::{Kind, parse_float, parse_int};
use crate::document::syntax::{SyntaxError, SyntaxErrorKind, error};

/// Nesting bound, that of Go's own reader.
pub(super) const MOST_DEPTH: usize = 10_000;

/// One step of the text.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A container begins at this byte.
    Open {
        /// Whether it is a list.
        list: bool,
        /// Its bracket.
        at: usize,
    },
    /// The innermost container ends with the byte before this offset.
    Close {
        /// The offset behind its bracket.
        end: usize,
    },
    /// A key, quotes included. Its colon has been read.
    Key(Range<usize>),
    /// A scalar, quotes included.
    Scalar {
        /// Where it stands.
        range: Range<usize>,
        /// What it is.
        kind: Kind,
        /// Whether the text between the quotes is not the value itself.
        escaped: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Root,
    FirstKey,
    FirstItem,
    Value,
    Next,
    End,
}

#[derive(Clone)]
pub(super) struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
    /// For each open container whether it is a list.
    open: Vec<bool>,
    expect: Expect,
    /// Whether the whole text is UTF-8, asked once.
    utf8: bool,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0, open: Vec::new(), expect: Expect::Root, utf8: std::str::from_utf8(text).is_ok() }
    }

    /// How many containers are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Whether the document is a list.
    pub(super) fn in_root_list(&self) -> bool {
        self.open.first() == Some(&true)
    }

    /// The offset behind the document, once it is read.
    pub(super) fn end(&self) -> Option<usize> {
        (self.expect == Expect::End).then_some(self.at)
    }

    /// The next event; `None` once the document and the blanks behind it are read.
    pub(super) fn next(&mut self) -> Result<Option<Event>, SyntaxError> {
        self.blanks();
        let here = self.peek();
        match self.expect {
            Expect::Root if here == Some(b'{') => self.container(false),
            Expect::Root if here == Some(b'[') => self.container(true),
            Expect::Root => Err(self.expected("`{`: a JSON file must hold an object or a list")),
            Expect::FirstKey if here == Some(b'}') => self.close(),
            Expect::FirstKey => self.key(),
            Expect::FirstItem if here == Some(b']') => self.close(),
            Expect::FirstItem | Expect::Value => self.value(),
            Expect::Next => {
                let list = self.open.last().copied().unwrap_or(false);
                match here {
                    Some(b']') if list => self.close(),
                    Some(b'}') if !list => self.close(),
                    Some(b',') => {
                        self.at += 1;
                        self.blanks();
                        if list { self.value() } else { self.key() }
                    }
                    _ if list => Err(self.expected("`,` or `]`")),
                    _ => Err(self.expected("`,` or `}`")),
                }
            }
            Expect::End if here.is_none() => Ok(None),
            Expect::End => {
                Err(self.fail(SyntaxErrorKind::NotAllowed("bytes after the document, which SOPS would drop")))
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn fail(&self, kind: SyntaxErrorKind) -> SyntaxError {
        error(Format::Json, self.text, self.at, kind)
    }

    fn expected(&self, what: &'static str) -> SyntaxError {
        self.fail(SyntaxErrorKind::Expected(what))
    }

    fn container(&mut self, list: bool) -> Result<Option<Event>, SyntaxError> {
        if self.open.len() == MOST_DEPTH {
            return Err(self.fail(SyntaxErrorKind::TooDeep { limit: MOST_DEPTH }));
        }
        self.open.push(list);
        self.expect = if list { Expect::FirstItem } else { Expect::FirstKey };
        self.at += 1;
        Ok(Some(Event::Open { list, at: self.at - 1 }))
    }

    fn close(&mut self) -> Result<Option<Event>, SyntaxError> {
        self.open.pop();
        self.expect = if self.open.is_empty() { Expect::End } else { Expect::Next };
        self.at += 1;
        Ok(Some(Event::Close { end: self.at }))
    }

    fn key(&mut self) -> Result<Option<Event>, SyntaxError> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a key in double quotes"));
        }
        let (range, _) = self.string()?;
        self.blanks();
        if self.peek() != Some(b':') {
            return Err(self.expected("`:`"));
        }
        self.at += 1;
        self.expect = Expect::Value;
        Ok(Some(Event::Key(range)))
    }

    fn value(&mut self) -> Result<Option<Event>, SyntaxError> {
        let start = self.at;
        let (range, kind, escaped) = match self.peek() {
            Some(b'{') => return self.container(false),
            Some(b'[') => return self.container(true),
            Some(b'"') => {
                let (range, escaped) = self.string()?;
                (range, Kind::Str, escaped)
            }
            Some(b't') => self.word(b"true", Kind::Bool)?,
            Some(b'f') => self.word(b"false", Kind::Bool)?,
            Some(b'n') => self.word(b"null", Kind::Null)?,
            Some(b'-' | b'0'..=b'9') => {
                let kind = self.number()?;
                (start..self.at, kind, false)
            }
            _ => return Err(self.expected("a value")),
        };
        self.expect = Expect::Next;
        Ok(Some(Event::Scalar { range, kind, escaped }))
    }

    fn word(&mut self, word: &'static [u8], kind: Kind) -> Result<(Range<usize>, Kind, bool), SyntaxError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.expected("`true`, `false` or `null`"));
        }
        self.at += word.len();
        Ok((self.at - word.len()..self.at, kind, false))
    }

    /// A number; SOPS takes what fits 64 bits as an integer and everything else as a float.
    fn number(&mut self) -> Result<Kind, SyntaxError> {
        let start = self.at;
        self.at += string::number_length(&self.text[start..]);
        let digits = &self.text[start..self.at];
        if digits.is_empty() || matches!(self.peek(), Some(b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
            return Err(self.expected("a number as JSON writes it"));
        }
        if parse_int(digits).is_some() {
            return Ok(Kind::Int);
        }
        if parse_float(digits).is_none() {
            self.at = start;
            return Err(self.fail(SyntaxErrorKind::NotAllowed("a number beyond the range of 64-bit floats")));
        }
        Ok(Kind::Float)
    }

    fn string(&mut self) -> Result<(Range<usize>, bool), SyntaxError> {
        let start = self.at;
        let mut escaped = false;
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(self.expected("`\"` at the end of the string")),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    let Some(length) = string::escape_length(&self.text[self.at..]) else {
                        return Err(self.expected("an escape as JSON writes it"));
                    };
                    self.at += length;
                }
                Some(0..=0x1F) => {
                    return Err(self.fail(SyntaxErrorKind::NotAllowed("a control character in a string")));
                }
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let range = start..self.at;
        let plain = !escaped && (self.utf8 || std::str::from_utf8(&self.text[range.clone()]).is_ok());
        Ok((range, !plain))
    }
}
