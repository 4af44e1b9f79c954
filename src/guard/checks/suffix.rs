//! A secret left in clear by its name: `password_unencrypted`.

use super::Check;
use crate::document::Visit;
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::placeholder::is_harmless;
use crate::guard::reading::{Worth, worth};
use crate::guard::subject::Subject;
use crate::guard::words::{names_secret, shown};
use crate::sops::Selector;

/// Looks at the leaves that a suffix leaves in clear.
pub(super) struct Suffix;

impl Check for Suffix {
    fn id(&self) -> &'static str {
        "clear-suffix"
    }

    fn about(&self) -> &'static str {
        "a value left in clear by the suffix of a name that says password, token, secret or key"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        let suffixes: Vec<&str> =
            subject.governing.iter().filter_map(|governing| suffix(&governing.rule.selector)).collect();
        let Some(document) = subject.document()?.filter(|_| !suffixes.is_empty()) else { return Ok(()) };
        let demand = subject.demand(document);
        let never: Result<(), std::convert::Infallible> = document.walk(|visit| {
            let Visit::Leaf { id, path } = visit else { return Ok(()) };
            if demand.leaf(id) || worth(document, id) != Worth::Clear || !says_secret(path.keys(), &suffixes) {
                return Ok(());
            }
            let value = document.scalar(id).map(|scalar| scalar.canonical.into_owned()).unwrap_or_default();
            if !is_harmless(&value) {
                found.add_value(
                    At::of(document, document.outline().leaf(id).range.start),
                    format!("{} is left in clear by its suffix, and its name says that it is secret", shown(&path.to_key_path())),
                    "take the suffix off and encrypt it; if everybody may have it, allow the SHA-256 of the value in `.lockage.yaml`",
                    &value,
                );
            }
            Ok(())
        });
        let Ok(()) = never;
        Ok(())
    }
}

fn suffix(selector: &Selector) -> Option<&str> {
    match selector {
        Selector::UnencryptedSuffix(suffix) if !suffix.is_empty() => Some(suffix),
        _ => None,
    }
}

/// Whether the key with the suffix, or one below it, speaks of a secret.
fn says_secret<'k>(keys: impl Iterator<Item = &'k str>, suffixes: &[&str]) -> bool {
    let mut below = false;
    for key in keys {
        let stem = suffixes.iter().find_map(|suffix| key.strip_suffix(suffix));
        below |= stem.is_some();
        if below && names_secret(stem.unwrap_or(key)) {
            return true;
        }
    }
    false
}
