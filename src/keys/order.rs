//! In which order the keys of a group are tried.

use super::KeyKind;

/// The kinds to be tried first, in order; the others follow in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecryptionOrder(Vec<KeyKind>);

impl Default for DecryptionOrder {
    /// *Source*: the SOPS format, section 4.
    fn default() -> Self {
        Self(vec![KeyKind::Age, KeyKind::Pgp])
    }
}

impl DecryptionOrder {
    /// The order of the file.
    #[must_use]
    pub const fn of_file() -> Self {
        Self(Vec::new())
    }

    /// Reads a comma-separated list of kinds. A word that names no kind is without effect, as in SOPS.
    ///
    /// # Errors
    /// The word that stands there twice.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut words: Vec<&str> = Vec::new();
        for word in text.split(',') {
            if words.contains(&word) {
                return Err(word.to_owned());
            }
            words.push(word);
        }
        Ok(Self(words.into_iter().filter_map(KeyKind::of_word).collect()))
    }

    /// Where a kind stands; the unlisted ones together at the end.
    #[must_use]
    pub fn position(&self, kind: KeyKind) -> usize {
        self.0.iter().position(|listed| *listed == kind).unwrap_or(self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_ordered_and_a_second_one_is_refused() {
        let order = DecryptionOrder::parse("kms,what,age").unwrap();
        let positions = [KeyKind::AwsKms, KeyKind::Age, KeyKind::Pgp].map(|kind| order.position(kind));
        assert_eq!(positions, [0, 1, 2]);
        assert_eq!(DecryptionOrder::parse("age,kms,age"), Err("age".into()));
        assert_eq!(DecryptionOrder::of_file().position(KeyKind::Age), 0);
        assert!(
            DecryptionOrder::default().position(KeyKind::Pgp) < DecryptionOrder::default().position(KeyKind::GcpKms)
        );
    }
}
