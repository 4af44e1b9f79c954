//! Scalars outside of blocks: plain, single-quoted, double-quoted. Here only their extent; their text is in `text.rs`.

use super::Fault;
use super::chars::{self, break_len, byte, is_blank_or_end};
use super::scanner::Scanner;
use super::token::{Token, TokenKind};

/// Bytes at which a run of a scalar may end; bit 0 for plain in blocks, 1 in brackets, 2 single-quoted, 3 double-quoted.
const STOPS: [u8; 256] = {
    let mut stops = [0; 256];
    let mut index = 0;
    let breaks = b"\n\r\xC2\xE2";
    while index < breaks.len() {
        stops[breaks[index] as usize] = 0b1111;
        index += 1;
    }
    stops[b' ' as usize] = 0b0011;
    stops[b'\t' as usize] = 0b0011;
    stops[b':' as usize] = 0b0011;
    index = 0;
    let brackets = b",?[]{}";
    while index < brackets.len() {
        stops[brackets[index] as usize] |= 0b0010;
        index += 1;
    }
    stops[b'\'' as usize] |= 0b0100;
    stops[b'"' as usize] |= 0b1000;
    stops[b'\\' as usize] |= 0b1000;
    stops
};

impl Scanner<'_> {
    /// The first byte at or behind `from` that may end a run of this sort of scalar.
    fn stop(&self, from: usize, sort: u8) -> usize {
        let length = self.text[from..].iter().position(|byte| STOPS[*byte as usize] & sort != 0);
        length.map_or(self.text.len(), |length| from + length)
    }

    pub(super) fn plain(&mut self) -> Result<(), Fault> {
        let sort = if self.flow > 0 { 0b0010 } else { 0b0001 };
        let mut token = self.open(TokenKind::Plain);
        let mut behind_break = false;
        loop {
            if self.column() == 0 && chars::is_document_indicator(self.text, self.pos) || self.byte() == b'#' {
                break;
            }
            let end = self.plain_run(sort);
            if end > self.pos {
                self.advance_to(end);
                (token.end, token.end_line) = (end as u32, self.line);
                behind_break = false;
            }
            if !self.plain_gap(&mut behind_break)? {
                break;
            }
        }
        if token.end == token.start {
            return Err(self.fault("this character cannot begin a value; put it in quotes"));
        }
        self.push(token);
        self.key_allowed |= behind_break;
        Ok(())
    }

    /// Where the run of characters here ends: at a blank, a break, a `: `, or an indicator.
    fn plain_run(&self, sort: u8) -> usize {
        let mut end = self.pos;
        loop {
            end = self.stop(end, sort);
            match byte(self.text, end) {
                b':' if !is_blank_or_end(self.text, end + 1) => end += 1,
                0xC2 | 0xE2 if break_len(self.text, end) == 0 => end += 1,
                _ => return end,
            }
        }
    }

    /// Passes blanks and breaks inside or behind a plain scalar; false if the scalar ends here.
    fn plain_gap(&mut self, behind_break: &mut bool) -> Result<bool, Fault> {
        let least = self.indent + 1;
        let begin = self.pos;
        loop {
            match self.byte() {
                b'\t' if *behind_break && i64::from(self.column()) < least => {
                    return Err(self.fault("a tab cannot indent"));
                }
                b' ' | b'\t' => self.pass(self.pos + 1),
                _ if self.new_line() => *behind_break = true,
                _ => break,
            }
        }
        Ok(self.pos > begin && (self.flow > 0 || i64::from(self.column()) >= least))
    }

    pub(super) fn single_quoted(&mut self) -> Result<(), Fault> {
        let token = self.open(TokenKind::SingleQuoted);
        let mut at = self.pos + 1;
        loop {
            at = self.stop(at, 0b0100);
            match byte(self.text, at) {
                b'\'' if byte(self.text, at + 1) == b'\'' => at += 2,
                b'\'' => break,
                _ => at = self.quoted_break(at, token)?,
            }
        }
        self.close_quote(token, at);
        Ok(())
    }

    pub(super) fn double_quoted(&mut self) -> Result<(), Fault> {
        let token = self.open(TokenKind::DoubleQuoted);
        let mut at = self.pos + 1;
        loop {
            at = self.stop(at, 0b1000);
            match byte(self.text, at) {
                b'\\' if break_len(self.text, at + 1) > 0 => at = self.quoted_break(at + 1, token)?,
                b'\\' => at = self.escape(at)?,
                b'"' => break,
                _ => at = self.quoted_break(at, token)?,
            }
        }
        self.close_quote(token, at);
        Ok(())
    }

    /// Passes a break, or a byte that only looked like one, inside quotes.
    fn quoted_break(&mut self, at: usize, token: Token) -> Result<usize, Fault> {
        if at >= self.text.len() {
            return Err(Fault::expected(token.start as usize, "a closing quote for this one"));
        }
        if break_len(self.text, at) == 0 {
            return Ok(at + 1);
        }
        self.advance_to(at);
        self.new_line();
        if chars::is_document_indicator(self.text, self.pos) {
            return Err(Fault::expected(token.start as usize, "a closing quote for this one before the document ends"));
        }
        Ok(self.pos)
    }

    fn close_quote(&mut self, mut token: Token, at: usize) {
        self.advance_to(at + 1);
        (token.end, token.end_line) = (self.pos as u32, self.line);
        self.push(token);
    }

    /// Checks the escape whose `\` is at `at`, and tells where it ends.
    fn escape(&self, at: usize) -> Result<usize, Fault> {
        let digits = match byte(self.text, at + 1) {
            b'0' | b'a' | b'b' | b't' | b'\t' | b'n' | b'v' | b'f' | b'r' | b'e' | b' ' | b'"' | b'\'' | b'\\'
            | b'N' | b'_' | b'L' | b'P' => return Ok(at + 2),
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => return Err(Fault::not_allowed(at, "this escape is not known")),
        };
        let end = at + 2 + digits;
        let value = self.text.get(at + 2..end).and_then(hexadecimal);
        match value.map(char::from_u32) {
            Some(Some(_)) => Ok(end),
            Some(None) => {
                Err(Fault::not_allowed(at, "this escape is no Unicode character; write the character itself"))
            }
            None => Err(Fault::expected(at, "hexadecimal digits in this escape")),
        }
    }
}

/// The value of at most eight hexadecimal digits.
pub(super) fn hexadecimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0u32, |value, digit| Some((value << 4) | (*digit as char).to_digit(16)?))
}
