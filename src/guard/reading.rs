//! A text read as the format that SOPS would take for its name.

use crate::document::{Document, SyntaxError};
use crate::repo::RepoPath;
use crate::sops::read_as_named;

pub(super) use crate::sops::{Worth, worth};

/// What a text turned out to be.
pub(super) enum Reading {
    /// A document of the format of its name, or another one with a `sops` block.
    Document(Document),
    /// It should be one and is none.
    Unreadable(SyntaxError),
}

impl Reading {
    /// Reads `text` as the format of its path. A file of no known format may have been encrypted as another one.
    pub(super) fn of(path: &RepoPath, text: Vec<u8>) -> Self {
        match read_as_named(&path.text(), text) {
            Ok(document) => Self::Document(document),
            Err(error) => Self::Unreadable(error),
        }
    }

    pub(super) fn document(&self) -> Option<&Document> {
        if let Self::Document(document) = self { Some(document) } else { None }
    }

    pub(super) fn into_document(self) -> Option<Document> {
        if let Self::Document(document) = self { Some(document) } else { None }
    }
}
