//! Events to the outline: SOPS's walk, with its refusals, its copies for aliases, and comments in their places.
//!
//! *Source*: SOPS 3.13, `stores/yaml/store.go`; it first decodes the first document into a Go map, which refuses more
//! than the walk itself would.

use std::collections::HashMap;
use std::ops::Range;

use super::Fault;
use super::block;
use super::event::{Event, EventKind, Tag};
use super::keys::Keys;
use super::places::Places;
use super::resolve;
use super::source::Source;
use super::token::{Container, TokenKind};
use crate::document::outline::{CommentId, KeyId, Leaf, LeafId, Node, Outline, Style};
use crate::document::scalar::Kind;
use crate::document::syntax::SyntaxErrorKind;

/// The name under which SOPS keeps its metadata.
const METADATA_KEY: &[u8] = b"sops";

const TEXT_KEYS: &str = "SOPS takes only text for a key; put it in quotes";

/// An open collection.
struct Frame {
    list: bool,
    /// Whether the next event is a key.
    key_next: bool,
    /// Items that are complete.
    items: u32,
    /// Which collection this is for the comments, and the next of them.
    container: Container,
    comment: usize,
    /// Where its keys begin in [`Builder::keys`].
    keys: usize,
}

/// A walk through a copy: an alias that stands for a collection.
struct Copy {
    back: usize,
    depth: usize,
}

struct Builder<'s> {
    source: &'s Source<'s>,
    places: &'s Places,
    outline: Outline,
    frames: Vec<Frame>,
    copies: Vec<Copy>,
    keys: Keys,
    /// Keys in copies, and keys that are aliases, by the event that holds their name.
    repeated: HashMap<usize, KeyId>,
    /// Whether a document may be a list.
    lists: bool,
    /// Documents begun.
    documents: u32,
    /// Which comments were placed.
    placed: Vec<bool>,
    /// Comments that stand as list items; their ids come behind those of all others.
    items: Vec<Range<usize>>,
    /// Events seen, and how many of them in copies.
    seen: (usize, usize),
    /// The first thing that SOPS loads and then cannot walk over; errors of the text come before it.
    unwalkable: Option<Fault>,
}

/// The outline of a parsed text.
pub(super) fn outline(source: &Source<'_>, places: &Places, lists: bool) -> Result<Outline, Fault> {
    let mut builder = Builder {
        source,
        places,
        outline: Outline::default(),
        frames: Vec::new(),
        copies: Vec::new(),
        keys: Keys::default(),
        repeated: HashMap::new(),
        lists,
        documents: 0,
        placed: vec![false; source.scan.comments.len()],
        items: Vec::new(),
        seen: (0, 0),
        unwalkable: None,
    };
    let scalars = source.events.len() / 2;
    builder.outline.nodes.reserve(source.events.len() + source.scan.comments.len());
    builder.outline.leaves.reserve(scalars);
    builder.outline.reserve_keys(scalars, source.text.len() / 8);
    let mut at = 0;
    while at < source.events.len() {
        at = builder.step(at)?;
    }
    let Builder { mut outline, placed, items, unwalkable, .. } = builder;
    if let Some(fault) = unwalkable {
        return Err(fault);
    }
    places.finish(source, &placed, items, &mut outline);
    Ok(outline)
}

