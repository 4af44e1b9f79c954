//! A file whose own selector leaves more in clear than its rule: the next value set in it would stay in clear.

use super::Check;
use crate::document::Format;
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::subject::Subject;
use crate::sops::{Metadata, Selector, as_strict};

/// Looks at the selector of encrypted files.
pub(super) struct WeakSelector;

impl Check for WeakSelector {
    fn id(&self) -> &'static str {
        "weak-selector"
    }

    fn about(&self) -> &'static str {
        "a file whose own selector may leave in clear what its creation rule wants encrypted"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        let (Some(governing), Some(document)) = (subject.governing.first(), subject.encrypted()?) else {
            return Ok(());
        };
        let Some(block) = document.metadata().filter(|_| Format::of_path(&subject.path().text()) != Format::Binary)
        else {
            return Ok(());
        };
        let Ok(metadata) = Metadata::from_tree(&block.tree) else { return Ok(()) };
        let top = At::of(document, block.range.start);
        let mend = "encrypt the file again, so that it takes the rule's selector";
        if !as_strict(&metadata.selector, &governing.rule.selector) {
            // The file's own selector is text that anybody wrote there; only the rule's is printed.
            let message = format!(
                "the file's own selector is not that of the rule at {}, {}",
                governing.shown(),
                named(&governing.rule.selector)
            );
            found.add(top, message, mend);
        }
        if metadata.mac_only_encrypted && !governing.rule.mac_only_encrypted {
            let message = format!(
                "`mac_only_encrypted` leaves clear values unprotected; the rule at {} does not say so",
                governing.shown()
            );
            found.add(top, message, mend);
        }
        Ok(())
    }
}

fn named(selector: &Selector) -> String {
    selector.field().map_or_else(|| "none".to_owned(), |(field, value)| format!("`{field}: {value}`"))
}
