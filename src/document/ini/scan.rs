//! INI lines, as the `ini.v1` package that SOPS uses reads them.

use std::ops::Range;

use crate::document::Format;
use crate::document::outline::Style;
use crate::document::syntax::{SyntaxError, SyntaxErrorKind, error};

/// A raw value between three double quotes may span lines.
pub(super) const TRIPLE: &[u8] = b"\"\"\"";

/// One thing a file holds.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// A run of comment lines; empty lines between them are part of it.
    Comment { range: Range<usize>, inline: bool },
    /// `[name]`.
    Section { line: Range<usize>, name: Range<usize> },
    /// `key = value`.
    Entry { line: Range<usize>, key: Range<usize>, value: Value },
}

/// A value as it is written.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// Quotes included, blanks and comment excluded.
    pub(super) range: Range<usize>,
    pub(super) form: Form,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    Single,
    Double,
    /// `"""…"""`, raw.
    Triple,
    /// `` `…` ``, raw.
    Backquoted,
    /// Lines joined by a backslash.
    Joined,
}

impl Form {
    pub(super) fn style(self) -> Style {
        match self {
            Self::Plain => Style::Plain,
            Self::Single => Style::SingleQuoted,
            Self::Double => Style::DoubleQuoted,
            Self::Triple | Self::Backquoted | Self::Joined => Style::Literal,
        }
    }

    pub(super) const ALL: [Self; 6] =
        [Self::Plain, Self::Single, Self::Double, Self::Triple, Self::Backquoted, Self::Joined];
}

