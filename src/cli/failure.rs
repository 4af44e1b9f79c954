//! How a command fails: one message, its causes, what to do, and an exit code.

use crate::error::{Class, Failure, Outcome};

/// A failed command, ready to be printed.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) class: Class,
    pub(crate) message: String,
    pub(crate) causes: Vec<String>,
    pub(crate) hints: Vec<String>,
    pub(crate) outcome: Option<Outcome>,
}

impl Failed {
    /// A failure of this class with this message.
    pub(crate) fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), causes: Vec::new(), hints: Vec::new(), outcome: None }
    }

    /// The same with a hint more.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl<E: Failure> From<E> for Failed {
    fn from(error: E) -> Self {
        let mut causes = Vec::new();
        let mut source = error.source();
        while let Some(inner) = source {
            causes.push(inner.to_string());
            source = inner.source();
        }
        Self {
            class: error.class(),
            message: error.to_string(),
            causes,
            hints: error.hints(),
            outcome: error.outcome(),
        }
    }
}
