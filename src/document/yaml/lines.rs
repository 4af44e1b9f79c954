//! Plain lines: the quick way for what large files are made of.
//!
//! In such a text every line is blank, a key or a list item, every scalar ends with its line, and there is no comment,
//! tab, anchor, tag or bracket at a value's beginning. So a line tells by itself what it is, and lines in column 0 begin
//! anew: several threads can read one text. Whatever is not of this kind is left to the general way, which finds the same
//! outline for what is; the tests hold the two to each other.

use std::num::NonZero;
use std::ops::Range;
use std::thread;

use super::chars::byte;
use super::context::Context;
use super::event::Tag;
use super::source::{Source, is_surely_text};
use super::{build, keys, metadata, resolve};
use crate::document::outline::{Extent, Leaf, LeafId, Metadata, Node, Outline, Root, Style};
use crate::document::scalar::Kind;

/// Offsets are kept in 32 bits.
const SIZE_LIMIT: usize = 1 << 31;

/// go-yaml's bound on keys is 1,024 characters.
const KEY_LIMIT: usize = 1_000;

const DEPTH_LIMIT: usize = 1_000;

/// Below this much text for each a thread costs more than it saves.
const LEAST_BYTES: usize = 256 << 10;

const MOST_THREADS: usize = 8;

/// What a byte may be: bit 0 in a key, bit 1 at its beginning, bit 2 at the beginning of a plain value.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut at = 0x21;
    while at < 0x100 {
        let byte = at as u8;
        classes[at] = match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'/' => 0b111,
            b'.' | b'-' => 0b101,
            b'?' | b':' | b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"'
            | b'%' | b'@' | b'`' => 0,
            _ => 0b100,
        };
        at += 1;
    }
    classes
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Mapping,
    List,
    /// A list in the column of its own key.
    KeyColumnList,
}

/// An open collection.
#[derive(Clone, Copy)]
struct Frame {
    shape: Shape,
    column: usize,
    /// Where the names of its keys begin in [`Lines::names`].
    names: usize,
}

/// A run of lines that begins in the root mapping.
struct Lines<'t> {
    /// The text up to the end of the run.
    text: &'t [u8],
    outline: Outline,
    frames: Vec<Frame>,
    /// Hashes of the keys of the open mappings.
    names: Vec<u64>,
    /// Where the value of the key on the line before would stand.
    pending: Option<usize>,
    /// Where the metadata block begins.
    metadata: Option<usize>,
}

