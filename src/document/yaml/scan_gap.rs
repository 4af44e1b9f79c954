//! What lies between tokens: blanks, line breaks, comments.

use super::chars::byte;
use super::scanner::Scanner;

/// How far go-yaml looks ahead for a comment.
const LOOK_AHEAD: usize = 512;

impl Scanner<'_> {
    /// Passes blanks, line breaks and comments up to the next token. A tab stays where a key may begin: it is an error there.
    pub(super) fn skip_gap(&mut self) {
        loop {
            let tabs = self.flow > 0 || !self.key_allowed;
            let mut to = self.pos;
            while byte(self.text, to) == b' ' || (tabs && byte(self.text, to) == b'\t') {
                to += 1;
            }
            self.pass(to);
            if self.byte() == b'#' {
                self.skip_comments();
            }
            if !self.new_line() {
                return;
            }
            if self.flow == 0 {
                self.key_allowed = true;
            }
        }
    }

    /// Passes the comment here and those on the lines below it, which a tab may indent.
    fn skip_comments(&mut self) {
        loop {
            self.push_comment();
            if !matches!(self.byte(), b'\n' | b'\r') {
                return;
            }
            let limit = self.pos + LOOK_AHEAD;
            let mut next = self.pos + 1;
            while next < limit && matches!(byte(self.text, next), b' ' | b'\t' | b'\n' | b'\r') {
                next += 1;
            }
            if next >= limit || byte(self.text, next) != b'#' {
                return;
            }
            while self.pos < next {
                if !self.new_line() {
                    self.pass(self.pos + 1);
                }
            }
        }
    }

    /// Passes the comment behind a token, on its line; here a tab may stand before it even where a key may begin.
    pub(super) fn skip_trailing_comment(&mut self) {
        let limit = self.pos + LOOK_AHEAD;
        let mut next = self.pos;
        while next < limit && matches!(byte(self.text, next), b' ' | b'\t') {
            next += 1;
        }
        if next < limit && byte(self.text, next) == b'#' {
            self.pass(next);
            self.push_comment();
        }
    }

    /// Moves over ASCII.
    pub(super) fn pass(&mut self, to: usize) {
        self.pos = to;
    }
}
