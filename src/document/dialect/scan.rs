//! The statements of an environment file.

use std::ops::Range;

use super::kind::{Dialect, Form};
use super::value;
use crate::document::syntax::SyntaxErrorKind;
use crate::document::trailer::PREFIX;

/// What a line, or several, hold.
pub(super) enum Statement {
    /// The text behind the sign.
    Comment(Range<usize>),
    Entry(Entry),
    /// A line of the metadata: its name without the prefix, its value, and the whole line with its break.
    Metadata {
        name: Range<usize>,
        value: Range<usize>,
        line: Range<usize>,
    },
}

pub(super) struct Entry {
    pub(super) name: Range<usize>,
    /// Quotes included.
    pub(super) value: Range<usize>,
    pub(super) form: Form,
    /// The text of the comment behind it.
    pub(super) comment: Option<Range<usize>>,
    /// The lines of it, with the last one's break.
    pub(super) lines: Range<usize>,
}

pub(super) type Fault = (usize, SyntaxErrorKind);

/// What may stand before a text in UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

const BLANK_TO_NODE: SyntaxErrorKind = SyntaxErrorKind::NotAllowed(
    "blanks alone or before a comment, which Node takes for a part of the name that follows",
);

/// Bytes in the buffer of Docker's reader, the line break included.
const DOCKER_LINE: usize = 64 * 1024;

