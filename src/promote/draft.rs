//! The steps of a plan while it is made: each wish is held against what is there.

use std::collections::BTreeMap;

use super::change::{Change, FactRef, State, Value};
use super::error::PromoteError;
use super::expand::{Item, Wanted, makes};
use super::plan::{Agreement, Step, Task, Undo, Write};
use super::platform::{Act, Query};
use super::repository::FileVersion;
use super::room::{Here, Room};
use crate::secret::SecretRef;

/// What a plan will be made of.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) steps: Vec<Step>,
    pub(super) agreeing: Vec<Agreement>,
    pub(super) notes: Vec<String>,
    /// What the steps so far make known: target and pattern.
    made: Vec<(String, &'static str)>,
}

impl Room<'_, '_> {
    /// One item more: nothing, an agreement, or a step.
    pub(super) async fn step(
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
                        resource: Box::new(wanted.resource.clone()),
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
    pub(super) fn note_repeated_effects(&mut self) {
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
