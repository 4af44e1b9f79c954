//! Writing block scalars: header, chomping, content column, blank lines.

use std::ops::Range;

use super::chars::{break_len, byte, line_end};
use super::spelling::needs_escape;
use super::write::{HeaderComment, line_break};
use crate::document::outline::{Leaf, Style};

/// An existing block scalar.
pub(super) struct Block<'a> {
    text: &'a [u8],
    folded: bool,
    /// `|` or `>` with its indicators.
    header: Range<usize>,
    /// The rest of the header's line: blanks and a comment.
    tail: Range<usize>,
    /// The blank lines that the scalar keeps, with the break of the line before them.
    kept: Range<usize>,
    /// Column of the content.
    column: usize,
    newline: &'a [u8],
}

impl<'a> Block<'a> {
    pub(super) fn of(text: &'a [u8], leaf: &Leaf, column: usize) -> Self {
        let Range { start, end } = leaf.range;
        let indicators = text[start + 1..end].iter().take_while(|byte| matches!(byte, b'+' | b'-' | b'0'..=b'9'));
        let header = start..start + 1 + indicators.count();
        let mut tail = header.end..header.end;
        while tail.end < end && break_len(text, tail.end) == 0 {
            tail.end += 1;
        }
        let length = break_len(text, tail.end);
        let newline = if length > 0 { &text[tail.end..tail.end + length] } else { line_break(text) };
        let kept = content_end(text, tail.end..end, column)..end;
        Self { text, folded: leaf.style == Style::Folded, header, tail, kept, column, newline }
    }

    /// Whether there is only a header, whose range leaves out what else stands on its line.
    pub(super) const fn is_bare(&self) -> bool {
        self.header.end == self.kept.end
    }

    /// A token with the content column, the header's comment and the blank lines below.
    pub(super) fn write_token(&self, token: &[u8], comment: HeaderComment<'_>, out: &mut Vec<u8>) {
        self.write_header(b"-", out);
        self.write_tail_line(comment, out);
        out.extend_from_slice(self.newline);
        out.resize(out.len() + self.column, b' ');
        out.extend_from_slice(token);
        out.extend_from_slice(&self.text[self.kept.clone()]);
    }

    /// `value` as the content of this block; false, with nothing written, where it cannot be.
    pub(super) fn write_text(&self, value: &str, comment: HeaderComment<'_>, out: &mut Vec<u8>) -> bool {
        let Some(content) = Content::of(value) else { return false };
        let has_step = self.text[self.header.clone()].iter().any(u8::is_ascii_digit);
        if content.is_indented && !has_step {
            return false;
        }
        let Some((chomping, more)) = content.chomping(breaks_below(self.text, self.kept.start)) else { return false };
        self.write_header(chomping, out);
        self.write_tail_line(comment, out);
        content.write(self.folded, self.column, self.newline, out);
        for _ in 0..more {
            out.extend_from_slice(self.newline);
        }
        out.extend_from_slice(&self.text[self.kept.clone()]);
        true
    }

    /// What else stands in the block's range, behind a scalar that takes its place.
    pub(super) fn write_tail(&self, comment: HeaderComment<'_>, out: &mut Vec<u8>) {
        if self.text[self.tail.clone()].contains(&b'#') {
            let from = out.len();
            self.write_tail_line(comment, out);
            if out.get(from) == Some(&b'#') {
                out.insert(from, b' ');
            }
        }
        out.extend_from_slice(&self.text[self.kept.clone()]);
    }

    /// The header with another chomping, in the order that it had.
    fn write_header(&self, chomping: &[u8], out: &mut Vec<u8>) {
        let header = &self.text[self.header.clone()];
        let mut written = false;
        for byte in header {
            if matches!(byte, b'+' | b'-') {
                out.extend_from_slice(chomping);
                written = true;
            } else {
                out.push(*byte);
            }
        }
        if !written {
            out.extend_from_slice(chomping);
        }
    }

    fn write_tail_line(&self, comment: HeaderComment<'_>, out: &mut Vec<u8>) {
        let tail = &self.text[self.tail.clone()];
        match (comment, memchr::memchr(b'#', tail)) {
            (Some(new), Some(at)) => {
                out.extend_from_slice(&tail[..=at]);
                out.extend_from_slice(new);
            }
            _ => out.extend_from_slice(tail),
        }
    }
}

/// Where the last line of content ends in `range`, which begins at the end of the header's line.
fn content_end(text: &[u8], range: Range<usize>, column: usize) -> usize {
    let (mut at, mut content) = (range.start, range.start);
    while at < range.end {
        at += break_len(text, at);
        let indent = text[at..range.end].iter().take(column).take_while(|byte| **byte == b' ').count();
        at += indent;
        if at < range.end && break_len(text, at) == 0 {
            at = line_end(text, false, at);
            content = at;
        }
    }
    content
}

