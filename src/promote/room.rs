//! The clients of one plan, and what is asked of a stage with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::artifact::Artifact;
use super::change::{Build, Resource, State};
use super::descriptor::Reading;
use super::engine::Engine;
use super::error::PromoteError;
use super::expand::{Expansion, Item};
use super::gates;
use super::pipeline::{At, Pipeline, Scope, Stage, StepRule, Verb};
use super::plan::Gate;
use super::platform::{Check, Query, Reader, Target, Tests};
use super::repository::FileVersion;
use super::stage_name::StageName;
use crate::secret::SecretRef;

/// One stage as it is spoken of: its name, its rule, its secrets.
pub(super) struct Here<'a> {
    pub(super) name: StageName,
    pub(super) stage: &'a Stage,
    pub(super) secrets: Option<FileVersion>,
}

/// The clients of one plan.
pub(super) struct Room<'e, 'a> {
    pub(super) engine: &'e Engine<'a>,
    pub(super) pipeline: &'e Pipeline,
    pub(super) targets: Vec<Target>,
    /// By stage and target: `app` of the source stage is another app than `app` of the target stage.
    pub(super) readers: BTreeMap<(StageName, String), Arc<dyn Reader>>,
}

impl<'e> Room<'e, '_> {
    fn scope<'s>(&'s self, here: &'s Here<'_>, artifact: Option<&'s Artifact>) -> Scope<'s> {
        Scope { pipeline: self.pipeline, stage: here.stage, instance: here.name.instance.as_deref(), artifact }
    }

    pub(super) fn declared(&self, at: At) -> String {
        format!("{}:{at}", self.pipeline.file)
    }

    fn secrets_path(&self, here: &Here<'_>) -> Result<String, PromoteError> {
        Ok(self.scope(here, None).secrets_path()?)
    }

    pub(super) fn here<'s>(&self, name: StageName, stage: &'s Stage) -> Result<Here<'s>, PromoteError> {
        let mut here = Here { name, stage, secrets: None };
        here.secrets = self.engine.repository.file(&self.secrets_path(&here)?)?;
        Ok(here)
    }

    pub(super) fn items<'s>(
        &self,
        here: &Here<'_>,
        artifact: Option<&Artifact>,
        steps: impl Iterator<Item = &'s StepRule>,
    ) -> Result<Vec<Item>, PromoteError> {
        let repository = self.engine.repository;
        let has = |reference: &SecretRef| repository.secret(reference).is_ok();
        let path = self.secrets_path(here)?;
        let scope = self.scope(here, artifact);
        Ok(Expansion { scope, secrets: here.secrets.as_ref(), secrets_path: &path, has: &has }.items(steps)?)
    }

    pub(super) fn checks<'s>(
        &mut self,
        here: &Here<'_>,
        artifact: Option<&Artifact>,
        rules: impl Iterator<Item = &'s StepRule>,
    ) -> Result<Vec<Check>, PromoteError> {
        let mut checks = Vec::new();
        for item in self.items(here, artifact, rules)? {
            match item {
                Item::Check(check, _, _) => {
                    self.subject(here, &check)?;
                    checks.push(check);
                }
                Item::Unserved(word, at) => return Err(PromoteError::Unserved { declared: self.declared(at), word }),
                Item::Wanted(_) => {}
            }
        }
        Ok(checks)
    }

    /// Makes the client that a check will need, so that a missing one stops the plan.
    pub(super) fn subject(&mut self, here: &Here<'_>, check: &Check) -> Result<(), PromoteError> {
        if check.subject.starts_with("https://") {
            self.engine.connector.prober()?;
            return Ok(());
        }
        self.reader(here, &check.subject).map(drop)
    }

    pub(super) fn reader(&mut self, here: &Here<'_>, name: &str) -> Result<Arc<dyn Reader>, PromoteError> {
        let key = (here.name.clone(), name.to_owned());
        if let Some(reader) = self.readers.get(&key) {
            return Ok(Arc::clone(reader));
        }
        let target = self.target(here, name)?;
        let reader = self.engine.connector.reader(&target, self.engine.repository)?;
        self.targets.push(target);
        self.readers.insert(key, Arc::clone(&reader));
        Ok(reader)
    }

    fn target(&self, here: &Here<'_>, name: &str) -> Result<Target, PromoteError> {
        let Some(rule) = self.pipeline.target(name) else {
            return Err(PromoteError::Unserved { declared: self.pipeline.file.clone(), word: name.to_owned() });
        };
        let scope = self.scope(here, None);
        let json = |node| -> Result<serde_json::Value, PromoteError> {
            let unserved = || PromoteError::Unserved { declared: self.declared(rule.at), word: name.to_owned() };
            scope.resolve(node)?.json().ok_or_else(unserved)
        };
        let mut options = BTreeMap::new();
        for (word, node) in &rule.options {
            options.insert(word.clone(), json(node)?);
        }
        let mut credentials = BTreeMap::new();
        for credential in rule.backend.credentials {
            let reference = here.secrets.as_ref().map(|file| SecretRef {
                file: file.path.clone(),
                path: credential.key.to_owned(),
                blob: file.blob.clone(),
            });
            if let Some(reference) = reference.filter(|one| self.engine.repository.secret(one).is_ok()) {
                credentials.insert(credential.key.to_owned(), reference);
            }
        }
        Ok(Target {
            name: name.to_owned(),
            backend: rule.backend.name.to_owned(),
            address: json(&rule.address)?,
            options,
            declared: self.declared(rule.at),
            credentials,
        })
    }

    /// What a stage runs; `None` for a stage that has no step for builds.
    pub(super) async fn running(&mut self, here: &Here<'_>) -> Result<Option<Build>, PromoteError> {
        let Some((target, kind)) = build_place(self.pipeline, &here.stage.name) else { return Ok(None) };
        let reader = self.reader(here, target)?;
        let resource = Resource { target: target.to_owned(), kind: kind.to_owned(), name: String::new() };
        let known = BTreeMap::new();
        let source = self.engine.repository;
        let query = Query { resource: &resource, wanted: &State::Absent, known: &known, source };
        Ok(match reader.observe(query).await?.state {
            State::Build(build) => Some(build),
            _ => None,
        })
    }

    pub(super) async fn health(&mut self, here: &Here<'_>) -> Result<Vec<Gate>, PromoteError> {
        let Some((target, _)) = build_place(self.pipeline, &here.stage.name) else { return Ok(Vec::new()) };
        let verdict = self.reader(here, target)?.healthy().await?;
        gates::healthy(&here.name, verdict).map(|gate| vec![gate])
    }

    pub(super) async fn tests(&mut self, here: &Here<'_>, artifact: &Artifact) -> Result<Gate, PromoteError> {
        let tests = match build_place(self.pipeline, &here.stage.name) {
            Some((target, _)) => self.reader(here, target)?.tested(&artifact.commit).await?,
            None => Tests::None,
        };
        gates::tested(&here.name, tests)
    }

    /// The instance that is meant: the one named, or the only one that runs `head`.
    pub(super) async fn source(
        &mut self,
        from: &StageName,
        stage: &Stage,
        head: &str,
    ) -> Result<StageName, PromoteError> {
        if stage.per.is_none() || from.instance.is_some() {
            return Ok(from.clone());
        }
        let known = gates::instances(self.engine.repository, self.pipeline, stage)?;
        if build_place(self.pipeline, &stage.name).is_none() {
            return match known.as_slice() {
                [one] => Ok(from.with_instance(one)),
                _ => Err(unclear(stage, head, known.clone(), known)),
            };
        }
        let mut fitting = Vec::new();
        for name in &known {
            let here = self.here(from.with_instance(name), stage)?;
            // An instance whose app is gone is no candidate.
            if let Ok(Some(build)) = self.running(&here).await
                && build.commit.as_deref() == Some(head)
            {
                fitting.push(name.clone());
            }
        }
        match fitting.as_slice() {
            [one] => Ok(from.with_instance(one)),
            _ => Err(unclear(stage, head, fitting, known)),
        }
    }
}

/// The target and the kind of resource that a stage's builds are.
fn build_place<'p>(pipeline: &'p Pipeline, stage: &'p str) -> Option<(&'p str, &'static str)> {
    pipeline.steps_of(stage).find_map(|step| match &step.verb {
        Verb::Apply { target, words } => words.iter().find_map(|(word, _)| match word.writes {
            Some((kind, Reading::Build)) => Some((target.as_str(), kind)),
            _ => None,
        }),
        _ => None,
    })
}

fn unclear(stage: &Stage, head: &str, fitting: Vec<String>, known: Vec<String>) -> PromoteError {
    PromoteError::Instance { stage: stage.name.clone(), commit: head.to_owned(), fitting, known }
}
