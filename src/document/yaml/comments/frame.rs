//! An open collection, as far as comments need to know it.

use crate::document::yaml::token::Container;

/// How a collection is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    BlockMapping,
    BlockList,
    /// A block list in the column of its own key, which no token ends.
    KeyColumnList,
    FlowMapping,
    FlowList,
    /// `[a: 1]`: a mapping of one pair, which no token ends.
    FlowPair,
}

impl Shape {
    pub(super) const fn is_block_list(self) -> bool {
        matches!(self, Self::BlockList | Self::KeyColumnList)
    }
}

/// What a node is to the collection around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Root,
    Key,
    Value,
    Item,
}

/// Where a node stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) role: Role,
    pub(super) container: Container,
    pub(super) index: u32,
}

/// How far the current item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// No item is open.
    Nothing,
    /// In a mapping the key comes; in a list an item is open.
    Key,
    /// The value comes.
    Value,
}

/// An open collection.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) shape: Shape,
    pub(super) container: Container,
    /// Where the collection itself stands.
    pub(super) slot: Slot,
    /// Items begun so far.
    pub(super) items: u32,
    pub(super) at: At,
    /// Whether the current pair's key keeps a foot of its own, so that the value's foot stays the value's.
    pub(super) key_foot: bool,
    /// The foot of the current pair, which the end of the mapping may replace.
    pub(super) pair_foot: Vec<u32>,
    /// The foot of the pair before, which a foot on this pair's key may replace.
    pub(super) previous_foot: Vec<u32>,
}

impl Frame {
    pub(super) const fn new(shape: Shape, container: Container, slot: Slot) -> Self {
        Self {
            shape,
            container,
            slot,
            items: 0,
            at: At::Nothing,
            key_foot: false,
            pair_foot: Vec::new(),
            previous_foot: Vec::new(),
        }
    }

    pub(super) fn begin_pair(&mut self) {
        self.items += 1;
        self.at = At::Key;
        self.key_foot = false;
        self.previous_foot = std::mem::take(&mut self.pair_foot);
    }

    /// Where the node that begins here stands; in brackets it begins an item if none is open.
    pub(super) fn slot(&mut self) -> Slot {
        let list = self.shape.is_block_list() || self.shape == Shape::FlowList;
        if self.at == At::Nothing {
            match self.shape {
                Shape::FlowList => {
                    self.items += 1;
                    self.at = At::Key;
                }
                Shape::FlowMapping | Shape::BlockMapping | Shape::FlowPair => self.begin_pair(),
                Shape::BlockList | Shape::KeyColumnList => {}
            }
        }
        let role = match (list, self.at) {
            (true, _) => Role::Item,
            (false, At::Value) => Role::Value,
            (false, _) => Role::Key,
        };
        Slot { role, container: self.container, index: self.items.saturating_sub(1) }
    }
}
