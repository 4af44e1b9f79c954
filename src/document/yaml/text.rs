//! The text of a scalar: quotes and escapes undone, lines folded, blocks chomped.
//!
//! *Source*: go-yaml v3. Only what the scanner accepted comes here, so nothing here can fail; where the bytes are not
//! what they were when they were scanned, the result is some text, never a panic.

use std::borrow::Cow;

use super::chars::{break_len, break_value, byte};
use super::scan_scalar::hexadecimal;
use super::token::TokenKind;

/// The text of the scalar of that kind at `range`; `column` is where a block's content begins.
pub(super) fn text(source: &[u8], kind: TokenKind, column: u32) -> Cow<'_, [u8]> {
    match kind {
        TokenKind::SingleQuoted => single_quoted(inner(source)),
        TokenKind::DoubleQuoted => double_quoted(inner(source)),
        TokenKind::Literal | TokenKind::Folded => Cow::Owned(block(source, kind == TokenKind::Folded, column as usize)),
        _ => plain(source),
    }
}

fn inner(source: &[u8]) -> &[u8] {
    source.get(1..source.len().saturating_sub(1)).unwrap_or_default()
}

fn plain(source: &[u8]) -> Cow<'_, [u8]> {
    if next_break(source, 0) == source.len() {
        return Cow::Borrowed(source);
    }
    let mut out = Vec::with_capacity(source.len());
    let mut at = 0;
    while at < source.len() {
        let end = next_break(source, at);
        at = fold(source, at, end, &mut out);
    }
    Cow::Owned(out)
}

fn single_quoted(source: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\'', source).is_none() && next_break(source, 0) == source.len() {
        return Cow::Borrowed(source);
    }
    let mut out = Vec::with_capacity(source.len());
    let (mut at, mut stop) = (0, next_break(source, 0));
    while at < source.len() {
        let quote = memchr::memchr(b'\'', &source[at..stop]).map(|found| at + found);
        if let Some(quote) = quote {
            out.extend_from_slice(&source[at..=quote]);
            at = quote + 2;
        } else {
            at = fold(source, at, stop, &mut out);
            stop = next_break(source, at);
        }
    }
    Cow::Owned(out)
}

fn double_quoted(source: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', source).is_none() && next_break(source, 0) == source.len() {
        return Cow::Borrowed(source);
    }
    let mut out = Vec::with_capacity(source.len());
    let (mut at, mut stop) = (0, next_break(source, 0));
    while at < source.len() {
        let backslash = memchr::memchr(b'\\', &source[at..stop]).map(|found| at + found);
        let Some(backslash) = backslash else {
            at = fold(source, at, stop, &mut out);
            stop = next_break(source, at);
            continue;
        };
        out.extend_from_slice(&source[at..backslash]);
        let length = break_len(source, backslash + 1);
        if length > 0 {
            // An escaped break joins the lines without a blank; further empty lines count.
            at = skip_breaks(source, backslash + 1 + length, &mut out);
            stop = next_break(source, at);
        } else {
            at = escape(source, backslash, &mut out);
        }
    }
    Cow::Owned(out)
}

/// Copies `source[from..stop]`, where a break stands at `stop` or the source ends; folds the break.
fn fold(source: &[u8], from: usize, stop: usize, out: &mut Vec<u8>) -> usize {
    if stop == source.len() {
        out.extend_from_slice(&source[from..]);
        return stop;
    }
    let blanks = source[from..stop].iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    out.extend_from_slice(&source[from..stop - blanks]);
    let length = break_len(source, stop);
    let first = break_value(source, stop, length);
    if first != b"\n" {
        out.extend_from_slice(first);
    }
    let before = out.len();
    let next = skip_breaks(source, stop + length, out);
    if first == b"\n" && out.len() == before {
        out.push(b' ');
    }
    next
}

