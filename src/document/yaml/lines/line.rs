//! Line by line.

use std::ops::Range;

use super::bytes;
use super::comments::{Before, Gap};
use super::odd::Entry;
use crate::document::outline::{Leaf, LeafId, Node, Outline, Style};
use crate::document::scalar::Kind;
use crate::document::yaml::chars::byte;
use crate::document::yaml::context::Context;
use crate::document::yaml::keys;

const DEPTH_LIMIT: usize = 1_000;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Mapping,
    List,
    /// A list in the column of its own key.
    KeyColumnList,
}

/// An open collection.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) shape: Shape,
    pub(super) column: usize,
    /// Where the names of its keys begin in [`Lines::names`].
    names: usize,
}

const ROOT: Frame = Frame { shape: Shape::Mapping, column: 0, names: 0 };

/// A run of lines that begins in a root mapping.
pub(super) struct Lines<'t> {
    /// The text up to the end of the run.
    pub(super) text: &'t [u8],
    pub(super) outline: Outline,
    pub(super) frames: Vec<Frame>,
    /// Hashes of the keys of the open mappings.
    pub(super) names: Vec<u64>,
    /// Those of the root in which the run begins.
    root_names: Option<Vec<u64>>,
    /// Where the value of the key on the line before would stand.
    pub(super) pending: Option<usize>,
    pub(super) gap: Gap,
    /// Whether the innermost document has no key yet, and whether it begins with `---`.
    pub(super) empty: bool,
    marked: bool,
    /// The innermost entry of the root, and whether any was not of plain lines.
    pub(super) entry: Option<Entry>,
    pub(super) odd: bool,
    /// Where documents begin, but for the first.
    pub(super) starts: Vec<usize>,
    /// From the beginning of a metadata block to the end of its document.
    pub(super) blocks: Vec<Range<usize>>,
}

impl<'t> Lines<'t> {
    /// Reads the text from `from` on, to its end or up to a key of the root.
    pub(super) fn read(text: &'t [u8], from: usize, to_the_end: bool) -> Option<Self> {
        if !bytes::is_printable(&text[from..]) {
            return None;
        }
        let mut lines = Self {
            text,
            outline: Outline::default(),
            frames: vec![ROOT],
            names: Vec::new(),
            root_names: None,
            pending: None,
            gap: Gap::new(Before::Edge, false, from),
            empty: true,
            marked: false,
            entry: None,
            odd: false,
            starts: Vec::new(),
            blocks: Vec::new(),
        };
        if from == 0 {
            lines.outline.nodes.push(Node::Open { list: false });
        }
        let mut at = from;
        while at < text.len() {
            at = lines.line(at).or_else(|| lines.odd_entry(at, to_the_end))?;
        }
        if to_the_end {
            lines.end_document(text.len())?;
        } else {
            lines.end_gap(text.len(), 0)?;
            lines.close_to_root()?;
            lines.heads();
        }
        lines.end_root_names();
        (!lines.empty).then_some(lines)
    }

    /// Goes on with the run that begins where this one ends.
    pub(super) fn append(&mut self, next: Self) -> Option<()> {
        // A key behind the metadata block.
        if self.blocks.last().is_some_and(|block| block.end == self.text.len()) {
            return None;
        }
        self.text = next.text;
        if self.starts.is_empty() {
            self.root_names.get_or_insert_default().extend(next.root_names.unwrap_or_default());
        }
        self.outline.append(next.outline);
        self.odd |= next.odd;
        self.starts.extend(next.starts);
        self.blocks.extend(next.blocks);
        Some(())
    }

    /// The same, if no key stands twice in the root of the first document.
    pub(super) fn finish(mut self) -> Option<Self> {
        let mut names = self.root_names.take().unwrap_or_default();
        (!has_twins(&mut names)).then_some(self)
    }

    /// SOPS looks for keys that stand twice in the first document only; of the roots behind it nothing is to be said.
    fn end_root_names(&mut self) {
        let names = std::mem::take(&mut self.names);
        self.root_names.get_or_insert(names);
    }

    /// Takes the line at `start` and tells where the next one begins.
    fn line(&mut self, start: usize) -> Option<usize> {
        let at = bytes::behind_blanks(self.text, start);
        let column = at - start;
        match byte(self.text, at) {
            b'\n' => {
                self.blank_line();
                Some(at + 1)
            }
            0 => Some(at),
            b'#' => self.own_comment(at, column),
            b'-' if byte(self.text, at + 1) == b' ' => {
                self.end_gap(at, column)?;
                self.place(column, true)?;
                self.heads();
                self.item(bytes::behind_blanks(self.text, at + 1), start, column)
            }
            b'-' if column == 0 => self.document(start),
            _ => {
                self.end_gap(at, column)?;
                self.place(column, false)?;
                self.heads();
                if column == 0 {
                    self.begin_entry(at);
                }
                if !bytes::begins_key(self.text, at) {
                    return None;
                }
                self.key(at, bytes::key_end(self.text, at), start, column)
            }
        }
    }

    /// Takes a line `---`.
    fn document(&mut self, start: usize) -> Option<usize> {
        let end = start + 3;
        if self.text.get(start..end) != Some(b"---") || !matches!(byte(self.text, end), b'\n' | 0) {
            return None;
        }
        // Only of the first document something may be before it, comments.
        let first = self.empty && !self.marked;
        if self.empty && !first {
            return None;
        }
        self.end_document(start)?;
        if !first {
            self.end_root_names();
            self.outline.nodes.extend([Node::Close, Node::Open { list: false }]);
            self.starts.push(start);
        }
        (self.empty, self.marked) = (true, true);
        self.entry = None;
        self.gap = Gap::new(Before::Edge, start > 0, end);
        Some((end + 1).min(self.text.len()))
    }

