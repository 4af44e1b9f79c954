//! Makes plans: asks the platforms with clients that cannot write, and compares.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::artifact::Artifact;
use super::change::{Build, Change, FactRef, Resource, State, Value};
use super::descriptor::Reading;
use super::engine::Engine;
use super::error::PromoteError;
use super::expand::{Expansion, Item, Wanted, makes};
use super::gates;
use super::pipeline::{At, Pipeline, Scope, Stage, StepRule, Verb, nearest};
use super::plan::{Agreement, Gate, Plan, Purpose, SCHEMA, Step, Task, Undo, Write};
use super::platform::{Act, Check, Query, Reader, Target};
use super::repository::FileVersion;
use super::stage_name::StageName;
use crate::error::Outcome;
use crate::secret::SecretRef;

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
        let previous = room.running(&to_here).await?;
        let (purpose, artifact) = match from {
            None => (Purpose::Equalise, previous.as_ref().and_then(Artifact::of)),
            Some((from, from_stage)) => {
                let name = room.source(from, from_stage, &head).await?;
                let here = room.here(name.clone(), from_stage)?;
                let build = room.running(&here).await?;
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
        let mut draft = Draft { steps: Vec::new(), agreeing: Vec::new(), notes: Vec::new(), made: Vec::new() };
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

/// One stage as it is spoken of: its name, its rule, its secrets.
pub(super) struct Here<'a> {
    pub(super) name: StageName,
    pub(super) stage: &'a Stage,
    pub(super) secrets: Option<FileVersion>,
}

/// The clients of one plan.
struct Room<'e, 'a> {
    engine: &'e Engine<'a>,
    pipeline: &'e Pipeline,
    targets: Vec<Target>,
    readers: BTreeMap<String, Arc<dyn Reader>>,
}

#[derive(Default)]
struct Draft {
    steps: Vec<Step>,
    agreeing: Vec<Agreement>,
    notes: Vec<String>,
    /// What the steps so far make known: target and pattern.
    made: Vec<(String, &'static str)>,
}

impl<'e> Room<'e, '_> {
    fn scope<'s>(&'s self, here: &'s Here<'_>, artifact: Option<&'s Artifact>) -> Scope<'s> {
        Scope { pipeline: self.pipeline, stage: here.stage, instance: here.name.instance.as_deref(), artifact }
    }

    fn declared(&self, at: At) -> String {
        format!("{}:{at}", self.pipeline.file)
    }

    fn secrets_path(&self, here: &Here<'_>) -> Result<String, PromoteError> {
        match &here.stage.file {
            Some(file) => Ok(self.scope(here, None).text(file)?),
            None => {
                let name = here.name.instance.as_deref().unwrap_or(&here.name.stage);
                Ok(format!("secrets/{}.{name}.yaml", self.pipeline.name))
            }
        }
    }

    fn here<'s>(&self, name: StageName, stage: &'s Stage) -> Result<Here<'s>, PromoteError> {
        let mut here = Here { name, stage, secrets: None };
        here.secrets = self.engine.repository.file(&self.secrets_path(&here)?)?;
        Ok(here)
    }

    fn items<'s>(
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

    fn checks<'s>(
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
    fn subject(&mut self, here: &Here<'_>, check: &Check) -> Result<(), PromoteError> {
        if check.subject.starts_with("https://") {
            self.engine.connector.prober()?;
            return Ok(());
        }
        self.reader(here, &check.subject).map(drop)
    }

    fn reader(&mut self, here: &Here<'_>, name: &str) -> Result<Arc<dyn Reader>, PromoteError> {
        if let Some(reader) = self.readers.get(name) {
            return Ok(Arc::clone(reader));
        }
        let target = self.target(here, name)?;
        let reader = self.engine.connector.reader(&target, self.engine.repository)?;
        self.targets.push(target);
        self.readers.insert(name.to_owned(), Arc::clone(&reader));
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
    async fn running(&mut self, here: &Here<'_>) -> Result<Option<Build>, PromoteError> {
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

    async fn health(&mut self, here: &Here<'_>) -> Result<Vec<Gate>, PromoteError> {
        let Some((target, _)) = build_place(self.pipeline, &here.stage.name) else { return Ok(Vec::new()) };
        let verdict = self.reader(here, target)?.healthy().await?;
        gates::healthy(&here.name, verdict).map(|gate| vec![gate])
    }

    async fn tests(&mut self, here: &Here<'_>, artifact: &Artifact) -> Result<Gate, PromoteError> {
        let verdict = match build_place(self.pipeline, &here.stage.name) {
            Some((target, _)) => self.reader(here, target)?.tested(&artifact.commit).await?,
            None => None,
        };
        gates::tested(&here.name, verdict)
    }

    /// The instance that is meant: the one named, or the only one that runs `head`.
    async fn source(&mut self, from: &StageName, stage: &Stage, head: &str) -> Result<StageName, PromoteError> {
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
            self.readers.clear();
            // An instance whose app is gone is no candidate.
            if let Ok(Some(build)) = self.running(&here).await
                && build.commit.as_deref() == Some(head)
            {
                fitting.push(name.clone());
            }
        }
        self.readers.clear();
        match fitting.as_slice() {
            [one] => Ok(from.with_instance(one)),
            _ => Err(unclear(stage, head, fitting, known)),
        }
    }

    async fn step(
        &mut self,
        here: &Here<'_>,
        known: &[FileVersion],
        item: Item,
        draft: &mut Draft,
    ) -> Result<(), PromoteError> {
        match item {
            Item::Unserved(word, at) => Err(PromoteError::Unserved { declared: self.declared(at), word }),
            Item::Check(check, timeout, at) => {
                self.subject(here, &check)?;
                draft.steps.push(Step { task: Task::Check(check), timeout, declared: self.declared(at) });
                Ok(())
            }
            Item::Wanted(wanted) => self.write(here, known, wanted, draft).await,
        }
    }

    async fn write(
        &mut self,
        here: &Here<'_>,
        versions: &[FileVersion],
        wanted: Wanted,
        draft: &mut Draft,
    ) -> Result<(), PromoteError> {
        let reader = self.reader(here, &wanted.resource.target)?;
        let state = self.facts(here, &wanted, draft).await?;
        let known = known_versions(&state, versions);
        let source = self.engine.repository;
        let query = Query { resource: &wanted.resource, wanted: &state, known: &known, source };
        let observed = reader.observe(query).await?;
        if wanted.compared {
            return self.compare(&wanted, &observed.state, draft);
        }
        let Some(change) = Change::between(wanted.resource.clone(), &observed.state, &state) else {
            draft.agreeing.push(Agreement { resource: wanted.resource, state });
            return Ok(());
        };
        let undo = if !change.before.holds_unknown_origin() {
            Undo::Inverse
        } else if let Some(version) = observed.version.clone()
            && observed.restores.contains(&change.resource.kind)
        {
            Undo::Restore { version, covers: observed.restores.clone() }
        } else {
            Undo::Irreversible
        };
        draft.made.extend(wanted.produces.iter().map(|pattern| (wanted.resource.target.clone(), *pattern)));
        let write = Write { act: Act::Change(change), observed, effect: wanted.effect.to_owned(), undo };
        draft.steps.push(Step {
            task: Task::Write(write),
            timeout: wanted.timeout,
            declared: self.declared(wanted.at),
        });
        Ok(())
    }

    /// The wanted state with the facts filled in that are known and that no earlier step will make anew.
    async fn facts(&mut self, here: &Here<'_>, wanted: &Wanted, draft: &Draft) -> Result<State, PromoteError> {
        let mut values: BTreeMap<FactRef, Value> = BTreeMap::new();
        let facts: Vec<FactRef> = wanted.state.facts().cloned().collect();
        for fact in facts {
            let later = draft.made.iter().any(|(target, pattern)| *target == fact.target && makes(pattern, &fact));
            let value = if later {
                Value::Fact(fact.clone())
            } else {
                let reader = self.reader(here, &fact.target)?;
                let unknown =
                    || PromoteError::FactUnknown { declared: self.declared(wanted.at), fact: fact.to_string() };
                Value::Text(reader.fact(&fact.fact).await?.ok_or_else(unknown)?)
            };
            values.insert(fact, value);
        }
        Ok(wanted.state.filled(&wanted.resource, &values))
    }

    fn compare(&self, wanted: &Wanted, live: &State, draft: &mut Draft) -> Result<(), PromoteError> {
        let (State::Fields(live), State::Fields(declared)) = (live, &wanted.state) else { return Ok(()) };
        for (field, value) in declared {
            let shown = if let Value::Text(text) = value { text.clone() } else { String::new() };
            match live.get(field).unwrap_or(&Value::Absent) {
                now if now == value => {}
                Value::Absent => {
                    return Err(PromoteError::Missing {
                        declared: self.declared(wanted.at),
                        resource: wanted.resource.clone(),
                        field: field.clone(),
                        wanted: shown,
                    });
                }
                Value::Text(now) => {
                    draft.notes.push(format!("{}: `{field}` is `{now}`, declared is `{shown}`", wanted.resource));
                }
                _ => draft.notes.push(format!("{}: `{field}` is not as declared", wanted.resource)),
            }
        }
        draft.agreeing.push(Agreement { resource: wanted.resource.clone(), state: State::Fields(live.clone()) });
        Ok(())
    }
}

