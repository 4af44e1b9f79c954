//! A new member or item, laid out like its neighbours.

use std::ops::Range;

use super::layout::Layout;
use super::outline::name;
use super::scan::{Event, Scanner};
use super::{quote, write_value};
use crate::document::Format;
use crate::document::graft::Graft;
use crate::document::key_path::{KeyPath, PathPart};
use crate::document::syntax::{SyntaxError, SyntaxErrorKind, error};

/// Where the `sops` block stands, if there is one.
type Block = Option<Range<usize>>;

/// The container that shall hold the new value.
#[derive(Debug)]
struct Place {
    list: bool,
    /// Containers around it, itself included.
    level: usize,
    /// Behind its bracket.
    inside: usize,
    /// Its last member, the `sops` block left out.
    last: Option<Range<usize>>,
    /// The start of the block's key, where that is the first member.
    block: Option<usize>,
    members: usize,
    /// Where the last member ends, the block included.
    end: Option<usize>,
    /// The value of the new key where it is there already, and its member, each behind the one before.
    taken: Option<Taken>,
}

/// A member that is there.
#[derive(Debug, Clone)]
struct Taken {
    value: Range<usize>,
    member: Range<usize>,
    /// Where the member before it ends, and the one behind it starts.
    before: Option<usize>,
    behind: Option<usize>,
}

pub(super) fn insert(text: &[u8], path: &KeyPath, value: &Graft<'_>, block: Block) -> Result<Vec<u8>, SyntaxError> {
    let failed = |at: usize, reason: &'static str| error(Format::Json, text, at, SyntaxErrorKind::Path(reason));
    let Some((parent, last)) = path.split_last() else { return Err(failed(0, "the path is empty")) };
    let Some(place) = find(text, parent.parts(), last, block)? else {
        return Err(failed(0, "there is no mapping or list to put it in"));
    };
    match last {
        PathPart::Key(key) if parent.parts().is_empty() && key == "sops" => {
            return Err(failed(place.inside, "the key `sops` is reserved"));
        }
        _ if place.taken.is_some() => return Err(failed(place.inside, "there is a value already")),
        PathPart::Key(_) if place.list => return Err(failed(place.inside, "a list has positions, not keys")),
        PathPart::Index(_) if !place.list => return Err(failed(place.inside, "a mapping has keys, not positions")),
        PathPart::Index(index) if *index != place.members => {
            return Err(failed(place.inside, "a list grows at its end only"));
        }
        _ => {}
    }
    let layout = Layout::of(text)?;
    let mut entry = Vec::new();
    if let PathPart::Key(key) = last {
        quote(key.as_bytes(), &mut entry);
        layout.colon(&mut entry);
    }
    write_graft(value, &layout, place.level, &mut entry)
        .map_err(|kind| error(Format::Json, text, place.inside, kind))?;
    Ok(splice(text, &place, &layout, &entry))
}

/// Appends a value; its own closing bracket stands at `level`.
pub(super) fn write_graft(
    graft: &Graft<'_>,
    layout: &Layout,
    level: usize,
    out: &mut Vec<u8>,
) -> Result<(), SyntaxErrorKind> {
    let (open, close, length) = match graft {
        Graft::Leaf(value) => return write_value(value, out),
        Graft::Map(entries) => (b'{', b'}', entries.len()),
        Graft::List(items) => (b'[', b']', items.len()),
    };
    out.push(open);
    for position in 0..length {
        if position > 0 {
            layout.comma(level + 1, out);
        } else {
            layout.line(level + 1, out);
        }
        match graft {
            Graft::Map(entries) => {
                let (key, value) = &entries[position];
                quote(key.as_bytes(), out);
                layout.colon(out);
                write_graft(value, layout, level + 1, out)?;
            }
            Graft::List(items) => write_graft(&items[position], layout, level + 1, out)?,
            Graft::Leaf(_) => {}
        }
    }
    if length > 0 {
        layout.line(level, out);
    }
    out.push(close);
    Ok(())
}

/// The text with `graft` in the place of what stands at `path`.
pub(super) fn replace(text: &[u8], path: &KeyPath, graft: &Graft<'_>, block: Block) -> Result<Vec<u8>, SyntaxError> {
    let (place, taken) = there(text, path, block)?;
    let mut new = Vec::new();
    write_graft(graft, &Layout::of(text)?, place.level, &mut new)
        .map_err(|kind| error(Format::Json, text, taken.value.start, kind))?;
    Ok([&text[..taken.value.start], &new, &text[taken.value.end..]].concat())
}

