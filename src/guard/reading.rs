//! A text read as the format that SOPS would take for its name.

use crate::document::{Document, Format, SyntaxError};
use crate::repo::RepoPath;

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
        let format = Format::of_path(&path.text());
        if format == Format::Binary
            && let Some(document) = disguised(&text)
        {
            return Self::Document(document);
        }
        match Document::parse(format, text) {
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

/// A text of some name that is encrypted as YAML, JSON, dotenv or INI (`sops --input-type`).
fn disguised(text: &[u8]) -> Option<Document> {
    memchr::memmem::find(text, b"sops")?;
    [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini].into_iter().find_map(|format| {
        let document = Document::parse(format, text.to_vec()).ok()?;
        let whole = document.metadata().is_some() && !is_binary_frame(&document);
        whole.then_some(document)
    })
}

/// Whether this is the object that SOPS wraps a binary file in; then nothing but `data` belongs there.
fn is_binary_frame(document: &Document) -> bool {
    document.outline().keys.len() == 1
        && document.outline().leaves.len() == 1
        && document.key(crate::document::KeyId(0)) == "data"
}
