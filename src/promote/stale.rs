//! Whether the world is still what a plan saw: asked again before anything is sent.

use std::collections::BTreeMap;

use super::change::{Change, State, Value};
use super::engine::Engine;
use super::error::PromoteError;
use super::plan::{Plan, Task, Write};
use super::platform::{Act, Observed, PlatformError, Query, Reader};
use crate::secret::SecretRef;

impl Engine<'_> {
    /// Refuses a plan whose `before` is not what is there now, or whose ledger head moved.
    ///
    /// # Errors
    /// [`PromoteError::Stale`].
    pub(super) async fn refuse_stale(&self, plan: &Plan) -> Result<(), PromoteError> {
        let head = self.ledger.head(&plan.pipeline, &plan.stage)?;
        if head != plan.ledger {
            let why = "the ledger has an entry that came after it".to_owned();
            return Err(PromoteError::Stale { why });
        }
        let mut readers = BTreeMap::new();
        for target in &plan.targets {
            readers.insert(target.name.as_str(), self.connector.reader(target, self.repository)?);
        }
        let reader = |name: &str| {
            let gone = || PromoteError::Stale { why: format!("it does not say what `{name}` is") };
            readers.get(name).map(AsRef::as_ref).ok_or_else(gone)
        };
        for step in &plan.steps {
            let Task::Write(write) = &step.task else { continue };
            self.same(reader(write.act.target())?, write).await?;
        }
        for agreement in &plan.agreeing {
            let (resource, wanted) = (&agreement.resource, &agreement.state);
            let known = versions(wanted);
            let query = Query { resource, wanted, known: &known, source: self.repository };
            if !reader(&resource.target)?.observe(query).await?.state.meets(wanted) {
                return Err(PromoteError::Stale { why: format!("{resource} was changed since") });
            }
        }
        Ok(())
    }

    async fn same(&self, reader: &dyn Reader, write: &Write) -> Result<(), PromoteError> {
        match &write.act {
            Act::Change(change) => {
                let wanted = seen_as(change, &write.observed.state);
                let known = versions(&write.observed.state);
                let query =
                    Query { resource: &change.resource, wanted: &wanted, known: &known, source: self.repository };
                let now = reader.observe(query).await?;
                if now.state != write.observed.state || now.version != write.observed.version {
                    return Err(PromoteError::Stale { why: format!("{} was changed since", change.resource) });
                }
            }
            Act::Restore { covers, .. } => {
                for change in covers {
                    let now = self.observe_covered(reader, change).await?;
                    if !now.state.meets(&change.before) || now.version != write.observed.version {
                        return Err(PromoteError::Stale { why: format!("{} was changed since", change.resource) });
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether what an act shall bring about is already there.
    pub(super) async fn is_so(&self, reader: &dyn Reader, act: &Act) -> Result<bool, PlatformError> {
        match act {
            Act::Change(change) => {
                let known = versions(&change.before);
                let (resource, wanted) = (&change.resource, &change.after);
                let query = Query { resource, wanted, known: &known, source: self.repository };
                Ok(reader.observe(query).await?.state.meets(wanted))
            }
            Act::Restore { covers, .. } => {
                for change in covers {
                    if !self.observe_covered(reader, change).await?.state.is_restored(&change.after) {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }
}

impl Engine<'_> {
    /// What is there now of a change that a platform's own way back covers. Asked by the names of what is to go away: only so
    /// a live value can be told from a restored one.
    pub(super) async fn observe_covered(
        &self,
        reader: &dyn Reader,
        change: &Change,
    ) -> Result<Observed, PlatformError> {
        let known = versions(&change.after);
        let (resource, wanted) = (&change.resource, &change.before);
        reader.observe(Query { resource, wanted, known: &known, source: self.repository }).await
    }
}

/// What was asked for when the plan was made: what differed and what agreed.
fn seen_as(change: &Change, observed: &State) -> State {
    match (&change.after, observed) {
        (State::Fields(after), State::Fields(observed)) => {
            let mut wanted = observed.clone();
            wanted.extend(after.iter().map(|(name, value)| (name.clone(), value.clone())));
            State::Fields(wanted)
        }
        (after, _) => after.clone(),
    }
}

/// The versions that a state names, by field, so that live values can be recognised as them.
pub(super) fn versions(state: &State) -> BTreeMap<String, Vec<SecretRef>> {
    let State::Fields(fields) = state else { return BTreeMap::new() };
    fields
        .iter()
        .filter_map(|(name, value)| match value {
            Value::Secret(reference) => Some((name.clone(), vec![reference.clone()])),
            _ => None,
        })
        .collect()
}
