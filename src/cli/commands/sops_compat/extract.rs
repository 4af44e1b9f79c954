//! The paths of `--extract`.
//!
//! *Source*: the SOPS format, section 9.8.

use super::exit::Exit;
use crate::document::{Document, Format, KeyPath, Kind, PathPart, Visit};

/// Reads a path: pieces between brackets, keys between quotes that need not match, no escapes.
pub(super) fn path(text: &str) -> Result<KeyPath, Exit> {
    let failed = |reason: String| Exit::new(91, format!("error parsing --extract path: {reason}"));
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

/// Why there is no value at a path.
pub(super) fn explain(document: &Document, path: &KeyPath) -> Exit {
    let truncated = |reason: String| Exit::new(1, format!("error truncating tree: {reason}"));
    // Every container on the way, and whether the path itself is one.
    let (mut reached, mut container) = (0, false);
    let never: Result<(), std::convert::Infallible> = document.walk(|visit| {
        if let Visit::Enter { path: here, .. } = visit {
            let here = here.to_key_path();
            if path.parts().starts_with(here.parts()) {
                reached = reached.max(here.parts().len());
                container |= here.parts().len() == path.parts().len();
            }
        }
        Ok(())
    });
    let Ok(()) = never;
    if container {
        return Exit::new(1, "extracting a mapping or a list is not supported by lockage yet; extract its values");
    }
    match path.parts().get(reached) {
        Some(PathPart::Key(key)) => truncated(format!("component ['{key}'] not found")),
        Some(PathPart::Index(index)) => truncated(format!("component [{index}] accesses out of bounds")),
        None => truncated("nothing found".to_owned()),
    }
}

/// A value as SOPS prints it alone: a text raw, anything else as the format writes it.
pub(super) fn shown(format: Format, kind: Kind, canonical: &[u8]) -> Vec<u8> {
    let mut bytes = match kind {
        Kind::Null => b"null".to_vec(),
        Kind::Bool => canonical.to_ascii_lowercase(),
        Kind::Time if format == Format::Json => [b"\"", canonical, b"\""].concat(),
        _ => canonical.to_vec(),
    };
    if kind != Kind::Str && format == Format::Yaml {
        bytes.push(b'\n');
    }
    bytes
}
