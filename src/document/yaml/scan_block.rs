//! Block scalars: header, column of the content, extent.

use super::Fault;
use super::chars::{self, byte};
use super::scanner::Scanner;
use super::token::TokenKind;

impl Scanner<'_> {
    pub(super) fn block_scalar(&mut self, kind: TokenKind) -> Result<(), Fault> {
        self.forget_key()?;
        self.key_allowed = true;
        let mut token = self.open(kind);
        let step = self.block_header()?;
        (token.end, token.end_line) = (self.pos as u32, self.line);
        while matches!(self.byte(), b' ' | b'\t') {
            self.pass(self.pos + 1);
        }
        if self.byte() == b'#' {
            self.push_comment();
        }
        if !self.new_line() && self.pos < self.text.len() {
            return Err(Fault::expected(self.pos, "a comment or a line break behind the block's header"));
        }
        let mut column = step.map(|step| if self.indent >= 0 { self.indent + step } else { step });
        self.block_blank_lines(&mut column, token.start)?;
        let content = column.unwrap_or(0);
        while i64::from(self.column()) == content && self.pos < self.text.len() {
            self.advance_to(chars::line_end(self.text, self.ascii, self.pos));
            (token.end, token.end_line) = (self.pos as u32, self.line);
            self.new_line();
            self.block_blank_lines(&mut column, token.start)?;
        }
        let index = self.scan.tokens.len() as u32;
        self.scan.blocks.push((index, u32::try_from(content).unwrap_or(u32::MAX)));
        self.push(token);
        Ok(())
    }

    /// Passes `|` or `>` and what belongs to it; the indentation it names, if it does.
    fn block_header(&mut self) -> Result<Option<i64>, Fault> {
        let mut at = self.pos + 1;
        let mut step = None;
        let mut chomped = false;
        loop {
            match byte(self.text, at) {
                b'+' | b'-' if !chomped => chomped = true,
                b'0' if step.is_none() => return Err(Fault::not_allowed(at, "an indentation of 0")),
                digit @ b'1'..=b'9' if step.is_none() => step = Some(i64::from(digit - b'0')),
                _ => break,
            }
            at += 1;
        }
        self.pass(at);
        Ok(step)
    }

    /// Passes blank lines and the indentation of the line that follows; finds the content's column if it is not known.
    fn block_blank_lines(&mut self, column: &mut Option<i64>, start: u32) -> Result<(), Fault> {
        let mut widest = 0;
        loop {
            let mut to = self.pos;
            let limit = column.map_or(self.text.len(), |column| {
                let missing = column - i64::from(self.column());
                self.text.len().min(self.pos + usize::try_from(missing).unwrap_or(0))
            });
            while to < limit && self.text[to] == b' ' {
                to += 1;
            }
            self.pass(to);
            let here = i64::from(self.column());
            widest = widest.max(here);
            if self.byte() == b'\t' && column.is_none_or(|column| here < column) {
                return Err(Fault::not_allowed(start as usize, "a tab indents a line of this block"));
            }
            if !self.new_line() {
                break;
            }
        }
        column.get_or_insert(widest.max(self.indent + 1).max(1));
        Ok(())
    }
}
