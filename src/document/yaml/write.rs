//! Writing one scalar over another, in the old one's style.
//!
//! What a style cannot hold falls back to double quotes. A token is written over every style so that the style can
//! still be seen when the value comes back.

use super::Fault;
use super::context::Context;
use super::write_block::{self, Block};
use super::{chars, spelling};
use crate::document::edit::Replacement;
use crate::document::outline::{Comment, Leaf, Style};
use crate::document::scalar::Kind;

/// How a token in brackets ends if it stands for a plain scalar, which it cannot be there itself: `]` in another
/// spelling. Every reader gives it the same value.
const PLAIN_MARK: &[u8] = b"\\x5D";

/// A comment in a block scalar's header, which lies inside the scalar's range, and its new text.
pub(super) type HeaderComment<'a> = Option<&'a [u8]>;

/// Appends what shall stand over `leaf.range`.
pub(super) fn write_leaf(
    text: &[u8],
    leaf: &Leaf,
    value: &Replacement<'_>,
    header_comment: HeaderComment<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    // An alias' context is not of this kind; quotes are right for its replacement wherever it stands.
    let alias = leaf.style == Style::Alias;
    let context = if alias { Context { flow: true, ..Context::default() } } else { Context::unpack(leaf.context) };
    if leaf.style == Style::Empty && matches!(value, Replacement::Value { kind: Kind::Null, .. }) {
        return Ok(());
    }
    let mut writer = Writer { text, leaf, context, out };
    writer.lead();
    let from = writer.out.len();
    if matches!(leaf.style, Style::Literal | Style::Folded) {
        writer.block(value, header_comment)?;
    } else {
        writer.line(value)?;
    }
    writer.trail(from);
    Ok(())
}

/// Appends what shall stand over `comment.range`: the text behind the `#`.
pub(super) fn write_comment(text: &[u8], comment: &Comment, new: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    if new.iter().any(|byte| matches!(byte, b'\n' | b'\r')) || chars::check(new).is_err() {
        return Err(Fault::not_allowed(comment.range.start, "a comment that is not one line of printable text"));
    }
    if comment.item && !new.starts_with(b"ENC[") {
        // SOPS writes comments in lists as items; the dash before it goes.
        let before = &text[..comment.range.start];
        let blanks = before.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let dash = before.len() - blanks;
        if before[..dash].ends_with(b"-") && out.ends_with(&before[dash - 1..]) {
            out.truncate(out.len() - blanks - 1);
            out.push(b'#');
        }
    }
    out.extend_from_slice(new);
    Ok(())
}

struct Writer<'a> {
    text: &'a [u8],
    leaf: &'a Leaf,
    context: Context,
    out: &'a mut Vec<u8>,
}