/// The outline, if every line is plain. A metadata block behind them may be as it likes.
pub(super) fn outline(text: &[u8]) -> Option<Outline> {
    if text.len() > SIZE_LIMIT {
        return None;
    }
    let cuts = cuts(text);
    let read = |run: &Range<usize>| Lines::read(&text[..run.end], run.start);
    let (first, others) = cuts.split_first()?;
    let (whole, further) = thread::scope(|scope| {
        let read = &read;
        let threads: Vec<_> = others.iter().map(|run| scope.spawn(move || read(run))).collect();
        let further = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().ok().flatten();
        (read(first), threads.into_iter().map(further).collect::<Vec<Option<Lines<'_>>>>())
    });
    let mut whole = whole?;
    for part in further {
        let part = part?;
        if whole.metadata.is_some() {
            return None;
        }
        whole.outline.append(part.outline);
        whole.names.extend(part.names);
        whole.metadata = part.metadata;
    }
    whole.close()?;
    let Lines { mut outline, metadata, .. } = whole;
    if let Some(at) = metadata {
        outline.metadata = Some(block(text, at)?);
    }
    outline.documents = vec![Extent { root: Root::Block(0), range: 0..text.len() }];
    outline.plain_lines = true;
    (outline.metadata.is_some() || !outline.keys.is_empty()).then_some(outline)
}

/// Runs of whole lines, each of which begins with a key of the root.
fn cuts(text: &[u8]) -> Vec<Range<usize>> {
    let most = (text.len() / LEAST_BYTES).min(MOST_THREADS);
    let threads = if most < 2 { 1 } else { thread::available_parallelism().map_or(1, NonZero::get).min(most) };
    let mut cuts = Vec::with_capacity(threads);
    let mut from = 0;
    for thread in 1..threads {
        let near = (text.len() / threads * thread).max(from);
        let is_key = |at: usize| CLASSES[usize::from(byte(text, at))] & 0b010 != 0;
        let breaks = memchr::memchr_iter(b'\n', &text[near..]).map(|at| near + at + 1);
        let Some(to) = breaks.take(1 << 16).find(|at| is_key(*at)) else { break };
        cuts.push(from..to);
        from = to;
    }
    cuts.push(from..text.len());
    cuts
}

/// The metadata block and nothing else, read the general way: in column 0 it begins anew, too.
fn block(text: &[u8], at: usize) -> Option<Metadata> {
    let source = Source::parse(&text[at..]).ok()?;
    if !source.scan.comments.is_empty() || source.scan.edges.len() != 1 {
        return None;
    }
    let outline = build::outline(&source, &super::Places::new(Vec::new()), false).ok()?;
    let alone = outline.leaves.is_empty() && outline.keys.is_empty() && !outline.aliases;
    let root = metadata::documents(&source.scan);
    if !alone || !matches!(root[..], [Extent { root: Root::Block(0), .. }]) {
        return None;
    }
    let mut metadata = outline.metadata?;
    metadata.range = metadata.range.start + at..metadata.range.end + at;
    metadata.tree.shift(at);
    Some(metadata)
}

impl<'t> Lines<'t> {
    fn read(text: &'t [u8], from: usize) -> Option<Self> {
        if !is_printable(&text[from..]) {
            return None;
        }
        let mut lines = Self {
            text,
            outline: Outline::default(),
            frames: vec![Frame { shape: Shape::Mapping, column: 0, names: 0 }],
            names: Vec::new(),
            pending: None,
            metadata: None,
        };
        if from == 0 {
            lines.outline.nodes.push(Node::Open { list: false });
        }
        let mut at = from;
        while at < text.len() && lines.metadata.is_none() {
            at = lines.line(at)?;
        }
        lines.nothing_pending();
        while lines.frames.len() > 1 {
            lines.close()?;
        }
        Some(lines)
    }

    /// Takes the line at `start` and tells where the next one begins.
    fn line(&mut self, start: usize) -> Option<usize> {
        let mut at = start;
        while byte(self.text, at) == b' ' {
            at += 1;
        }
        let column = at - start;
        match byte(self.text, at) {
            b'\n' => Some(at + 1),
            0 => Some(at),
            b'-' if byte(self.text, at + 1) == b' ' => {
                self.place(column, true)?;
                self.value(self.behind_blanks(at + 1), column, true)
            }
            _ => {
                self.place(column, false)?;
                self.key(at, column)
            }
        }
    }

    fn behind_blanks(&self, mut at: usize) -> usize {
        while byte(self.text, at) == b' ' {
            at += 1;
        }
        at
    }

    /// Opens or closes what must be open for a key or an item in that column.
    fn place(&mut self, column: usize, item: bool) -> Option<()> {
        let top = self.frames.last()?.column;
        if self.pending.is_some() && (column > top || item && column == top) {
            if self.frames.len() == DEPTH_LIMIT {
                return None;
            }
            let shape = match item {
                false => Shape::Mapping,
                true if column > top => Shape::List,
                true => Shape::KeyColumnList,
            };
            self.pending = None;
            self.outline.nodes.push(Node::Open { list: item });
            self.frames.push(Frame { shape, column, names: self.names.len() });
            return Some(());
        }
        self.nothing_pending();
        loop {
            let frame = self.frames.last()?;
            if frame.column == column && (frame.shape != Shape::Mapping) == item {
                return Some(());
            }
            if frame.column < column || frame.column == column && frame.shape != Shape::KeyColumnList {
                return None;
            }
            self.close()?;
        }
    }

    /// A key that is followed by nothing has a null.
    fn nothing_pending(&mut self) {
        if let (Some(at), Some(frame)) = (self.pending.take(), self.frames.last()) {
            self.leaf(at..at, Kind::Null, Style::Empty, frame.column);
        }
    }

    /// Closes the innermost collection; `None` if a key may stand twice in it.
    fn close(&mut self) -> Option<()> {
        let frame = self.frames.pop()?;
        self.outline.nodes.push(Node::Close);
        let names = &mut self.names[frame.names..];
        names.sort_unstable();
        let twice = names.array_windows().any(|[one, other]| one == other);
        self.names.truncate(frame.names);
        (!twice).then_some(())
    }

    fn key(&mut self, start: usize, column: usize) -> Option<usize> {
        let text = self.text;
        let class = |at: usize| CLASSES[usize::from(byte(text, at))];
        if class(start) & 0b010 == 0 {
            return None;
        }
        let mut end = start + 1;
        while class(end) & 0b001 != 0 {
            end += 1;
        }
        let name = std::str::from_utf8(&text[start..end]).ok()?;
        let is_text =
            is_surely_text(name.as_bytes()) || resolve::kind(name.as_bytes(), true, Tag::None) == Ok(Kind::Str);
        if byte(text, end) != b':' || !is_text || name.len() > KEY_LIMIT {
            return None;
        }
        if self.frames.len() == 1 && name == "sops" {
            self.metadata = Some(start);
            return Some(start);
        }
        self.names.push(keys::hash(name));
        let id = self.outline.push_key(start..end, name);
        self.outline.nodes.push(Node::Key(id));
        match byte(text, end + 1) {
            b' ' => self.value(self.behind_blanks(end + 1), column, false),
            b'\n' | 0 => {
                self.pending = Some(end + 1);
                Some((end + 2).min(text.len()))
            }
            _ => None,
        }
    }

    /// Takes the scalar at `start`, which must end with its line, and tells where the next line begins.
    fn value(&mut self, start: usize, column: usize, item: bool) -> Option<usize> {
        let rest = self.text.get(start..)?;
        let (length, kind, style) = match rest.first()? {
            b'"' => (1 + memchr::memchr3(b'"', b'\\', b'\n', &rest[1..])?, Kind::Str, Style::DoubleQuoted),
            b'\'' => (1 + memchr::memchr2(b'\'', b'\n', &rest[1..])?, Kind::Str, Style::SingleQuoted),
            _ => {
                let length = plain(rest)?;
                (length, kind(&rest[..length])?, Style::Plain)
            }
        };
        let length = if style == Style::Plain {
            length
        } else if rest[length] == rest[0] && matches!(byte(rest, length + 1), b'\n' | 0) {
            length + 1
        } else {
            return None;
        };
        let comment = |text: &[u8]| text.starts_with(b"ENC[AES256_GCM,") && text.ends_with(b",type:comment]");
        if item && comment(&rest[..length]) {
            return None;
        }
        let end = start + length;
        self.leaf(start..end, kind, style, column);
        Some((end + 1).min(self.text.len()))
    }

    fn leaf(&mut self, range: Range<usize>, kind: Kind, style: Style, column: usize) {
        let context = Context { column: column as u32 + 1, ..Context::default() }.pack();
        self.outline.nodes.push(Node::Leaf(LeafId(self.outline.leaves.len() as u32)));
        self.outline.leaves.push(Leaf { range, kind, style, tagged: true, context });
    }
}

/// The length of the plain scalar that fills the line; `None` if it does not, or is none.
fn plain(rest: &[u8]) -> Option<usize> {
    let first = *rest.first()?;
    if CLASSES[usize::from(first)] & 0b100 == 0 || first == b'-' && matches!(byte(rest, 1), b' ' | b'\n' | 0) {
        return None;
    }
    let mut at = 0;
    loop {
        at += memchr::memchr2(b' ', b'\n', &rest[at..]).unwrap_or(rest.len() - at);
        if rest[at - 1] == b':' {
            return None;
        }
        if byte(rest, at) != b' ' {
            return Some(at);
        }
        at += 1;
        if matches!(byte(rest, at), b'#' | b'\n' | 0) {
            return None;
        }
    }
}

fn kind(text: &[u8]) -> Option<Kind> {
    if is_surely_text(text) { Some(Kind::Str) } else { resolve::kind(text, true, Tag::None).ok() }
}

/// Whether there is nothing but printable characters and line feeds. The other line breaks, the later control characters
/// and the byte order mark begin with one of three bytes, which others that begin so have to suffer for.
fn is_printable(text: &[u8]) -> bool {
    let mut high = 0;
    let printable = text.chunks(256).all(|chunk| {
        chunk.iter().fold(true, |all, byte| {
            high |= byte;
            let suspect = matches!(byte, 0x7F | 0xC2 | 0xE2 | 0xEF);
            all & (((*byte >= 0x20) & !suspect) | (*byte == b'\n'))
        })
    });
    printable && (high < 0x80 || std::str::from_utf8(text).is_ok())
}

#[cfg(test)]
mod tests;
