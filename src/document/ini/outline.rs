//! From lines to an outline.

use std::collections::HashMap;
use std::ops::Range;

use super::SOPS;
use super::scan::{Form, Item, Scanner, Value, unquote};
use crate::document::Format;
use crate::document::flat::Unflatten;
use crate::document::outline::{Comment, CommentId, Leaf, LeafId, Metadata, Node, Outline};
use crate::document::positions::position;
use crate::document::scalar::Kind;
use crate::document::syntax::{SyntaxError, SyntaxErrorKind, error};

/// The section of what stands before any header; SOPS always has it.
const DEFAULT: &str = "DEFAULT";

pub(super) fn read(text: &[u8]) -> Result<Outline, SyntaxError> {
    let mut reader = Reader { text, outline: Outline::default(), waiting: None, seen: HashMap::new(), sops: None };
    reader.outline.nodes.push(Node::Open { list: false });
    reader.open_section(0..0, DEFAULT)?;
    let mut scanner = Scanner::new(text);
    let mut last_was_entry = false;
    while let Some(item) = scanner.next()? {
        match item {
            Item::Comment { range, inline } => reader.comment(range, inline, last_was_entry)?,
            Item::Section { line, name } => {
                reader.section(line, name)?;
                last_was_entry = false;
            }
            Item::Entry { line, key, value } => {
                reader.entry(line, key, &value)?;
                last_was_entry = true;
            }
        }
    }
    reader.finish()
}

struct Reader<'t> {
    text: &'t [u8],
    outline: Outline,
    /// A comment that waits for the section or key below it.
    waiting: Option<Range<usize>>,
    /// The keys of the current section, and where they stand.
    seen: HashMap<Box<str>, usize>,
    /// The metadata section while it is open, and once it was.
    sops: Option<Block>,
}

struct Block {
    range: Range<usize>,
    names: Unflatten,
    open: bool,
}

