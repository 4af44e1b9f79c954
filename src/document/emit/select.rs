//! One value out of a tree, as `--extract` shows it.

use zeroize::Zeroizing;

use super::{EmitError, EmitOptions, emit, go_json, json};
use crate::document::buffer::Buffer;
use crate::document::key_path::{KeyPath, PathPart};
use crate::document::owned::{OwnedTree, Part};
use crate::document::scalar::Kind;
use crate::document::{Format, yaml};

/// What stands at a path.
#[derive(Debug)]
pub enum Selected<'t> {
    /// A mapping: a document of its own, with the other documents of the stream behind it.
    Mapping(OwnedTree),
    /// A text, which is shown as it is.
    Text(&'t [u8]),
    /// A list or another scalar.
    Value(OwnedTree),
}

/// Why there is nothing at a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// No such key.
    #[error("component [\'{key}\'] not found")]
    NotFound {
        /// The key.
        key: String,
    },
    /// No such position.
    #[error("component [{index}] accesses out of bounds")]
    OutOfBounds {
        /// The position.
        index: usize,
    },
    /// A position in something that is no list.
    #[error("component [{index}] is integer, but tree part is not a slice")]
    NoList {
        /// The position.
        index: usize,
    },
    /// A key of something that is no mapping; `sops` crashes over it.
    #[error("component [\'{key}\'] is a key, but tree part is not a map")]
    NoMapping {
        /// The key.
        key: String,
    },
}

impl OwnedTree {
    /// What stands at `path` in the first document. As in SOPS, a comment in a list counts as an item.
    ///
    /// # Errors
    /// [`SelectError`].
    pub fn select(&self, path: &KeyPath) -> Result<Selected<'_>, SelectError> {
        let root = self.roots().next().unwrap_or(0);
        let mut at = root;
        for part in path.parts() {
            at = self.step(at, part)?;
        }
        let end = self.behind(at);
        match self.parts().get(at) {
            Some(Part::Scalar { kind: Kind::Str, span }) => Ok(Selected::Text(self.text(*span))),
            Some(Part::Open { list: false }) => {
                let mut tree = Self::default();
                tree.append(self, at, end);
                tree.append(self, self.behind(root), self.parts().len());
                Ok(Selected::Mapping(tree))
            }
            _ => {
                let mut tree = Self::default();
                tree.append(self, at, end);
                Ok(Selected::Value(tree))
            }
        }
    }

    fn step(&self, at: usize, part: &PathPart) -> Result<usize, SelectError> {
        let open = self.parts().get(at);
        match part {
            PathPart::Key(key) if open != Some(&Part::Open { list: false }) => {
                return Err(SelectError::NoMapping { key: key.clone() });
            }
            PathPart::Index(index) if open != Some(&Part::Open { list: true }) => {
                return Err(SelectError::NoList { index: *index });
            }
            _ => {}
        }
        let (mut next, mut item, mut named) = (at + 1, 0, false);
        loop {
            match (self.parts().get(next), part) {
                (Some(Part::Close) | None, PathPart::Key(key)) => {
                    return Err(SelectError::NotFound { key: key.clone() });
                }
                (Some(Part::Close) | None, PathPart::Index(index)) => {
                    return Err(SelectError::OutOfBounds { index: *index });
                }
                (Some(Part::Key(span)), PathPart::Key(key)) => {
                    named = self.text(*span) == key.as_bytes();
                    next += 1;
                }
                (Some(Part::Comment { .. }), PathPart::Key(_)) => next += 1,
                (Some(_), PathPart::Key(_)) if named => return Ok(next),
                (Some(_), PathPart::Index(index)) if item == *index => return Ok(next),
                (Some(_), _) => {
                    next = self.behind(next);
                    item += 1;
                }
            }
        }
    }
}

impl Selected<'_> {
    /// It as the store of `format` shows it.
    ///
    /// # Errors
    /// [`EmitError`] where the format cannot show such a value.
    pub fn emit(&self, format: Format, options: EmitOptions) -> Result<Zeroizing<Vec<u8>>, EmitError> {
        let tree = match self {
            Self::Text(text) => return Ok(Zeroizing::new(text.to_vec())),
            Self::Mapping(tree) => return emit(format, tree, None, options),
            Self::Value(tree) => tree,
        };
        let mut out = Buffer::with_capacity(tree.size() * 2);
        match format {
            // Here SOPS has no settings.
            Format::Yaml => yaml::emit_value(tree, &mut out)?,
            Format::Json => json::value(tree, 0, options, &mut out)?,
            Format::Ini => go_json::value(tree, &mut out)?,
            Format::Dotenv => {
                return Err(EmitError::NoValue("the dotenv store only supports emitting strings"));
            }
            Format::Toml | Format::Dialect(_) => return Err(EmitError::NoValue(super::EXTENSION)),
            Format::Binary => {
                return Err(EmitError::NoValue(
                    "Binary files are not structured and extracting a single value is not possible",
                ));
            }
        }
        Ok(out.into_bytes())
    }
}