    /// Opens or closes what must be open for a key or an item in that column.
    fn place(&mut self, column: usize, item: bool) -> Option<()> {
        let top = self.frames.last()?.column;
        if self.pending.is_some() && (column > top || item && column == top) {
            let shape = match item {
                false => Shape::Mapping,
                true if column > top => Shape::List,
                true => Shape::KeyColumnList,
            };
            self.pending = None;
            return self.open(shape, column);
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

    fn open(&mut self, shape: Shape, column: usize) -> Option<()> {
        if self.frames.len() == DEPTH_LIMIT {
            return None;
        }
        self.outline.nodes.push(Node::Open { list: shape != Shape::Mapping });
        self.frames.push(Frame { shape, column, names: self.names.len() });
        Some(())
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
        let twins = has_twins(&mut self.names[frame.names..]);
        self.names.truncate(frame.names);
        (!twins).then_some(())
    }

    pub(super) fn close_to_root(&mut self) -> Option<()> {
        self.nothing_pending();
        while self.frames.len() > 1 {
            self.close()?;
        }
        Some(())
    }

    /// Takes what stands behind the dash: a scalar, or the first key of a mapping.
    fn item(&mut self, at: usize, line: usize, column: usize) -> Option<usize> {
        if bytes::begins_key(self.text, at) {
            let end = bytes::key_end(self.text, at);
            if byte(self.text, end) == b':' && matches!(byte(self.text, end + 1), b' ' | b'\n' | 0) {
                self.open(Shape::Mapping, at - line)?;
                return self.key(at, end, line, at - line);
            }
        }
        self.value(at, line, column, true)
    }

    fn key(&mut self, start: usize, end: usize, line: usize, column: usize) -> Option<usize> {
        let text = self.text;
        let name = bytes::key(&text[start..end])?;
        if byte(text, end) != b':' {
            return None;
        }
        self.empty = false;
        if self.frames.len() == 1 && name == "sops" {
            return self.block(start);
        }
        self.names.push(keys::hash(name));
        let id = self.outline.push_key(start..end, name);
        self.outline.nodes.push(Node::Key(id));
        let value = bytes::behind_blanks(text, end + 1);
        match byte(text, value) {
            b'\n' | 0 => self.no_value(end + 1, value),
            _ if value == end + 1 => None,
            b'#' => self.no_value(end + 1, value),
            _ => self.value(value, line, column, false),
        }
    }

    /// Takes what is left of the line of a key whose value, if it has one, stands below.
    fn no_value(&mut self, at: usize, rest: usize) -> Option<usize> {
        self.pending = Some(at);
        self.begin_gap(Before::Key, false, at);
        self.end_line(rest)
    }

    /// Passes a metadata block, which ends with its document.
    fn block(&mut self, start: usize) -> Option<usize> {
        let document = memchr::memmem::find(&self.text[start..], b"\n---");
        let end = document.map_or(self.text.len(), |at| start + at + 1);
        self.blocks.push(start..end);
        self.begin_gap(Before::Edge, false, end);
        Some(end)
    }

    /// Takes the scalar at `start`, which must end with its line, and tells where the next line begins.
    fn value(&mut self, start: usize, line: usize, column: usize, item: bool) -> Option<usize> {
        let rest = self.text.get(start..)?;
        let (length, kind, style) = match rest.first()? {
            b'"' => (1 + memchr::memchr3(b'"', b'\\', b'\n', &rest[1..])?, Kind::Str, Style::DoubleQuoted),
            b'\'' => (1 + memchr::memchr2(b'\'', b'\n', &rest[1..])?, Kind::Str, Style::SingleQuoted),
            _ => {
                let length = bytes::plain(rest)?;
                (length, bytes::kind(&rest[..length])?, Style::Plain)
            }
        };
        let length = if style == Style::Plain {
            length
        } else if rest[length] == rest[0] {
            length + 1
        } else {
            return None;
        };
        let comment = |text: &[u8]| text.starts_with(b"ENC[AES256_GCM,") && text.ends_with(b",type:comment]");
        let end = start + length;
        if item && style == Style::Plain && comment(&rest[..length]) {
            let id = self.push_comment(start..end, false, true);
            self.outline.nodes.push(Node::Comment(id));
        } else {
            self.leaf(start..end, kind, style, column);
        }
        // On the first line only a plain scalar that ends it can have a foot.
        let behind = bytes::behind_blanks(self.text, end);
        let below = line > 0 || style == Style::Plain && byte(self.text, behind) != b'#';
        self.begin_gap(Before::Scalar, below, end);
        if behind == end && byte(self.text, behind) == b'#' { None } else { self.end_line(behind) }
    }

    /// Takes what is left of a line behind the last blank of it.
    fn end_line(&mut self, at: usize) -> Option<usize> {
        match byte(self.text, at) {
            b'\n' | 0 => Some((at + 1).min(self.text.len())),
            b'#' => self.trailing_comment(at),
            _ => None,
        }
    }

    fn leaf(&mut self, range: Range<usize>, kind: Kind, style: Style, column: usize) {
        let context = Context { column: column as u32 + 1, ..Context::default() }.pack();
        self.outline.nodes.push(Node::Leaf(LeafId(self.outline.leaves.len() as u32)));
        self.outline.leaves.push(Leaf { range, kind, style, tagged: true, context });
    }
}

/// Whether a name may stand twice; equal hashes are enough of a doubt.
fn has_twins(names: &mut [u64]) -> bool {
    names.sort_unstable();
    names.array_windows().any(|[one, other]| one == other)
}
