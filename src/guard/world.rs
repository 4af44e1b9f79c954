//! What one run of the guard works on: two states of the repository and their rules.

use std::cell::OnceCell;
use std::collections::HashSet;

use super::KeysFor;
use super::error::GuardError;
use super::reading::Reading;
use super::rules::{Governing, Rules, RulesFault};
use crate::document::Document;
use crate::repo::{Comparison, Entry, EntryKind, RepoPath, Repository};

/// How many encrypted files are read to compare with, at most: those nearest by name come first.
const MOST_RELATIVES: usize = 64;

/// The repository, two states of it, and the rules of both.
pub(super) struct World<'w> {
    /// The keys at hand for a file with these recipients, where the user wants files opened.
    pub(super) keys: Option<&'w KeysFor<'w>>,
    pub(super) repo: &'w Repository,
    pub(super) comparison: &'w Comparison,
    pub(super) after: Rules,
    /// The rules before, where they differ.
    pub(super) before: Option<Rules>,
    relatives: OnceCell<Vec<Relative>>,
}

/// An encrypted file that another one may have come from.
pub(super) struct Relative {
    pub(super) path: RepoPath,
    pub(super) document: Document,
    /// Whether it is HEAD's version of a file that this commit removes.
    pub(super) removed: bool,
}

impl<'w> World<'w> {
    pub(super) fn new(
        repo: &'w Repository,
        comparison: &'w Comparison,
        keys: Option<&'w KeysFor<'w>>,
    ) -> Result<Self, GuardError> {
        let after = Rules::after(repo, comparison)?;
        let before = Rules::before(repo, comparison)?;
        Ok(Self { keys, repo, comparison, after, before, relatives: OnceCell::new() })
    }

    /// The rules that `path` is under now and before; the stricter wins, leaf by leaf.
    pub(super) fn governing(&'w self, path: &RepoPath) -> Vec<Governing<'w>> {
        let both = [Some(&self.after), self.before.as_ref()];
        let mut found: Vec<Governing<'w>> = Vec::new();
        for governing in both.into_iter().flatten().filter_map(|rules| rules.governing(path)) {
            if !found.iter().any(|known| known.same_demands(&governing)) {
                found.push(governing);
            }
        }
        found
    }

    /// Rules files of the judged state that cannot be used.
    pub(super) fn broken_rules(&self) -> impl Iterator<Item = (&RepoPath, &RulesFault)> {
        self.after.files().iter().filter_map(|file| file.set.as_ref().err().map(|fault| (&file.path, fault)))
    }

    /// Encrypted files of both states, up to a bound: those this commit changes or removes first, then those beside a
    /// changed file, then the rest.
    pub(super) fn relatives(&self) -> Result<&[Relative], GuardError> {
        if self.relatives.get().is_none() {
            let found = self.find_relatives()?;
            let _ = self.relatives.set(found);
        }
        Ok(self.relatives.get().map(Vec::as_slice).unwrap_or_default())
    }

    fn find_relatives(&self) -> Result<Vec<Relative>, GuardError> {
        let changed = self.comparison.changes().iter().filter_map(|change| {
            let removed = change.after.is_none_or(|entry| entry.kind != EntryKind::File);
            change.before.map(|entry| (&change.path, entry, removed))
        });
        let folders: HashSet<&[u8]> = self.comparison.changes().iter().map(|change| change.path.folder()).collect();
        let (near, far): (Vec<_>, Vec<_>) =
            self.comparison.tracked().iter().partition(|(path, _)| folders.contains(path.folder()));
        let kept = near.into_iter().chain(far).map(|(path, entry)| (path, *entry, false));
        let mut found: Vec<Relative> = Vec::new();
        for (path, entry, removed) in changed.chain(kept) {
            if found.len() >= MOST_RELATIVES {
                break;
            }
            if entry.kind == EntryKind::File && !self.governing(path).is_empty() {
                let document = self.encrypted(path, entry)?;
                found.extend(document.map(|document| Relative { path: path.clone(), document, removed }));
            }
        }
        Ok(found)
    }

    fn encrypted(&self, path: &RepoPath, entry: Entry) -> Result<Option<Document>, GuardError> {
        let text = self.repo.content(entry.id)?;
        let marked = memchr::memmem::find(&text, crate::cipher::token::PREFIX).is_some();
        let document = marked.then(|| Reading::of(path, text).into_document()).flatten();
        Ok(document.filter(|document| document.metadata().is_some()))
    }
}