impl Builder<'_> {
    /// Takes the event at `at`, and tells which comes next.
    fn step(&mut self, at: usize) -> Result<usize, Fault> {
        self.count(at)?;
        let event = &self.source.events[at];
        let Some(frame) = self.frames.last() else { return self.document(at) };
        let root_list = self.frames.len() == 1 && frame.list;
        match event.kind {
            EventKind::End => return self.close(at),
            _ if frame.key_next => return self.key(at),
            _ if frame.list => self.item_comments(),
            _ => {}
        }
        match event.kind {
            EventKind::Mapping if root_list && self.source.is_block_item(at) => self.metadata(at + 1),
            EventKind::Mapping | EventKind::Sequence => {
                self.open(at);
                Ok(at + 1)
            }
            EventKind::Alias => self.alias(at),
            EventKind::Scalar if self.is_item_comment(event) => {
                self.item_comment(event);
                Ok(at + 1)
            }
            _ => {
                let leaf = self.source.leaf(event);
                let leaf = self.walkable(leaf)?;
                self.leaf(leaf);
                Ok(at + 1)
            }
        }
    }

    /// The root, which must be a mapping or nothing, or in our own name a list.
    fn document(&mut self, at: usize) -> Result<usize, Fault> {
        let root = at + 1;
        let target = self.source.resolved(root);
        let event = &self.source.events[target];
        let container = Container::Root(self.documents);
        self.documents += 1;
        let refused = |what| Err(Fault::not_allowed(self.source.range(&self.source.events[root]).start, what));
        match event.kind {
            EventKind::Mapping => {
                self.push_frame(false, container);
                if target == root {
                    return Ok(root + 1);
                }
                self.outline.aliases = true;
                self.copies.push(Copy { back: root + 1, depth: self.frames.len() });
                Ok(target + 1)
            }
            EventKind::Sequence if self.lists && target == root => {
                self.push_frame(true, container);
                Ok(root + 1)
            }
            EventKind::Sequence => refused("SOPS takes no document that is a list"),
            _ if self.source.kind_of(event)? == Kind::Null => {
                self.push_frame(false, container);
                self.close_frame()?;
                Ok(root + 1)
            }
            _ => refused("SOPS takes no document that is a single value"),
        }
    }

    fn push_frame(&mut self, list: bool, container: Container) {
        self.outline.nodes.push(Node::Open { list });
        let (comment, keys) = (self.places.begin(container), self.keys.begin());
        self.frames.push(Frame { list, key_next: !list, items: 0, container, comment, keys });
    }

    fn open(&mut self, at: usize) {
        let event = &self.source.events[at];
        self.push_frame(event.kind == EventKind::Sequence, Container::Token(event.token));
    }

    fn close_frame(&mut self) -> Result<(), Fault> {
        if let Some(frame) = self.frames.last_mut() {
            frame.items = u32::MAX;
        }
        self.item_comments();
        self.outline.nodes.push(Node::Close);
        let twice = self.frames.pop().and_then(|frame| self.keys.end(frame.keys, &self.outline));
        twice.map_or(Ok(()), |(later, first)| {
            let start = |id: KeyId| self.outline.keys[id.0 as usize].range.start;
            Err(self.duplicate(start(later), start(first)))
        })
    }

    fn close(&mut self, at: usize) -> Result<usize, Fault> {
        let depth = self.frames.len();
        self.close_frame()?;
        self.item_done();
        Ok(match self.copies.pop_if(|copy| copy.depth == depth) {
            Some(copy) => copy.back,
            None => at + 1,
        })
    }

    fn item_done(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.items += 1;
            frame.key_next = !frame.list;
        }
    }

    /// Puts the innermost collection's comments here that stand before its next item.
    fn item_comments(&mut self) {
        let Some(frame) = self.frames.last_mut() else { return };
        while let Some(comment) = self.places.next(frame.comment, frame.container, frame.items) {
            frame.comment += 1;
            self.placed[comment as usize] = true;
            self.outline.nodes.push(Node::Comment(CommentId(comment)));
        }
    }

    /// The leaf, or a null in the place of what SOPS cannot walk over, which is told once all is read.
    fn walkable(&mut self, leaf: Result<Leaf, Fault>) -> Result<Leaf, Fault> {
        match leaf {
            Err(fault) if fault.is_unwalkable() => {
                self.unwalkable.get_or_insert(fault);
                let nothing = Leaf { range: 0..0, kind: Kind::Null, style: Style::Empty, tagged: true, context: 0 };
                Ok(nothing)
            }
            other => other,
        }
    }

    fn leaf(&mut self, leaf: Leaf) {
        self.outline.nodes.push(Node::Leaf(LeafId(self.outline.leaves.len() as u32)));
        self.outline.leaves.push(leaf);
        self.item_done();
    }

    fn is_item_comment(&self, event: &Event) -> bool {
        self.frames.last().is_some_and(|frame| frame.list) && self.source.is_item_comment(event)
    }

    /// It counts as an item for the places of other comments, and as none for the walk.
    fn item_comment(&mut self, event: &Event) {
        let id = self.placed.len() + self.items.len();
        self.items.push(self.source.range(event));
        self.outline.nodes.push(Node::Comment(CommentId(id as u32)));
        self.item_done();
    }

    fn alias(&mut self, at: usize) -> Result<usize, Fault> {
        self.outline.aliases = true;
        let target = self.source.resolved(at);
        let event = &self.source.events[target];
        if matches!(event.kind, EventKind::Mapping | EventKind::Sequence) {
            self.copies.push(Copy { back: at + 1, depth: self.frames.len() + 1 });
            self.open(target);
            return Ok(target + 1);
        }
        let anchored = self.source.leaf(event);
        let anchored = self.walkable(anchored)?;
        let alias = Leaf {
            range: self.source.range(&self.source.events[at]),
            kind: anchored.kind,
            style: Style::Alias,
            tagged: true,
            context: self.outline.targets.len() as u32,
        };
        self.outline.targets.push(anchored);
        self.leaf(alias);
        Ok(at + 1)
    }

    fn key(&mut self, at: usize) -> Result<usize, Fault> {
        let event = &self.source.events[at];
        let start = self.source.range(event).start;
        let scalar = &self.source.events[self.source.resolved(at)];
        let collection = matches!(scalar.kind, EventKind::Mapping | EventKind::Sequence);
        if collection {
            return Err(Fault::not_allowed(start, TEXT_KEYS));
        }
        let text = match self.source.kind_of(scalar) {
            Err(fault) if !fault.is_unwalkable() => return Err(fault),
            kind => matches!(kind, Ok(Kind::Str)),
        };
        if !text {
            self.unwalkable.get_or_insert(Fault::new(start, SyntaxErrorKind::Unwalkable(TEXT_KEYS)));
        }
        let mut name = self.source.text_of(scalar);
        if scalar.tag == Tag::Binary {
            let decoded = resolve::scalar(name, Kind::Str, true).map(|scalar| scalar.canonical);
            name = decoded.ok_or_else(|| Fault::not_allowed(start, "this is no base64, which `!!binary` announces"))?;
        }
        self.outline.aliases |= event.kind == EventKind::Alias;
        self.merge_key(scalar, &name, at + 1)?;
        if self.frames.len() == 1 && *name == *METADATA_KEY {
            return self.metadata(at);
        }
        self.item_comments();
        let name = std::str::from_utf8(&name).map_err(|_| Fault::not_allowed(start, "a key must be UTF-8"))?;
        let id = self.add_key(at, name);
        self.outline.nodes.push(Node::Key(id));
        if let Some(frame) = self.frames.last_mut() {
            frame.key_next = false;
        }
        // SOPS looks for duplicates in the first document only; a copy was looked at where it stands.
        if self.documents == 1 && self.copies.is_empty() {
            self.keys.add(id, event.kind == EventKind::Alias);
        }
        Ok(at + 1)
    }

    /// What an alias repeats is kept once: a long key in a copy would cost its length for each of thousands.
    fn add_key(&mut self, at: usize, name: &str) -> KeyId {
        let range = self.source.range(&self.source.events[at]);
        let scalar = self.source.resolved(at);
        if self.copies.is_empty() && scalar == at {
            return self.outline.push_key(range, name);
        }
        match self.repeated.get(&scalar) {
            Some(earlier) => self.outline.push_key_again(range, *earlier),
            None => {
                let id = self.outline.push_key(range, name);
                self.repeated.insert(scalar, id);
                id
            }
        }
    }

    fn duplicate(&self, at: usize, first: usize) -> Fault {
        let (first_line, _) = crate::document::positions::position(self.source.text, first);
        Fault::new(at, SyntaxErrorKind::DuplicateKey { first_line })
    }

    /// SOPS does not merge, but its look at the first document does.
    fn merge_key(&mut self, key: &Event, name: &[u8], value: usize) -> Result<(), Fault> {
        let plain = key.kind == EventKind::Scalar && self.source.token(key.token).kind == TokenKind::Plain;
        let merge = name == b"<<" && (key.tag == Tag::Merge || plain && key.tag == Tag::None);
        if !merge {
            return Ok(());
        }
        self.outline.aliases = true;
        let kind = |at: usize| self.source.events[self.source.resolved(at)].kind;
        let event = &self.source.events[value];
        let mergeable = match event.kind {
            EventKind::Sequence => {
                let mut item = value + 1;
                loop {
                    match kind(item) {
                        EventKind::End => break true,
                        EventKind::Mapping => item = self.source.behind(item),
                        _ => break false,
                    }
                }
            }
            _ => kind(value) == EventKind::Mapping,
        };
        if self.documents == 1 && !mergeable {
            return Err(Fault::not_allowed(
                self.source.range(event).start,
                "`<<` takes a mapping or a list of mappings",
            ));
        }
        Ok(())
    }

    /// Takes the metadata block out of the walk.
    fn metadata(&mut self, key: usize) -> Result<usize, Fault> {
        self.item_comments();
        let range = block::range(self.source, key);
        if self.documents > 1 {
            self.outline.more_metadata.push(range);
        } else if let Some(first) = &self.outline.metadata {
            return Err(self.duplicate(range.start, first.range.start));
        } else {
            let tree = block::tree(self.source, key + 1)?;
            self.outline.metadata = Some(crate::document::outline::Metadata { range, tree });
        }
        self.item_done();
        // In a list the whole item is the block.
        let end = self.source.behind(key + 1);
        Ok(end + usize::from(self.frames.last().is_some_and(|frame| frame.list)))
    }

    /// Counts an event against go-yaml's bound on aliases.
    fn count(&mut self, at: usize) -> Result<(), Fault> {
        if self.source.events[at].kind == EventKind::End {
            return Ok(());
        }
        self.seen.0 += 1;
        if self.copies.is_empty() {
            return Ok(());
        }
        self.seen.1 += 1;
        let (all, copied) = self.seen;
        if copied > 100 && all > 1_000 && copied as f64 / all as f64 > allowed_share(all) {
            let at = self.source.range(&self.source.events[at]).start;
            return Err(Fault::not_allowed(at, "aliases repeat too much of the document"));
        }
        Ok(())
    }
}

/// How much of a document may be copies.
///
/// *Source*: go-yaml v3: 99 % up to 400,000 nodes, falling to 10 % at 4,000,000.
fn allowed_share(all: usize) -> f64 {
    let excess = all.saturating_sub(400_000).min(3_600_000) as f64;
    0.99 - 0.89 * (excess / 3_600_000.0)
}
