//! A `sops` block that cannot protect what is above it: without recipients, without its authentication code, or with
//! something in it that does not belong there.

use super::Check;
use crate::guard::error::GuardError;
use crate::guard::finding::Findings;
use crate::guard::subject::Subject;
use crate::sops::block;

/// Looks at the `sops` block of files under a rule.
pub(super) struct MetadataBlock;

impl Check for MetadataBlock {
    fn id(&self) -> &'static str {
        "metadata"
    }

    fn about(&self) -> &'static str {
        "a `sops` block without recipients or authentication code, incomplete, or with a field that is none of its own"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        if subject.governing.is_empty() {
            return Ok(());
        }
        let Some(document) = subject.document()? else { return Ok(()) };
        found.take(block(document));
        Ok(())
    }
}
