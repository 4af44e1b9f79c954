//! The way back: what was sent is undone, last first.

use super::change::Change;
use super::journal::Way;
use super::plan::{Task, Undo};
use super::platform::Act;
use super::run::{Halt, Run};

impl Run<'_> {
    /// Undoes what was sent, last first. Skips what already is as it was.
    pub(super) async fn back(&mut self) -> Result<(), Halt> {
        if self.journal.progress().recorded().is_some() {
            return Ok(());
        }
        let mut restored: Vec<(String, String)> = Vec::new();
        for step in (0..self.plan.steps.len()).rev() {
            let change = match self.sent(step) {
                None => continue,
                Some(Act::Change(change)) => change,
                // A rollback's own restore: what was there before it is held by no version that was recorded.
                Some(restore @ Act::Restore { .. }) => {
                    self.irreversible.push(restore.what());
                    continue;
                }
            };
            let Task::Write(write) = &self.plan.steps[step].task else { continue };
            let covered = |kinds: &[String]| kinds.contains(&change.resource.kind);
            let target = change.resource.target.clone();
            let restore = self.restore_of(&target).filter(|(_, covers)| covered(covers));
            let act = match (restore, &write.undo) {
                (Some((version, covers)), _) => {
                    if restored.contains(&(target.clone(), version.clone())) {
                        continue;
                    }
                    restored.push((target.clone(), version.clone()));
                    Act::Restore { covers: self.covered(&target, &covers), target, version }
                }
                (None, Undo::Inverse) => Act::Change(change.inverse()),
                (None, Undo::Restore { .. } | Undo::Irreversible) => {
                    self.irreversible.push(change.resource.to_string());
                    continue;
                }
            };
            let timeout = self.plan.steps[step].timeout;
            self.begins(Way::Back, step, &act.what());
            let began = self.now();
            self.drive(Way::Back, step, &act, timeout).await?;
            self.timed(Way::Back, step, began);
        }
        Ok(())
    }

    /// What was sent in a step, as it was announced, facts filled in.
    fn sent(&self, step: usize) -> Option<Act> {
        self.journal.progress().act(Way::Forward, step)
    }

    /// The way back that some sent step of a target needs: the version and the kinds that come back with it.
    fn restore_of(&self, target: &str) -> Option<(String, Vec<String>)> {
        let steps = self.plan.steps.iter().enumerate();
        steps.filter(|(step, _)| self.sent(*step).is_some_and(|act| act.target() == target)).find_map(|(_, step)| {
            match &step.task {
                Task::Write(write) => match &write.undo {
                    Undo::Restore { version, covers } => Some((version.clone(), covers.clone())),
                    Undo::Inverse | Undo::Irreversible => None,
                },
                Task::Check(_) => None,
            }
        })
    }

    fn covered(&self, target: &str, kinds: &[String]) -> Vec<Change> {
        (0..self.plan.steps.len())
            .filter_map(|step| match self.sent(step) {
                Some(Act::Change(change)) => Some(change),
                _ => None,
            })
            .filter(|change| change.resource.target == target && kinds.contains(&change.resource.kind))
            .map(|change| change.inverse())
            .collect()
    }
}
