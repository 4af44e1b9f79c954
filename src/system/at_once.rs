//! Many things at once, for work that waits: unwrapping data keys, above all.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many data keys are unwrapped at once: as many as the clouds bear without saying "not so fast".
pub const KEYS_AT_ONCE: usize = 64;

/// Does `work` for each of `items`, for at most `limit` of them at once, and gives the results in the items' order.
///
/// One thread per item under way, of which the caller's is one; none is started for a single item.
///
/// ```
/// use lockage::system::at_once::{KEYS_AT_ONCE, at_once};
///
/// assert_eq!(at_once(&[1, 2, 3], KEYS_AT_ONCE, |number| number * 10), [10, 20, 30]);
/// ```
pub fn at_once<T: Sync, R: Send>(items: &[T], limit: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = limit.min(items.len());
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));
    let take_all = || {
        while let Some((index, item)) = take(items, &next) {
            let result = work(item);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(take_all);
        }
        take_all();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

fn take<'a, T>(items: &'a [T], next: &AtomicUsize) -> Option<(usize, &'a T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    items.get(index).map(|item| (index, item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_their_order_and_no_more_than_the_limit_are_under_way() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let items: Vec<usize> = (0..200).collect();
        let results = at_once(&items, 8, |item| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::yield_now();
            now.fetch_sub(1, Ordering::SeqCst);
            item * 2
        });
        assert_eq!(results, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        assert!(most.into_inner() <= 8);
        assert!(at_once(&[] as &[u8], 8, |_| 0).is_empty());
    }
}
