//! Why a promotion could not be planned, begun or finished.

use super::change::{Resource, Stack};
use super::journal::JournalError;
use super::ledger::LedgerError;
use super::lock::LockError;
use super::pipeline::PipelineError;
use super::plan::PlanFileError;
use super::platform::PlatformError;
use super::repository::RepositoryError;
use super::source::SourceError;
use super::stage_name::StageName;
use crate::error::{Class, Failure, Outcome};

/// The errors of this room.
#[derive(Debug, thiserror::Error)]
pub enum PromoteError {
    /// The pipeline file.
    #[error(transparent)]
    Pipeline(Box<PipelineError>),
    /// A platform, before anything was changed.
    #[error(transparent)]
    Platform(Box<PlatformError>),
    /// The repository.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// A secret or a source archive.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The stage's lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The plan's file.
    #[error(transparent)]
    PlanFile(#[from] PlanFileError),
    /// No such stage.
    #[error("the pipeline `{pipeline}` has no stage `{stage}`{}", .nearest.as_ref().map(|word| format!("; the nearest is `{word}`")).unwrap_or_default())]
    NoStage {
        /// The pipeline.
        pipeline: String,
        /// The stage.
        stage: String,
        /// The nearest stage.
        nearest: Option<String>,
    },
    /// The stages do not follow each other.
    #[error("`{to}` does not come after `{from}`{}", .after.as_ref().map(|stage| format!(" but after `{stage}`")).unwrap_or_default())]
    NotNext {
        /// The stage it should come from.
        from: String,
        /// The stage it should go to.
        to: String,
        /// What the pipeline says.
        after: Option<String>,
    },
    /// A stage with instances, and which one is meant is not clear.
    #[error("which instance of `{stage}` is meant is not clear: {} of them run the commit `{commit}`", .fitting.len())]
    Instance {
        /// The stage.
        stage: String,
        /// The commit that is looked for.
        commit: String,
        /// The instances that run it.
        fitting: Vec<String>,
        /// All instances that are known.
        known: Vec<String>,
    },
    /// An instance is needed or has no meaning.
    #[error("`{stage}` {}", if *.needed { "has instances: name one" } else { "has no instances" })]
    Instances {
        /// The stage as it was named.
        stage: StageName,
        /// Whether an instance is needed.
        needed: bool,
    },
    /// A word that is known and that nothing can do yet.
    #[error("{declared}: `{word}` is a known word, but nothing can do it yet")]
    Unserved {
        /// Where it stands.
        declared: String,
        /// The word.
        word: String,
    },
    /// A stage is of another stack than the pipeline says.
    #[error("`{stage}` has the {} stack, and `artifact` says {}", .has.word(), .declared.word())]
    OtherStack {
        /// The stage.
        stage: StageName,
        /// What its platform says.
        has: Stack,
        /// What the pipeline file says.
        declared: Stack,
    },
    /// The stage runs nothing that could be promoted.
    #[error("`{stage}` runs no build of a known commit")]
    NothingRuns {
        /// The stage.
        stage: StageName,
    },
    /// The source is not well.
    #[error("`{stage}` is not healthy: {why}")]
    Unhealthy {
        /// The stage.
        stage: StageName,
        /// Why.
        why: String,
    },
    /// The tests of the source's commit are not green.
    #[error("the tests of what `{stage}` runs are not green: {why}")]
    Untested {
        /// The stage.
        stage: StageName,
        /// Why.
        why: String,
    },
    /// The build's commit is on no way to the target.
    #[error(
        "the commit `{commit}` that `{stage}` runs is neither in the branch `{branch}` nor what this clone has checked out"
    )]
    Unmerged {
        /// The source stage.
        stage: StageName,
        /// The commit.
        commit: String,
        /// The branch.
        branch: String,
    },
    /// The stage takes other kinds of artifact.
    #[error("`{stage}` takes only {}, and the commit `{commit}` has no such tag", .accepts.join(" and "))]
    NotAccepted {
        /// The stage.
        stage: StageName,
        /// The commit.
        commit: String,
        /// What it takes.
        accepts: Vec<String>,
    },
    /// Something that is only compared is not as declared.
    #[error("{declared}: {resource}: `{field}` is not there, and `{wanted}` is declared")]
    Missing {
        /// Where it is declared.
        declared: String,
        /// The resource.
        resource: Box<Resource>,
        /// The field.
        field: String,
        /// What is declared.
        wanted: String,
    },
    /// A fact that no step makes known and that the platform does not know.
    #[error("{declared}: the platform does not know `{fact}`, and no step before makes it known")]
    FactUnknown {
        /// Where it is used.
        declared: String,
        /// The fact.
        fact: String,
    },
    /// The world moved since the plan was made.
    #[error("the plan is stale: {why}")]
    Stale {
        /// What moved.
        why: String,
    },
    /// A promotion of the stage was interrupted, or is running.
    #[error("a promotion of `{stage}` was begun and has not ended")]
    Unfinished {
        /// The stage.
        stage: StageName,
    },
    /// There is nothing in the ledger to roll back.
    #[error("the ledger has no promotion of `{stage}` that can be rolled back")]
    NothingToRollBack {
        /// The stage.
        stage: StageName,
    },
    /// A step cannot be undone.
    #[error("{what} cannot be undone: its old value is in no version at hand")]
    Irreversible {
        /// The resource.
        what: String,
    },
    /// Something failed after the journal was begun.
    #[error("{what}: {why}")]
    Failed {
        /// What was being done.
        what: String,
        /// Why it failed.
        why: String,
        /// How far it got.
        outcome: Outcome,
        /// The class of the cause.
        cause: Class,
        /// What to do.
        hints: Vec<String>,
    },
}

