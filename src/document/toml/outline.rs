//! From tables to an outline: the walk goes by tables, wherever in the text their parts stand.

use super::parse::{Parsed, SOPS, parse};
use super::tables::{Child, Fault, Item, ItemId, ROOT, Tables};
use crate::document::outline::{LeafId, Metadata, Node, Outline};
use crate::document::scalar::Kind;
use crate::document::syntax::SyntaxErrorKind;
use crate::document::tree::Tree;

/// Far beyond what SOPS writes; it keeps the recursion shallow.
const METADATA_DEPTH: usize = 32;

pub(super) fn read(text: &[u8]) -> Result<Outline, Fault> {
    let Parsed { tables, comments, mut blocks } = parse(text)?;
    let mut outline = Outline { comments, ..Outline::default() };
    outline.nodes.reserve(2 * tables.items.len());
    let sops = tables.items_of(ROOT).find(|(name, _)| *name == SOPS).map(|(_, item)| item);
    // Where the walk stands: containers, and the next child of each.
    let mut open: Vec<(ItemId, usize)> = vec![(ROOT, 0)];
    outline.nodes.push(Node::Open { list: false });
    while let Some((container, next)) = open.last_mut() {
        let (list, children) = match tables.items.get(*container as usize) {
            Some(Item::Array { children, .. }) => (true, children.as_slice()),
            Some(Item::Table { children, .. }) => (false, children.as_slice()),
            _ => (false, &[][..]),
        };
        let Some(child) = children.get(*next) else {
            outline.nodes.push(Node::Close);
            open.pop();
            continue;
        };
        *next += 1;
        let (name, item) = match *child {
            Child::Comment(comment) => {
                outline.nodes.push(Node::Comment(comment));
                continue;
            }
            Child::Item { name, item } => (name, item),
        };
        if Some(item) == sops {
            continue;
        }
        if !list && let Some((range, name)) = tables.names.get(name as usize) {
            let key = outline.push_key(range.clone(), name);
            outline.nodes.push(Node::Key(key));
        }
        match tables.items.get(item as usize) {
            Some(Item::Leaf(leaf)) => {
                outline.nodes.push(Node::Leaf(LeafId(u32::try_from(outline.leaves.len()).unwrap_or(u32::MAX))));
                outline.leaves.push(leaf.clone());
            }
            container => {
                outline.nodes.push(Node::Open { list: matches!(container, Some(Item::Array { .. })) });
                open.push((item, 0));
            }
        }
    }
    if let Some(sops) = sops
        && !blocks.is_empty()
    {
        let first = blocks.remove(0);
        let mut tree = tree(text, &tables, sops, METADATA_DEPTH).map_err(|kind| (first.start, kind))?;
        // `rops` writes no version, which the format asks for.
        if let Tree::Map(entries) = &mut tree
            && !entries.iter().any(|(name, _)| name.eq_ignore_ascii_case("version"))
        {
            entries.push(("version".to_owned(), Tree::text(ROPS_VERSION)));
        }
        outline.metadata = Some(Metadata { range: first, tree });
        outline.more_metadata = blocks;
    }
    Ok(outline)
}

/// The version of SOPS whose format `rops` follows.
const ROPS_VERSION: &str = "3.8.1";

fn tree(text: &[u8], tables: &Tables, item: ItemId, depth: usize) -> Result<Tree, SyntaxErrorKind> {
    if depth == 0 {
        return Err(SyntaxErrorKind::TooDeep { limit: METADATA_DEPTH });
    }
    Ok(match tables.items.get(item as usize) {
        Some(Item::Table { .. }) => {
            let entries = tables.items_of(item);
            let entries = entries.map(|(name, item)| Ok((name.to_owned(), tree(text, tables, item, depth - 1)?)));
            Tree::Map(entries.collect::<Result<_, SyntaxErrorKind>>()?)
        }
        Some(Item::Array { .. }) => {
            let items = tables.items_of(item).map(|(_, item)| tree(text, tables, item, depth - 1));
            Tree::List(items.collect::<Result<_, SyntaxErrorKind>>()?)
        }
        Some(Item::Leaf(leaf)) => {
            let bytes = super::bytes(text, leaf).map(|(canonical, _)| canonical.into_owned()).unwrap_or_default();
            let kind = if leaf.kind == Kind::Null { Kind::Str } else { leaf.kind };
            let text = if leaf.kind == Kind::Null { "null".into() } else { String::from_utf8_lossy(&bytes) };
            Tree::Scalar { text: text.into_owned(), kind, range: leaf.range.clone() }
        }
        None => Tree::Map(Vec::new()),
    })
}
