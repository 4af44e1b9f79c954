//! The paths of `--extract`, `set` and `unset`.
//!
//! *Source*: the SOPS format, section 9.8.

use super::exit::Exit;
use crate::document::{KeyPath, PathPart};

/// Exit code and first words over a path that is none.
pub(super) type Complaint = (u8, &'static str);

pub(super) const EXTRACT: Complaint = (91, "error parsing --extract path: ");
pub(super) const SET: Complaint = (7, "Invalid set index format");
pub(super) const UNSET: Complaint = (7, "Invalid unset index format");

/// Reads a path: pieces between brackets, keys between quotes that need not match, no escapes.
pub(super) fn path(text: &str, (code, words): Complaint) -> Result<KeyPath, Exit> {
    let failed = |reason: String| {
        let reason = if words.ends_with(' ') { reason } else { String::new() };
        Exit::new(code, format!("{words}{reason}"))
    };
    let mut parts = Vec::new();
    for piece in text.split('[').filter(|piece| !piece.is_empty()) {
        let inner = piece.strip_suffix(']').ok_or_else(|| failed(format!("component {piece} doesn't end with ]")))?;
        if inner.starts_with(['"', '\'']) {
            let mut chars = inner.chars();
            chars.next();
            chars.next_back();
            parts.push(PathPart::Key(chars.as_str().to_owned()));
            continue;
        }
        let index = inner.parse().map_err(|_| failed(format!("`{inner}` is neither a quoted key nor a position")))?;
        parts.push(PathPart::Index(index));
    }
    Ok(KeyPath::new(parts))
}
