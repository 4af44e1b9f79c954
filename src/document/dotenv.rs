//! `KEY=value` lines.
//!
//! *Source*: the SOPS format, "Dotenv" (`stores/dotenv/store.go` of SOPS 3.13). Quotes, blanks and `\r` are content;
//! the two characters `\n` stand for a line break. Empty lines, which SOPS drops, stay.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;

use super::edit::{MetadataEdit, Replacement};
use super::flat::{Unflatten, flatten, spell};
use super::graft::{Change, Graft};
use super::key_path::{KeyPath, PathPart};
use super::outline::{Comment, CommentId, KeyId, Leaf, LeafId, Metadata, Node, Outline, Style};
use super::scalar::{Kind, Scalar};
use super::syntax::{Format, Syntax, SyntaxError, SyntaxErrorKind, error};
use super::trailer::{self, PREFIX};

pub(crate) struct Dotenv;

impl Syntax for Dotenv {
    fn parse(&self, text: &[u8]) -> Result<Outline, SyntaxError> {
        let mut outline = Outline { nodes: vec![Node::Open { list: false }], ..Outline::default() };
        let mut names = Unflatten::default();
        let mut runs: Vec<Range<usize>> = Vec::new();
        for line in lines(text) {
            let bytes = &text[line.clone()];
            let failed = |kind| error(Format::Dotenv, text, line.start, kind);
            if bytes.is_empty() {
                continue;
            }
            if bytes[0] == b'#' {
                outline.nodes.push(Node::Comment(CommentId(id(outline.comments.len()).map_err(failed)?)));
                let range = line.start + 1..line.end;
                outline.comments.push(Comment { range, inline: false, dropped: false, item: false });
                continue;
            }
            let equals = memchr::memchr(b'=', bytes).ok_or_else(|| failed(SyntaxErrorKind::Expected("`KEY=value`")))?;
            let key = line.start..line.start + equals;
            let value = key.end + 1..line.end;
            let name = std::str::from_utf8(&text[key.clone()])
                .map_err(|_| failed(SyntaxErrorKind::NotAllowed("a key that is no UTF-8")))?;
            if let Some(name) = name.strip_prefix(PREFIX) {
                let content = String::from_utf8_lossy(&unescape(&text[value.clone()])).into_owned();
                names.add(name, content, value).map_err(failed)?;
                let end = (line.end + 1).min(text.len());
                match runs.last_mut() {
                    Some(run) if run.end == line.start => run.end = end,
                    _ => runs.push(line.start..end),
                }
                continue;
            }
            id(outline.keys.len()).map_err(failed)?;
            let key = outline.push_key(key, name);
            outline.nodes.push(Node::Key(key));
            outline.nodes.push(Node::Leaf(LeafId(id(outline.leaves.len()).map_err(failed)?)));
            outline.leaves.push(Leaf { range: value, kind: Kind::Str, style: Style::Plain, tagged: true, context: 0 });
        }
        outline.nodes.push(Node::Close);
        if let Some(first) = runs.first().cloned() {
            let tree = names.finish().map_err(|kind| error(Format::Dotenv, text, first.start, kind))?;
            outline.metadata = Some(Metadata { range: first, tree });
            outline.more_metadata = runs.split_off(1);
        }
        Ok(outline)
    }