/// The text without the member at `path`, its comma and its line.
pub(super) fn remove(text: &[u8], path: &KeyPath, block: Block) -> Result<Vec<u8>, SyntaxError> {
    let (place, taken) = there(text, path, block)?;
    let range = match (taken.before, taken.behind) {
        (_, Some(behind)) => taken.member.start..behind,
        (Some(before), None) => before..taken.member.end,
        (None, None) => {
            let blanks = text[taken.member.end..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            place.inside..taken.member.end + blanks
        }
    };
    Ok([&text[..range.start], &text[range.end..]].concat())
}

fn there(text: &[u8], path: &KeyPath, block: Block) -> Result<(Place, Taken), SyntaxError> {
    let place = match path.split_last() {
        Some((parent, last)) => find(text, parent.parts(), last, block)?,
        None => None,
    };
    let taken = place.as_ref().and_then(|place| place.taken.clone());
    place.zip(taken).ok_or_else(|| error(Format::Json, text, 0, SyntaxErrorKind::Path("there is nothing at this path")))
}

fn splice(text: &[u8], place: &Place, layout: &Layout, entry: &[u8]) -> Vec<u8> {
    let mut new = Vec::with_capacity(entry.len() + 64);
    let at = match (&place.last, place.block) {
        (Some(last), _) => {
            let blanks = leading_blanks(text, last.start);
            new.push(b',');
            // One item alone on its line tells nothing of what follows a comma.
            let alone = place.members == 1 && blanks.is_empty();
            new.extend_from_slice(if alone { layout.gap() } else { blanks });
            new.extend_from_slice(entry);
            last.end
        }
        (None, Some(block)) => {
            new.extend_from_slice(entry);
            new.push(b',');
            new.extend_from_slice(leading_blanks(text, block));
            block
        }
        (None, None) => {
            let blank = text[place.inside..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            layout.line(place.level, &mut new);
            new.extend_from_slice(entry);
            if !text[place.inside..place.inside + blank].contains(&b'\n') {
                layout.line(place.level - 1, &mut new);
            }
            place.inside
        }
    };
    let mut out = Vec::with_capacity(text.len() + new.len());
    out.extend_from_slice(&text[..at]);
    out.extend_from_slice(&new);
    out.extend_from_slice(&text[at..]);
    out
}

/// The blanks before `at`, back to a comma or a bracket.
fn leading_blanks(text: &[u8], at: usize) -> &[u8] {
    let start = text[..at].iter().rposition(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).map_or(0, |p| p + 1);
    &text[start..at]
}

/// An open container on the way.
struct Frame {
    /// Whether its path is a beginning of the path that is looked for.
    on_path: bool,
    list: bool,
    index: usize,
    key: Option<(Box<str>, usize)>,
    start: usize,
}

impl Frame {
    fn is_at(&self, part: Option<&PathPart>) -> bool {
        self.on_path
            && match part {
                Some(PathPart::Index(index)) => self.list && self.index == *index,
                Some(PathPart::Key(wanted)) => self.key.as_ref().is_some_and(|(key, _)| **key == **wanted),
                None => false,
            }
    }
}

/// Finds the container of that path; where a key stands twice, the last one.
fn find(text: &[u8], parent: &[PathPart], last: &PathPart, block: Block) -> Result<Option<Place>, SyntaxError> {
    let mut scanner = Scanner::new(text);
    let mut frames: Vec<Frame> = Vec::new();
    let mut place: Option<Place> = None;
    while let Some(event) = scanner.next()? {
        let (start, end) = match event {
            Event::Key(range) => {
                if let Some(frame) = frames.last_mut() {
                    frame.key = Some((name(text, &range), range.start));
                }
                continue;
            }
            Event::Open { list, at } => {
                let on_path = frames.last().is_none_or(|frame| frame.is_at(parent.get(frames.len() - 1)));
                frames.push(Frame { on_path, list, index: 0, key: None, start: at });
                if on_path && frames.len() == parent.len() + 1 {
                    let level = frames.len();
                    let (inside, last, block) = (at + 1, None, None);
                    place = Some(Place { list, level, inside, last, block, members: 0, taken: None, end: None });
                }
                continue;
            }
            Event::Close { end } => (frames.pop().map_or(0, |frame| frame.start), end),
            Event::Scalar { range, .. } => (range.start, range.end),
        };
        let depth = frames.len();
        let Some(frame) = frames.last_mut() else { continue };
        if frame.on_path
            && depth == parent.len() + 1
            && let Some(place) = &mut place
        {
            let item = frame.list && block.as_ref().is_some_and(|block| block.contains(&start));
            note(place, frame, (depth == 1, item), start..end, last);
        }
        frame.index += 1;
        frame.key = None;
    }
    Ok(place)
}

/// Sees one complete member of the container: whether that is the root, and the member the block in a list.
fn note(place: &mut Place, frame: &Frame, (root, item): (bool, bool), value: Range<usize>, wanted: &PathPart) {
    let start = frame.key.as_ref().map_or(value.start, |(_, start)| *start);
    if let Some(taken) = &mut place.taken {
        taken.behind = taken.behind.or(Some(start));
    }
    let before = place.end.replace(value.end);
    if root && (item || frame.key.as_ref().is_some_and(|(key, _)| &**key == "sops")) {
        place.block = Some(start);
        return;
    }
    if frame.is_at(Some(wanted)) {
        place.taken = Some(Taken { value: value.clone(), member: start..value.end, before, behind: None });
    }
    place.members += 1;
    place.last = Some(start..value.end);
}
