//! The tables of a text while they grow: what a header or a dotted key may still define.
//!
//! *Source*: TOML 1.0, "Keys" and "Table": a table is defined once.

use std::collections::HashMap;
use std::ops::Range;

use crate::document::outline::{CommentId, Leaf};
use crate::document::syntax::SyntaxErrorKind;

/// Index into [`Tables::items`].
pub(super) type ItemId = u32;

/// The root table.
pub(super) const ROOT: ItemId = 0;

/// Far above any real file, low enough that paths and the walk stay small.
pub(super) const MOST_DEPTH: usize = 1000;

const DEFINED: SyntaxErrorKind = SyntaxErrorKind::NotAllowed("this name stands for something else already");

/// A value or a table.
#[derive(Debug)]
pub(super) enum Item {
    Leaf(Leaf),
    Table { made: Made, children: Vec<Child>, span: Range<usize> },
    Array { of_tables: bool, children: Vec<Child>, span: Range<usize> },
}

impl Item {
    /// A table without a text of its own.
    pub(super) fn table(made: Made) -> Self {
        Self::Table { made, children: Vec::new(), span: 0..0 }
    }

    /// Where it stands, if it stands in one place.
    pub(super) fn span(&self) -> Option<Range<usize>> {
        match self {
            Self::Leaf(leaf) => Some(leaf.range.clone()),
            Self::Table { span, .. } | Self::Array { span, .. } => Some(span.clone()).filter(|span| !span.is_empty()),
        }
    }
}

/// What a table was made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// A header below it.
    Implied,
    /// A header of its own.
    Header,
    /// A dotted key.
    Dotted,
    /// Braces.
    Inline,
}

/// What a table or an array holds, in order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Child {
    Comment(CommentId),
    Item {
        /// In a table, which of [`Tables::names`].
        name: u32,
        item: ItemId,
    },
}

/// One part of a key.
pub(super) struct Part {
    /// Where it stands, quotes included.
    pub(super) range: Range<usize>,
    pub(super) name: Box<str>,
}

/// A line that defines something: what, and from its first to behind its last character.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) item: ItemId,
    pub(super) header: bool,
    pub(super) range: Range<usize>,
}

#[derive(Debug)]
pub(super) struct Tables {
    pub(super) items: Vec<Item>,
    /// Of each item what holds it, under which of the names, and how deep it lies.
    places: Vec<(ItemId, u32, u32)>,
    /// Where each key stands first, and its name.
    pub(super) names: Vec<(Range<usize>, Box<str>)>,
    found: HashMap<(ItemId, Box<str>), ItemId>,
    pub(super) statements: Vec<Statement>,
}

/// What is wrong, and at which byte.
pub(super) type Fault = (usize, SyntaxErrorKind);

impl Tables {
    pub(super) fn new() -> Self {
        let root = Item::table(Made::Header);
        Self {
            items: vec![root],
            places: vec![(ROOT, 0, 0)],
            names: Vec::new(),
            found: HashMap::new(),
            statements: Vec::new(),
        }
    }

    fn children(&mut self, parent: ItemId) -> Option<&mut Vec<Child>> {
        match self.items.get_mut(parent as usize) {
            Some(Item::Table { children, .. } | Item::Array { children, .. }) => Some(children),
            _ => None,
        }
    }

    /// Puts a comment at the end of a container, or before the last thing in it.
    pub(super) fn comment(&mut self, parent: ItemId, comment: CommentId, before_last: bool) {
        if let Some(children) = self.children(parent) {
            let at = children.len() - usize::from(before_last && !children.is_empty());
            children.insert(at, Child::Comment(comment));
        }
    }

    /// A container in brackets or braces ends.
    pub(super) fn close(&mut self, container: ItemId, end: usize) {
        if let Some(Item::Table { span, .. } | Item::Array { span, .. }) = self.items.get_mut(container as usize) {
            span.end = end;
        }
    }

    /// What holds an item, and its name there.
    pub(super) fn place(&self, item: ItemId) -> (ItemId, &str) {
        let (parent, name, _) = self.places.get(item as usize).copied().unwrap_or_default();
        (parent, self.names.get(name as usize).map_or("", |(_, name)| &**name))
    }

    /// The items among a container's children, with their names.
    pub(super) fn items_of(&self, container: ItemId) -> impl Iterator<Item = (&str, ItemId)> {
        let children: &[Child] = match self.items.get(container as usize) {
            Some(Item::Table { children, .. } | Item::Array { children, .. }) => children,
            _ => &[],
        };
        children.iter().filter_map(|child| match child {
            Child::Item { name, item } => Some((self.names.get(*name as usize).map_or("", |(_, name)| &**name), *item)),
            Child::Comment(_) => None,
        })
    }