pub(super) struct Scanner<'t> {
    dialect: Dialect,
    text: &'t [u8],
    at: usize,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(dialect: Dialect, text: &'t [u8]) -> Self {
        let mark = dialect.passes_mark() && text.starts_with(MARK);
        Self { dialect, text, at: if mark { MARK.len() } else { 0 } }
    }

    /// The next statement; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Statement>, Fault> {
        let mut blank = None;
        loop {
            let start = self.at;
            let end = self.line_end(start);
            let first = self.blanks(start..end);
            let line = start..self.behind(end);
            self.at = line.end;
            self.docker_takes(&line)?;
            if first < end {
                let statement = self.statement(line, first, end)?;
                return match blank {
                    Some(at) if !matches!(statement, Statement::Metadata { .. }) => Err((at, BLANK_TO_NODE)),
                    _ => Ok(Some(statement)),
                };
            }
            if line.is_empty() {
                return Ok(None);
            }
            if self.dialect == Dialect::Node && first > start {
                blank = Some(start);
            }
        }
    }

    /// Where the line's text ends: its break is `\n`, or `\r\n` where readers take that for one. To Docker and Node the
    /// `\r` of a last line without its `\n` is one, too.
    fn line_end(&self, from: usize) -> usize {
        let end = memchr::memchr(b'\n', &self.text[from..]).map_or(self.text.len(), |at| from + at);
        let carriage = self.dialect != Dialect::Shell && end > from && self.text[end - 1] == b'\r';
        let alone = matches!(self.dialect, Dialect::Docker | Dialect::Node);
        if carriage && (end < self.text.len() || alone) { end - 1 } else { end }
    }

    /// The offset behind the break at the end of a line.
    fn behind(&self, end: usize) -> usize {
        memchr::memchr(b'\n', &self.text[end..]).map_or(self.text.len(), |at| end + at + 1)
    }

    /// The offset behind what a reader passes over.
    fn blanks(&self, within: Range<usize>) -> usize {
        self.behind_all(within, |char| self.dialect.passes(char))
    }

    fn blanks_inside(&self, within: Range<usize>) -> usize {
        self.behind_all(within, |char| self.dialect.passes_inside(char))
    }

    fn behind_all(&self, within: Range<usize>, passes: impl Fn(char) -> bool) -> usize {
        let text = self.text[within.clone()].utf8_chunks().next().map_or("", |chunk| chunk.valid());
        within.start + text.len() - text.trim_start_matches(passes).len()
    }

    /// Docker reads UTF-8 in lines that fit into its buffer, and refuses a file with any other; tokens may be longer.
    fn docker_takes(&self, line: &Range<usize>) -> Result<(), Fault> {
        let text = &self.text[line.clone()];
        if self.dialect != Dialect::Docker || memchr::memmem::find(text, b"ENC[").is_some() {
            return Ok(());
        }
        if text.len() + usize::from(!text.ends_with(b"\n")) > DOCKER_LINE {
            return Err((line.start, SyntaxErrorKind::NotAllowed("a line that is too long for Docker (64 KiB)")));
        }
        std::str::from_utf8(text)
            .map(drop)
            .map_err(|error| (line.start + error.valid_up_to(), SyntaxErrorKind::NotAllowed("a line that is no UTF-8")))
    }

    fn statement(&mut self, line: Range<usize>, first: usize, end: usize) -> Result<Statement, Fault> {
        let dialect = self.dialect;
        if dialect.begins_comment(self.text[first]) {
            if dialect == Dialect::Node && first > line.start {
                return Err((line.start, BLANK_TO_NODE));
            }
            if dialect == Dialect::Systemd && self.text[..end].ends_with(b"\\") {
                return Err((end - 1, SyntaxErrorKind::NotAllowed("a comment that goes on in the next line")));
            }
            if dialect == Dialect::Systemd
                && let Some(at) = memchr::memchr(b'\r', &self.text[first..end])
            {
                return Err((first + at, SyntaxErrorKind::NotAllowed(value::RETURN)));
            }
            return Ok(Statement::Comment(first + 1..end));
        }
        if self.text[first..].starts_with(PREFIX.as_bytes()) && first == line.start {
            let equals = memchr::memchr(b'=', &self.text[first..end]).ok_or_else(|| expected_entry(first))?;
            let name = first + PREFIX.len()..first + equals;
            return Ok(Statement::Metadata { name, value: first + equals + 1..end, line });
        }
        let mut at = first;
        if let Some(rest) = self.text[at..end].strip_prefix(b"export")
            && dialect.exports()
            && (rest.starts_with(b" ") || rest.starts_with(b"\t") && dialect != Dialect::Node)
        {
            // To Node one blank more begins the name.
            at += b"export ".len();
            at = if dialect == Dialect::Node { at } else { self.blanks_inside(at..end) };
        }
        let ends = |byte: u8| dialect.ends_name(byte) || matches!(byte, b' ' | b'\t');
        let length = self.text[at..end].iter().take_while(|byte| !ends(**byte)).count();
        let name = at..at + length;
        let bytes = &self.text[name.clone()];
        if let Some(wrong) = bytes.iter().enumerate().position(|(at, byte)| !dialect.in_name(*byte, at == 0)) {
            return Err((
                name.start + wrong,
                SyntaxErrorKind::NotAllowed("a name that readers of this dialect refuse"),
            ));
        }
        at = if dialect.spaced() { self.blanks_inside(name.end..end) } else { name.end };
        if bytes.is_empty() || at >= end || !dialect.ends_name(self.text[at]) {
            return Err(expected_entry(name.start));
        }
        at += 1;
        if dialect.spaced() {
            at = self.blanks_inside(at..end);
        }
        self.value(line.start, name, at)
    }

    fn value(&mut self, start: usize, name: Range<usize>, at: usize) -> Result<Statement, Fault> {
        let form = self.dialect.form(self.text.get(at).copied());
        let (value, comment) = if form == Form::Bare { self.bare(at) } else { self.quoted(at, form)? };
        let inside = inside(&value, form);
        value::read(self.dialect, form, &self.text[inside.clone()])
            .map_err(|reason| (inside.start, SyntaxErrorKind::NotAllowed(reason)))?;
        if std::str::from_utf8(&self.text[value.clone()]).is_err() {
            return Err((value.start, SyntaxErrorKind::NotAllowed("a value that is no UTF-8")));
        }
        let end = comment.as_ref().map_or(value.end, |comment| comment.end);
        self.at = self.behind(end);
        Ok(Statement::Entry(Entry { name, value, form, comment, lines: start..self.at }))
    }

    /// A value without quotes, and the comment behind it.
    fn bare(&self, at: usize) -> (Range<usize>, Option<Range<usize>>) {
        let end = self.line_end(at).max(at);
        let line = &self.text[at..end];
        if self.dialect == Dialect::Docker {
            return (at..end, None);
        }
        let sign = match self.dialect {
            Dialect::Node => memchr::memchr(b'#', line),
            Dialect::Compose => memchr::memmem::find(line, b" #").map(|at| at + 1),
            Dialect::Shell => {
                let mut signs = memchr::memchr_iter(b'#', line);
                signs.find(|at| *at > 0 && matches!(line[at - 1], b' ' | b'\t') && (*at < 2 || line[at - 2] != b'\\'))
            }
            Dialect::Docker | Dialect::Systemd => None,
        };
        // What a reader leaves at the end is a part of the value: to a shell the `\r` of a line break from elsewhere.
        let value = self.trimmed(&line[..sign.unwrap_or(line.len())]);
        (at..at + value, sign.map(|sign| at + sign + 1..end))
    }

    /// The length of a value without what its reader takes from the end.
    fn trimmed(&self, value: &[u8]) -> usize {
        std::str::from_utf8(value)
            .map_or(value.len(), |value| value.trim_end_matches(|char| self.dialect.trims(char)).len())
    }

    /// A value in quotes, and the comment behind it; nothing else may stand there.
    fn quoted(&self, at: usize, form: Form) -> Result<(Range<usize>, Option<Range<usize>>), Fault> {
        let quote = form.mark().first().copied().unwrap_or_default();
        let escapes = match (self.dialect, form) {
            (Dialect::Compose, _) => true,
            (Dialect::Shell | Dialect::Systemd, form) => form == Form::Double,
            _ => false,
        };
        let mut close = at + 1;
        loop {
            match self.text.get(close) {
                None => return Err((at, SyntaxErrorKind::Expected("the quote that ends the value"))),
                Some(b'\\') if escapes => close += 2,
                Some(&byte) if byte == quote => break,
                Some(_) => close += 1,
            }
        }
        let behind = close + 1;
        let end = self.line_end(behind).max(behind);
        let next = self.blanks(behind..end);
        if next == end {
            return Ok((at..behind, None));
        }
        let apart = next > behind || self.dialect != Dialect::Shell;
        if self.dialect.comments_behind() && self.text[next] == b'#' && apart {
            return Ok((at..behind, Some(next + 1..end)));
        }
        Err((next, SyntaxErrorKind::NotAllowed("something behind the closing quote")))
    }
}

const fn expected_entry(at: usize) -> Fault {
    (at, SyntaxErrorKind::Expected("`NAME=value`"))
}

/// What stands between the quotes.
pub(super) fn inside(value: &Range<usize>, form: Form) -> Range<usize> {
    let mark = form.mark().len();
    value.start + mark..value.end - mark
}