impl From<PipelineError> for PromoteError {
    fn from(error: PipelineError) -> Self {
        Self::Pipeline(Box::new(error))
    }
}

impl From<PlatformError> for PromoteError {
    fn from(error: PlatformError) -> Self {
        Self::Platform(Box::new(error))
    }
}

impl Failure for PromoteError {
    fn class(&self) -> Class {
        match self {
            Self::Pipeline(error) => error.class(),
            Self::Platform(error) => error.class(),
            Self::Repository(error) => error.class(),
            Self::Source(error) => error.class(),
            Self::Ledger(error) => error.class(),
            Self::Lock(error) => error.class(),
            Self::Journal(error) => error.class(),
            Self::PlanFile(error) => error.class(),
            Self::NoStage { .. }
            | Self::NotNext { .. }
            | Self::Instance { .. }
            | Self::Instances { .. }
            | Self::Unserved { .. }
            | Self::FactUnknown { .. }
            | Self::OtherStack { .. }
            | Self::NothingToRollBack { .. } => Class::Usage,
            Self::NothingRuns { .. }
            | Self::Unhealthy { .. }
            | Self::Untested { .. }
            | Self::Unmerged { .. }
            | Self::NotAccepted { .. }
            | Self::Missing { .. }
            | Self::Stale { .. }
            | Self::Irreversible { .. }
            | Self::Unfinished { .. } => Class::No,
            // A change that was applied in part, or whose outcome is unknown, is the outside world's matter.
            Self::Failed { outcome: Outcome::Partial | Outcome::Unknown, .. } => Class::World,
            Self::Failed { cause, .. } => *cause,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Pipeline(error) => error.hints(),
            Self::Platform(error) => error.hints(),
            Self::Repository(error) => error.hints(),
            Self::Source(error) => error.hints(),
            Self::Ledger(error) => error.hints(),
            Self::Lock(error) => error.hints(),
            Self::Journal(error) => error.hints(),
            Self::PlanFile(error) => error.hints(),
            Self::Instance { stage, fitting, known, .. } => {
                let list = if fitting.is_empty() { known } else { fitting };
                list.iter().map(|name| format!("name it: `{stage}/{name}`")).collect()
            }
            Self::Instances { stage, needed: true } => vec![format!("for example `{}/pr-80`", stage.stage)],
            Self::NotNext { to, after: Some(after), .. } => vec![format!("`lockage promote {after} {to}`")],
            Self::Stale { .. } => vec!["make the plan again".to_owned()],
            Self::Unfinished { stage } => vec![format!("`lockage apply {stage}` resumes it")],
            Self::Failed { hints, .. } => hints.clone(),
            _ => Vec::new(),
        }
    }

    fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Failed { outcome, .. } => Some(*outcome),
            Self::Stale { .. } | Self::Lock(_) => Some(Outcome::Unchanged),
            _ => None,
        }
    }
}