impl Reader<'_> {
    fn fail(&self, at: usize, kind: SyntaxErrorKind) -> SyntaxError {
        error(Format::Ini, self.text, at, kind)
    }

    /// Ids have 32 bits; a text with more lines than that is above the size bound of files.
    fn id(&self, index: usize) -> Result<u32, SyntaxError> {
        u32::try_from(index).map_err(|_| self.fail(0, SyntaxErrorKind::NotAllowed("more than 2^32 lines")))
    }

    fn name(&self, range: &Range<usize>) -> Result<Box<str>, SyntaxError> {
        let name = std::str::from_utf8(&self.text[range.clone()]);
        name.map(Into::into).map_err(|_| self.fail(range.start, SyntaxErrorKind::NotAllowed("a name that is no UTF-8")))
    }

    fn open_section(&mut self, range: Range<usize>, name: &str) -> Result<(), SyntaxError> {
        self.id(self.outline.keys.len())?;
        let id = self.outline.push_key(range, name);
        self.outline.nodes.extend([Node::Key(id), Node::Open { list: false }]);
        self.seen.clear();
        Ok(())
    }

    fn in_block(&self) -> bool {
        self.sops.as_ref().is_some_and(|block| block.open)
    }

    fn section(&mut self, line: Range<usize>, name: Range<usize>) -> Result<(), SyntaxError> {
        if !self.in_block() {
            self.outline.nodes.push(Node::Close);
        }
        if let Some(block) = &mut self.sops {
            block.open = false;
        }
        let word = self.name(&name)?;
        if &*word != SOPS {
            self.open_section(name, &word)?;
            return self.place_waiting();
        }
        if let Some(block) = &self.sops {
            let (first_line, _) = position(self.text, block.range.start);
            return Err(self.fail(name.start, SyntaxErrorKind::DuplicateKey { first_line }));
        }
        self.waiting = None;
        self.sops = Some(Block { range: line, names: Unflatten::default(), open: true });
        Ok(())
    }

    fn entry(&mut self, line: Range<usize>, key: Range<usize>, value: &Value) -> Result<(), SyntaxError> {
        let name = self.name(&key)?;
        if let Some(block) = self.sops.as_mut().filter(|block| block.open) {
            let content = unquote(&self.text[value.range.clone()], value.form);
            let content = String::from_utf8_lossy(&content).replace("\\n", "\n");
            block.range.end = line.end;
            self.waiting = None;
            let added = block.names.add(&name, content, value.range.clone());
            return added.map_err(|kind| self.fail(key.start, kind));
        }
        if let Some(first) = self.seen.insert(name.clone(), key.start) {
            let (first_line, _) = position(self.text, first);
            return Err(self.fail(key.start, SyntaxErrorKind::DuplicateKey { first_line }));
        }
        self.id(self.outline.keys.len())?;
        let (key_id, leaf) = (self.outline.push_key(key, &name), LeafId(self.id(self.outline.leaves.len())?));
        let context = Form::ALL.iter().zip(0..).find_map(|(form, at)| (*form == value.form).then_some(at)).unwrap_or(0);
        let (range, style) = (value.range.clone(), value.form.style());
        self.outline.leaves.push(Leaf { range, kind: Kind::Str, style, tagged: true, context });
        self.outline.nodes.extend([Node::Key(key_id), Node::Leaf(leaf)]);
        // SOPS puts a key's comment behind the key.
        self.place_waiting()
    }

    /// A comment line waits for what follows; one behind a line belongs to that line.
    fn comment(&mut self, range: Range<usize>, inline: bool, behind_entry: bool) -> Result<(), SyntaxError> {
        if self.in_block() {
            return Ok(());
        }
        if !inline {
            self.waiting = Some(range);
            return Ok(());
        }
        if matches!(self.outline.nodes.last(), Some(Node::Comment(_))) {
            let above = if behind_entry {
                "a key with a comment above and one behind it"
            } else {
                "a section with a comment above and one behind it"
            };
            return Err(self.fail(range.start, SyntaxErrorKind::NotAllowed(above)));
        }
        self.push_comment(range, true)
    }

    fn place_waiting(&mut self) -> Result<(), SyntaxError> {
        match self.waiting.take() {
            Some(range) => self.push_comment(range, false),
            None => Ok(()),
        }
    }

    fn push_comment(&mut self, range: Range<usize>, inline: bool) -> Result<(), SyntaxError> {
        let id = CommentId(self.id(self.outline.comments.len())?);
        self.outline.comments.push(Comment { range, inline, dropped: false, item: false });
        self.outline.nodes.push(Node::Comment(id));
        Ok(())
    }

    fn finish(mut self) -> Result<Outline, SyntaxError> {
        if let Some(range) = &self.waiting {
            let kind = SyntaxErrorKind::NotAllowed("a comment at the end of the file, which SOPS drops");
            return Err(self.fail(range.start, kind));
        }
        if !self.in_block() {
            self.outline.nodes.push(Node::Close);
        }
        self.outline.nodes.push(Node::Close);
        if let Some(block) = self.sops.take() {
            let tree = block.names.finish().map_err(|kind| self.fail(block.range.start, kind))?;
            self.outline.metadata = Some(Metadata { range: block.range, tree });
        }
        Ok(self.outline)
    }
}

/// The offset behind the last line of that section, which must not have that key.
pub(super) fn end_of_section(text: &[u8], outline: &Outline, section: &str, key: &str) -> Result<usize, &'static str> {
    if section == SOPS {
        return Err("the section `sops` is reserved");
    }
    let mut place = (section == DEFAULT).then_some(0);
    let (mut depth, mut inside) = (0, false);
    for node in &outline.nodes {
        match node {
            Node::Open { .. } => depth += 1,
            Node::Close => depth -= 1,
            Node::Key(id) if depth == 1 => {
                inside = outline.key(*id) == section;
                let end = outline.keys[id.0 as usize].range.end;
                if inside && end > 0 {
                    place = Some(end);
                }
            }
            Node::Key(id) if inside && outline.key(*id) == key => return Err("there is a value already"),
            Node::Leaf(id) if inside => place = Some(outline.leaf(*id).range.end),
            _ => {}
        }
    }
    match place {
        None => Err("there is no such section"),
        Some(0) => Ok(0),
        Some(at) => Ok(memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |line| at + line + 1)),
    }
}
