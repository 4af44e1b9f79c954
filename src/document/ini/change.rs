//! Keys and sections that come and go.

use std::ops::Range;

use super::{Form, line_break, outline, write_value};
use crate::document::edit::Replacement;
use crate::document::graft::{Change, Graft};
use crate::document::key_path::{KeyPath, PathPart};
use crate::document::outline::{Node, Outline};
use crate::document::syntax::SyntaxErrorKind;
use crate::document::trailer;

const NESTED: SyntaxErrorKind = SyntaxErrorKind::Path("an INI value has a section and a key, and nothing below");

pub(super) fn change(
    text: &[u8],
    outline: &Outline,
    path: &KeyPath,
    change: Change<'_>,
) -> Result<Vec<u8>, SyntaxErrorKind> {
    match (path.parts(), change) {
        ([PathPart::Key(section), PathPart::Key(key)], Change::Insert(Graft::Leaf(value))) => {
            let place = outline::end_of_section(text, outline, section, key).map_err(SyntaxErrorKind::Path)?;
            let (before, after) = text.split_at(place);
            let entry = entry(key, value)?;
            let broken = before.is_empty() || before.ends_with(b"\n");
            let parts: [&[u8]; 4] =
                if broken { [before, &entry, b"\n", after] } else { [before, b"\n", &entry, after] };
            Ok(parts.concat())
        }
        ([PathPart::Key(section)], Change::Insert(Graft::Map(entries))) => {
            let newline = line_break(text);
            let name = section.as_str();
            if name.is_empty() || name == super::SOPS || name.contains(['\n', '\r', ']']) {
                return Err(SyntaxErrorKind::Path("this cannot be the name of an INI section"));
            }
            let mut lines = format!("[{name}]").into_bytes();
            let block = outline.metadata.as_ref().map(|block| block.range.start).filter(|_| text.ends_with(b"\n"));
            let apart = super::blank_before(text, block.unwrap_or(text.len()));
            if !text.is_empty() && !apart {
                lines.splice(0..0, newline.bytes());
            }
            for (key, graft) in entries {
                let Graft::Leaf(value) = graft else { return Err(NESTED) };
                lines.extend_from_slice(newline.as_bytes());
                lines.extend_from_slice(&entry(key, value)?);
            }
            // The blank line that came with the block now stands before the section.
            if block.is_some() && apart {
                lines.extend_from_slice(newline.as_bytes());
            }
            Ok(trailer::insert_line(text, outline, &lines))
        }
        ([PathPart::Key(section), PathPart::Key(key)], Change::Remove) => remove(text, outline, section, Some(key)),
        ([PathPart::Key(section)], Change::Remove) => remove(text, outline, section, None),
        ([PathPart::Key(section)], Change::Replace(Graft::Map(entries))) => replace(text, outline, section, entries),
        (_, Change::Replace(_)) => Err(SyntaxErrorKind::Path("an INI section is changed key by key")),
        _ => Err(NESTED),
    }
}

fn entry(key: &str, value: &Replacement<'_>) -> Result<Vec<u8>, SyntaxErrorKind> {
    if key.trim() != key || key.is_empty() || key == "-" || key.contains(['=', ':', '\n', '"', '`', '#', ';', '[']) {
        return Err(SyntaxErrorKind::Path("an INI key holds no `=`, `:`, quotes, marks, brackets or outer blanks"));
    }
    let mut line = format!("{key} = ").into_bytes();
    write_value(value, Form::Plain, &mut line)?;
    Ok(line)
}

/// Puts other keys into a section: its header stays, and so do comments and empty lines behind its last key.
fn replace(
    text: &[u8],
    outline: &Outline,
    section: &str,
    entries: &[(String, Graft<'_>)],
) -> Result<Vec<u8>, SyntaxErrorKind> {
    let range = lines(text, outline, section, None)?;
    let behind = |at: usize| memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |line| at + line + 1);
    let leaves = outline.leaves.iter().filter(|leaf| range.contains(&leaf.range.start));
    let body = behind(range.start);
    let rest = leaves.map(|leaf| behind(leaf.range.end)).max().unwrap_or(body).max(body);
    let newline = line_break(text).as_bytes();
    let mut out = text[..body].to_vec();
    for (key, graft) in entries {
        let Graft::Leaf(value) = graft else { return Err(NESTED) };
        if !out.ends_with(b"\n") {
            out.extend_from_slice(newline);
        }
        out.extend_from_slice(&entry(key, value)?);
        if rest < text.len() || text.ends_with(b"\n") {
            out.extend_from_slice(newline);
        }
    }
    out.extend_from_slice(&text[rest..]);
    Ok(out)
}

/// Removes the lines of a key; without a key those of a whole section, from its header to the next one.
fn remove(text: &[u8], outline: &Outline, section: &str, key: Option<&str>) -> Result<Vec<u8>, SyntaxErrorKind> {
    let range = lines(text, outline, section, key)?;
    Ok([&text[..range.start], &text[range.end..]].concat())
}

/// The lines of a key, or of a whole section.
fn lines(text: &[u8], outline: &Outline, section: &str, key: Option<&str>) -> Result<Range<usize>, SyntaxErrorKind> {
    let line_of = |at: usize| memchr::memrchr(b'\n', &text[..at]).map_or(0, |line| line + 1);
    let behind = |at: usize| memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |line| at + line + 1);
    let (mut depth, mut inside) = (0, false);
    // Of a section the start of its header's line; of a key its place.
    let (mut start, mut end, mut found) = (None, None, None);
    for node in &outline.nodes {
        match node {
            Node::Open { .. } => depth += 1,
            Node::Close => depth -= 1,
            Node::Key(id) if depth == 1 => {
                let header = outline.keys[id.0 as usize].range.start;
                if inside && end.is_none() && start.is_some() {
                    end = Some(line_of(header));
                }
                inside = outline.key(*id) == section;
                if inside && header > 0 {
                    (start, end) = (Some(line_of(header)), None);
                }
            }
            Node::Key(id) if inside && Some(outline.key(*id)) == key => {
                found = Some(outline.keys[id.0 as usize].range.start);
            }
            Node::Leaf(id) if inside && key.is_some() && found.is_some() && end.is_none() => {
                end = Some(behind(outline.leaf(*id).range.end));
            }
            _ => {}
        }
    }
    let metadata = outline.metadata.as_ref().map(|metadata| metadata.range.start);
    Ok(match (key, start, found) {
        (Some(_), _, Some(found)) => line_of(found)..end.unwrap_or(text.len()),
        (None, Some(start), _) => {
            let last = metadata.filter(|block| *block > start).unwrap_or(text.len());
            start..end.unwrap_or(last).min(last)
        }
        _ => return Err(SyntaxErrorKind::Path("there is nothing at this path")),
    })
}