    fn scalar<'t>(&self, text: &'t [u8], leaf: &Leaf) -> Result<Scalar<'t>, SyntaxError> {
        let value = unescape(&text[leaf.range.clone()]);
        Ok(Scalar { kind: Kind::Str, canonical: value.clone(), token: value })
    }

    fn write_leaf(
        &self,
        text: &[u8],
        leaf: &Leaf,
        value: &Replacement<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), SyntaxError> {
        write_value(value, out).map_err(|kind| error(Format::Dotenv, text, leaf.range.start, kind))
    }

    fn write_comment(&self, text: &[u8], comment: &Comment, new: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
        if new.contains(&b'\n') {
            let kind = SyntaxErrorKind::NotAllowed("a comment of more than one line");
            return Err(error(Format::Dotenv, text, comment.range.start, kind));
        }
        out.extend_from_slice(new);
        Ok(())
    }

    fn metadata_splices(
        &self,
        text: &[u8],
        outline: &Outline,
        edit: &MetadataEdit,
    ) -> Result<Vec<(Range<usize>, String)>, SyntaxError> {
        Ok(trailer::splices(text, outline, edit, "\n", flatten))
    }

    fn change(
        &self,
        text: &[u8],
        outline: &Outline,
        path: &KeyPath,
        change: Change<'_>,
    ) -> Result<Vec<u8>, SyntaxError> {
        let failed = |kind| error(Format::Dotenv, text, 0, kind);
        let refused = |reason| Err(failed(SyntaxErrorKind::Path(reason)));
        let [PathPart::Key(key)] = path.parts() else { return refused("a dotenv file has no nesting") };
        let value = match change {
            Change::Insert(Graft::Leaf(value)) => value,
            Change::Insert(_) | Change::Replace(_) => return refused("a dotenv file has no nesting"),
            Change::Remove => {
                let Some(line) = last_line(text, outline, key) else { return refused("there is nothing at this path") };
                return Ok([&text[..line.start], &text[line.end..]].concat());
            }
        };
        if key.starts_with(PREFIX) {
            return refused("keys that begin with `sops_` are reserved");
        }
        if key.contains(['=', '\n']) || key.starts_with('#') {
            return refused("a dotenv key holds no `=`, no line break, and begins with no `#`");
        }
        if (0..).map(KeyId).zip(&outline.keys).any(|(known, _)| outline.key(known) == key) {
            return refused("there is a value already");
        }
        let mut line = key.clone().into_bytes();
        line.push(b'=');
        write_value(value, &mut line).map_err(failed)?;
        Ok(trailer::insert_line(text, outline, &line))
    }
}

/// The line of the last entry of that key, with its break.
fn last_line(text: &[u8], outline: &Outline, key: &str) -> Option<Range<usize>> {
    let found = (0..).map(KeyId).zip(&outline.keys).filter(|(known, _)| outline.key(*known) == key).last()?.1;
    let end = memchr::memchr(b'\n', &text[found.range.end..]).map_or(text.len(), |at| found.range.end + at + 1);
    Some(found.range.start..end)
}

/// Ids have 32 bits; a text with more lines than that is above the size bound of files.
fn id(index: usize) -> Result<u32, SyntaxErrorKind> {
    u32::try_from(index).map_err(|_| SyntaxErrorKind::NotAllowed("more than 2^32 lines"))
}

/// The lines, without their breaks; a final break begins no line.
fn lines(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    memchr::memchr_iter(b'\n', text).chain((!text.ends_with(b"\n")).then_some(text.len())).map(move |end| {
        let line = start..end;
        start = end + 1;
        line
    })
}

fn unescape(value: &[u8]) -> Cow<'_, [u8]> {
    if memmem::find(value, b"\\n").is_none() {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    let mut copied = 0;
    for at in memmem::find_iter(value, b"\\n") {
        out.extend_from_slice(&value[copied..at]);
        out.push(b'\n');
        copied = at + 2;
    }
    out.extend_from_slice(&value[copied..]);
    Cow::Owned(out)
}

fn write_value(value: &Replacement<'_>, out: &mut Vec<u8>) -> Result<(), SyntaxErrorKind> {
    let (kind, bytes) = match value {
        Replacement::Token(bytes) => (Kind::Str, *bytes),
        Replacement::Value { kind: Kind::Null, .. } => {
            return Err(SyntaxErrorKind::NotAllowed("a null cannot be written: every value is a text in this format"));
        }
        Replacement::Value { kind, bytes } => (*kind, *bytes),
    };
    let spelled;
    let text = if kind == Kind::Str {
        bytes
    } else {
        spelled = spell(kind, bytes).ok_or(SyntaxErrorKind::NotAllowed("the value is not of its own kind"))?;
        &spelled
    };
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\n', rest) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(b"\\n");
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    Ok(())
}
