//! Texts with variables: `pforge-pr-${pull-request}`.

/// One part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// As it stands.
    Text(&'a str),
    /// The name between `${` and `}`.
    Variable(&'a str),
}

/// The parts of a text, in order; `None` when a `${` is not closed.
pub(crate) fn parts(text: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        if start > 0 {
            parts.push(Part::Text(&rest[..start]));
        }
        let inner = &rest[start + 2..];
        let end = inner.find('}')?;
        parts.push(Part::Variable(&inner[..end]));
        rest = &inner[end + 1..];
    }
    if !rest.is_empty() || parts.is_empty() {
        parts.push(Part::Text(rest));
    }
    Some(parts)
}
