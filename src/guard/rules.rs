//! The creation rules of one state of the repository: every `.sops.yaml` that is tracked there.

use crate::repo::{Comparison, Entry, EntryKind, RepoError, RepoPath, Repository};
use crate::sops::{EncryptionScope, Rule, RuleSet, Selector, SopsError, is_governed};

/// What a rules file is called. SOPS reads no other name.
pub(super) const NAME: &[u8] = b".sops.yaml";

/// How many links in a row are followed to a rules file.
const MOST_LINKS: usize = 8;

/// The rules of one state.
pub(super) struct Rules {
    /// Deepest folder first, so that the first one above a file is the nearest.
    files: Vec<RuleFile>,
}

/// One tracked rules file.
pub(super) struct RuleFile {
    pub(super) path: RepoPath,
    /// Its content, for what an exception names.
    pub(super) text: Vec<u8>,
    pub(super) set: Result<RuleSet, RulesFault>,
}

/// Why rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum RulesFault {
    /// They say something that SOPS would not read, or would silently ignore.
    #[error(transparent)]
    Sops(#[from] SopsError),
    /// They are no text.
    #[error("it is not UTF-8")]
    NotText,
    /// They are a link to something that is not tracked.
    #[error("it is a link to something that is not tracked here")]
    DanglingLink,
}

/// A rule that a file is under.
#[derive(Clone, Copy)]
pub(super) struct Governing<'r> {
    pub(super) file: &'r RuleFile,
    pub(super) rule: &'r Rule,
}

impl Governing<'_> {
    /// Whether it demands the same of a file as `other`.
    pub(super) fn same_demands(&self, other: &Governing<'_>) -> bool {
        self.rule.selector == other.rule.selector && self.rule.groups == other.rule.groups
    }

    /// Which leaves the rule wants encrypted.
    pub(super) fn scope(&self) -> EncryptionScope {
        EncryptionScope::of_rule(self.rule)
    }

    /// Whether it wants comments encrypted where no key decides.
    pub(super) fn wants_comments(&self) -> bool {
        !matches!(
            self.rule.selector,
            Selector::EncryptedSuffix(_) | Selector::EncryptedRegex(_) | Selector::EncryptedCommentRegex(_)
        )
    }

    /// The rule's place, for a message.
    pub(super) fn shown(&self) -> String {
        format!("{}:{}", self.file.path, self.rule.line)
    }
}

/// What stands at a path in one state.
type Lookup<'a> = &'a dyn Fn(&[u8]) -> Option<Entry>;

impl Rules {
    /// The rules of the state that is judged.
    pub(super) fn after(repo: &Repository, comparison: &Comparison) -> Result<Self, RepoError> {
        let here = comparison.tracked().iter().filter(|(path, _)| path.name() == NAME);
        let paths = here.map(|(path, _)| path.clone()).collect();
        Self::read(repo, paths, &|path| comparison.after(path))
    }

    /// The rules of the state before; `None` when they are the same.
    pub(super) fn before(repo: &Repository, comparison: &Comparison) -> Result<Option<Self>, RepoError> {
        if !Self::changed(comparison) {
            return Ok(None);
        }
        let kept = comparison.tracked().iter().map(|(path, _)| path);
        let gone = comparison.changes().iter().filter(|change| change.after.is_none()).map(|change| &change.path);
        let named = kept.chain(gone).filter(|path| path.name() == NAME);
        let paths = named.filter(|path| comparison.before(path.bytes()).is_some()).cloned().collect();
        Self::read(repo, paths, &|path| comparison.before(path)).map(Some)
    }

    /// Whether a rules file, or what a linked one points to, may differ between the two states.
    fn changed(comparison: &Comparison) -> bool {
        let linked =
            comparison.tracked().iter().any(|(path, entry)| path.name() == NAME && entry.kind == EntryKind::Link);
        linked || comparison.changes().iter().any(|change| change.path.name() == NAME)
    }

    fn read(repo: &Repository, paths: Vec<RepoPath>, lookup: Lookup<'_>) -> Result<Self, RepoError> {
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let (text, set) = match content(repo, &path, lookup)? {
                None => (Vec::new(), Err(RulesFault::DanglingLink)),
                Some(text) => {
                    let set = match std::str::from_utf8(&text) {
                        Ok(text) => RuleSet::parse(text, &path.to_string()).map_err(RulesFault::from),
                        Err(_) => Err(RulesFault::NotText),
                    };
                    (text, set)
                }
            };
            files.push(RuleFile { path, text, set });
        }
        files.sort_by_key(|file| std::cmp::Reverse(file.path.folder().len()));
        Ok(Self { files })
    }

    /// The rules files.
    pub(super) fn files(&self) -> &[RuleFile] {
        &self.files
    }

    /// The rule that `path` is under: the first that matches in the nearest rules file above it that has one.
    pub(super) fn governing(&self, path: &RepoPath) -> Option<Governing<'_>> {
        for file in self.files.iter().filter(|file| path.bytes().starts_with(file.path.folder())) {
            let Ok(set) = &file.set else { continue };
            let relative = String::from_utf8_lossy(&path.bytes()[file.path.folder().len()..]).into_owned();
            let Some(rule) = matching(set, &relative) else { continue };
            if is_governed(rule, &relative) {
                return Some(Governing { file, rule });
            }
        }
        None
    }
}

/// Go's `.` matches no line break, so that a name with one would slip through `secrets/.*\.yaml$`.
fn matching<'r>(set: &'r RuleSet, relative: &str) -> Option<&'r Rule> {
    let rule = set.rule_for(relative);
    if rule.is_none() && relative.contains('\n') {
        return set.rule_for(&relative.replace('\n', " "));
    }
    rule
}

/// The text at `path`, links followed inside the tracked files; `None` where that leads out of them.
fn content(repo: &Repository, path: &RepoPath, lookup: Lookup<'_>) -> Result<Option<Vec<u8>>, RepoError> {
    let mut path = path.clone();
    for _ in 0..MOST_LINKS {
        let Some(entry) = lookup(path.bytes()) else { return Ok(None) };
        match entry.kind {
            EntryKind::File => return repo.content(entry.id).map(Some),
            EntryKind::Submodule => return Ok(None),
            EntryKind::Link => match resolve(path.folder(), &repo.content(entry.id)?) {
                Some(target) => path = target,
                None => return Ok(None),
            },
        }
    }
    Ok(None)
}

/// Where a link in `folder` points, if that is inside the repository.
fn resolve(folder: &[u8], target: &[u8]) -> Option<RepoPath> {
    if target.starts_with(b"/") {
        return None;
    }
    let mut parts: Vec<&[u8]> = folder.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).collect();
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(RepoPath::new(parts.join(&b'/')))
}
