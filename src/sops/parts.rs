//! The leaves of a large document, shared out among threads.

use std::num::NonZero;
use std::ops::Range;
use std::thread;

use zeroize::{Zeroize as _, Zeroizing};

use crate::cipher::Mac;
use crate::document::{Document, Splice};

/// Below this much text a second thread costs more than it saves.
const LEAST_BYTES: usize = 64 << 10;

/// What a leaf costs besides its bytes, in bytes.
const LEAF_COST: usize = 256;

/// More threads than this have nothing left to win: reading and joining are done by one.
const MOST_THREADS: usize = 8;

/// Runs of leaves, one for each thread, as long as one another; at least one. `places` is the document that is walked
/// over.
pub(super) fn share(document: &Document, places: &Document) -> Vec<Range<usize>> {
    let leaves = &document.outline().leaves;
    let cost = document.text().len() + leaves.len() * LEAF_COST;
    if cost < 2 * LEAST_BYTES {
        return std::iter::once(0..leaves.len()).collect();
    }
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS).min(cost / LEAST_BYTES);
    let mut uncut = Splice::uncut(places);
    uncut.sort_unstable_by_key(|run| run.start);
    let mut uncut = uncut.into_iter().peekable();
    // Where the last of the runs ends that have begun.
    let mut whole_to = 0;
    let mut parts = Vec::with_capacity(threads);
    let (mut from, mut spent) = (0, 0);
    let whole: usize = leaves.iter().map(|leaf| leaf.range.len() + LEAF_COST).sum();
    for (index, leaf) in leaves.iter().enumerate() {
        while let Some(run) = uncut.next_if(|run| run.start <= index) {
            whole_to = run.end.max(whole_to);
        }
        if index >= whole_to && spent * threads >= whole * (parts.len() + 1) {
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

#[cfg(test)]
mod tests {
    use crate::document::Format;
    use crate::keys::{KeyServices, Keyring, Recipient};
    use crate::secret::SecretString;
    use crate::sops::pattern::Pattern;
    use crate::sops::scope::{EncryptionScope, Selector};
    use crate::sops::{EncryptedFile, Encryption, SopsError, encrypt};

    use super::*;

    const IDENTITY: &str = "AGE-SECRET-KEY-1EU5N4USKG3PPC0KZYGWS59EF9F0PUD9DMNZLQX2NED6NGS4476VSTMM3Y0";
    const RECIPIENT: &str = "age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj";

    fn large() -> Vec<u8> {
        let line = |index: usize| format!("k{index}: {index} CANARY-heron {}\n", "x".repeat(index % 90));
        (0..3_000).map(line).collect::<String>().into_bytes()
    }

    fn encrypted() -> Vec<u8> {
        let document = Document::parse(Format::Yaml, large()).unwrap();
        assert!(
            share(&document, &document).len()
                == thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS)
        );
        let to = Encryption::to([Recipient::parse_age(RECIPIENT).unwrap()]);
        encrypt(&document, &to, &KeyServices::from(Keyring::new()), "2026-11-21T12:00:00Z".parse().unwrap()).unwrap()
    }

    fn decrypt(text: Vec<u8>) -> Result<Vec<u8>, SopsError> {
        let mut keyring = Keyring::new();
        keyring.add_age_text(&SecretString::new(IDENTITY.to_owned()), "keys.txt").unwrap();
        Ok(EncryptedFile::parse(Format::Yaml, text)?.decrypt(&KeyServices::from(keyring))?.text().to_vec())
    }

    #[test]
    fn every_leaf_is_in_one_part_and_in_order() {
        let document = Document::parse(Format::Yaml, large()).unwrap();
        let parts = share(&document, &document);
        assert_eq!(parts.iter().cloned().flatten().collect::<Vec<_>>(), (0..3_000).collect::<Vec<_>>());
        assert_eq!(parts.iter().map(|part| bytes(&document, part)).sum::<usize>(), document.text().len());
    }

    #[test]
    fn many_threads_give_back_what_went_in() {
        assert_eq!(decrypt(encrypted()).unwrap(), large());
    }

    /// Comments in every place, some of which change whether what follows is encrypted; with `documents`, a stream.
    fn commented(documents: bool) -> Vec<u8> {
        let line = |index: usize| match index % 12 {
            0 => format!("# CANARY-heron {index}\ng{index}: # below\n"),
            4 if documents && index % 24 == 4 => format!("---\ng{index}:\n"),
            1 => format!("  # plain: shown\n  l:\n    - a{index} # item\n    - k: {index}\n    # foot\n"),
            5 => "\n  # CANARY-heron alone\n\n".to_owned(),
            _ => format!("  k{index}: {index} CANARY-heron {} # behind\n", "x".repeat(index % 90)),
        };
        (0..3_000).map(line).collect::<String>().into_bytes()
    }

    #[test]
    fn comments_go_along_where_there_is_no_leaf() {
        let text = "# CANARY-heron\na: {} # behind\n";
        let document = Document::parse(Format::Yaml, text.into()).unwrap();
        let to = Encryption::to([Recipient::parse_age(RECIPIENT).unwrap()]);
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        let file = encrypt(&document, &to, &KeyServices::from(Keyring::new()), now).unwrap();
        assert!(!String::from_utf8_lossy(&file).contains("CANARY") && Splice::fits(&document));
        assert_eq!(String::from_utf8(decrypt(file).unwrap()).unwrap(), text);
    }

    #[test]
    fn comments_go_along_with_their_parts() {
        let marks = Pattern::new("shown").unwrap();
        for selector in [Selector::default(), Selector::UnencryptedCommentRegex(marks)] {
            for documents in [false, true] {
                let document = Document::parse(Format::Yaml, commented(documents)).unwrap();
                assert!(Splice::fits(&document));
                let mut to = Encryption::to([Recipient::parse_age(RECIPIENT).unwrap()]);
                to.scope = EncryptionScope::new(selector.clone());
                let now = "2026-11-21T12:00:00Z".parse().unwrap();
                let file = encrypt(&document, &to, &KeyServices::from(Keyring::new()), now).unwrap();
                let text = String::from_utf8(file.clone()).unwrap();
                let shown = text.lines().filter(|line| line.contains("# plain: shown")).count();
                let marked = matches!(selector, Selector::UnencryptedCommentRegex(_));
                assert_eq!((shown, text.contains("CANARY-heron")), (if marked { 250 } else { 0 }, false));
                let (back, wanted) = (decrypt(file).unwrap(), commented(documents));
                assert_eq!(String::from_utf8_lossy(&back), String::from_utf8_lossy(&wanted));
            }
        }
    }

    #[test]
    fn of_several_faults_the_first_in_the_file_is_named() {
        let text = String::from_utf8(encrypted()).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        for at in [1_000, 2_990, 20] {
            let (one, other) = (lines[at].split_once(": ").unwrap(), lines[at + 1].split_once(": ").unwrap());
            let swapped = [format!("{}: {}", one.0, other.1), format!("{}: {}", other.0, one.1)];
            let [first, second] = swapped.map(|line| &*line.leak());
            (lines[at], lines[at + 1]) = (first, second);
        }
        let error = decrypt(lines.join("\n").into_bytes()).unwrap_err();
        assert!(matches!(error, SopsError::Value { line: 21, .. }), "{error}");
    }

    #[test]
    fn a_value_that_is_left_out_breaks_the_code() {
        let text = String::from_utf8(encrypted()).unwrap();
        let without = |at| text.lines().enumerate().filter(move |(line, _)| *line != at).map(|(_, line)| line);
        for at in [0, 1_500, 2_999] {
            let error = decrypt(without(at).collect::<Vec<_>>().join("\n").into_bytes()).unwrap_err();
            assert!(matches!(error, SopsError::MacMismatch), "{error}");
        }
    }
}
