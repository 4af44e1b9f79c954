//! Duplicate keys.

use crate::document::outline::{KeyId, Outline};

/// Mappings with at most this many keys are compared key by key.
const FEW: usize = 12;

/// The keys of the open mappings, innermost last; with whether the key is an alias, which go-yaml tells apart.
#[derive(Default)]
pub(super) struct Keys(Vec<(KeyId, bool)>);

impl Keys {
    /// Begins a mapping; its keys begin at the returned position.
    pub(super) fn begin(&self) -> usize {
        self.0.len()
    }

    /// Adds a key to the innermost mapping.
    pub(super) fn add(&mut self, id: KeyId, alias: bool) {
        self.0.push((id, alias));
    }

    /// Ends the mapping whose keys begin at `begin`: a key that stands twice in it, and the one before.
    pub(super) fn end(&mut self, begin: usize, outline: &Outline) -> Option<(KeyId, KeyId)> {
        let mine = &self.0[begin..];
        let name = |(id, alias): (KeyId, bool)| (outline.key(id), alias);
        let twice = if mine.len() <= FEW {
            mine.iter().enumerate().find_map(|(position, later)| {
                let first = mine[..position].iter().find(|first| name(**first) == name(*later))?;
                Some((later.0, first.0))
            })
        } else {
            // Hashes are compared first, so that names seldom are; whoever makes them collide gains a sort by names.
            let mut sorted: Vec<(u64, u32)> = mine.iter().zip(0..).map(|(key, at)| (hash(name(*key).0), at)).collect();
            let key = |at: u32| mine[at as usize];
            sorted.sort_unstable_by(|(one, first), (other, second)| {
                one.cmp(other).then_with(|| (name(key(*first)), first).cmp(&(name(key(*second)), second)))
            });
            let equal = sorted.windows(2).filter(|pair| pair[0].0 == pair[1].0);
            let equal =
                equal.map(|pair| (pair[1].1, pair[0].1)).filter(|(one, other)| name(key(*one)) == name(key(*other)));
            equal.min().map(|(later, first)| (key(later).0, key(first).0))
        };
        self.0.truncate(begin);
        twice
    }
}

/// Quick, and nothing more.
pub(super) fn hash(name: &str) -> u64 {
    let (words, rest) = name.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mix = |hash: u64, word: [u8; 8]| {
        (hash.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    };
    mix(words.iter().fold(name.len() as u64, |hash, word| mix(hash, *word)), last)
}

#[cfg(test)]
mod tests {
    use crate::document::{Document, Format, SyntaxErrorKind};

    #[test]
    fn in_a_large_mapping_the_earliest_repetition_is_named() {
        let mut names: Vec<String> = (0..40).map(|index| format!("key-{index}")).collect();
        names.extend(["key-30".into(), "key-7".into(), "key-30".into()]);
        let text: String = names.iter().map(|name| format!("{name}: 1\n")).collect();
        let error = Document::parse(Format::Yaml, text.into_bytes()).unwrap_err();
        assert_eq!((error.line, error.kind), (41, SyntaxErrorKind::DuplicateKey { first_line: 31 }));
    }
}
