//! Recipients of a file that are not those of its rule.

use super::Check;
use crate::document::Document;
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::subject::Subject;
use crate::sops::{Metadata, key_differences};

/// Looks at who can open files under a rule.
pub(super) struct Recipients;

impl Check for Recipients {
    fn id(&self) -> &'static str {
        "recipients"
    }

    fn about(&self) -> &'static str {
        "recipients of a file that are missing, or more, or others than those of its creation rule"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        // The rule as it will be: whoever changes the recipients changes rule and files in one commit.
        let (Some(governing), Some(document)) = (subject.governing.first(), subject.encrypted()?) else {
            return Ok(());
        };
        let Some((metadata, top)) = metadata(document) else { return Ok(()) };
        let mend = format!("run `lockage encrypt` again, or `sops updatekeys {}`", subject.path());
        for difference in key_differences(&metadata, governing.rule) {
            found.add(top, format!("{difference}; the rule is at {}", governing.shown()), mend.clone());
        }
        Ok(())
    }
}

fn metadata(document: &Document) -> Option<(Metadata, At)> {
    let block = document.metadata()?;
    let metadata = Metadata::from_tree(&block.tree).ok()?;
    Some((metadata, At::of(document, block.range.start)))
}
