//! Plans the way back from what the ledger has: the inverse of the last promotion, from what is there now.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::artifact::Artifact;
use super::change::{Change, State, Value};
use super::engine::Engine;
use super::error::PromoteError;
use super::ledger::Recorded;
use super::plan::{Agreement, Plan, Purpose, SCHEMA, Step, Task, Undo, Write};
use super::platform::{Act, Check, Query, Reader};
use super::stage_name::StageName;
use super::stale::versions;
use crate::error::Outcome;

/// How far back an applied promotion is looked for.
const DEPTH: usize = 100;

impl Engine<'_> {
    /// Plans the undoing of a stage's last promotion. Needs no pipeline file; causes questions only. Apply it with
    /// [`Engine::apply`].
    ///
    /// # Errors
    /// [`PromoteError::NothingToRollBack`]; [`PromoteError::Irreversible`] when some old value is in no version at hand and the
    /// platform keeps none either.
    pub async fn plan_rollback(&self, pipeline: &str, stage: &StageName) -> Result<Plan, PromoteError> {
        let head = self.ledger.head(pipeline, stage)?;
        let applied: Vec<Recorded> = self
            .ledger
            .entries(pipeline, stage, DEPTH)?
            .into_iter()
            .filter(|recorded| recorded.entry.outcome == Outcome::Applied)
            .collect();
        let Some(last) = applied.first() else {
            return Err(PromoteError::NothingToRollBack { stage: stage.clone() });
        };
        let undone = &last.entry.plan;
        let mut readers: BTreeMap<&str, Arc<dyn Reader>> = BTreeMap::new();
        for target in &undone.targets {
            readers.insert(&target.name, self.connector.reader(target, self.repository)?);
        }
        let mut steps = Vec::new();
        let mut agreeing = Vec::new();
        let mut restored: Vec<(String, String)> = Vec::new();
        for step in undone.steps.iter().rev() {
            let Task::Write(write) = &step.task else { continue };
            let Act::Change(change) = &write.act else {
                return Err(PromoteError::Irreversible { what: write.act.what() });
            };
            let target = &change.resource.target;
            let Some(reader) = readers.get(target.as_str()) else { continue };
            if let Some((version, covers)) = restore_of(undone, target, &change.resource.kind) {
                if !restored.contains(&(target.clone(), version.clone())) {
                    restored.push((target.clone(), version.clone()));
                    steps.push(self.restore(undone, step, target, version, &covers, reader.as_ref()).await?);
                }
                continue;
            }
            if write.undo == Undo::Irreversible {
                return Err(PromoteError::Irreversible { what: change.resource.to_string() });
            }
            match self.inverse(step, write, change, reader.as_ref()).await? {
                Ok(step) => steps.push(step),
                Err(agreement) => agreeing.push(agreement),
            }
        }
        // What was true of the stage before is checked; what this very promotion brought is not.
        let checks = match applied.get(1) {
            Some(before) => before.entry.plan.checks.clone(),
            None => undone.checks.iter().filter_map(|check| still_true(check, &steps)).collect(),
        };
        Ok(Plan {
            schema: SCHEMA.to_owned(),
            id: String::new(),
            pipeline: pipeline.to_owned(),
            stage: stage.clone(),
            purpose: Purpose::Rollback { entry: last.commit.clone() },
            artifact: undone.previous.as_ref().and_then(Artifact::of),
            previous: undone.artifact.as_ref().map(Artifact::wanted),
            secrets: applied.get(1).and_then(|before| before.entry.plan.secrets.clone()),
            targets: undone.targets.clone(),
            steps,
            agreeing,
            checks,
            gates: Vec::new(),
            notes: Vec::new(),
            ledger: head,
            protected: undone.protected,
            made: (self.clock)(),
        }
        .named())
    }

    async fn inverse(
        &self,
        step: &Step,
        write: &Write,
        change: &Change,
        reader: &dyn Reader,
    ) -> Result<Result<Step, Agreement>, PromoteError> {
        let inverse = change.inverse();
        let known = versions(&inverse.before);
        let (resource, wanted) = (&inverse.resource, &inverse.after);
        let query = Query { resource, wanted, known: &known, source: self.repository };
        let observed = reader.observe(query).await?;
        let Some(change) = Change::between(resource.clone(), &observed.state, wanted) else {
            return Ok(Err(Agreement { resource: resource.clone(), state: wanted.clone() }));
        };
        let undo = match &observed.version {
            _ if !change.before.holds_unknown_origin() => Undo::Inverse,
            Some(version) if observed.restores.contains(&resource.kind) => {
                Undo::Restore { version: version.clone(), covers: observed.restores.clone() }
            }
            _ => Undo::Irreversible,
        };
        let write = Write { act: Act::Change(change), observed, effect: write.effect.clone(), undo };
        Ok(Ok(Step { task: Task::Write(write), timeout: step.timeout, declared: step.declared.clone() }))
    }

    async fn restore(
        &self,
        undone: &Plan,
        step: &Step,
        target: &str,
        version: String,
        kinds: &[String],
        reader: &dyn Reader,
    ) -> Result<Step, PromoteError> {
        let mut covers = Vec::new();
        let mut observed = None;
        for step in undone.steps.iter().rev() {
            let Task::Write(Write { act: Act::Change(change), .. }) = &step.task else { continue };
            if change.resource.target != target || !kinds.contains(&change.resource.kind) {
                continue;
            }
            let inverse = change.inverse();
            let now = self.observe_covered(reader, &inverse).await?;
            if !now.state.meets(&inverse.before) {
                let why = format!("{} is not what the last promotion made of it", inverse.resource);
                return Err(PromoteError::Stale { why });
            }
            observed.get_or_insert(now);
            covers.push(inverse);
        }
        let Some(observed) = observed else { return Err(PromoteError::Irreversible { what: target.to_owned() }) };
        let act = Act::Restore { target: target.to_owned(), version, covers };
        let effect = "the platform's own way back: code and configuration at once".to_owned();
        let write = Write { act, observed, effect, undo: Undo::Irreversible };
        Ok(Step { task: Task::Write(write), timeout: step.timeout, declared: step.declared.clone() })
    }
}

/// The platform's own way back that a kind of resource of a target needs, if some step of the plan needs it.
fn restore_of(plan: &Plan, target: &str, kind: &str) -> Option<(String, Vec<String>)> {
    plan.steps.iter().find_map(|step| match &step.task {
        Task::Write(Write { act, undo: Undo::Restore { version, covers }, .. })
            if act.target() == target && covers.iter().any(|covered| covered == kind) =>
        {
            Some((version.clone(), covers.clone()))
        }
        _ => None,
    })
}

/// What of a check can hold once `steps` are done: an address that they may take away is not visited, and nothing is asked
/// of a kind of resource (`certificates: issued`) that they remove.
fn still_true(check: &Check, steps: &[Step]) -> Option<Check> {
    if check.subject.contains("://") {
        return None;
    }
    let removes = |word: &str| {
        steps.iter().any(|step| match &step.task {
            Task::Write(Write { act: Act::Change(change), .. }) => {
                change.resource.target == check.subject && change.resource.kind == word && is_nothing(&change.after)
            }
            _ => false,
        })
    };
    let mut check = check.clone();
    check.words.retain(|word, _| !removes(word));
    (!check.words.is_empty()).then_some(check)
}

fn is_nothing(state: &State) -> bool {
    match state {
        State::Absent => true,
        State::Fields(fields) => fields.values().all(|value| *value == Value::Absent),
        State::Build(_) | State::Records(_) => false,
    }
}