/// Passes blanks and breaks; the breaks count.
fn skip_breaks(source: &[u8], from: usize, out: &mut Vec<u8>) -> usize {
    let mut at = from;
    loop {
        if matches!(byte(source, at), b' ' | b'\t') {
            at += 1;
            continue;
        }
        let length = break_len(source, at);
        if length == 0 {
            return at;
        }
        out.extend_from_slice(break_value(source, at, length));
        at += length;
    }
}

/// The next line break at or behind `from`, or the end.
fn next_break(source: &[u8], from: usize) -> usize {
    let may_break =
        |chunk| memchr::memchr3(b'\n', b'\r', 0xE2, chunk).is_some() || memchr::memchr(0xC2, chunk).is_some();
    let mut at = from;
    // Most texts have none. The chunks keep a text of many breaks linear.
    for chunk in source[from..].chunks(256) {
        if may_break(chunk)
            && let Some(found) = (at..at + chunk.len()).find(|at| break_len(source, *at) > 0)
        {
            return found;
        }
        at += chunk.len();
    }
    source.len()
}

/// Appends what the escape at `at` stands for, and tells where it ends.
fn escape(source: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    let digits = match byte(source, at + 1) {
        b'x' => 2,
        b'u' => 4,
        b'U' => 8,
        other => {
            let plain: &[u8] = match other {
                b'0' => b"\0",
                b'a' => b"\x07",
                b'b' => b"\x08",
                b't' | b'\t' => b"\t",
                b'n' => b"\n",
                b'v' => b"\x0B",
                b'f' => b"\x0C",
                b'r' => b"\r",
                b'e' => b"\x1B",
                b'N' => b"\xC2\x85",
                b'_' => b"\xC2\xA0",
                b'L' => b"\xE2\x80\xA8",
                b'P' => b"\xE2\x80\xA9",
                _ => source.get(at + 1..at + 2).unwrap_or_default(),
            };
            out.extend_from_slice(plain);
            return at + 2;
        }
    };
    let value = source.get(at + 2..at + 2 + digits).and_then(hexadecimal).and_then(char::from_u32);
    out.extend_from_slice(value.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut [0; 4]).as_bytes());
    at + 2 + digits
}

/// The header of a block scalar: chomping (`+`, `-` or 0 for clip), and where its first line begins.
fn header(source: &[u8]) -> (u8, usize) {
    let mut chomping = 0;
    let mut at = 1;
    loop {
        match byte(source, at) {
            sign @ (b'+' | b'-') => chomping = sign,
            b'0'..=b'9' => {}
            _ => break,
        }
        at += 1;
    }
    let end = next_break(source, at);
    (chomping, end + break_len(source, end))
}

/// `source` runs from the header to behind the last line break that belongs to the value, if there is one.
fn block(source: &[u8], folded: bool, column: usize) -> Vec<u8> {
    let (chomping, mut at) = header(source);
    let mut out = Vec::with_capacity(source.len().saturating_sub(at));
    // The break of the line before (empty at first), the blank lines since, and whether that line began with a blank.
    let mut pending: &[u8] = b"";
    let mut blank_lines = Vec::new();
    let mut led_by_blank = false;
    loop {
        let indent = source[at..].iter().take(column).take_while(|byte| **byte == b' ').count();
        at += indent;
        let length = break_len(source, at);
        if length > 0 {
            blank_lines.extend_from_slice(break_value(source, at, length));
            at += length;
            continue;
        }
        if at >= source.len() || indent < column {
            break;
        }
        let blank = matches!(byte(source, at), b' ' | b'\t');
        if folded && pending == b"\n" && !led_by_blank && !blank {
            if blank_lines.is_empty() {
                out.push(b' ');
            }
        } else {
            out.extend_from_slice(pending);
        }
        out.append(&mut blank_lines);
        led_by_blank = blank;
        let end = next_break(source, at);
        out.extend_from_slice(&source[at..end]);
        let length = break_len(source, end);
        pending = if length > 0 { break_value(source, end, length) } else { b"" };
        at = end + length;
    }
    if chomping != b'-' {
        out.extend_from_slice(pending);
    }
    if chomping == b'+' {
        out.append(&mut blank_lines);
    }
    out
}
