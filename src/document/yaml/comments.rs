//! The attribution of comments: in which collection SOPS has each of them.
//!
//! A comment's collection gives the associated data of its ciphertext, so it must be the one that SOPS's own loader
//! chooses. Layout alone decides: [`gap`] sorts the comments between two tokens into groups, and the walk here hands
//! each group to the node that takes it.
//!
//! *Source*: observed behaviour of go-yaml v3.0.4 as SOPS 3.13 uses it, held by `tests/vectors/yaml-comments.jsonl`.

mod frame;
mod gap;

use super::token::{Carrier, Container, Place, Scan, Token, TokenKind};
use frame::{At, Frame, Role, Shape, Slot};
use gap::{Gaps, Group, Side};

/// Where each of `scan.comments` goes, in their order; linear in the length of the text.
///
/// A comment in one of the layouts whose rules nobody should carry (exotic line breaks, runs of 500 blanks) counts as
/// dropped: its place would be a guess.
pub(super) fn attribute(text: &[u8], scan: &Scan) -> Vec<Place> {
    attribute_with(text, scan, false)
}

/// The same; with `guess` what would be a guess is guessed.
pub(super) fn attribute_with(text: &[u8], scan: &Scan, guess: bool) -> Vec<Place> {
    if scan.comments.is_empty() {
        return Vec::new();
    }
    let gaps = Gaps::find(text, scan);
    let mut walk = Walk::new(scan, &gaps);
    for index in 0..scan.tokens.len() {
        walk.token(index);
    }
    for (place, unsure) in walk.places.iter_mut().zip(&gaps.unsure) {
        place.dropped |= unsure & !guess;
    }
    walk.places
}

/// What was picked up and not yet taken, as comment indices in source order.
#[derive(Default)]
struct Pending {
    heads: Vec<u32>,
    lines: Vec<u32>,
    feet: Vec<u32>,
}

struct Walk<'s> {
    scan: &'s Scan,
    gaps: &'s Gaps,
    /// The first group that waits.
    waiting: usize,
    /// The next END, an index into `gaps.ends`.
    end: usize,
    pending: Pending,
    frames: Vec<Frame>,
    places: Vec<Place>,
    /// Documents begun so far.
    documents: u32,
    document_open: bool,
    /// Items of the document's root, once it is closed.
    root_items: u32,
}

impl<'s> Walk<'s> {
    fn new(scan: &'s Scan, gaps: &'s Gaps) -> Self {
        let nowhere =
            Place { container: Container::Root(0), index: 0, carrier: Carrier::Head, inline: false, dropped: true };
        Self {
            scan,
            gaps,
            waiting: 0,
            end: 0,
            pending: Pending::default(),
            frames: Vec::new(),
            places: vec![nowhere; scan.comments.len()],
            documents: 0,
            document_open: false,
            root_items: 0,
        }
    }

    fn token(&mut self, index: usize) {
        let token = self.scan.tokens[index];
        self.pick_up(&token);
        match token.kind {
            TokenKind::StreamStart => {}
            TokenKind::Directive | TokenKind::DocumentEnd | TokenKind::StreamEnd => self.end_document(),
            TokenKind::DocumentStart => {
                self.end_document();
                self.begin_document();
            }
            _ => {
                if !self.document_open {
                    self.begin_implicit_document();
                }
                self.node(index, token.kind);
            }
        }
    }

    /// At an END only what trails or stands below is picked up; a head waits for the node it heads.
    fn pick_up(&mut self, token: &Token) {
        let at_end = token.kind == TokenKind::End;
        let offset = if at_end {
            self.end += 1;
            self.gaps.ends.get(self.end - 1).copied().unwrap_or(token.start)
        } else {
            token.start
        };
        while let Some(Group { side, offset: from, comments }) = self.gaps.groups.get(self.waiting) {
            if *from > offset || (at_end && *side == Side::Head) {
                break;
            }
            let list = match side {
                Side::Head => &mut self.pending.heads,
                Side::Trailing => &mut self.pending.lines,
                Side::Foot => &mut self.pending.feet,
            };
            list.extend(comments.clone());
            self.waiting += 1;
        }
    }

    fn begin_document(&mut self) {
        self.documents += 1;
        self.document_open = true;
        self.root_items = 0;
    }

