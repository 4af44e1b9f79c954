//! What splicing stands on: copies of every length, from every place to every place. The static binary has its own.

use std::hint::black_box;

/// Past every length from which a copy is made in another way.
const LONGEST: usize = 330;

fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

#[test]
fn every_byte_arrives_and_none_beside_them_changes() {
    let source = pattern(LONGEST + 16);
    for bytes in (0..=LONGEST).chain([4_096, 65_537]) {
        let source = if bytes > LONGEST { &pattern(bytes + 16) } else { &source };
        for (from, to) in [(0, 0), (1, 0), (0, 1), (3, 7), (15, 8)] {
            let mut target = vec![0xEE; bytes + 16];
            target[to..to + bytes].copy_from_slice(black_box(&source[from..from + bytes]));
            for (at, found) in target.iter().enumerate() {
                let wanted = if (to..to + bytes).contains(&at) { source[at - to + from] } else { 0xEE };
                assert_eq!(*found, wanted, "{bytes} bytes from {from} to {to}, at {at}");
            }
        }
    }
}

#[test]
fn texts_may_overlap() {
    let text = pattern(3 * LONGEST);
    for bytes in (0..140).chain([191, 192, 193, 255, 256, 257, LONGEST]) {
        for to in (0..2 * LONGEST).step_by(3).chain(LONGEST - 2..LONGEST + 3) {
            let mut copied = text.clone();
            copied.copy_within(black_box(LONGEST..LONGEST + bytes), to);
            for (at, found) in copied.iter().enumerate() {
                let wanted = if (to..to + bytes).contains(&at) { text[at - to + LONGEST] } else { text[at] };
                assert_eq!(*found, wanted, "{bytes} bytes to {to}, at {at}");
            }
        }
    }
}
