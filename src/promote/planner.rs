//! Makes plans: asks the platforms with clients that cannot write, and compares.

use std::collections::BTreeMap;

use super::artifact::Artifact;
use super::change::Build;
use super::draft::Draft;
use super::engine::Engine;
use super::error::PromoteError;
use super::gates;
use super::pipeline::{Pipeline, Stage, nearest};
use super::plan::{Plan, Purpose, SCHEMA};
use super::repository::FileVersion;
use super::room::Room;
use super::stage_name::StageName;
use crate::error::Outcome;

/// What shall be planned.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The pipeline.
    pub pipeline: &'a Pipeline,
    /// The stage the build comes from; `None`: the stage keeps the build it runs and is made equal to its declaration.
    pub from: Option<StageName>,
    /// The stage that is changed.
    pub to: StageName,
    /// Whether `approve:` and `soak:` count as answered. Without it a stage that asks for them cannot be planned, because
    /// nothing can ask yet.
    pub approved: bool,
}

/// How many older versions of a stage's file are tried on a live value of unknown origin.
const OLDER: usize = 20;

impl Engine<'_> {
    /// Plans one change of one stage. Causes questions only.
    ///
    /// # Errors
    /// [`PromoteError`].
    pub async fn plan(&self, request: &Request<'_>) -> Result<Plan, PromoteError> {
        let pipeline = request.pipeline;
        let stage = stage_of(pipeline, &request.to)?;
        let from = match &request.from {
            None => None,
            Some(from) => Some((from, source_of(pipeline, from, stage)?)),
        };
        unserved_stage_words(pipeline, stage, request.approved)?;
        let ledger = self.ledger.head(&pipeline.name, &request.to)?;
        let mut gates = Vec::new();
        let mut room = Room { engine: self, pipeline, targets: Vec::new(), readers: BTreeMap::new() };

        let head = self.repository.head()?;
        let to_here = room.here(request.to.clone(), stage)?;
        // What no client can speak with, or lacks a credential, is said before anything is asked.
        for target in &pipeline.targets {
            if pipeline.steps_of(&stage.name).any(|step| step.speaks_with(&target.name)) {
                room.reader(&to_here, &target.name)?;
            }
        }
        let previous = room.running(&to_here).await?;
        gates::of_stack(pipeline, &request.to, previous.as_ref())?;
        let (purpose, artifact) = match from {
            None => {
                let artifact = previous.as_ref().map(|build| {
                    Artifact::of(build).ok_or_else(|| PromoteError::NothingRuns { stage: request.to.clone() })
                });
                (Purpose::Equalise, artifact.transpose()?)
            }
            Some((from, from_stage)) => {
                let name = room.source(from, from_stage, &head).await?;
                let here = room.here(name.clone(), from_stage)?;
                let build = room.running(&here).await?;
                gates::of_stack(pipeline, &name, build.as_ref())?;
                let mut artifact = match build {
                    Some(build) => Artifact::of(&build).ok_or(PromoteError::NothingRuns { stage: name.clone() })?,
                    // A stage that runs no build on a platform (a laptop) has what is checked out.
                    None => {
                        Artifact { commit: head.clone(), stack: stack(pipeline), slug: None, image: None, tag: None }
                    }
                };
                if let Some(pattern) = &pipeline.artifact.tags {
                    artifact.tag = self.repository.tag(&artifact.commit, pattern)?;
                }
                gates.extend(room.health(&here).await?);
                gates.push(room.tests(&here, &artifact).await?);
                gates.extend(gates::of_artifact(
                    self.repository,
                    pipeline,
                    &name,
                    stage,
                    &request.to,
                    &artifact,
                    &head,
                )?);
                (Purpose::Promotion { from: name }, Some(artifact))
            }
        };
        // The source's clients are no part of the plan: it speaks with the target stage's targets only.
        room.targets.clear();
        room.readers.clear();
        let mut draft = Draft::default();
        let known = self.older_secrets(&request.to, pipeline, to_here.secrets.as_ref(), ledger.as_deref())?;
        let items = room.items(&to_here, artifact.as_ref(), pipeline.steps_of(&stage.name))?;
        for item in items {
            room.step(&to_here, &known, item, &mut draft).await?;
        }
        let verify = pipeline.verify.iter().filter(|check| check.runs_in(&stage.name));
        let checks = room.checks(&to_here, artifact.as_ref(), verify)?;
        draft.note_repeated_effects();
        if self.ledger.remote().is_none() {
            draft.notes.push("the ledger has no remote: only this clone will know of it".to_owned());
        }
        Ok(Plan {
            schema: SCHEMA.to_owned(),
            id: String::new(),
            pipeline: pipeline.name.clone(),
            stage: request.to.clone(),
            purpose,
            artifact,
            previous,
            secrets: to_here.secrets,
            targets: room.targets,
            steps: draft.steps,
            agreeing: draft.agreeing,
            checks,
            gates,
            notes: draft.notes,
            ledger,
            protected: stage.protected(),
            made: (self.clock)(),
        }
        .named())
    }

    /// What a stage runs, as its platform says; `None` for a stage that has no step for builds.
    pub(super) async fn running(&self, pipeline: &Pipeline, stage: &StageName) -> Result<Option<Build>, PromoteError> {
        let rule = stage_of(pipeline, stage)?;
        let mut room = Room { engine: self, pipeline, targets: Vec::new(), readers: BTreeMap::new() };
        let here = room.here(stage.clone(), rule)?;
        room.running(&here).await
    }

    /// Versions that a live secret of this stage may have come from, by path in the file.
    fn older_secrets(
        &self,
        stage: &StageName,
        pipeline: &Pipeline,
        file: Option<&FileVersion>,
        head: Option<&str>,
    ) -> Result<Vec<FileVersion>, PromoteError> {
        let mut versions: Vec<FileVersion> = Vec::new();
        if head.is_some() {
            for recorded in self.ledger.entries(&pipeline.name, stage, OLDER)? {
                if recorded.entry.outcome == Outcome::Applied {
                    versions.extend(recorded.entry.plan.secrets);
                }
            }
        }
        if let Some(file) = file {
            let older = self.repository.older(&file.path, OLDER)?;
            versions.extend(older.into_iter().map(|blob| FileVersion { path: file.path.clone(), blob }));
        }
        let mut seen = std::collections::BTreeSet::new();
        versions.retain(|version| seen.insert((version.path.clone(), version.blob.clone())));
        Ok(versions)
    }
}

