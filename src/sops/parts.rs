//! The leaves of a large document, shared out among threads.

use std::num::NonZero;
use std::ops::Range;
use std::thread;

use zeroize::{Zeroize as _, Zeroizing};

use crate::cipher::Mac;
use crate::document::Document;

/// Below this much text a second thread costs more than it saves.
const LEAST_BYTES: usize = 64 << 10;

/// What a leaf costs besides its bytes, in bytes.
const LEAF_COST: usize = 256;

/// More threads than this have nothing left to win: reading and joining are done by one.
const MOST_THREADS: usize = 8;

/// Runs of leaves, one for each thread, as long as one another; at least one.
pub(super) fn share(document: &Document) -> Vec<Range<usize>> {
    let leaves = &document.outline().leaves;
    let cost = document.text().len() + leaves.len() * LEAF_COST;
    if cost < 2 * LEAST_BYTES {
        return vec![0..leaves.len()];
    }
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS).min(cost / LEAST_BYTES);
    let mut parts = Vec::with_capacity(threads);
    let (mut from, mut spent) = (0, 0);
    let whole: usize = leaves.iter().map(|leaf| leaf.range.len() + LEAF_COST).sum();
    for (index, leaf) in leaves.iter().enumerate() {
        if spent * threads >= whole * (parts.len() + 1) {
            parts.push(from..index);
            from = index;
        }
        spent += leaf.range.len() + LEAF_COST;
    }
    parts.push(from..leaves.len());
    parts
}

/// Where the text of a part begins: at its first leaf, the first part with the document.
pub(super) fn start(document: &Document, part: &Range<usize>) -> usize {
    match document.outline().leaves.get(part.start) {
        Some(leaf) if part.start > 0 => leaf.range.start,
        _ => 0,
    }
}

/// The bytes of a part's text.
pub(super) fn bytes(document: &Document, part: &Range<usize>) -> usize {
    let leaves = &document.outline().leaves;
    let end = leaves.get(part.end).map_or(document.text().len(), |leaf| leaf.range.start);
    end.saturating_sub(start(document, part))
}

/// Does `first` with the first part on this thread, and `other` with each further one on a thread of its own.
pub(super) fn at_once<A, B: Send>(
    parts: &[Range<usize>],
    first: impl FnOnce(&Range<usize>) -> A,
    other: impl Fn(&Range<usize>) -> B + Sync,
) -> (A, Vec<B>) {
    thread::scope(|scope| {
        let other = &other;
        let (mine, further) = parts.split_first().unwrap_or((&(0..0), &[]));
        let threads: Vec<_> = further.iter().map(|part| scope.spawn(move || other(part))).collect();
        let first = first(mine);
        (first, threads.into_iter().map(join).collect())
    })
}

/// Does two things, at once if that is worth a thread.
pub(super) fn beside<A: Send, B>(worth: bool, one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    if !worth {
        return (one(), other());
    }
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (join(one), other)
    })
}

fn join<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// What the authentication code is to be fed with: at once by the first part, after it by the others.
pub(super) enum Hashed<'m> {
    /// At once.
    Now(&'m mut Mac),
    /// When the parts before it are done.
    Later(Zeroizing<Vec<u8>>),
}

impl Hashed<'_> {
    /// What is left to be hashed.
    pub(super) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Now(_) => Zeroizing::default(),
            Self::Later(bytes) => bytes,
        }
    }

    pub(super) fn update(&mut self, canonical: &[u8]) {
        match self {
            Self::Now(mac) => mac.update(canonical),
            Self::Later(bytes) => {
                if bytes.capacity() - bytes.len() < canonical.len() {
                    let mut grown = Vec::with_capacity((bytes.len() + canonical.len()).max(2 * bytes.capacity()));
                    grown.extend_from_slice(bytes);
                    bytes.zeroize();
                    **bytes = grown;
                }
                bytes.extend_from_slice(canonical);
            }
        }
    }
}
