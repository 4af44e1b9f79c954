//! A value to be put into a file, with everything below it.

use crate::document::{Document, Graft, KeyPath, Kind, PathPart, Replacement, Visit, canonical};
use crate::secret::SecretString;

use super::SopsError;

/// A leaf, or a mapping or list of them.
#[derive(Clone, Debug)]
pub enum NewValue {
    /// One leaf: of a text the text, of anything else a spelling of it.
    Leaf {
        /// What it is.
        kind: Kind,
        /// Its spelling.
        text: SecretString,
    },
    /// A list.
    List(Vec<Self>),
    /// A mapping, in order.
    Map(Vec<(String, Self)>),
}

impl NewValue {
    /// A leaf.
    #[must_use]
    pub fn leaf(kind: Kind, text: impl Into<String>) -> Self {
        Self::Leaf { kind, text: SecretString::new(text.into()) }
    }

    /// What stands at `path` of the first document; `None` if there is nothing. Of a key that stands twice the last.
    ///
    /// # Errors
    /// [`SopsError::NotUtf8`]; [`SopsError::Syntax`] for a scalar without a value.
    pub fn at(document: &Document, path: &KeyPath) -> Result<Option<Self>, SopsError> {
        let (mut found, mut roots) = (None, 0);
        // The open collections at and below the path.
        let mut open: Vec<(Self, Option<String>)> = Vec::new();
        let mut depth = 0;
        let place =
            |value: Self, name: Option<String>, open: &mut Vec<(Self, Option<String>)>, found: &mut Option<Self>| {
                match open.last_mut() {
                    Some((Self::Map(entries), _)) => entries.push((name.unwrap_or_default(), value)),
                    Some((Self::List(items), _)) => items.push(value),
                    _ => *found = Some(value),
                }
            };
        document.walk(|visit| {
            match visit {
                Visit::Enter { path: here, list } => {
                    roots += usize::from(depth == 0);
                    depth += 1;
                    if roots == 1 && here.is_below(path) {
                        let name = here.last_key().map(|key| document.key(key).to_owned());
                        open.push((if list { Self::List(Vec::new()) } else { Self::Map(Vec::new()) }, name));
                    }
                }
                Visit::Leave => {
                    depth -= 1;
                    if let Some((value, name)) = open.pop() {
                        place(value, name, &mut open, &mut found);
                    }
                }
                Visit::Leaf { id, path: here } if roots == 1 && here.is_below(path) => {
                    let scalar = document.scalar(id)?;
                    let text = String::from_utf8(scalar.token.into_owned());
                    let text = text.map_err(|_| SopsError::NotUtf8 { path: here.to_key_path() })?;
                    let name = here.last_key().map(|key| document.key(key).to_owned());
                    place(Self::leaf(scalar.kind, text), name, &mut open, &mut found);
                }
                _ => {}
            }
            Ok::<(), SopsError>(())
        })?;
        Ok(found)
    }

    /// Whether both say the same: kinds, order of keys, and canonical spellings.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Leaf { kind, text }, Self::Leaf { kind: other_kind, text: other }) => {
                let bytes = (text.expose_secret().as_bytes(), other.expose_secret().as_bytes());
                kind == other_kind && canonical(*kind, bytes.0) == canonical(*kind, bytes.1)
            }
            (Self::List(items), Self::List(others)) => {
                items.len() == others.len() && items.iter().zip(others).all(|(one, other)| one.is_same(other))
            }
            (Self::Map(entries), Self::Map(others)) => {
                entries.len() == others.len()
                    && entries.iter().zip(others).all(|((key, one), (name, other))| key == name && one.is_same(other))
            }
            _ => false,
        }
    }

    /// What is to be put into a text, each leaf as `spell` has it.
    pub(super) fn graft<'v>(&'v self, spell: &mut impl FnMut(Kind, &'v SecretString) -> Replacement<'v>) -> Graft<'v> {
        match self {
            Self::Leaf { kind, text } => Graft::Leaf(spell(*kind, text)),
            Self::List(items) => Graft::List(items.iter().map(|item| item.graft(spell)).collect()),
            Self::Map(entries) => {
                Graft::Map(entries.iter().map(|(key, value)| (key.clone(), value.graft(spell))).collect())
            }
        }
    }

    /// Every leaf with its path from `root`, depth first.
    pub(super) fn leaves(&self, root: &KeyPath) -> Vec<(KeyPath, Kind, &SecretString)> {
        let mut found = Vec::new();
        self.collect(root.parts().to_vec(), &mut found);
        found
    }

    fn collect<'v>(&'v self, path: Vec<PathPart>, found: &mut Vec<(KeyPath, Kind, &'v SecretString)>) {
        let below = |part: PathPart| path.iter().cloned().chain([part]).collect();
        match self {
            Self::Leaf { kind, text } => found.push((KeyPath::new(path), *kind, text)),
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.collect(below(PathPart::Index(index)), found);
                }
            }
            Self::Map(entries) => {
                for (key, value) in entries {
                    value.collect(below(PathPart::Key(key.clone())), found);
                }
            }
        }
    }
}
