//! A stage's lock: one reference, moved by compare-and-swap, with an owner, a reason and an expiry.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::stage_name::StageName;
use crate::error::{Class, Failure};
use crate::repo::refs::{Refs, RefsError, Swap};

const SCHEMA: &str = "lockage.lock/1";
const FILE: &str = "lock.json";
/// How long a lock holds without a heartbeat: longer than any single request, short enough to wait for.
const LEASE: Duration = Duration::from_secs(15 * 60);

/// What a lock says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The version of the schema.
    pub schema: String,
    /// The run that holds it, by its journal's name.
    pub run: String,
    /// Who.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// The last heartbeat.
    pub beat: Timestamp,
    /// When it may be taken by others.
    pub expires: Timestamp,
}

/// Why a lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("`{stage}` is locked by {} until {}: {}", .claim.owner, .claim.expires, .claim.reason)]
    Held {
        /// The stage.
        stage: StageName,
        /// Who holds it.
        claim: Box<Claim>,
    },
    /// It was taken away, because its heartbeat stopped for too long.
    #[error("the lock of `{stage}` was lost to somebody else")]
    Lost {
        /// The stage.
        stage: StageName,
    },
    /// The references could not be used.
    #[error(transparent)]
    Refs(#[from] RefsError),
}

impl Failure for LockError {
    fn class(&self) -> Class {
        match self {
            Self::Held { .. } | Self::Lost { .. } => Class::No,
            Self::Refs(error) => error.class(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Held { .. } => vec!["wait until it ends, or ask its owner".to_owned()],
            Self::Lost { .. } => Vec::new(),
            Self::Refs(error) => error.hints(),
        }
    }
}

/// A lock that is held. Dropping it does not release it: a killed promotion stays locked until it is resumed or expires.
pub(super) struct Lock<'a> {
    refs: &'a Refs,
    name: String,
    stage: StageName,
    claim: Claim,
    commit: String,
}

impl<'a> Lock<'a> {
    /// Takes the lock of a stage. A promotion that already holds it takes it again; an expired one is taken over.
    ///
    /// # Errors
    /// [`LockError::Held`].
    pub(super) fn take(
        refs: &'a Refs,
        pipeline: &str,
        stage: &StageName,
        run: &str,
        owner: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<Self, LockError> {
        let name = format!("refs/lockage/lock/{pipeline}/{stage}");
        let mut claim = Claim {
            schema: SCHEMA.to_owned(),
            run: run.to_owned(),
            owner: owner.to_owned(),
            reason: reason.to_owned(),
            since: now,
            beat: now,
            expires: now + LEASE,
        };
        // Lost races end at once with `Held`, except when the winner has already released again.
        loop {
            let held = refs.current(&name)?;
            if let Some(commit) = &held
                && let Some(other) = read(refs, commit)
            {
                if other.run == run {
                    claim.since = other.since;
                } else if other.expires > now {
                    return Err(LockError::Held { stage: stage.clone(), claim: Box::new(other) });
                }
            }
            let commit = write(refs, held.as_deref(), &claim)?;
            if refs.swap(&name, held.as_deref(), Some(&commit))? == Swap::Done {
                return Ok(Self { refs, name, stage: stage.clone(), claim, commit });
            }
        }
    }

    /// Tells that the promotion lives, when a third of the lease is over.
    ///
    /// # Errors
    /// [`LockError::Lost`] when somebody took the lock over.
    pub(super) fn beat(&mut self, now: Timestamp) -> Result<(), LockError> {
        if now < self.claim.beat + LEASE / 3 {
            return Ok(());
        }
        let mut claim = self.claim.clone();
        claim.beat = now;
        claim.expires = now + LEASE;
        let commit = write(self.refs, Some(&self.commit), &claim)?;
        match self.refs.swap(&self.name, Some(&self.commit), Some(&commit))? {
            Swap::Done => {
                (self.claim, self.commit) = (claim, commit);
                Ok(())
            }
            Swap::Moved => Err(LockError::Lost { stage: self.stage.clone() }),
        }
    }

    /// Gives the lock back. One that was taken over is left alone.
    ///
    /// # Errors
    /// [`LockError::Refs`]; the lock then ends by its expiry.
    pub(super) fn release(&self) -> Result<(), LockError> {
        self.refs.swap(&self.name, Some(&self.commit), None).map(drop).map_err(LockError::from)
    }
}

/// Who holds a stage's lock now, if anybody.
///
/// # Errors
/// [`LockError::Refs`] when the remote cannot be reached.
pub fn holder(refs: &Refs, pipeline: &str, stage: &StageName) -> Result<Option<Claim>, LockError> {
    let held = refs.current(&format!("refs/lockage/lock/{pipeline}/{stage}"))?;
    Ok(held.and_then(|commit| read(refs, &commit)))
}

/// A lock that makes no sense holds nothing.
fn read(refs: &Refs, commit: &str) -> Option<Claim> {
    let text = refs.file(commit, FILE).ok()?;
    serde_json::from_slice::<Claim>(&text).ok().filter(|claim| claim.schema == SCHEMA)
}

fn write(refs: &Refs, parent: Option<&str>, claim: &Claim) -> Result<String, RefsError> {
    let text = serde_json::to_vec_pretty(claim).unwrap_or_default();
    let message = format!("locked by {}", claim.owner);
    refs.commit(parent, FILE, &text, &message, claim.beat.as_second())
}
