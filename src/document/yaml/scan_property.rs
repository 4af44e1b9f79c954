//! Anchors, aliases, tags, directives.

use super::Fault;
use super::chars::{self, byte, is_blank_or_end, is_word};
use super::scanner::Scanner;
use super::token::TokenKind;

impl Scanner<'_> {
    pub(super) fn anchor(&mut self, kind: TokenKind) -> Result<(), Fault> {
        let mut token = self.open(kind);
        let end = self.word_end(self.pos + 1);
        let ends_well = is_blank_or_end(self.text, end)
            || matches!(byte(self.text, end), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if end == self.pos + 1 || !ends_well {
            return Err(Fault::expected(end, "a name of letters, digits, `_` and `-`"));
        }
        self.pass(end);
        token.end = end as u32;
        self.push(token);
        Ok(())
    }

    pub(super) fn tag(&mut self) -> Result<(), Fault> {
        let mut token = self.open(TokenKind::Tag);
        let begin = self.pos;
        let end = if byte(self.text, begin + 1) == b'<' {
            let end = self.uri_end(begin + 2)?;
            if end == begin + 2 || byte(self.text, end) != b'>' {
                return Err(Fault::expected(end, "the end of the tag, `>`"));
            }
            end + 1
        } else {
            let handle = handle_end(self.text, begin);
            let end = self.uri_end(handle)?;
            if handle > begin + 1 && self.text[handle - 1] == b'!' && end == handle {
                return Err(Fault::expected(end, "the rest of the tag"));
            }
            end
        };
        if !is_blank_or_end(self.text, end) {
            return Err(Fault::expected(end, "a blank behind the tag"));
        }
        self.pass(end);
        token.end = end as u32;
        self.push(token);
        Ok(())
    }

    /// Passes a whole directive line with its break.
    pub(super) fn directive(&mut self) -> Result<(), Fault> {
        let mut token = self.open(TokenKind::Directive);
        let name = self.word_end(self.pos + 1);
        let value = self.blanks_end(name);
        let end = match &self.text[self.pos + 1..name] {
            b"YAML" if is_blank_or_end(self.text, name) => self.version_end(value)?,
            b"TAG" if is_blank_or_end(self.text, name) => self.tag_directive_end(value)?,
            _ => return Err(self.fault("this directive is not known")),
        };
        token.end = end as u32;
        self.pass(self.blanks_end(end));
        if self.byte() == b'#' {
            self.push_comment();
        }
        if self.pos < self.text.len() && !self.new_line() {
            return Err(Fault::expected(self.pos, "a comment or a line break behind the directive"));
        }
        self.push(token);
        Ok(())
    }

    fn version_end(&self, at: usize) -> Result<usize, Fault> {
        let digits = |from: usize| (from..from + 2).take_while(|at| byte(self.text, *at).is_ascii_digit()).count();
        let point = at + digits(at);
        let end = point + 1 + digits(point + 1);
        if point == at || byte(self.text, point) != b'.' || end == point + 1 {
            return Err(Fault::expected(at, "a version"));
        }
        Ok(end)
    }

    fn tag_directive_end(&self, at: usize) -> Result<usize, Fault> {
        let handle = handle_end(self.text, at);
        let whole = handle == at + 1 || (handle > at + 1 && self.text[handle - 1] == b'!');
        let prefix = self.blanks_end(handle);
        if byte(self.text, at) != b'!' || !whole || prefix == handle {
            return Err(Fault::expected(at, "a tag handle and a blank"));
        }
        let end = self.uri_end(prefix)?;
        if end == prefix || !is_blank_or_end(self.text, end) {
            return Err(Fault::expected(end, "a tag prefix"));
        }
        Ok(end)
    }

    fn word_end(&self, from: usize) -> usize {
        chars_end(self.text, from, is_word)
    }

    fn blanks_end(&self, from: usize) -> usize {
        chars_end(self.text, from, |byte| matches!(byte, b' ' | b'\t'))
    }

    /// Where the URI characters from `from` on end; an octet escape must be whole.
    fn uri_end(&self, from: usize) -> Result<usize, Fault> {
        let end = chars_end(self.text, from, is_uri);
        match unescape(&self.text[from..end]) {
            Some(_) => Ok(end),
            None => Err(Fault::expected(from, "whole UTF-8 characters in the octet escapes")),
        }
    }
}

/// Where the tag handle at `at` ends: `!`, a word, and perhaps another `!`.
pub(super) fn handle_end(text: &[u8], at: usize) -> usize {
    let end = chars_end(text, (at + 1).min(text.len()), is_word);
    if byte(text, end) == b'!' { end + 1 } else { end }
}

/// A URI without its octet escapes; `None` if one of them is no whole UTF-8 character.
pub(super) fn unescape(uri: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(uri.len());
    let mut at = 0;
    // How many octets of a character must still follow as escapes.
    let mut missing = 0;
    while let Some(next) = uri.get(at) {
        if *next != b'%' {
            if missing > 0 {
                return None;
            }
            plain.push(*next);
            at += 1;
            continue;
        }
        let octet =
            super::scan_scalar::hexadecimal(uri.get(at + 1..at + 3)?).and_then(|value| u8::try_from(value).ok())?;
        missing = match (missing, octet) {
            (0, 0x00..=0x7F) => 0,
            (0, 0xC0..=0xDF) => 1,
            (0, 0xE0..=0xEF) => 2,
            (0, 0xF0..=0xF7) => 3,
            (1.., 0x80..=0xBF) => missing - 1,
            _ => return None,
        };
        plain.push(octet);
        at += 3;
    }
    (missing == 0).then_some(plain)
}

fn chars_end(text: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let mut end = from;
    while belongs(chars::byte(text, end)) {
        end += 1;
    }
    end
}

const fn is_uri(byte: u8) -> bool {
    is_word(byte)
        || matches!(
            byte,
            b';' | b'/'
                | b'?'
                | b':'
                | b'@'
                | b'&'
                | b'='
                | b'+'
                | b'$'
                | b','
                | b'.'
                | b'!'
                | b'~'
                | b'*'
                | b'\''
                | b'('
                | b')'
                | b'['
                | b']'
                | b'%'
        )
}