    /// A document without `---`: of the first one, what is set off by a blank line heads the document itself.
    fn begin_implicit_document(&mut self) {
        self.begin_document();
        if self.documents > 1 {
            return;
        }
        let heads = &mut self.pending.heads;
        if let Some(last) = heads.iter().rposition(|comment| self.gaps.blank_after[*comment as usize]) {
            let rest = heads.split_off(last + 1);
            let taken = std::mem::replace(heads, rest);
            self.put(&taken, Container::Root(0), 0, Carrier::DocumentHead, false);
        }
    }

    fn end_document(&mut self) {
        if !self.document_open {
            return;
        }
        let Pending { heads, feet, .. } = std::mem::take(&mut self.pending);
        let taken = if feet.is_empty() { heads } else { feet };
        self.put(&taken, self.root(), self.root_items, Carrier::DocumentFoot, false);
        self.document_open = false;
        self.frames.clear();
    }

    fn root(&self) -> Container {
        Container::Root(self.documents.saturating_sub(1))
    }

    fn node(&mut self, index: usize, kind: TokenKind) {
        match kind {
            TokenKind::BlockMapping => self.open(Shape::BlockMapping, index),
            TokenKind::BlockSequence => self.open(Shape::BlockList, index),
            TokenKind::Key => self.key(index),
            TokenKind::Value => self.value(index),
            TokenKind::Entry => self.entry(index),
            TokenKind::Comma => self.comma(),
            TokenKind::FlowSequenceStart | TokenKind::FlowMappingStart => self.open_flow(index, kind),
            TokenKind::FlowSequenceEnd | TokenKind::FlowMappingEnd => self.close_flow(),
            TokenKind::End => self.end_block(),
            // An anchor or a tag begins a node that may stay empty.
            TokenKind::Anchor | TokenKind::Tag => {
                self.slot();
            }
            _ => self.scalar(),
        }
    }

    /// Where the node that begins here stands; begins an item of brackets if none is open.
    fn slot(&mut self) -> Slot {
        match self.frames.last_mut() {
            None => Slot { role: Role::Root, container: self.root(), index: 0 },
            Some(frame) => frame.slot(),
        }
    }

    fn open(&mut self, shape: Shape, index: usize) {
        let slot = self.slot();
        let container =
            if slot.role == Role::Root { self.root() } else { Container::Token(u32::try_from(index).unwrap_or(0)) };
        self.frames.push(Frame::new(shape, container, slot));
    }

    fn close(&mut self) -> Option<Frame> {
        let frame = self.frames.pop()?;
        if frame.slot.role == Role::Root {
            self.root_items = frame.items;
        }
        Some(frame)
    }

    /// Ends a frame that no token ends: a list in its key's column, or a single pair in a flow list.
    fn close_unmarked(&mut self, shape: Shape) {
        if self.frames.last().is_some_and(|frame| frame.shape == shape) {
            self.close();
        }
    }

    fn key(&mut self, index: usize) {
        self.close_unmarked(Shape::KeyColumnList);
        if self.frames.last().is_some_and(|frame| frame.shape == Shape::FlowList) {
            self.open(Shape::FlowPair, index);
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.begin_pair();
        }
    }

    fn value(&mut self, index: usize) {
        self.close_unmarked(Shape::KeyColumnList);
        if self.frames.last().is_some_and(|frame| frame.shape == Shape::FlowList) {
            self.open(Shape::FlowPair, index);
        }
        if let Some(frame) = self.frames.last_mut() {
            if frame.at != At::Key {
                frame.begin_pair();
            }
            frame.at = At::Value;
        }
    }

    fn entry(&mut self, index: usize) {
        if !self.frames.last().is_some_and(|frame| frame.shape.is_block_list()) {
            self.open(Shape::KeyColumnList, index);
        }
        let Some(frame) = self.frames.last_mut() else { return };
        frame.items += 1;
        let (container, item) = (frame.container, frame.items - 1);
        let next = self.scan.tokens.get(index + 1).map(|token| token.kind);
        if matches!(next, Some(TokenKind::BlockMapping | TokenKind::BlockSequence)) {
            let heads = std::mem::take(&mut self.pending.heads);
            self.put(&heads, container, item, Carrier::Head, false);
        }
    }

    fn comma(&mut self) {
        self.close_unmarked(Shape::FlowPair);
        if let Some(frame) = self.frames.last_mut() {
            frame.at = At::Nothing;
        }
    }

