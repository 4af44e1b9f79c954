//! A stream of documents as one mapping.

use std::collections::HashMap;

use super::EmitError;
use crate::document::owned::{OwnedTree, Part};

impl OwnedTree {
    /// The entries of every document in one mapping; of several under one key the last one counts.
    ///
    /// # Errors
    /// [`EmitError::NoValue`] where a document is no mapping.
    pub fn merged(&self) -> Result<Self, EmitError> {
        let mut entries = Vec::new();
        for root in self.roots() {
            if self.parts().get(root) != Some(&Part::Open { list: false }) {
                return Err(EmitError::NoValue("a list has no names for its values"));
            }
            let end = self.behind(root) - 1;
            let mut at = root + 1;
            while at < end {
                let Part::Key(span) = self.parts()[at] else {
                    at += 1;
                    continue;
                };
                let comment = |part: &Part| matches!(part, Part::Comment { .. });
                let value =
                    self.parts()[at + 1..end].iter().position(|part| !comment(part)).map_or(end, |n| at + 1 + n);
                let next = self.behind(value);
                entries.push((self.text(span), at, next));
                at = next;
            }
        }
        let mut merged = Self::default();
        merged.open(false);
        let last: HashMap<&[u8], usize> = entries.iter().map(|(key, from, _)| (*key, *from)).collect();
        for (key, from, to) in entries {
            if last.get(key) == Some(&from) {
                merged.append(self, from, to);
            }
        }
        merged.close();
        Ok(merged)
    }
}
