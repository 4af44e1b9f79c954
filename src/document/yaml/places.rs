//! Comments by the place where the walk meets them.

use std::ops::Range;

use super::source::Source;
use super::token::{Carrier, Container, Place};
use crate::document::outline::{Comment, CommentId, Node, Outline};

/// The places of all comments, sorted so that each collection's lie together.
pub(super) struct Places {
    places: Vec<Place>,
    order: Vec<(u64, u32, Carrier, u32)>,
}

impl Places {
    pub(super) fn new(places: Vec<Place>) -> Self {
        let kept = places.iter().zip(0..).filter(|(place, _)| !place.dropped);
        let mut order: Vec<_> =
            kept.map(|(place, id)| (rank(place.container), place.index, place.carrier, id)).collect();
        order.sort_unstable();
        Self { places, order }
    }

    /// Where the comments of a collection begin.
    pub(super) fn begin(&self, container: Container) -> usize {
        if self.order.is_empty() {
            return 0;
        }
        self.order.partition_point(|(rank_of, ..)| *rank_of < rank(container))
    }

    /// The comment at that position of `container`'s, if it stands before the item of that index.
    pub(super) fn next(&self, at: usize, container: Container, item: u32) -> Option<u32> {
        let (rank_of, index, _, id) = self.order.get(at)?;
        (*rank_of == rank(container) && *index <= item).then_some(*id)
    }

    /// Lists the comments in the outline, with `items` among them, but for those on the lines of a metadata block,
    /// which go with it.
    pub(super) fn finish(&self, source: &Source<'_>, placed: &[bool], items: Vec<Range<usize>>, outline: &mut Outline) {
        let mut blocks: Vec<_> = outline.metadata.iter().map(|metadata| metadata.range.clone()).collect();
        blocks.extend(outline.more_metadata.iter().cloned());
        let mut ids = vec![None; placed.len() + items.len()];
        let mut found = Vec::with_capacity(ids.len());
        let mut block = blocks.iter().peekable();
        for (at, raw) in source.scan.comments.iter().enumerate() {
            let start = raw.start as usize;
            while block.next_if(|range| range.end <= start).is_some() {}
            if block.peek().is_some_and(|range| range.contains(&start)) {
                continue;
            }
            let (range, inline) = (start + 1..raw.end as usize, self.places[at].inline);
            found.push((at, Comment { range, inline, dropped: !placed[at], item: false }));
        }
        for (at, range) in items.into_iter().enumerate() {
            found.push((placed.len() + at, Comment { range, inline: false, dropped: false, item: true }));
        }
        found.sort_by_key(|(_, comment)| comment.range.start);
        let moved = found.len() < placed.len() || found.iter().zip(0..).any(|((old, _), new)| *old != new);
        for (old, comment) in found {
            ids[old] = Some(CommentId(outline.comments.len() as u32));
            outline.comments.push(comment);
        }
        if !moved {
            return;
        }
        outline.nodes.retain_mut(|node| match node {
            Node::Comment(id) => match ids[id.0 as usize] {
                Some(new) => {
                    *id = new;
                    true
                }
                None => false,
            },
            _ => true,
        });
    }
}

fn rank(container: Container) -> u64 {
    match container {
        Container::Root(document) => u64::from(document),
        Container::Token(token) => 1 << 32 | u64::from(token),
    }
}
