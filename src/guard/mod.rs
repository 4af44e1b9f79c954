//! Checks before a commit: what would be committed is judged, blob by blob, without a key.
//!
//! Which leaves must be encrypted comes from the creation rules in the index and in HEAD, never from the file itself.
//! Each check is one file in `checks/` and one word in its registry; it returns findings as data and prints nothing.

mod allow;
mod checks;
mod error;
mod finding;
mod kinship;
mod placeholder;
mod reading;
mod rules;
mod subject;
mod words;
mod world;

pub use allow::{Fingerprint, SETTINGS};
pub use checks::Description;
pub use error::{GuardError, SettingsFault};
pub use finding::{Finding, Note};

use allow::AllowList;
use finding::Findings;
use subject::Subject;
use world::World;

use crate::keys::KeyServices;
use crate::repo::{Change, Comparison, RepoPath, Repository};
use crate::sops::Metadata;

/// What the guard found in one comparison.
#[derive(Debug, Default, serde::Serialize)]
pub struct Report {
    /// The commit that was judged; `None` for the index.
    pub commit: Option<String>,
    /// How many files were judged.
    pub judged: usize,
    /// What was found, by file and line.
    pub findings: Vec<Finding>,
    /// How many findings an exception answers.
    pub allowed: usize,
    /// What was not judged, and what that would need.
    pub notes: Vec<Note>,
}

/// Which files of a comparison are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Those that differ.
    Changed,
    /// Every tracked file.
    Tracked,
}

/// The checks there are, for documentation.
#[must_use]
pub fn checks() -> Vec<Description> {
    checks::descriptions()
}

/// Gives the keys at hand for a file with these recipients.
pub type KeysFor<'k> = dyn Fn(&Metadata) -> KeyServices + 'k;

/// Judges what lies between two states of the repository. With `keys`, encrypted files are opened, too: only that
/// tells whether a first version is whole.
///
/// # Errors
/// [`GuardError`] when the repository or the exceptions cannot be read. Whoever asks must take that for a "no".
pub fn judge(
    repo: &Repository,
    comparison: &Comparison,
    extent: Extent,
    keys: Option<&KeysFor<'_>>,
) -> Result<Report, GuardError> {
    let allow = allow_list(repo, comparison)?;
    let world = World::new(repo, comparison, keys)?;
    let whole = match extent {
        Extent::Changed => Vec::new(),
        Extent::Tracked => comparison.whole(),
    };
    let changes: &[Change] = if extent == Extent::Tracked { &whole } else { comparison.changes() };

    let mut report = Report { commit: comparison.commit(), ..Report::default() };
    for check in checks::REGISTRY {
        for (path, mut found) in check.look_around(&world)? {
            found.list.iter_mut().for_each(|finding| finding.file = path.to_string());
            report.take(found, &allow);
        }
    }
    for change in changes.iter().filter(|change| change.after.is_some()) {
        let subject = Subject::new(&world, change);
        let mut found = Findings::new(&change.path);
        for check in checks::REGISTRY {
            check.look(&subject, found.of(check.id()))?;
        }
        report.judged += 1;
        report.take(found, &allow);
    }
    report.findings.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    report.notes.sort();
    Ok(report)
}

impl Report {
    fn take(&mut self, found: Findings, allow: &AllowList) {
        let all = found.list.len();
        let kept = found.list.into_iter().filter(|finding| !allow.answers(finding));
        let before = self.findings.len();
        self.findings.extend(kept);
        self.allowed += all - (self.findings.len() - before);
        self.notes.extend(found.notes);
    }
}

/// The exceptions of the state that is judged: they are part of what is reviewed.
fn allow_list(repo: &Repository, comparison: &Comparison) -> Result<AllowList, GuardError> {
    let path = RepoPath::from(SETTINGS);
    let Some(entry) = comparison.after(path.bytes()) else { return Ok(AllowList::default()) };
    let ids: Vec<&'static str> = checks::REGISTRY.iter().map(|check| check.id()).collect();
    AllowList::parse(repo.content(entry.id)?, &ids)
}