fn stack(pipeline: &Pipeline) -> super::change::Stack {
    pipeline.artifact.stack.unwrap_or(super::change::Stack::Container)
}

fn stage_of<'p>(pipeline: &'p Pipeline, name: &StageName) -> Result<&'p Stage, PromoteError> {
    let Some(stage) = pipeline.stage(&name.stage) else {
        let nearest = nearest(&name.stage, pipeline.stages.iter().map(|stage| stage.name.as_str()));
        let pipeline = pipeline.name.clone();
        return Err(PromoteError::NoStage { pipeline, stage: name.stage.clone(), nearest });
    };
    match (stage.per.is_some(), name.instance.is_some()) {
        (true, false) => Err(PromoteError::Instances { stage: name.clone(), needed: true }),
        (false, true) => Err(PromoteError::Instances { stage: name.clone(), needed: false }),
        _ => Ok(stage),
    }
}

fn source_of<'p>(pipeline: &'p Pipeline, from: &StageName, to: &Stage) -> Result<&'p Stage, PromoteError> {
    let named = StageName::plain(&from.stage);
    let stage = match stage_of(pipeline, from) {
        Err(PromoteError::Instances { needed: true, .. }) => pipeline.stage(&from.stage),
        other => Some(other?),
    };
    match stage {
        Some(stage) if pipeline.leads(&stage.name, &to.name) => Ok(stage),
        _ => Err(PromoteError::NotNext { from: named.stage, to: to.name.clone(), after: to.after.clone() }),
    }
}

fn unserved_stage_words(pipeline: &Pipeline, stage: &Stage, approved: bool) -> Result<(), PromoteError> {
    let asked = stage.approve.map(|(_, at)| ("approve", at)).or(stage.soak.map(|(_, at)| ("soak", at)));
    match asked {
        Some((word, at)) if !approved => {
            Err(PromoteError::Unserved { declared: format!("{}:{at}", pipeline.file), word: word.to_owned() })
        }
        _ => Ok(()),
    }
}
