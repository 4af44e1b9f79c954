//! Sections of aligned `key = value` lines as SOPS's INI library writes them.
//!
//! *Source*: the SOPS format, "INI", emitter rules. SOPS writes all documents of a stream into one file.

use std::collections::HashMap;

use zeroize::Zeroizing;

use super::EmitError;
use super::number::general;
use crate::document::buffer::Buffer;
use crate::document::flat::spell;
use crate::document::owned::{OwnedTree, Part, Span};
use crate::document::scalar::{Kind, parse_float};

/// A section that needs no header where it is the first.
const DEFAULT: &[u8] = b"DEFAULT";

struct Section {
    name: Span,
    comment: Option<Span>,
    keys: Vec<Key>,
}

struct Key {
    name: Span,
    value: Zeroizing<Vec<u8>>,
    comment: Option<Span>,
}

pub(super) fn file(tree: &OwnedTree, out: &mut Buffer) -> Result<(), EmitError> {
    let mut sections = Vec::new();
    for root in tree.roots() {
        let mut at = root + 1;
        let mut name = Span::default();
        loop {
            match tree.parts()[at] {
                Part::Close => break,
                Part::Key(span) => name = span,
                Part::Comment { .. } => {}
                Part::Open { list: false } => {
                    sections.push(section(tree, name, at)?);
                    at = tree.behind(at);
                    continue;
                }
                _ => {
                    named(tree, name)?;
                    return Err(EmitError::NoSection);
                }
            }
            at += 1;
        }
    }
    let last = sections.len().saturating_sub(1);
    for (position, section) in sections.iter().enumerate() {
        write(tree, section, position, position == last, out)?;
    }
    Ok(())
}

fn named(tree: &OwnedTree, name: Span) -> Result<(), EmitError> {
    if tree.text(name).is_empty() {
        return Err(EmitError::EmptyName("Error encoding section : empty section name"));
    }
    Ok(())
}

/// The section whose mapping begins at `at`. Its first comment is its own, the others belong to the keys above them, of
/// which each keeps the last.
fn section(tree: &OwnedTree, name: Span, at: usize) -> Result<Section, EmitError> {
    named(tree, name)?;
    let mut section = Section { name, comment: None, keys: Vec::new() };
    let mut places: HashMap<&[u8], usize> = HashMap::new();
    let (mut next, mut key, mut last) = (at + 1, Span::default(), None);
    loop {
        match tree.parts()[next] {
            Part::Close => return Ok(section),
            Part::Comment { span, .. } if next == at + 1 => section.comment = Some(span),
            Part::Comment { span, .. } => {
                if let Some(last) = last {
                    let Key { comment, .. } = &mut section.keys[last];
                    *comment = Some(span);
                }
            }
            Part::Key(span) => key = span,
            Part::Scalar { .. } | Part::Open { .. } => {
                if tree.text(key).is_empty() {
                    return Err(EmitError::EmptyName("Error encoding key: error creating new key: empty key name"));
                }
                let value = match tree.parts()[next] {
                    Part::Scalar { kind, span } => spell(kind, tree.text(span)).unwrap_or_default(),
                    _ => go_syntax(tree, next).to_vec(),
                };
                let value = Zeroizing::new(value);
                let place = *places.entry(tree.text(key)).or_insert(section.keys.len());
                match section.keys.get_mut(place) {
                    Some(known) => known.value = value,
                    None => section.keys.push(Key { name: key, value, comment: None }),
                }
                last = Some(place);
                next = tree.behind(next);
                continue;
            }
        }
        next += 1;
    }
}

fn write(
    tree: &OwnedTree,
    section: &Section,
    position: usize,
    is_last: bool,
    out: &mut Buffer,
) -> Result<(), EmitError> {
    comment(tree, section.comment, false, out)?;
    let name = tree.text(section.name);
    if position > 0 || !name.eq_ignore_ascii_case(DEFAULT) {
        out.push(b'[');
        out.extend(name);
        out.extend(b"]\n");
    } else if section.keys.is_empty() {
        return Ok(());
    }
    let width = section.keys.iter().map(|key| width(tree.text(key.name))).max().unwrap_or(0);
    for key in &section.keys {
        comment(tree, key.comment, true, out)?;
        let before = out.len();
        let name = tree.text(key.name);
        let mark = mark_of_key(name);
        for part in [mark, name, mark] {
            out.extend(part);
        }
        for _ in out.len() - before..width {
            out.push(b' ');
        }
        out.extend(b" = ");
        let mark = mark_of_value(&key.value);
        for part in [mark, &key.value, mark] {
            out.extend(part);
        }
        out.push(b'\n');
    }
    if !is_last {
        out.push(b'\n');
    }
    Ok(())
}