impl Writer<'_> {
    fn refused(&self, why: &'static str) -> Fault {
        Fault::not_allowed(self.leaf.range.start, why)
    }

    /// A missing value has no blank before it, and sometimes no `:`.
    fn lead(&mut self) {
        let start = self.leaf.range.start;
        let before = start.checked_sub(1).and_then(|at| self.text.get(at)).copied().unwrap_or(b' ');
        let empty = self.leaf.style == Style::Empty;
        if empty && self.context.no_colon {
            if !self.context.flow {
                // Behind `? key` a `:` on the same line would be a mapping inside the key.
                self.out.extend_from_slice(line_break(self.text));
                self.out.resize(self.out.len() + self.context.column.saturating_sub(1) as usize, b' ');
            }
            self.out.extend_from_slice(b": ");
            return;
        }
        let apart = matches!(before, b' ' | b'\t' | b'\n' | b'\r')
            || (self.context.flow && matches!(before, b'[' | b'{' | b','))
            || (before == b':' && !empty)
            || start == 3 && self.text.starts_with(b"\xEF\xBB\xBF");
        if !apart {
            self.out.push(b' ');
        }
    }

    /// Only behind quotes and brackets may a comment begin without a blank, and a colon end a key.
    fn trail(&mut self, from: usize) {
        let next = self.text.get(self.leaf.range.end).copied();
        let quoted = self.out.len() > from && matches!(self.out.last(), Some(b'"' | b'\''));
        if next == Some(b'#') && !quoted {
            self.out.push(b' ');
        }
    }

    /// Every style but the blocks.
    fn line(&mut self, value: &Replacement<'_>) -> Result<(), Fault> {
        match value {
            Replacement::Token(token) => self.token(token),
            Replacement::Value { kind: Kind::Str, bytes } => return self.string(bytes),
            Replacement::Value { kind, bytes } => self.typed(*kind, bytes)?,
        }
        Ok(())
    }

    fn token(&mut self, token: &[u8]) {
        let flow = self.context.flow;
        match self.leaf.style {
            Style::SingleQuoted => enclose(b'\'', token, b"", self.out),
            Style::DoubleQuoted if self.is_marked() => fresh_token(token, true, self.out),
            Style::Plain => fresh_token(token, flow, self.out),
            Style::DoubleQuoted => enclose(b'"', token, b"", self.out),
            _ if flow => enclose(b'"', token, b"", self.out),
            _ => fresh_token(token, false, self.out),
        }
    }

    fn is_marked(&self) -> bool {
        let old = &self.text[self.leaf.range.clone()];
        old.strip_suffix(b"\"").is_some_and(|inner| inner.ends_with(PLAIN_MARK))
    }

    fn typed(&mut self, kind: Kind, bytes: &[u8]) -> Result<(), Fault> {
        let spelled = spelling::typed(kind, bytes);
        let spelled = spelled.ok_or_else(|| self.refused("this value cannot be written in YAML"))?;
        self.out.extend_from_slice(&spelled);
        Ok(())
    }

    fn string(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let text = self.utf8(bytes)?;
        let marked = self.leaf.style == Style::DoubleQuoted && self.is_marked();
        match self.leaf.style {
            Style::SingleQuoted if spelling::fits_single_quotes(text) => spelling::single_quoted(text, self.out),
            Style::SingleQuoted => spelling::double_quoted(text, self.out),
            Style::DoubleQuoted if !marked => spelling::double_quoted(text, self.out),
            _ => self.unquoted(text),
        }
        Ok(())
    }

    /// Where a plain scalar stood, or nothing, or an alias.
    fn unquoted(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let flow = self.context.flow;
        if (self.context.tagged_text || spelling::is_text(bytes)) && spelling::is_plain(bytes, flow) {
            self.out.extend_from_slice(bytes);
        } else if !flow
            && text.contains('\n')
            && write_block::fresh(self.text, self.leaf, self.context.column as usize, text, self.out)
        {
        } else {
            spelling::fresh(text, flow, self.out);
        }
    }

    fn block(&mut self, value: &Replacement<'_>, header_comment: HeaderComment<'_>) -> Result<(), Fault> {
        let block = Block::of(self.text, self.leaf, self.context.column as usize);
        match value {
            Replacement::Token(token) if !block.is_bare() => {
                block.write_token(token, header_comment, self.out);
                return Ok(());
            }
            Replacement::Value { kind: Kind::Str, bytes }
                if !block.is_bare() && block.write_text(self.utf8(bytes)?, header_comment, self.out) =>
            {
                return Ok(());
            }
            _ => {}
        }
        self.indent();
        match value {
            Replacement::Token(token) => enclose(b'"', token, b"", self.out),
            Replacement::Value { kind: Kind::Str, bytes } => spelling::double_quoted(self.utf8(bytes)?, self.out),
            Replacement::Value { kind, bytes } => self.typed(*kind, bytes)?,
        }
        if !block.is_bare() {
            block.write_tail(header_comment, self.out);
        }
        Ok(())
    }

    fn utf8<'b>(&self, bytes: &'b [u8]) -> Result<&'b str, Fault> {
        std::str::from_utf8(bytes).map_err(|_| self.refused("this value is not UTF-8 text"))
    }

    /// A block's header may begin a line further left than any other scalar could.
    fn indent(&mut self) {
        let before = &self.text[..self.leaf.range.start];
        let blanks = before.iter().rev().take_while(|byte| **byte == b' ').count();
        if matches!(before[..before.len() - blanks].last(), Some(b'\n' | b'\r')) {
            self.out.resize(self.out.len() + self.context.column as usize, b' ');
        }
    }
}

/// Appends a token where nothing stood.
pub(super) fn fresh_token(token: &[u8], flow: bool, out: &mut Vec<u8>) {
    match token.strip_suffix(b"]") {
        Some(inner) if flow => enclose(b'"', inner, PLAIN_MARK, out),
        _ if flow || token.is_empty() => enclose(b'"', token, b"", out),
        _ => out.extend_from_slice(token),
    }
}

fn enclose(quote: u8, inner: &[u8], mark: &[u8], out: &mut Vec<u8>) {
    out.push(quote);
    out.extend_from_slice(inner);
    out.extend_from_slice(mark);
    out.push(quote);
}

/// The text's own line break: that of its first line.
pub(super) fn line_break(text: &[u8]) -> &'static [u8] {
    match memchr::memchr(b'\n', text) {
        Some(at) if at > 0 && text[at - 1] == b'\r' => b"\r\n",
        _ => b"\n",
    }
}
