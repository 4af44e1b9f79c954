//! What every stage has run, forever: a chain of git commits per stage, one for each promotion, never rewritten.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::plan::Plan;
use super::platform::Receipt;
use super::stage_name::StageName;
use crate::error::{Class, Failure, Outcome};
use crate::repo::refs::{Refs, RefsError, Swap};

/// The version of an entry's schema.
pub(super) const SCHEMA: &str = "lockage.ledger/1";
const FILE: &str = "entry.json";
/// How often a lost race is run again; each loss means that somebody else's entry went in.
const ATTEMPTS: usize = 200;

/// The ledger of one repository.
pub struct Ledger {
    refs: Refs,
}

/// What one promotion, equalisation or rollback did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// `SCHEMA`.
    pub schema: String,
    /// How it ended: `applied` or `rolledback`.
    pub outcome: Outcome,
    /// Who did it.
    pub by: String,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// What the platforms called what was made, by step.
    pub receipts: Vec<StepReceipt>,
    /// Why it was rolled back, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The plan.
    pub plan: Plan,
}

/// A receipt, and which step of the plan it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReceipt {
    /// The step's position in the plan, from 0.
    pub step: usize,
    /// The receipt.
    pub receipt: Receipt,
}

/// An entry and the commit that holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The commit.
    pub commit: String,
    /// The entry.
    pub entry: Entry,
}

/// Why the ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The references could not be used.
    #[error(transparent)]
    Refs(#[from] RefsError),
    /// An entry makes no sense.
    #[error("the ledger's commit `{commit}` is no entry of the schema `{SCHEMA}`")]
    Corrupt {
        /// The commit.
        commit: String,
    },
    /// Others were always faster.
    #[error("the ledger of `{stage}` was moved by others {ATTEMPTS} times in a row")]
    Busy {
        /// The stage.
        stage: StageName,
    },
}

impl Failure for LedgerError {
    fn class(&self) -> Class {
        match self {
            Self::Refs(error) => error.class(),
            Self::Corrupt { .. } => Class::Untrusted,
            Self::Busy { .. } => Class::World,
        }
    }

    fn hints(&self) -> Vec<String> {
        if let Self::Refs(error) = self { error.hints() } else { Vec::new() }
    }
}

/// Where a stage's chain ends, here and at the remote.
struct Tip {
    /// The newest entry of all that are known.
    commit: Option<String>,
    /// What the remote has, which is what a push must expect.
    shared: Option<String>,
}

impl Ledger {
    /// The ledger that these references hold.
    #[must_use]
    pub fn new(refs: Refs) -> Self {
        Self { refs }
    }

    /// The remote it is shared through; `None`: this clone alone has it.
    #[must_use]
    pub fn remote(&self) -> Option<&str> {
        self.refs.remote()
    }

    /// The references, for the stage's lock.
    #[must_use]
    pub fn refs(&self) -> &Refs {
        &self.refs
    }

    /// The newest entry's commit of a stage, fetched first.
    ///
    /// # Errors
    /// [`LedgerError`] when the remote cannot be reached.
    pub fn head(&self, pipeline: &str, stage: &StageName) -> Result<Option<String>, LedgerError> {
        Ok(self.tip(&name(pipeline, stage))?.commit)
    }

    /// A stage's entries, newest first, at most `limit`, fetched first.
    ///
    /// # Errors
    /// [`LedgerError`] when the remote cannot be reached or an entry makes no sense.
    pub fn entries(&self, pipeline: &str, stage: &StageName, limit: usize) -> Result<Vec<Recorded>, LedgerError> {
        self.chain(self.head(pipeline, stage)?, limit)
    }

    /// The entry of one commit.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] when it is none.
    pub fn entry(&self, commit: &str) -> Result<Recorded, LedgerError> {
        let text = self.refs.file(commit, FILE)?;
        let entry: Entry =
            serde_json::from_slice(&text).map_err(|_| LedgerError::Corrupt { commit: commit.to_owned() })?;
        if entry.schema != SCHEMA {
            return Err(LedgerError::Corrupt { commit: commit.to_owned() });
        }
        Ok(Recorded { commit: commit.to_owned(), entry })
    }

