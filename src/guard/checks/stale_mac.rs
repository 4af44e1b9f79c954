//! A file that was changed by hand: its values differ from an earlier version, its authentication code does not.

use super::Check;
use crate::document::{Document, LeafId};
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::kinship::field;
use crate::guard::reading::{Worth, worth};
use crate::guard::subject::Subject;

/// Compares encrypted files with HEAD's version and with those that a merge brings in.
pub(super) struct StaleMac;

impl Check for StaleMac {
    fn id(&self) -> &'static str {
        "stale-mac"
    }

    fn about(&self) -> &'static str {
        "values changed without the authentication code (`mac`): edited by hand, or merged badly"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        let Some(document) = subject.encrypted()? else { return Ok(()) };
        let Some((mac, offset)) = field(document, "mac") else { return Ok(()) };
        let earlier = subject.earlier()?;
        if earlier.is_empty() && subject.world.keys.is_none() {
            found.note(
                "there is no earlier version to compare with; whether `mac` is right, and whether the name of a key holds \
                 a value, takes a key (`--with-key`)",
            );
        }
        let only_encrypted =
            field(document, "mac_only_encrypted").is_some_and(|(text, _)| text.eq_ignore_ascii_case("true"));
        for old in earlier.iter().filter(|old| field(old, "mac").is_some_and(|(text, _)| text == mac)) {
            let time = |document| field(document, "lastmodified").map(|(text, _)| text.to_owned());
            let changed = if covered(document, only_encrypted) != covered(old, only_encrypted) {
                "its values"
            } else if time(document) != time(old) {
                "`lastmodified`"
            } else {
                continue;
            };
            found.add(
                At::of(document, offset),
                format!("{changed} changed, but `mac` did not: the file was changed by hand and will not open"),
                "make the change with `lockage set` or `lockage edit`; after a merge, `lockage edit` writes the code anew",
            );
            break;
        }
        Ok(())
    }
}

/// What the code covers, in its order: the values, not their keys. Encrypted list comments look like values and are none.
fn covered(document: &Document, only_encrypted: bool) -> Vec<Vec<u8>> {
    let leaves = (0..).map(LeafId).take(document.outline().leaves.len());
    let wanted = |id: &LeafId| match worth(document, *id) {
        Worth::Empty => false,
        Worth::Token => true,
        Worth::Clear => !only_encrypted,
    };
    let value = |id: LeafId| match document.scalar(id) {
        Ok(scalar) => scalar.canonical.into_owned(),
        Err(_) => document.text()[document.outline().leaf(id).range.clone()].to_vec(),
    };
    leaves.filter(wanted).map(value).filter(|value| !value.ends_with(b",type:comment]")).collect()
}
