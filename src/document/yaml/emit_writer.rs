//! The state of go-yaml's writer: where it stands in the line, and which comments it still has to put down.

use super::chars::break_len;
use super::emit_style::{Style, Styled, is_printable};
use crate::document::buffer::Buffer;

/// The longest key that needs no `?`.
const SIMPLE_KEY: usize = 128;

/// The comments that come with one node, each with its `#`, lines divided by breaks.
#[derive(Default)]
pub(super) struct Comments {
    pub(super) head: Buffer,
    pub(super) line: Buffer,
    pub(super) foot: Buffer,
    pub(super) tail: Buffer,
}

/// Writes lines. Comments wait in it until a place for them comes, as they do in go-yaml, so that some appear later than
/// where they belong.
pub(super) struct Writer<'o> {
    out: &'o mut Buffer,
    pub(super) unit: usize,
    column: usize,
    /// Whether the last thing was a blank or an indentation.
    whitespace: bool,
    /// Whether the line has nothing but indentation and indicators yet.
    indention: bool,
    /// The indentation at which a foot comment was just written; what follows there is set off by a blank line.
    foot_indent: Option<usize>,
    waiting: Comments,
    key_line: Buffer,
}

impl<'o> Writer<'o> {
    pub(super) fn new(unit: usize, out: &'o mut Buffer) -> Self {
        Self {
            out,
            unit,
            column: 0,
            whitespace: true,
            indention: true,
            foot_indent: None,
            waiting: Comments::default(),
            key_line: Buffer::default(),
        }
    }

    /// Takes the comments of the next node; they replace those of their kind that still wait.
    pub(super) fn take(&mut self, comments: Comments) {
        let Comments { head, line, foot, tail } = comments;
        let kinds = [
            (head, &mut self.waiting.head),
            (line, &mut self.waiting.line),
            (foot, &mut self.waiting.foot),
            (tail, &mut self.waiting.tail),
        ];
        for (new, old) in kinds {
            if !new.is_empty() {
                *old = new;
            }
        }
    }

    fn put(&mut self, char: char) {
        self.out.extend(char.encode_utf8(&mut [0; 4]).as_bytes());
        self.column += 1;
    }

    pub(super) fn line_break(&mut self) {
        self.out.push(b'\n');
        self.column = 0;
        self.indention = true;
    }

    /// A break inside a text.
    fn text_break(&mut self, char: char) {
        if char == '\n' {
            return self.line_break();
        }
        self.put(char);
        self.column = 0;
        self.indention = true;
    }

