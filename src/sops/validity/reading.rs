//! A text read as the format that SOPS would take for its name.

use crate::document::{Document, Format, KeyId, SyntaxError};
use crate::sops::Rule;

/// Files that git, SOPS and this tool read themselves; encrypted they would be of no use.
const NEVER_GOVERNED: &[&str] = &[".sops.yaml", ".lockage.yaml", ".gitignore", ".gitattributes", ".gitmodules"];

/// Whether a rule that matches a path is meant for it.
///
/// A rule without `path_regex` matches every path; it is taken at its word for the formats that SOPS takes apart, and
/// not for the rest: nobody means the licence and the sources to be encrypted whole.
pub(crate) fn is_governed(rule: &Rule, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    !NEVER_GOVERNED.contains(&name) && (rule.path_regex.is_some() || Format::of_path(path) != Format::Binary)
}

/// Reads `text` as the format of its path. A file of no known format may have been encrypted as another one.
///
/// # Errors
/// [`SyntaxError`] of the format of its name.
pub(crate) fn read_as_named(path: &str, text: Vec<u8>) -> Result<Document, SyntaxError> {
    let format = Format::of_path(path);
    if format == Format::Binary
        && let Some(document) = disguised(&text)
    {
        return Ok(document);
    }
    Document::parse(format, text)
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
    document.outline().keys.len() == 1 && document.outline().leaves.len() == 1 && document.key(KeyId(0)) == "data"
}
