//! Duplicate keys.

use std::collections::HashMap;

use crate::document::outline::{Key, KeyId};

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
    pub(super) fn end(&mut self, begin: usize, keys: &[Key]) -> Option<(KeyId, KeyId)> {
        let mine = &self.0[begin..];
        let name = |(id, alias): (KeyId, bool)| (&*keys[id.0 as usize].name, alias);
        let mut twice = None;
        if mine.len() <= FEW {
            twice = mine.iter().enumerate().find_map(|(position, later)| {
                let first = mine[..position].iter().find(|first| name(**first) == name(*later))?;
                Some((later.0, first.0))
            });
        } else {
            let mut seen = HashMap::with_capacity(mine.len());
            for key in mine {
                if let Some(first) = seen.insert(name(*key), key.0) {
                    twice = Some((key.0, first));
                    break;
                }
            }
        }
        self.0.truncate(begin);
        twice
    }
}
