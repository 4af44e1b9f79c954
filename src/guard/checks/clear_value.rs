//! A value in clear that a rule wants encrypted.

use super::Check;
use crate::document::{Document, LeafId, Visit};
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::reading::{Worth, worth};
use crate::guard::subject::Subject;
use crate::guard::words::shown;

/// Looks at every leaf of files under a rule.
pub(super) struct ClearValue;

impl Check for ClearValue {
    fn id(&self) -> &'static str {
        "clear-value"
    }

    fn about(&self) -> &'static str {
        "a value in clear that a creation rule wants encrypted"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        let (Some(governing), Some(document)) = (subject.governing.first(), subject.document()?) else {
            return Ok(());
        };
        let clear = clear(subject, document);
        let Some((first, name)) = clear.first() else { return Ok(()) };
        let mend = format!("run `lockage encrypt -i {}` and stage it again", subject.path());
        if document.metadata().is_none() {
            let values = if clear.len() == 1 { "1 value".to_owned() } else { format!("{} values", clear.len()) };
            let message =
                format!("not encrypted, but under the rule at {}: {values} in clear, first {name}", governing.shown());
            found.add(at(document, *first), message, mend);
            return Ok(());
        }
        for (id, name) in &clear {
            let message = format!("{name} is in clear; the rule at {} wants it encrypted", governing.shown());
            let mend = "set it with `lockage set` or `lockage edit`, which encrypt it; what was pushed in clear needs a new value";
            found.add(at(document, *id), message, mend);
        }
        Ok(())
    }
}

fn at(document: &Document, id: LeafId) -> At {
    let (line, column) = document.position(document.outline().leaf(id).range.start);
    At { line, column }
}

/// The leaves in clear that must not be, each with its name.
fn clear(subject: &Subject<'_>, document: &Document) -> Vec<(LeafId, String)> {
    let demand = subject.demand(document);
    let mut clear = Vec::new();
    let never: Result<(), std::convert::Infallible> = document.walk(|visit| {
        if let Visit::Leaf { id, path } = visit
            && demand.leaf(id)
            && worth(document, id) == Worth::Clear
        {
            clear.push((id, shown(&path.to_key_path())));
        }
        Ok(())
    });
    let Ok(()) = never;
    clear
}
