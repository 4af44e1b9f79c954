//! What the values alone cost: cipher, base64 and hash of the same bytes, without a document, on every processor.

use std::thread;
use std::time::{Duration, Instant};

use lockage::cipher::{DataKey, Label, Mac, ValueCipher};
use zeroize::Zeroizing;

use super::fixtures;

/// The best of `runs` of encrypting the values of a file with so many groups of a hundred leaves, and of decrypting them.
pub fn measure(groups: usize, runs: usize) -> (Duration, Duration) {
    let values: Vec<(String, String)> = (0..groups)
        .flat_map(|group| (0..100).map(move |leaf| (format!("group{group}:key{leaf}:"), fixtures::value(group, leaf))))
        .collect();
    let key = DataKey::generate().expect("a key");
    let mut best = (Duration::MAX, Duration::MAX);
    for _ in 0..runs {
        let started = Instant::now();
        let tokens = in_threads(
            &values,
            |(place, value), cipher, hash| {
                let mut token = Vec::with_capacity(160);
                hash.extend_from_slice(value.as_bytes());
                cipher.encrypt(Label::Str, value.as_bytes(), place, &mut token).expect("a token");
                (place.clone(), token)
            },
            &key,
        );
        best.0 = best.0.min(started.elapsed());
        let started = Instant::now();
        in_threads(
            &tokens,
            |(place, token), cipher, hash| {
                cipher.decrypt(token, place, hash).expect("a value");
            },
            &key,
        );
        best.1 = best.1.min(started.elapsed());
    }
    best
}

fn in_threads<I: Sync, O: Send>(
    items: &[I],
    work: impl Fn(&I, &mut ValueCipher, &mut Zeroizing<Vec<u8>>) -> O + Sync,
    key: &DataKey,
) -> Vec<O> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let parts = thread::scope(|scope| {
        let work = &work;
        let part = |items: &'_ [I]| {
            let mut cipher = ValueCipher::new(key);
            let mut hash = Zeroizing::new(Vec::with_capacity(items.len() * 32));
            let done: Vec<O> = items.iter().map(|item| work(item, &mut cipher, &mut hash)).collect();
            (done, hash)
        };
        let running: Vec<_> =
            items.chunks(items.len().div_ceil(threads)).map(|items| scope.spawn(move || part(items))).collect();
        running.into_iter().map(|part| part.join().expect("a part")).collect::<Vec<_>>()
    });
    let mut mac = Mac::new(false);
    let mut all = Vec::with_capacity(items.len());
    for (done, hash) in parts {
        mac.update(&hash);
        all.extend(done);
    }
    assert_eq!(mac.finish().len(), 128);
    all
}
