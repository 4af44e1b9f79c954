//! An error that knows its offset but not yet its line.

use crate::document::syntax::{self, Format, SyntaxError, SyntaxErrorKind};

/// What is wrong, and at which byte.
#[derive(Debug)]
pub(super) struct Fault {
    at: usize,
    kind: SyntaxErrorKind,
}

impl Fault {
    pub(super) const fn new(at: usize, kind: SyntaxErrorKind) -> Self {
        Self { at, kind }
    }

    pub(super) const fn expected(at: usize, what: &'static str) -> Self {
        Self::new(at, SyntaxErrorKind::Expected(what))
    }

    pub(super) const fn not_allowed(at: usize, what: &'static str) -> Self {
        Self::new(at, SyntaxErrorKind::NotAllowed(what))
    }

    pub(super) const fn too_deep(at: usize, limit: usize) -> Self {
        Self::new(at, SyntaxErrorKind::TooDeep { limit })
    }

    /// Whether SOPS would have read the text to its end before it gave up.
    pub(super) const fn is_unwalkable(&self) -> bool {
        matches!(self.kind, SyntaxErrorKind::Unwalkable(_))
    }

    /// The error for the user, with line and column.
    pub(super) fn locate(self, text: &[u8]) -> SyntaxError {
        syntax::error(Format::Yaml, text, self.at, self.kind)
    }
}