    fn open_flow(&mut self, index: usize, kind: TokenKind) {
        let list = kind == TokenKind::FlowSequenceStart;
        self.open(if list { Shape::FlowList } else { Shape::FlowMapping }, index);
        let heads = std::mem::take(&mut self.pending).heads;
        let Some(frame) = self.frames.last() else { return };
        let (container, at, carrier) = match frame.slot.role {
            Role::Root | Role::Value => (frame.container, 0, Carrier::CollectionHead),
            Role::Key | Role::Item => (frame.slot.container, frame.slot.index, Carrier::Head),
        };
        self.put(&heads, container, at, carrier, false);
    }

    fn close_flow(&mut self) {
        self.close_unmarked(Shape::FlowPair);
        let Some(frame) = self.close() else { return };
        let Pending { lines, feet, .. } = std::mem::take(&mut self.pending);
        self.lines_of_collection(&frame, &lines);
        match frame.slot.role {
            Role::Root => self.put(&feet, frame.container, frame.items, Carrier::CollectionFoot, false),
            Role::Value if self.frames.last().is_some_and(|parent| parent.key_foot) => {
                self.put(&feet, frame.container, frame.items, Carrier::CollectionFoot, false);
            }
            _ => self.feet_of_node(frame.slot, feet),
        }
    }

    fn end_block(&mut self) {
        self.close_unmarked(Shape::KeyColumnList);
        let Some(frame) = self.close() else { return };
        if frame.shape != Shape::BlockMapping {
            return;
        }
        let Pending { lines, feet, .. } = std::mem::take(&mut self.pending);
        self.lines_of_collection(&frame, &lines);
        if !feet.is_empty() {
            self.lose(&frame.pair_foot);
            self.put(&feet, frame.container, frame.items, Carrier::PairFoot, false);
        }
    }

    fn lines_of_collection(&mut self, frame: &Frame, lines: &[u32]) {
        match frame.slot.role {
            Role::Root | Role::Value => self.put(lines, frame.container, 0, Carrier::CollectionLine, false),
            Role::Key => self.put(lines, frame.slot.container, frame.slot.index, Carrier::Line, false),
            Role::Item => self.put(lines, frame.slot.container, frame.slot.index, Carrier::Line, true),
        }
    }

    /// A scalar or an alias takes everything that is pending.
    fn scalar(&mut self) {
        let slot = self.slot();
        let Pending { heads, lines, feet } = std::mem::take(&mut self.pending);
        let inline = matches!(slot.role, Role::Value | Role::Item);
        let (head, line) = if slot.role == Role::Value {
            (Carrier::ValueHead, Carrier::ValueLine)
        } else {
            (Carrier::Head, Carrier::Line)
        };
        self.put(&heads, slot.container, slot.index, head, false);
        self.put(&lines, slot.container, slot.index, line, inline);
        self.feet_of_node(slot, feet);
    }

    /// Below a key that is not the first of its block, a foot replaces that of the pair before.
    fn feet_of_node(&mut self, slot: Slot, feet: Vec<u32>) {
        if feet.is_empty() {
            return;
        }
        let mut index = slot.index + 1;
        let mut carrier = Carrier::PairFoot;
        let mut lost = Vec::new();
        match (slot.role, self.frames.last_mut()) {
            (Role::Root, _) => index = 0,
            (Role::Key, Some(frame)) if frame.shape == Shape::BlockMapping && slot.index > 0 => {
                index = slot.index;
                lost = std::mem::take(&mut frame.previous_foot);
                frame.previous_foot.clone_from(&feet);
            }
            (Role::Key, Some(frame)) => {
                frame.key_foot = true;
                frame.pair_foot.clone_from(&feet);
            }
            (Role::Value, Some(frame)) if !frame.key_foot => frame.pair_foot.clone_from(&feet),
            (Role::Value, _) => carrier = Carrier::ValueFoot,
            _ => {}
        }
        self.lose(&lost);
        self.put(&feet, slot.container, index, carrier, false);
    }

    fn put(&mut self, comments: &[u32], container: Container, index: u32, carrier: Carrier, inline: bool) {
        for comment in comments {
            self.places[*comment as usize] = Place { container, index, carrier, inline, dropped: false };
        }
    }

    fn lose(&mut self, comments: &[u32]) {
        for comment in comments {
            self.places[*comment as usize].dropped = true;
        }
    }
}

#[cfg(test)]
mod tests;
