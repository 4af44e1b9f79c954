//! A file under a rule that cannot be read: what is in it cannot be judged, so it is not let through.

use super::Check;
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::reading::Reading;
use crate::guard::subject::Subject;

/// Looks at files under a rule.
pub(super) struct Unreadable;

impl Check for Unreadable {
    fn id(&self) -> &'static str {
        "unreadable"
    }

    fn about(&self) -> &'static str {
        "a file under a creation rule that is no document of its format, so that it cannot be judged"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        let Some(governing) = subject.governing.first() else { return Ok(()) };
        let empty = subject.text()?.is_none_or(|text| text.iter().all(u8::is_ascii_whitespace));
        if let Some(Reading::Unreadable(error)) = subject.reading()?
            && !empty
        {
            found.add(
                At { line: error.line, column: error.column },
                format!(
                    "under the rule at {}, but not readable as {}: {}",
                    governing.shown(),
                    error.format.word(),
                    error.kind
                ),
                "mend the syntax, or encrypt the file; what cannot be read cannot be judged",
            );
        }
        Ok(())
    }
}
