//! Plain lines: the quick way for what large files are made of.
//!
//! In such a text every line is blank, a comment, a key, a list item or `---`, every scalar ends with its line, and there
//! is no tab, anchor, tag or bracket at a value's beginning. So a line tells by itself what it is, and keys in column 0
//! begin anew: several threads can read one text. Comments are taken where their place is beyond doubt. Entries of the root
//! that are not of this kind are [left to the general way](odd), each alone, and so is the whole text if that does not do;
//! the general way finds the same outline for all of it: the tests hold the two to each other.

mod bytes;
mod comments;
mod line;
mod odd;

use std::num::NonZero;
use std::ops::Range;
use std::thread;

use self::line::Lines;
use super::source::Source;
use super::{build, metadata};
use crate::document::outline::{Extent, Metadata, Node, Outline, Root};

/// Offsets are kept in 32 bits.
const SIZE_LIMIT: usize = 1 << 31;

/// Below this much text for each a thread costs more than it saves.
const LEAST_BYTES: usize = 256 << 10;

const MOST_THREADS: usize = 8;

/// The outline, if every line is plain but for those of a few entries of the root. A metadata block at the end of a
/// document may be as it likes.
pub(super) fn outline(text: &[u8]) -> Option<Outline> {
    if text.len() > SIZE_LIMIT {
        return None;
    }
    let cuts = cuts(text);
    let read = |run: &Range<usize>| Lines::read(&text[..run.end], run.start, run.end == text.len());
    let (first, others) = cuts.split_first()?;
    let (first, further) = thread::scope(|scope| {
        let read = &read;
        let threads: Vec<_> = others.iter().map(|run| scope.spawn(move || read(run))).collect();
        let further = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().ok().flatten();
        (read(first), threads.into_iter().map(further).collect::<Vec<Option<Lines<'_>>>>())
    });
    let mut whole = first?;
    for part in further {
        whole.append(part?)?;
    }
    let Lines { mut outline, blocks, starts, odd, .. } = whole.finish()?;
    outline.nodes.push(Node::Close);
    let mut from = 0;
    for start in starts.into_iter().chain([text.len()]) {
        outline.documents.push(Extent { root: Root::Block(0), range: from..start });
        from = start;
    }
    let first = outline.documents[0].range.end;
    for range in blocks {
        let found = block(text, &range)?;
        match range.start < first {
            true => outline.metadata = Some(found),
            false => outline.more_metadata.push(found.range),
        }
    }
    outline.plain_lines = !odd;
    Some(outline)
}

/// Runs of whole lines, each of which begins with a key of the root.
fn cuts(text: &[u8]) -> Vec<Range<usize>> {
    let most = (text.len() / LEAST_BYTES).min(MOST_THREADS);
    let threads = if most < 2 { 1 } else { thread::available_parallelism().map_or(1, NonZero::get).min(most) };
    let mut cuts = Vec::with_capacity(threads);
    let mut from = 0;
    for thread in 1..threads {
        let near = (text.len() / threads * thread).max(from);
        let breaks = memchr::memchr_iter(b'\n', &text[near..]).map(|at| near + at + 1);
        let Some(to) = breaks.take(1 << 16).find(|at| bytes::begins_key(text, *at)) else { break };
        cuts.push(from..to);
        from = to;
    }
    cuts.push(from..text.len());
    cuts
}

/// The metadata block and nothing else, read the general way: in column 0 it begins anew, too.
fn block(text: &[u8], range: &Range<usize>) -> Option<Metadata> {
    let source = Source::parse(&text[range.clone()]).ok()?;
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
    metadata.range = metadata.range.start + range.start..metadata.range.end + range.start;
    metadata.tree.shift(range.start);
    Some(metadata)
}

#[cfg(test)]
mod tests;
