//! A value in clear that a rule wants encrypted.

use std::collections::HashMap;

use super::Check;
use crate::document::{Document, LeafId, Visit};
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
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
        let clear = subject.clear(document);
        let Some(first) = clear.first() else { return Ok(()) };
        let names = names(document);
        let name = |id: &LeafId| names.get(id).map_or("a value", String::as_str);
        if document.metadata().is_none() {
            let values = if clear.len() == 1 { "1 value".to_owned() } else { format!("{} values", clear.len()) };
            found.add(
                at(document, *first),
                format!(
                    "not encrypted, but under the rule at {}: {values} in clear, first {}",
                    governing.shown(),
                    name(first)
                ),
                format!("run `lockage encrypt -i {}` and stage it again", subject.path()),
            );
            return Ok(());
        }
        for id in &clear {
            found.add(
                at(document, *id),
                format!("{} is in clear; the rule at {} wants it encrypted", name(id), governing.shown()),
                "set it with `lockage set` or `lockage edit`, which encrypt it; what was pushed in clear needs a new value",
            );
        }
        Ok(())
    }
}

fn at(document: &Document, id: LeafId) -> At {
    At::of(document, document.outline().leaf(id).range.start)
}

/// What a message calls each leaf.
fn names(document: &Document) -> HashMap<LeafId, String> {
    let mut names = HashMap::new();
    let never: Result<(), std::convert::Infallible> = document.walk(|visit| {
        if let Visit::Leaf { id, path } = visit {
            names.insert(id, shown(&path.to_key_path()));
        }
        Ok(())
    });
    let Ok(()) = never;
    names
}