    pub(super) fn indent(&mut self, indent: usize) {
        if !self.indention || self.column > indent || self.column == indent && !self.whitespace {
            self.line_break();
        }
        if self.foot_indent == Some(indent) {
            self.line_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        self.foot_indent = None;
    }

    /// A mark; `spaced` if a blank belongs before it, `begins` if a block may begin behind it on the line.
    pub(super) fn indicator(&mut self, mark: &str, spaced: bool, begins: bool) {
        if spaced && !self.whitespace {
            self.put(' ');
        }
        for char in mark.chars() {
            self.put(char);
        }
        self.whitespace = false;
        self.indention &= begins;
    }

    /// `{` or `[`.
    pub(super) fn bracket(&mut self, mark: &str) {
        self.indicator(mark, true, false);
        self.whitespace = true;
    }

    /// `}` or `]`; the latter is indented where a comment has ended the line.
    pub(super) fn close_bracket(&mut self, mark: &str, list: bool, indent: usize) {
        if list && self.column == 0 {
            self.indent(indent);
        }
        self.indicator(mark, false, false);
    }

    fn comment(&mut self, text: &Buffer, indent: usize) {
        let text = String::from_utf8_lossy(text);
        let (mut breaks, mut marked) = (false, false);
        for (at, char) in text.char_indices() {
            if break_len(text.as_bytes(), at) > 0 {
                self.text_break(char);
                (breaks, marked) = (true, false);
                continue;
            }
            if breaks {
                self.indent(indent);
            }
            if !marked && char != '#' {
                self.put('#');
                self.put(' ');
            }
            self.put(char);
            self.indention = false;
            (breaks, marked) = (false, true);
        }
        if !breaks {
            self.line_break();
        }
        self.whitespace = true;
    }

    pub(super) fn has_head(&self) -> bool {
        !self.waiting.head.is_empty()
    }

    pub(super) fn head(&mut self, indent: usize) {
        let tail = std::mem::take(&mut self.waiting.tail);
        if !tail.is_empty() {
            self.indent(indent);
            self.comment(&tail, indent);
            self.foot_indent = Some(indent);
        }
        let head = std::mem::take(&mut self.waiting.head);
        if !head.is_empty() {
            self.indent(indent);
            self.comment(&head, indent);
        }
    }

    pub(super) fn line(&mut self, indent: usize) {
        let line = std::mem::take(&mut self.waiting.line);
        if !line.is_empty() {
            if !self.whitespace {
                self.put(' ');
            }
            self.comment(&line, indent);
        }
    }

    pub(super) fn foot(&mut self, indent: usize) {
        let foot = std::mem::take(&mut self.waiting.foot);
        if !foot.is_empty() {
            self.indent(indent);
            self.comment(&foot, indent);
            self.foot_indent = Some(indent);
        }
    }

    /// The end of a document sets its last comment off.
    pub(super) fn document_end(&mut self) {
        self.foot_indent = Some(0);
        self.foot(0);
        self.foot_indent = None;
        self.indent(0);
    }

    /// A line comment that comes before a key is kept for its value.
    pub(super) fn keep_line_for_value(&mut self) {
        if !self.waiting.line.is_empty() {
            self.key_line = std::mem::take(&mut self.waiting.line);
        }
    }

    /// Puts the key's line comment down where its value begins a block, or gives it to the scalar.
    pub(super) fn line_of_key(&mut self, scalar: bool, indent: usize) {
        if self.key_line.is_empty() {
            return;
        }
        if !scalar {
            std::mem::swap(&mut self.waiting.line, &mut self.key_line);
            self.line(indent);
            std::mem::swap(&mut self.waiting.line, &mut self.key_line);
        } else if self.waiting.line.is_empty() {
            self.waiting.line = std::mem::take(&mut self.key_line);
        }
    }

    /// Whether a key needs no `?`.
    pub(super) fn is_simple(key: &Styled<'_>) -> bool {
        !key.multiline && key.text.len() + key.tag.len() <= SIMPLE_KEY
    }

    /// A scalar whose own lines stand at `indent`.
    pub(super) fn scalar(&mut self, scalar: &Styled<'_>, indent: usize) {
        if !scalar.tag.is_empty() {
            self.indicator(scalar.tag, true, false);
        }
        match scalar.style {
            Style::Plain => self.plain(&scalar.text),
            Style::Single => self.single(&scalar.text, indent),
            Style::Double => self.double(&scalar.text),
            Style::Literal => self.literal(&scalar.text, indent),
        }
    }

    fn plain(&mut self, text: &str) {
        if !self.whitespace {
            self.put(' ');
        }
        for char in text.chars() {
            self.put(char);
        }
        self.whitespace = false;
        self.indention = false;
    }

    fn single(&mut self, text: &str, indent: usize) {
        self.indicator("'", true, false);
        let mut breaks = false;
        for (at, char) in text.char_indices() {
            if break_len(text.as_bytes(), at) > 0 {
                if !breaks && char == '\n' {
                    self.line_break();
                }
                self.text_break(char);
                breaks = true;
                continue;
            }
            if breaks && char != ' ' {
                self.indent(indent);
            }
            if char == '\'' {
                self.put('\'');
            }
            self.put(char);
            if char != ' ' {
                self.indention = false;
                breaks = false;
            }
        }
        self.indicator("'", false, false);
    }

    fn double(&mut self, text: &str) {
        self.indicator("\"", true, false);
        // Go looks for a byte order mark at the start of the text only, and then escapes all of it.
        let all = text.starts_with('\u{FEFF}');
        for (at, char) in text.char_indices() {
            let raw = is_printable(char) && break_len(text.as_bytes(), at) == 0 && !matches!(char, '"' | '\\');
            if raw && !all {
                self.put(char);
            } else {
                self.escape(char);
            }
        }
        self.indicator("\"", false, false);
    }

    fn escape(&mut self, char: char) {
        self.put('\\');
        let short = match char {
            '\0' => '0',
            '\x07' => 'a',
            '\x08' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\x0B' => 'v',
            '\x0C' => 'f',
            '\r' => 'r',
            '\x1B' => 'e',
            '"' | '\\' => char,
            '\u{85}' => 'N',
            '\u{A0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let code = u32::from(char);
                let digits = match code {
                    0..=0xFF => format!("x{code:02X}"),
                    0x100..=0xFFFF => format!("u{code:04X}"),
                    _ => format!("U{code:08X}"),
                };
                digits.chars().for_each(|digit| self.put(digit));
                return;
            }
        };
        self.put(short);
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.indicator("|", true, false);
        let is_break = |at: usize| break_len(text.as_bytes(), at) > 0;
        if text.starts_with(' ') || is_break(0) {
            self.indicator(&self.unit.to_string(), false, false);
        }
        let mut ends = text.char_indices().rev().map(|(at, _)| at);
        match (ends.next().map(is_break), ends.next().map(is_break)) {
            (Some(true), None | Some(true)) => self.indicator("+", false, false),
            (Some(true), Some(false)) => {}
            _ => self.indicator("-", false, false),
        }
        if self.waiting.line.is_empty() {
            self.line_break();
        } else {
            self.line(indent);
        }
        self.whitespace = true;
        let mut breaks = true;
        for (at, char) in text.char_indices() {
            if is_break(at) {
                self.text_break(char);
                breaks = true;
                continue;
            }
            if breaks {
                self.indent(indent);
            }
            self.put(char);
            self.indention = false;
            breaks = false;
        }
    }
}