    /// Appends an entry and gives its commit. An entry whose plan is already in the chain is not appended again, so that a
    /// resumed promotion may ask twice.
    ///
    /// # Errors
    /// [`LedgerError`] when the remote cannot be reached or refuses.
    pub fn append(&self, entry: &Entry) -> Result<String, LedgerError> {
        let stage = &entry.plan.stage;
        let name = name(&entry.plan.pipeline, stage);
        let text = serde_json::to_vec_pretty(entry).map_err(|_| LedgerError::Corrupt { commit: String::new() })?;
        for _ in 0..ATTEMPTS {
            let tip = self.tip(&name)?;
            if let Some(found) = self.find(tip.commit.clone(), entry)? {
                if tip.commit == tip.shared || self.refs.remote().is_none() {
                    return Ok(found);
                }
                if self.refs.swap(&name, tip.shared.as_deref(), tip.commit.as_deref())? == Swap::Done {
                    return Ok(found);
                }
                continue;
            }
            let message = format!("{} {}", entry.plan.stage, entry.plan.short());
            let seconds = entry.ended.as_second();
            let commit = self.refs.commit(tip.commit.as_deref(), FILE, &text, &message, seconds)?;
            if self.refs.swap(&name, tip.shared.as_deref(), Some(&commit))? == Swap::Done {
                return Ok(commit);
            }
        }
        Err(LedgerError::Busy { stage: stage.clone() })
    }

    fn find(&self, from: Option<String>, entry: &Entry) -> Result<Option<String>, LedgerError> {
        // Only entries that came since the plan was made can be this one.
        let mut here = from;
        while let Some(commit) = here {
            if entry.plan.ledger.as_ref() == Some(&commit) {
                return Ok(None);
            }
            if self.entry(&commit)?.entry.plan.id == entry.plan.id {
                return Ok(Some(commit));
            }
            here = self.refs.parent(&commit)?;
        }
        Ok(None)
    }

    fn chain(&self, from: Option<String>, limit: usize) -> Result<Vec<Recorded>, LedgerError> {
        let mut entries = Vec::new();
        let mut here = from;
        while let Some(commit) = here.filter(|_| entries.len() < limit) {
            entries.push(self.entry(&commit)?);
            here = self.refs.parent(&commit)?;
        }
        Ok(entries)
    }

    fn tip(&self, name: &str) -> Result<Tip, LedgerError> {
        let local = self.refs.local(name)?;
        if self.refs.remote().is_none() {
            return Ok(Tip { commit: local.clone(), shared: local });
        }
        let shared = self.refs.current(name)?;
        let (Some(here), Some(there)) = (&local, &shared) else {
            if local.is_none() && shared.is_some() {
                self.refs.set_local(name, shared.as_deref())?;
            }
            return Ok(Tip { commit: local.or_else(|| shared.clone()), shared });
        };
        if self.refs.contains(there, here)? {
            self.refs.set_local(name, Some(there))?;
            return Ok(Tip { commit: shared.clone(), shared });
        }
        if self.refs.contains(here, there)? {
            return Ok(Tip { commit: local, shared });
        }
        // Entries made while nothing was shared: they were never seen by anybody else and go on top of what was.
        let commit = self.replayed(here, there)?;
        self.refs.set_local(name, Some(&commit))?;
        Ok(Tip { commit: Some(commit), shared })
    }

    fn replayed(&self, local: &str, onto: &str) -> Result<String, LedgerError> {
        let mut unshared = Vec::new();
        let mut here = Some(local.to_owned());
        while let Some(commit) = here {
            if self.refs.contains(onto, &commit)? {
                break;
            }
            here = self.refs.parent(&commit)?;
            unshared.push(commit);
        }
        let mut tip = onto.to_owned();
        for commit in unshared.iter().rev() {
            let recorded = self.entry(commit)?;
            let text = self.refs.file(commit, FILE)?;
            let message = format!("{} {}", recorded.entry.plan.stage, recorded.entry.plan.short());
            tip = self.refs.commit(Some(&tip), FILE, &text, &message, recorded.entry.ended.as_second())?;
        }
        Ok(tip)
    }
}

fn name(pipeline: &str, stage: &StageName) -> String {
    format!("refs/lockage/ledger/{pipeline}/{stage}")
}
