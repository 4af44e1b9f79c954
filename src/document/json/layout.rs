//! How a JSON text is laid out, so that what is added looks like what is there.

use super::scan::{Event, Scanner};
use crate::document::syntax::SyntaxError;

/// The habits of one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The line break, or nothing for a text on one line.
    newline: &'static str,
    /// The indentation of the top-level object's own closing bracket.
    base: String,
    /// One level.
    unit: String,
    /// What stands between key and value.
    colon: String,
    /// What follows a comma on one line.
    gap: String,
}

impl Default for Layout {
    /// SOPS's own: tabs.
    fn default() -> Self {
        Self { newline: "\n", base: String::new(), unit: "\t".into(), colon: ": ".into(), gap: " ".into() }
    }
}

impl Layout {
    /// Reads the habits off the top-level object; an empty one has SOPS's.
    pub(super) fn of(text: &[u8]) -> Result<Self, SyntaxError> {
        let mut scanner = Scanner::new(text);
        let mut inside = 0;
        let mut first = None;
        while let Some(event) = scanner.next()? {
            match event {
                Event::Open { at, list: true } if inside == 0 => return Ok(Self::of_list(text, at + 1)),
                Event::Open { at, .. } if first.is_none() => inside = at + 1,
                Event::Open { at, .. } => return Ok(Self::from_parts(text, inside, first, Some(at))),
                Event::Key(range) if first.is_none() => first = Some(range),
                Event::Scalar { range, .. } => return Ok(Self::from_parts(text, inside, first, Some(range.start))),
                _ => break,
            }
        }
        Ok(Self::from_parts(text, inside, first, None))
    }

    /// The habits of a list at the top, whose items need not be on lines of their own.
    fn of_list(text: &[u8], inside: usize) -> Self {
        let blanks = text[inside..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let before = &text[inside..inside + blanks];
        let colon = if memchr::memmem::find(text, b"\":").is_some() && memchr::memmem::find(text, b"\": ").is_none() {
            ":"
        } else {
            ": "
        };
        let gap =
            if memchr::memchr(b',', text).is_some() && memchr::memmem::find(text, b", ").is_none() { "" } else { " " };
        let Some(line) = memchr::memrchr(b'\n', before) else {
            return Self {
                newline: "",
                base: String::new(),
                unit: String::new(),
                colon: colon.into(),
                gap: gap.into(),
            };
        };
        let newline = if line > 0 && before[line - 1] == b'\r' { "\r\n" } else { "\n" };
        let unit = String::from_utf8_lossy(&before[line + 1..]).into_owned();
        Self { newline, base: String::new(), unit, colon: colon.into(), gap: gap.into() }
    }

    fn from_parts(text: &[u8], inside: usize, key: Option<std::ops::Range<usize>>, value: Option<usize>) -> Self {
        let (Some(key), Some(value)) = (key, value) else { return Self::default() };
        let word = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let colon = word(&text[key.end..value]);
        let colon = if colon.contains('\n') { ": ".to_owned() } else { colon };
        let gap = if colon.ends_with(' ') { " ".to_owned() } else { String::new() };
        let before = &text[inside..key.start];
        let Some(line) = memchr::memrchr(b'\n', before) else {
            return Self { newline: "", base: String::new(), unit: String::new(), colon, gap };
        };
        let newline = if line > 0 && before[line - 1] == b'\r' { "\r\n" } else { "\n" };
        let indent = word(&before[line + 1..]);
        let base = closing_indent(text);
        let unit = indent.strip_prefix(base.as_str()).unwrap_or(&indent).to_owned();
        Self { newline, base, unit, colon, gap }
    }

    /// Appends a line break and the indentation of `level`; on one line nothing.
    pub(super) fn line(&self, level: usize, out: &mut Vec<u8>) {
        if self.newline.is_empty() {
            return;
        }
        out.extend_from_slice(self.newline.as_bytes());
        out.extend_from_slice(self.base.as_bytes());
        for _ in 0..level {
            out.extend_from_slice(self.unit.as_bytes());
        }
    }

    /// Appends a comma and the way to the next item of `level`.
    pub(super) fn comma(&self, level: usize, out: &mut Vec<u8>) {
        out.push(b',');
        if self.newline.is_empty() {
            out.extend_from_slice(self.gap());
        }
        self.line(level, out);
    }

    /// What follows a comma on one line.
    pub(super) fn gap(&self) -> &[u8] {
        self.gap.as_bytes()
    }

    /// Appends what stands between key and value.
    pub(super) fn colon(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.colon.as_bytes());
    }
}

/// The indentation of the last line, if nothing but the closing bracket stands on it.
fn closing_indent(text: &[u8]) -> String {
    let Some(bracket) = memchr::memrchr(b'}', text) else { return String::new() };
    let start = memchr::memrchr(b'\n', &text[..bracket]).map_or(0, |at| at + 1);
    let before = &text[start..bracket];
    if before.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
        String::from_utf8_lossy(before).into_owned()
    } else {
        String::new()
    }
}