impl Draft {
    /// Several writes of one target that each do more than they write (two releases) are worth a line.
    fn note_repeated_effects(&mut self) {
        let mut effects: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for step in &self.steps {
            if let Task::Write(write) = &step.task
                && let Act::Change(change) = &write.act
                && !write.effect.is_empty()
            {
                effects.entry(change.resource.target.clone()).or_default().push(change.resource.kind.clone());
            }
        }
        for (target, kinds) in effects.into_iter().filter(|(_, kinds)| kinds.len() > 1) {
            let (count, kinds) = (kinds.len(), kinds.join(", then "));
            self.notes.push(format!("`{target}` is written {count} times, each with its own effect: {kinds}"));
        }
    }
}

fn known_versions(state: &State, versions: &[FileVersion]) -> BTreeMap<String, Vec<SecretRef>> {
    let State::Fields(fields) = state else { return BTreeMap::new() };
    fields
        .iter()
        .filter_map(|(name, value)| if let Value::Secret(wanted) = value { Some((name, wanted)) } else { None })
        .map(|(name, wanted)| {
            let older = versions.iter().filter(|version| version.blob != wanted.blob).map(|version| SecretRef {
                file: version.path.clone(),
                path: wanted.path.clone(),
                blob: version.blob.clone(),
            });
            (name.clone(), older.collect())
        })
        .collect()
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

fn unclear(stage: &Stage, head: &str, fitting: Vec<String>, known: Vec<String>) -> PromoteError {
    PromoteError::Instance { stage: stage.name.clone(), commit: head.to_owned(), fitting, known }
}
