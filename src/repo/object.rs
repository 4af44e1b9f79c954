//! Names of objects: the hash that git calls them by, of either length.

use std::fmt;

/// Names one object: a commit, a tree, or the content of one version of one file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId {
    bytes: [u8; LONGEST],
    length: u8,
}

/// SHA-1 has 20 bytes, SHA-256 32.
const LONGEST: usize = 32;

impl ObjectId {
    /// From its bytes, if there are as many as one of git's hashes has.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let length = u8::try_from(bytes.len()).ok().filter(|length| matches!(length, 20 | 32))?;
        let mut all = [0; LONGEST];
        all[..bytes.len()].copy_from_slice(bytes);
        Some(Self { bytes: all, length })
    }

    /// From hexadecimal digits, all of them.
    #[must_use]
    pub fn parse(digits: &str) -> Option<Self> {
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let pair = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
        let digits = digits.as_bytes();
        if !digits.len().is_multiple_of(2) {
            return None;
        }
        Self::new(&digits.chunks_exact(2).map(pair).collect::<Option<Vec<_>>>()?)
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Whether it is the name that stands for "nothing".
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.bytes().iter().all(|byte| *byte == 0)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lengths_and_no_other() {
        for text in ["e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".to_owned(), "0f".repeat(32)] {
            assert_eq!(ObjectId::parse(&text).unwrap().to_string(), text);
        }
        for text in ["", "e69de29", "e69de29bb2d1d6434b8b29ae775ad8c2e48c539", &"zz".repeat(20), &"ab".repeat(21)] {
            assert!(ObjectId::parse(text).is_none(), "{text}");
        }
        assert!(ObjectId::parse(&"0".repeat(40)).unwrap().is_zero());
    }
}