    /// Adds an item to an array.
    pub(super) fn push(&mut self, array: ItemId, item: Item, at: usize) -> Result<ItemId, Fault> {
        self.add(array, 0, item, at)
    }

    fn add(&mut self, parent: ItemId, name: u32, item: Item, at: usize) -> Result<ItemId, Fault> {
        let depth = self.places.get(parent as usize).map_or(0, |(_, _, depth)| depth + 1);
        if depth as usize > MOST_DEPTH {
            return Err((at, SyntaxErrorKind::TooDeep { limit: MOST_DEPTH }));
        }
        let id =
            u32::try_from(self.items.len()).map_err(|_| (at, SyntaxErrorKind::NotAllowed("more than 2^32 values")))?;
        self.items.push(item);
        self.places.push((parent, name, depth));
        if let Some(children) = self.children(parent) {
            children.push(Child::Item { name, item: id });
        }
        Ok(id)
    }

    fn named(&mut self, table: ItemId, part: Part, item: Item) -> Result<ItemId, Fault> {
        let name = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let id = self.add(table, name, item, part.range.start)?;
        self.names.push((part.range, part.name.clone()));
        self.found.insert((table, part.name), id);
        Ok(id)
    }

    fn lookup(&self, table: ItemId, part: &Part) -> Option<(ItemId, &Item)> {
        let id = *self.found.get(&(table, part.name.clone()))?;
        self.items.get(id as usize).map(|item| (id, item))
    }

    /// Adds the item of a key, which may be dotted, to a table: the table that holds it, and the item.
    pub(super) fn entry(&mut self, table: ItemId, key: Vec<Part>, item: Item) -> Result<(ItemId, ItemId), Fault> {
        let mut table = table;
        let mut parts = key.into_iter().peekable();
        while let Some(part) = parts.next() {
            let at = part.range.start;
            let last = parts.peek().is_none();
            match self.lookup(table, &part) {
                None if last => return Ok((table, self.named(table, part, item)?)),
                None => table = self.named(table, part, Item::table(Made::Dotted))?,
                Some((id, Item::Table { made: Made::Dotted, .. })) if !last => table = id,
                Some(_) => return Err((at, DEFINED)),
            }
        }
        Err((0, SyntaxErrorKind::Expected("a key")))
    }

    /// The table of a header, `[a.b]` or, of an array of tables, `[[a.b]]`.
    pub(super) fn header(&mut self, key: Vec<Part>, of_array: bool) -> Result<ItemId, Fault> {
        let mut table = ROOT;
        let mut parts = key.into_iter().peekable();
        while let Some(part) = parts.next() {
            let at = part.range.start;
            let last = parts.peek().is_none();
            let found = self.lookup(table, &part).map(|(id, item)| {
                let made = match item {
                    Item::Table { made, .. } => Some(*made),
                    _ => None,
                };
                (id, made, matches!(item, Item::Array { of_tables: true, .. }))
            });
            match found {
                None if last && of_array => {
                    let array =
                        self.named(table, part, Item::Array { of_tables: true, children: Vec::new(), span: 0..0 })?;
                    return self.push(array, Item::table(Made::Header), at);
                }
                None => {
                    let made = if last { Made::Header } else { Made::Implied };
                    table = self.named(table, part, Item::table(made))?;
                }
                Some((id, _, true)) if last && of_array => {
                    return self.push(id, Item::table(Made::Header), at);
                }
                Some((id, _, true)) if !last => table = self.last_of(id).ok_or((at, DEFINED))?,
                Some((id, Some(Made::Implied), _)) if last && !of_array => {
                    if let Some(Item::Table { made, .. }) = self.items.get_mut(id as usize) {
                        *made = Made::Header;
                    }
                    return Ok(id);
                }
                Some((id, Some(Made::Implied | Made::Header | Made::Dotted), _)) if !last => table = id,
                Some(_) => return Err((at, DEFINED)),
            }
        }
        Ok(table)
    }

    fn last_of(&self, array: ItemId) -> Option<ItemId> {
        let Some(Item::Array { children, .. }) = self.items.get(array as usize) else { return None };
        children.iter().rev().find_map(|child| match child {
            Child::Item { item, .. } => Some(*item),
            Child::Comment(_) => None,
        })
    }
}
