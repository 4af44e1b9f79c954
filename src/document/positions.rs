//! Lines and columns of byte offsets.

use std::sync::OnceLock;

/// How many bytes are looked at for each question, at most.
const STEP: usize = 4 << 10;

/// The places of one text, counted when the first of them is asked for.
///
/// Something may be said of every value of a large file: no place takes longer to name than the first.
#[derive(Default)]
pub(crate) struct Positions(OnceLock<Vec<(usize, usize)>>);

impl Positions {
    /// The 1-based line and column (in characters) of a byte offset of `text`, which is the same each time.
    pub(crate) fn of(&self, text: &[u8], offset: usize) -> (usize, usize) {
        let offset = offset.min(text.len());
        let steps = self.0.get_or_init(|| steps(text));
        let step = steps.get(offset / STEP).copied().unwrap_or(FIRST);
        behind(step, &text[offset - offset % STEP..offset])
    }
}

const FIRST: (usize, usize) = (1, 1);

/// The places of the bytes 0, `STEP`, and so on.
fn steps(text: &[u8]) -> Vec<(usize, usize)> {
    let mut steps = Vec::with_capacity(text.len() / STEP + 1);
    steps.push(FIRST);
    let mut at = FIRST;
    steps.extend(text.chunks_exact(STEP).map(|chunk| {
        at = behind(at, chunk);
        at
    }));
    steps
}

/// The place behind a text that begins at one.
fn behind((line, column): (usize, usize), text: &[u8]) -> (usize, usize) {
    let characters = |text: &[u8]| text.iter().filter(|byte| (**byte & 0xC0) != 0x80).count();
    match memchr::memrchr(b'\n', text) {
        Some(last) => (line + memchr::memchr_iter(b'\n', text).count(), characters(&text[last + 1..]) + 1),
        None => (line, column + characters(text)),
    }
}

/// The same for one offset of a text of which nothing more will be asked.
pub(crate) fn position(text: &[u8], offset: usize) -> (usize, usize) {
    behind(FIRST, &text[..offset.min(text.len())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_and_columns_count_from_one_and_columns_count_characters() {
        let text = "a\näö\n\nb".as_bytes();
        let places: Vec<_> = [0, 1, 2, 4, 6, 7, 8, 9, 90].map(|offset| position(text, offset)).into();
        assert_eq!(places, [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 1), (4, 1), (4, 2), (4, 2)]);
    }

    proptest! {
        #[test]
        fn a_place_is_the_same_however_many_were_asked_for(
            lines in prop::collection::vec("[aä]{0,1500}", 1..12), offsets in prop::collection::vec(0usize..30_000, 1..20),
        ) {
            let text = lines.join("\n");
            let positions = Positions::default();
            for offset in offsets {
                prop_assert_eq!(positions.of(text.as_bytes(), offset), position(text.as_bytes(), offset));
            }
        }
    }
}