/// Comment lines; a line keeps a mark that it begins with.
fn comment(tree: &OwnedTree, comment: Option<Span>, trimmed: bool, out: &mut Buffer) -> Result<(), EmitError> {
    let text = comment.map_or(&b""[..], |span| tree.text(span));
    if text.is_empty() {
        return Ok(());
    }
    for line in text.split(|byte| *byte == b'\n') {
        let (mark, rest) = match line {
            [] => return Err(EmitError::EmptyComment),
            [mark @ (b'#' | b';'), rest @ ..] => (*mark, trim(rest)),
            line => (b';', if trimmed { trim(line) } else { line }),
        };
        out.extend(&[mark, b' ']);
        out.extend(rest);
        out.push(b'\n');
    }
    Ok(())
}

/// Without the blanks of Unicode around it.
fn trim(bytes: &[u8]) -> &[u8] {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.trim_ascii(), |text| text.trim().as_bytes())
}

fn mark_of_key(name: &[u8]) -> &'static [u8] {
    if name.iter().any(|byte| matches!(byte, b'"' | b'=' | b':')) {
        b"`"
    } else if name.contains(&b'`') {
        b"\"\"\""
    } else {
        b""
    }
}

fn width(name: &[u8]) -> usize {
    name.len() + 2 * mark_of_key(name).len()
}

fn mark_of_value(value: &[u8]) -> &'static [u8] {
    if value.iter().any(|byte| matches!(byte, b'\n' | b'`')) {
        b"\"\"\""
    } else if value.iter().any(|byte| matches!(byte, b'#' | b';')) {
        b"`"
    } else if trim(value).len() != value.len() {
        b"\""
    } else {
        b""
    }
}

/// A mapping or list inside a section, which SOPS writes as Go prints it: `[1 2]`, `[{x 1}]`.
fn go_syntax(tree: &OwnedTree, at: usize) -> Zeroizing<Vec<u8>> {
    let mut out = Buffer::default();
    // Of each open container whether it is a list.
    let mut open: Vec<bool> = Vec::new();
    let mut first = true;
    for part in &tree.parts()[at..tree.behind(at)] {
        let item = open.last() == Some(&true);
        let begins = matches!(part, Part::Key(_))
            || item && !matches!(part, Part::Close)
            || matches!(part, Part::Comment { .. });
        if begins && !std::mem::replace(&mut first, false) {
            out.push(b' ');
        }
        match *part {
            Part::Open { list } => {
                out.push(b'[');
                open.push(list);
                first = true;
            }
            Part::Close => {
                out.push(b']');
                open.pop();
                first = false;
                close_pair(&open, &mut out);
            }
            Part::Key(span) => {
                out.push(b'{');
                out.extend(tree.text(span));
                out.push(b' ');
            }
            Part::Scalar { kind, span } => {
                out.extend(&printed(kind, tree.text(span)));
                close_pair(&open, &mut out);
            }
            Part::Comment { span, inline } => {
                let (before, after): (&[u8], &[u8]) = if item { (b"{", b"}") } else { (b"{{", b"} <nil>}") };
                out.extend(before);
                out.extend(tree.text(span));
                out.extend(if inline { b" true" } else { b" false" });
                out.extend(after);
            }
        }
    }
    out.into_bytes()
}

fn close_pair(open: &[bool], out: &mut Buffer) {
    if open.last() == Some(&false) {
        out.push(b'}');
    }
}

/// A scalar as Go's `%v` has it.
fn printed(kind: Kind, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(match kind {
        Kind::Float => general(parse_float(bytes).unwrap_or(f64::NAN), 'e').into_bytes(),
        Kind::Time => {
            let text = String::from_utf8_lossy(bytes);
            let (day, rest) = text.split_once('T').unwrap_or((&text, ""));
            let (clock, zone) = rest.split_at(rest.find(['Z', '+', '-']).unwrap_or(rest.len()));
            let zone = zone.replace(':', "");
            let zone = if zone == "Z" { "+0000 UTC".to_owned() } else { format!("{zone} {zone}") };
            format!("{day} {clock} {zone}").into_bytes()
        }
        _ => spell(kind, bytes).unwrap_or_default(),
    })
}
