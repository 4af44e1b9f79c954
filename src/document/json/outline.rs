//! From events to an outline.

use std::ops::Range;

use super::scan::{Event, Scanner};
use super::{ESCAPED, unescape};
use crate::document::Format;
use crate::document::outline::{Leaf, LeafId, Metadata, Node, Outline, Style};
use crate::document::positions::position;
use crate::document::scalar::{Kind, canonical};
use crate::document::syntax::{SyntaxError, SyntaxErrorKind, error};
use crate::document::tree::Tree;

/// The reserved key of the top-level object, or of the last item of a list at the top.
const SOPS: &str = "sops";

/// The offset behind the object at the top; nothing behind it is looked at.
pub(super) fn end(text: &[u8]) -> Result<usize, SyntaxError> {
    let mut scanner = Scanner::new(text);
    loop {
        if let Some(end) = scanner.end() {
            return Ok(end);
        }
        scanner.next()?;
    }
}

pub(super) fn read(text: &[u8]) -> Result<Outline, SyntaxError> {
    let mut scanner = Scanner::new(text);
    let mut outline = Outline::default();
    let mut root = Root::default();
    while let Some(event) = scanner.next()? {
        let depth = scanner.depth();
        if depth == 1 {
            root.note(&event);
        }
        match event {
            Event::Open { list: false, at } if depth == 2 && scanner.in_root_list() => {
                if let Some((block, behind)) = Block::item(text, &scanner, at, root.member_end)? {
                    root.sops = Some(block);
                    scanner = behind;
                    continue;
                }
                outline.nodes.push(Node::Open { list: false });
            }
            Event::Open { list, .. } => outline.nodes.push(Node::Open { list }),
            Event::Close { .. } => outline.nodes.push(Node::Close),
            Event::Key(range) => {
                let name = name(text, &range);
                if depth == 1 && &*name == SOPS {
                    if let Some(first) = &root.sops {
                        let (first_line, _) = position(text, first.key);
                        let kind = SyntaxErrorKind::DuplicateKey { first_line };
                        return Err(error(Format::Json, text, range.start, kind));
                    }
                    root.sops = Some(Block::read(text, &mut scanner, range.start, root.member_end)?);
                    continue;
                }
                id(outline.keys.len())?;
                let key = outline.push_key(range, &name);
                outline.nodes.push(Node::Key(key));
            }
            Event::Scalar { range, kind, escaped } => {
                outline.nodes.push(Node::Leaf(id(outline.leaves.len()).map(LeafId)?));
                let style = if kind == Kind::Str { Style::DoubleQuoted } else { Style::Plain };
                let context = if escaped { ESCAPED } else { 0 };
                outline.leaves.push(Leaf { range, kind, style, tagged: true, context });
            }
        }
    }
    if let Some(block) = root.sops.take() {
        outline.metadata = Some(Metadata { range: block.range(&root), tree: block.tree });
    }
    Ok(outline)
}

/// Ids have 32 bits; a text with more leaves than that is above the size bound of files.
fn id(index: usize) -> Result<u32, SyntaxError> {
    u32::try_from(index).map_err(|_| SyntaxError {
        format: Format::Json,
        line: 1,
        column: 1,
        kind: SyntaxErrorKind::NotAllowed("more than 2^32 values"),
    })
}

/// A key's name. Go has replaced what is no Unicode, so the bytes are a text.
pub(super) fn name(text: &[u8], range: &Range<usize>) -> Box<str> {
    let inner = &text[range.start + 1..range.end - 1];
    match std::str::from_utf8(inner) {
        Ok(plain) if !plain.contains('\\') => plain.into(),
        _ => String::from_utf8_lossy(&unescape(inner)).into(),
    }
}

/// What is known of the top-level object while its members pass.
#[derive(Default)]
struct Root {
    /// The offset behind its bracket.
    inside: usize,
    /// The end of the last member that is not the block.
    member_end: Option<usize>,
    /// The block.
    sops: Option<Block>,
    /// The key that follows the block, if one does.
    after: Option<usize>,
}

impl Root {
    /// Sees the events that leave the scanner directly in the top-level object.
    fn note(&mut self, event: &Event) {
        match event {
            Event::Key(range) if self.sops.is_some() && self.after.is_none() => self.after = Some(range.start),
            Event::Open { at, .. } => self.inside = at + 1,
            Event::Scalar { range, .. } => self.member_end = Some(range.end),
            Event::Close { end } => self.member_end = Some(*end),
            _ => {}
        }
    }
}

struct Block {
    key: usize,
    end: usize,
    /// The end of the member before it.
    before: Option<usize>,
    tree: Tree,
}

impl Block {
    /// The last item of a list at the top, if it is an object with nothing in it but the block, and the scanner behind it.
    fn item<'t>(
        text: &'t [u8],
        scanner: &Scanner<'t>,
        at: usize,
        before: Option<usize>,
    ) -> Result<Option<(Self, Scanner<'t>)>, SyntaxError> {
        let mut scanner = scanner.clone();
        match scanner.next()? {
            Some(Event::Key(range)) if &*name(text, &range) == SOPS => {}
            _ => return Ok(None),
        }
        let block = Self::read(text, &mut scanner, at, before)?;
        let Some(Event::Close { end }) = scanner.next()? else { return Ok(None) };
        let last = matches!(scanner.clone().next()?, Some(Event::Close { .. })) && scanner.depth() == 1;
        Ok(last.then_some((Self { end, ..block }, scanner)))
    }

    /// Reads the value of the key that was just read.
    fn read(text: &[u8], scanner: &mut Scanner<'_>, key: usize, before: Option<usize>) -> Result<Self, SyntaxError> {
        let mut open: Vec<(Tree, Option<String>)> = Vec::new();
        let mut pending: Option<String> = None;
        while let Some(event) = scanner.next()? {
            let (done, end) = match event {
                Event::Key(range) => {
                    pending = Some(name(text, &range).into());
                    continue;
                }
                Event::Open { list, .. } => {
                    let empty = if list { Tree::List(Vec::new()) } else { Tree::Map(Vec::new()) };
                    open.push((empty, pending.take()));
                    continue;
                }
                Event::Close { end } => match open.pop() {
                    Some((tree, name)) => {
                        pending = name;
                        (tree, end)
                    }
                    None => break,
                },
                Event::Scalar { range, kind, .. } => {
                    let end = range.end;
                    (scalar(text, range, kind), end)
                }
            };
            match open.last_mut() {
                Some((Tree::Map(entries), _)) => entries.push((pending.take().unwrap_or_default(), done)),
                Some((Tree::List(items), _)) => items.push(done),
                _ => return Ok(Self { key, end, before, tree: done }),
            }
        }
        Err(error(Format::Json, text, text.len(), SyntaxErrorKind::Expected("a value")))
    }

    /// The block with what separates it from its neighbours.
    fn range(&self, root: &Root) -> Range<usize> {
        match (self.before, root.after) {
            (Some(before), _) => before..self.end,
            (None, Some(after)) => self.key..after,
            (None, None) => root.inside..self.end,
        }
    }
}

fn scalar(text: &[u8], range: Range<usize>, kind: Kind) -> Tree {
    let bytes = match kind {
        Kind::Str => unescape(&text[range.start + 1..range.end - 1]),
        _ => canonical(kind, &text[range.clone()]).unwrap_or_default().into_owned(),
    };
    Tree::Scalar { text: String::from_utf8_lossy(&bytes).into_owned(), kind, range }
}