/// Writes `value` as a literal block where a plain scalar stood; false, with nothing written, where it cannot be.
///
/// `level` is 1 + the column of the innermost block.
pub(super) fn fresh(text: &[u8], leaf: &Leaf, level: usize, value: &str, out: &mut Vec<u8>) -> bool {
    let Some(content) = Content::of(value) else { return false };
    let Some(column) = level.checked_sub(1).map(|column| column + STEP) else { return false };
    let end = leaf.range.end;
    // Blanks or a comment behind the value would become content.
    let ends_line = end == text.len() || break_len(text, end) > 0;
    if content.is_indented || value.starts_with('\n') || !ends_line || swallows(text, end, column) {
        return false;
    }
    content.write_literal(text, column, breaks_below(text, end), out)
}

/// Writes `value` as a literal block behind the key or dash of a new line at `at`, in the block at `column`; the line
/// break behind it is still to come. False, with nothing written, where it cannot be.
pub(super) fn appended(text: &[u8], at: usize, column: usize, value: &str, out: &mut Vec<u8>) -> bool {
    let Some(content) = Content::of(value) else { return false };
    let column = column + STEP;
    let blanks = text[at..].iter().take_while(|byte| **byte == b' ').count();
    let swallows_first = blanks >= column && byte(text, at + blanks) == b'#';
    if content.is_indented
        || value.starts_with('\n')
        || swallows_first
        || swallows(text, line_end(text, false, at), column)
    {
        return false;
    }
    content.write_literal(text, column, 1 + breaks_below(text, at), out)
}

/// SOPS's indentation.
const STEP: usize = 4;

/// Whether a comment or a blank line below reaches so far that it would become content, or would break it with a tab.
fn swallows(text: &[u8], from: usize, column: usize) -> bool {
    let mut at = from;
    loop {
        let length = break_len(text, at);
        if length == 0 {
            return false;
        }
        at += length;
        let spaces = text[at..].iter().take_while(|byte| **byte == b' ').count();
        let blanks = text[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        at += blanks;
        let blank = at == text.len() || break_len(text, at) > 0;
        let comment = byte(text, at) == b'#';
        if (blank && (blanks > spaces || blanks > column)) || (comment && blanks >= column) {
            return true;
        }
        if comment {
            at = line_end(text, false, at);
        }
    }
}

/// The line breaks from `from` on, before anything else than blanks.
fn breaks_below(text: &[u8], from: usize) -> usize {
    let (mut at, mut breaks) = (from, 0);
    loop {
        at += text[at..].iter().take_while(|byte| **byte == b' ').count();
        let length = break_len(text, at);
        if length == 0 {
            return breaks;
        }
        (at, breaks) = (at + length, breaks + 1);
    }
}

/// A text, cut into what a block's lines and what its chomping hold.
struct Content<'v> {
    body: &'v str,
    /// How many line breaks end it.
    newlines: usize,
    /// Whether its first line that is not empty begins with a blank, so that the header must name the column.
    is_indented: bool,
}

impl<'v> Content<'v> {
    fn of(value: &'v str) -> Option<Self> {
        if value.is_empty() || value.chars().any(|char| char != '\n' && needs_escape(char)) {
            return None;
        }
        let body = value.trim_end_matches('\n');
        let is_indented = body.trim_start_matches('\n').starts_with([' ', '\t']);
        Some(Self { body, newlines: value.len() - body.len(), is_indented })
    }

    /// The chomping, and how many breaks must be added, where `below` line breaks follow already.
    fn chomping(&self, below: usize) -> Option<(&'static [u8], usize)> {
        let (chomping, wanted): (&[u8], _) = match self.newlines {
            0 => return Some((b"-", 0)),
            _ if self.body.is_empty() => (b"+", self.newlines + 1),
            1 => return (below > 0).then_some((b"", 0)),
            newlines => (b"+", newlines),
        };
        wanted.checked_sub(below).map(|more| (chomping, more))
    }

    /// A literal block of its own, where `below` line breaks follow already; false, with nothing written, where it cannot
    /// be.
    fn write_literal(&self, text: &[u8], column: usize, below: usize, out: &mut Vec<u8>) -> bool {
        let Some((chomping, more)) = self.chomping(below) else { return false };
        let newline = line_break(text);
        out.push(b'|');
        out.extend_from_slice(chomping);
        self.write(false, column, newline, out);
        for _ in 0..more {
            out.extend_from_slice(newline);
        }
        true
    }

    /// The lines, each with the break before it.
    fn write(&self, folded: bool, column: usize, newline: &[u8], out: &mut Vec<u8>) {
        if self.body.is_empty() {
            return;
        }
        let is_blank = |line: &str| line.starts_with([' ', '\t']);
        let mut above: Option<&str> = None;
        for line in self.body.split('\n') {
            out.extend_from_slice(newline);
            if line.is_empty() {
                continue;
            }
            // Between two lines that are not indented a single break would be folded into a blank.
            if folded && above.is_some_and(|above| !is_blank(above) && !is_blank(line)) {
                out.extend_from_slice(newline);
            }
            above = Some(line);
            out.resize(out.len() + column, b' ');
            out.extend_from_slice(line.as_bytes());
        }
    }
}
