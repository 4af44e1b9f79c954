//! A token that stands where it was not made: moved to another key, or copied from another file. It will not open,
//! or it opens as something else.

use std::collections::{HashMap, HashSet};

use super::Check;
use crate::document::Document;
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::kinship::{Token, share_a_key, tokens};
use crate::guard::subject::Subject;

/// Compares the tokens of encrypted files with earlier versions and with the other files of the index.
pub(super) struct MovedValue;

impl Check for MovedValue {
    fn id(&self) -> &'static str {
        "moved-value"
    }

    fn about(&self) -> &'static str {
        "an encrypted value moved to another key, or copied from another file with another data key"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        let Some(document) = subject.encrypted()? else { return Ok(()) };
        let here = tokens(document);
        let earlier = subject.earlier()?;
        let made = places(earlier.iter().flat_map(tokens));
        let mut fresh = Vec::new();
        let mut twice: HashMap<&[u8], &str> = HashMap::new();
        for token in &here {
            let first = *twice.entry(&token.text).or_insert(&token.place);
            let elsewhere = match made.get(&token.text) {
                Some(places) => !places.contains(&token.place),
                None => first != token.place,
            };
            if elsewhere {
                found.add(
                    At::of(document, token.offset),
                    "this encrypted value was made for another key and will not open here",
                    "set the value here with `lockage set`; a token cannot be moved",
                );
            } else if !made.contains_key(&token.text) {
                fresh.push(token);
            }
        }
        copied(subject, document, here.len(), &fresh, earlier, found)
    }
}

fn places(tokens: impl Iterator<Item = Token>) -> HashMap<Vec<u8>, HashSet<String>> {
    let mut places: HashMap<Vec<u8>, HashSet<String>> = HashMap::new();
    for token in tokens {
        places.entry(token.text).or_default().insert(token.place);
    }
    places
}

/// A file that has most of its values in common with another one, or its wrapped key, is a copy of it as a whole and
/// opens; a few values of a file with another data key do not.
fn copied(
    subject: &Subject<'_>,
    document: &Document,
    all: usize,
    fresh: &[&Token],
    earlier: &[Document],
    found: &mut Findings,
) -> Result<(), GuardError> {
    if fresh.is_empty() {
        return Ok(());
    }
    for relative in subject.world.relatives()? {
        if relative.path == *subject.path() || share_a_key(document, &relative.document) {
            continue;
        }
        let theirs: HashSet<Vec<u8>> = tokens(&relative.document).into_iter().map(|token| token.text).collect();
        let pasted: Vec<_> = fresh.iter().filter(|token| theirs.contains(&token.text)).collect();
        let related = earlier.iter().any(|old| tokens(old).iter().any(|token| theirs.contains(&token.text)));
        if related || pasted.is_empty() || pasted.len() * 2 > all {
            continue;
        }
        for token in pasted {
            found.add(
                At::of(document, token.offset),
                format!(
                    "this encrypted value was copied from `{}`, which has another data key; it will not open here",
                    relative.path
                ),
                "set the value here with `lockage set`; a token belongs to its file",
            );
        }
    }
    Ok(())
}
