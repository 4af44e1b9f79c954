//! Rules that are loosened: what they protected before and would not after. The rule comes first, answered by an
//! exception; the files that it frees come in a later commit, because HEAD's rules still count in this one.

use super::Check;
use crate::document::{Document, Visit};
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::reading::{Reading, Worth, worth};
use crate::guard::rules::{Governing, Rules};
use crate::guard::world::World;
use crate::guard::{Fingerprint, SETTINGS};
use crate::repo::{Entry, EntryKind, RepoPath};
use crate::sops::as_strict;

/// Compares the rules of HEAD with those of the index over every tracked file.
pub(super) struct LoosenedRule;

/// How many freed files a message names.
const NAMED: usize = 5;

impl Check for LoosenedRule {
    fn id(&self) -> &'static str {
        "loosened-rule"
    }

    fn about(&self) -> &'static str {
        "a change of `.sops.yaml` (narrower, weaker, shadowed or removed) that frees what was protected"
    }

    fn look_around(&self, world: &World<'_>) -> Result<Vec<(RepoPath, Findings)>, GuardError> {
        let Some(before) = &world.before else { return Ok(Vec::new()) };
        let mut freed: Vec<(&RepoPath, usize, Vec<String>)> = Vec::new();
        for (path, entry) in world.comparison.tracked() {
            let (Some(old), new) = (before.governing(path), world.after.governing(path)) else { continue };
            if entry.kind != EntryKind::File || !frees(world, path, *entry, &old, new.as_ref())? {
                continue;
            }
            let (file, line) = blamed(&world.after, &old, new.as_ref());
            match freed.iter_mut().find(|(known, ..)| *known == file) {
                Some((_, _, paths)) => paths.push(path.to_string()),
                None => freed.push((file, line, vec![path.to_string()])),
            }
        }
        Ok(freed
            .into_iter()
            .map(|(file, line, paths)| (file.clone(), finding(self.id(), world, file, line, &paths)))
            .collect())
    }
}

/// The rules file that frees a path: the one with the new rule, else the one that had the old.
fn blamed<'r>(after: &'r Rules, old: &Governing<'r>, new: Option<&Governing<'r>>) -> (&'r RepoPath, usize) {
    match new {
        Some(new) => (&new.file.path, new.rule.line),
        None => {
            let kept = after.files().iter().find(|file| file.path == old.file.path);
            (&old.file.path, kept.map_or(1, |_| 1))
        }
    }
}

fn finding(check: &'static str, world: &World<'_>, file: &RepoPath, line: usize, paths: &[String]) -> Findings {
    let mut named = paths.iter().take(NAMED).map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
    if paths.len() > NAMED {
        named.push_str(&format!(" and {} more", paths.len() - NAMED));
    }
    let both = world.after.files().iter().chain(world.before.iter().flat_map(Rules::files));
    let text = both.into_iter().find(|known| known.path == *file).map(|known| known.text.clone()).unwrap_or_default();
    let mut found = Findings::new(file);
    found.of(check).add_value(
        At { line, column: 1 },
        format!("this change of the rules frees {named}"),
        format!(
            "if that is meant, allow it in `{SETTINGS}` with `rule: {check}`, `value: {}` and `why:`, and commit the \
             freed files afterwards",
            Fingerprint::of(&text)
        ),
        &text,
    );
    found
}

/// Whether something in this file had to be encrypted and no longer has to be, or goes to other recipients because
/// another rules file took it over.
fn frees(
    world: &World<'_>,
    path: &RepoPath,
    entry: Entry,
    old: &Governing<'_>,
    new: Option<&Governing<'_>>,
) -> Result<bool, GuardError> {
    if let Some(new) = new {
        let taken = old.file.path != new.file.path && old.rule.groups != new.rule.groups;
        if taken {
            return Ok(true);
        }
        if as_strict(&new.rule.selector, &old.rule.selector) {
            return Ok(false);
        }
    }
    let text = world.repo.content(entry.id)?;
    Ok(match Reading::of(path, text) {
        Reading::Unreadable(_) => true,
        Reading::Document(document) => {
            let wanted = values(&document, old);
            let still = new.map_or_else(Vec::new, |new| values(&document, new));
            wanted.iter().any(|leaf| !still.contains(leaf))
        }
    })
}

/// The values that a rule wants encrypted.
fn values(document: &Document, governing: &Governing<'_>) -> Vec<crate::document::LeafId> {
    let mut wanted = Vec::new();
    let never: Result<(), std::convert::Infallible> = governing.scope().walk(document, |visit, must| {
        if let Visit::Leaf { id, .. } = visit
            && must
            && worth(document, id) != Worth::Empty
        {
            wanted.push(id);
        }
        Ok(())
    });
    let Ok(()) = never;
    wanted
}
