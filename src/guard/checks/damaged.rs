//! A file that does not open with its key: the one thing that structure alone cannot tell.

use super::Check;
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::subject::Subject;
use crate::sops::SopsError;

/// Opens encrypted files, where the user gives the guard keys.
pub(super) struct Damaged;

impl Check for Damaged {
    fn id(&self) -> &'static str {
        "damaged"
    }

    fn about(&self) -> &'static str {
        "with `--with-key`: a file that does not open, or whose authentication code does not match"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        let (Some(document), Some(opened)) = (subject.encrypted()?, subject.opened()?) else { return Ok(()) };
        let top = At::of(document, document.metadata().map_or(0, |block| block.range.start));
        let mend =
            "restore the file from a version that opens, and make the change with `lockage set` or `lockage edit`";
        match opened {
            Ok(_) => {}
            Err(SopsError::NotOpened(_)) => found.note("no key at hand opens it, so its `mac` was not checked"),
            Err(SopsError::Value { line, .. } | SopsError::NotText { line, .. } | SopsError::Content { line, .. }) => {
                found.add(At { line: *line, column: 1 }, "this value does not open with the file's key", mend);
            }
            Err(_) => {
                found.add(top, "the file opens, but its `mac` does not match: it is not what its author wrote", mend)
            }
        }
        Ok(())
    }
}