pub(super) struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
    /// A comment that stood behind what was just given.
    behind: Option<Range<usize>>,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        let at = if text.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        Self { text, at, behind: None }
    }

    fn fail(&self, at: usize, kind: SyntaxErrorKind) -> SyntaxError {
        error(Format::Ini, self.text, at, kind)
    }

    pub(super) fn next(&mut self) -> Result<Option<Item>, SyntaxError> {
        if let Some(range) = self.behind.take() {
            return Ok(Some(Item::Comment { range, inline: true }));
        }
        while let Some(line) = self.line() {
            let content = trim(self.text, line.clone());
            let Some(first) = self.text.get(content.start).filter(|_| !content.is_empty()) else { continue };
            return match first {
                b'#' | b';' => Ok(Some(self.comment(content))),
                b'[' => self.section(line, content).map(Some),
                _ => self.entry(line, content).map(Some),
            };
        }
        Ok(None)
    }

    /// The next line, its break included.
    fn line(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        if start >= self.text.len() {
            return None;
        }
        self.at = memchr::memchr(b'\n', &self.text[start..]).map_or(self.text.len(), |at| start + at + 1);
        Some(start..self.at)
    }

    /// Consecutive comment lines are one comment.
    fn comment(&mut self, first: Range<usize>) -> Item {
        let mut end = first.end;
        let mut ahead = self.at;
        while let Some(line) = self.line() {
            let content = trim(self.text, line);
            if content.is_empty() {
                continue;
            }
            if !matches!(self.text[content.start], b'#' | b';') {
                break;
            }
            end = content.end;
            ahead = self.at;
        }
        self.at = ahead;
        Item::Comment { range: behind_marks(self.text, first.start..end), inline: false }
    }

    fn section(&mut self, line: Range<usize>, content: Range<usize>) -> Result<Item, SyntaxError> {
        let Some(close) = memchr::memrchr(b']', &self.text[content.clone()]) else {
            return Err(self.fail(content.end, SyntaxErrorKind::Expected("`]` at the end of the section's name")));
        };
        let name = content.start + 1..content.start + close;
        if name.is_empty() {
            return Err(self.fail(content.start, SyntaxErrorKind::Expected("a section's name")));
        }
        let rest = name.end + 1..content.end;
        if let Some(mark) = self.text[rest.clone()].iter().position(|byte| matches!(byte, b'#' | b';')) {
            self.behind = Some(behind_marks(self.text, rest.start + mark..rest.end));
        }
        Ok(Item::Section { line, name })
    }

    fn entry(&mut self, line: Range<usize>, content: Range<usize>) -> Result<Item, SyntaxError> {
        let (key, from) = self.key(&content)?;
        let value = self.value(trim(self.text, from..content.end))?;
        Ok(Item::Entry { line: line.start..self.at.max(line.end), key, value })
    }

    /// The key, and the offset behind its delimiter.
    fn key(&self, content: &Range<usize>) -> Result<(Range<usize>, usize), SyntaxError> {
        let text = &self.text[content.clone()];
        let delimiter =
            |from: usize| text[from..].iter().position(|byte| matches!(byte, b'=' | b':')).map(|at| from + at);
        let quote: &[u8] = match text {
            [b'"', b'"', b'"', ..] if text.len() > 6 => TRIPLE,
            [b'"', ..] => b"\"",
            [b'`', ..] => b"`",
            _ => b"",
        };
        let missing = || self.fail(content.end, SyntaxErrorKind::Expected("`=` or `:` behind the key"));
        let (name, end) = if quote.is_empty() {
            let end = delimiter(0).ok_or_else(missing)?;
            (trim(self.text, content.start..content.start + end), end)
        } else {
            let closed = memchr::memmem::find(&text[quote.len()..], quote)
                .ok_or_else(|| self.fail(content.end, SyntaxErrorKind::Expected("the quote at the end of the key")))?;
            let behind = closed + 2 * quote.len();
            let end = delimiter(behind).ok_or_else(missing)?;
            if !trim(self.text, content.start + behind..content.start + end).is_empty() {
                let kind = SyntaxErrorKind::NotAllowed("something between a quoted key and its delimiter");
                return Err(self.fail(content.start + behind, kind));
            }
            (trim(self.text, content.start + quote.len()..content.start + quote.len() + closed), end)
        };
        if name.is_empty() {
            return Err(self.fail(content.start, SyntaxErrorKind::Expected("a key")));
        }
        if &self.text[name.clone()] == b"-" {
            let kind = SyntaxErrorKind::NotAllowed("the key `-`, which SOPS writes back as a comment");
            return Err(self.fail(name.start, kind));
        }
        Ok((name, content.start + end + 1))
    }

    /// Reads a value that begins in `content`, the blank-trimmed rest of the line.
    fn value(&mut self, content: Range<usize>) -> Result<Value, SyntaxError> {
        let text = &self.text[content.clone()];
        if text.starts_with(TRIPLE) {
            return self.raw(content, TRIPLE, Form::Triple);
        }
        if text.starts_with(b"`") {
            return self.raw(content, b"`", Form::Backquoted);
        }
        if text.ends_with(b"\\") {
            return Ok(self.joined(content));
        }
        let mut range = content.clone();
        if let Some(mark) = text.iter().position(|byte| matches!(byte, b'#' | b';')) {
            self.behind = Some(behind_marks(self.text, content.start + mark..content.end));
            range = trim(self.text, content.start..content.start + mark);
        }
        let form = match &self.text[range.clone()] {
            [b'\'', inner @ .., b'\''] if !inner.contains(&b'\'') => Form::Single,
            [b'"', inner @ .., b'"'] if !inner.contains(&b'"') => Form::Double,
            _ => Form::Plain,
        };
        Ok(Value { range, form })
    }

    /// A raw value: to the last quote of its line, or over lines to the first line that has one.
    fn raw(&mut self, content: Range<usize>, quote: &[u8], form: Form) -> Result<Value, SyntaxError> {
        let inside = content.start + quote.len();
        let mut line = inside..content.end;
        loop {
            if let Some(at) = memchr::memmem::rfind(&self.text[line.clone()], quote) {
                let end = line.start + at + quote.len();
                let rest = trim(self.text, end..line.end);
                if !rest.is_empty() {
                    let kind = SyntaxErrorKind::NotAllowed("something behind a quoted value");
                    return Err(self.fail(rest.start, kind));
                }
                return Ok(Value { range: content.start..end, form });
            }
            line = self.line().ok_or_else(|| {
                self.fail(content.start, SyntaxErrorKind::Expected("the quote at the end of the value"))
            })?;
        }
    }

    /// A value that goes on over lines which end in a backslash.
    fn joined(&mut self, content: Range<usize>) -> Value {
        let mut end = content.end;
        while let Some(line) = self.line() {
            let next = trim(self.text, line.clone());
            if next.is_empty() {
                // The empty line ends the value, and stays outside.
                break;
            }
            end = next.end;
            if !self.text[next].ends_with(b"\\") {
                break;
            }
        }
        Value { range: content.start..end, form: Form::Joined }
    }
}

/// The value between quotes, joined lines put together.
pub(super) fn unquote(source: &[u8], form: Form) -> std::borrow::Cow<'_, [u8]> {
    let quote = match form {
        Form::Plain => 0,
        Form::Single | Form::Double | Form::Backquoted => 1,
        Form::Triple => 3,
        Form::Joined => return join(source).into(),
    };
    source[quote..source.len() - quote].into()
}

fn join(source: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(source.len());
    for (position, line) in source.split(|byte| *byte == b'\n').enumerate() {
        // What stands before the first backslash keeps its trailing blanks, as SOPS's reader has it.
        let line = if position == 0 { line.trim_ascii_end() } else { line.trim_ascii() };
        out.extend_from_slice(line.strip_suffix(b"\\").unwrap_or(line));
    }
    out
}

/// A comment's text: the leading run of `;`, `#` and blanks is its mark.
fn behind_marks(text: &[u8], range: Range<usize>) -> Range<usize> {
    let marks = text[range.clone()].iter().take_while(|byte| matches!(byte, b';' | b'#' | b' ')).count();
    range.start + marks..range.end
}

fn trim(text: &[u8], range: Range<usize>) -> Range<usize> {
    let inner = &text[range.clone()];
    let trimmed = inner.trim_ascii();
    let start = range.start + (inner.len() - inner.trim_ascii_start().len());
    start.min(range.end)..(start + trimmed.len()).min(range.end)
}
