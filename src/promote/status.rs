//! What the ledger, the lock, the journal and the platform say of a stage.

use serde::Serialize;

use super::change::Build;
use super::engine::Engine;
use super::error::PromoteError;
use super::gates;
use super::journal::{Journal, JournalError};
use super::ledger::Recorded;
use super::lock::{Claim, holder};
use super::pipeline::Pipeline;
use super::stage_name::StageName;

/// One stage, or one instance of one.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Its name.
    pub stage: StageName,
    /// The commit of its last ledger entry.
    pub entry: Option<String>,
    /// How the last promotion ended, when, and by whom.
    pub last: Option<Last>,
    /// What its platform says it runs; `None` where no platform says.
    pub running: Option<Build>,
    /// Why the platform could not be asked.
    pub unknown: Option<String>,
    /// Whether a promotion was begun and has not ended.
    pub unfinished: bool,
    /// Whether one is running now on this machine.
    pub busy: bool,
    /// Who has its lock.
    pub lock: Option<Claim>,
}

/// The last promotion of a stage.
#[derive(Clone, Debug, Serialize)]
pub struct Last {
    /// How it ended.
    pub outcome: crate::error::Outcome,
    /// When.
    pub at: jiff::Timestamp,
    /// Who.
    pub by: String,
    /// The commit that it brought.
    pub commit: Option<String>,
}

impl Engine<'_> {
    /// The stages of a pipeline, instances of HEAD's files included, in the order of the file.
    ///
    /// # Errors
    /// [`PromoteError`] when the repository cannot be read.
    pub fn stages(&self, pipeline: &Pipeline) -> Result<Vec<StageName>, PromoteError> {
        let mut names = Vec::new();
        for stage in &pipeline.stages {
            let name = StageName::plain(&stage.name);
            if stage.per.is_none() {
                names.push(name);
                continue;
            }
            let instances = gates::instances(self.repository, pipeline, stage)?;
            names.extend(instances.into_iter().map(|instance| name.with_instance(instance)));
        }
        Ok(names)
    }

    /// What is known of one stage. Causes questions only; a platform that cannot be asked is no error.
    ///
    /// # Errors
    /// [`PromoteError`] when the ledger cannot be read.
    pub async fn status(&self, pipeline: &Pipeline, stage: &StageName) -> Result<Status, PromoteError> {
        let last = self.ledger.entries(&pipeline.name, stage, 1)?.into_iter().next();
        let (unfinished, busy) = match Journal::open(&self.journals, &pipeline.name, stage) {
            Ok(journal) => (journal.is_some(), false),
            Err(JournalError::Running { .. }) => (true, true),
            Err(error) => return Err(error.into()),
        };
        let (running, unknown) = match self.running(pipeline, stage).await {
            Ok(build) => (build, None),
            Err(error) => (None, Some(error.to_string())),
        };
        Ok(Status {
            stage: stage.clone(),
            entry: last.as_ref().map(|recorded| recorded.commit.clone()),
            last: last.map(|Recorded { entry, .. }| Last {
                outcome: entry.outcome,
                at: entry.ended,
                by: entry.by,
                commit: entry.plan.artifact.map(|artifact| artifact.commit),
            }),
            running,
            unknown,
            unfinished,
            busy,
            lock: holder(self.ledger.refs(), &pipeline.name, stage)?,
        })
    }
}
