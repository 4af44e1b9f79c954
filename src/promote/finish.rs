//! The end of a promotion: recorded, reported, unlocked.

use jiff::Timestamp;

use super::error::PromoteError;
use super::journal::{Event, Way};
use super::ledger::{Entry, LedgerError, SCHEMA, StepReceipt};
use super::plan::{Plan, Task};
use super::progress::Standing;
use super::report::{News, Report, StepReport};
use super::run::Run;
use crate::error::{Class, Failure as _, Outcome};

impl Run<'_> {
    /// Records, ends, unlocks.
    pub(super) fn finish(mut self) -> Result<Report, PromoteError> {
        let progress = self.journal.progress();
        let outcome = match (progress.turned().is_some(), progress.touched(), self.irreversible.is_empty()) {
            (false, _, _) => Outcome::Applied,
            (true, false, _) => Outcome::Unchanged,
            (true, true, true) => Outcome::RolledBack,
            (true, true, false) => Outcome::Partial,
        };
        if !self.irreversible.is_empty()
            && let Some(failure) = &mut self.failure
        {
            failure.hints.push(format!("not undone: {}", self.irreversible.join(", ")));
        }
        let began = self.journal.progress().began().map_or_else(|| self.now(), |(_, at)| at);
        let ended = self.now();
        if self.journal.progress().recorded().is_none()
            && (outcome == Outcome::Applied || self.journal.progress().touched())
        {
            let entry = self.entry(outcome, began, ended);
            let commit = match self.engine.ledger.append(&entry) {
                Ok(commit) => commit,
                Err(error) => return Err(self.unrecorded(&error)),
            };
            self.log(&Event::Recorded { commit: commit.clone() }).map_err(|halt| self.as_error(halt))?;
            self.observer.tell(&News::Recorded { commit: &commit });
        }
        let entry = self.journal.progress().recorded().map(str::to_owned);
        // Before the end is written down: a process that dies in between is resumed, and gives it back then. The promotion
        // is over whatever becomes of it: a lock ends by its expiry.
        if let Err(error) = self.lock.release() {
            tracing::warn!(%error, "the lock was not given back");
        }
        self.log(&Event::Ended { outcome, at: ended }).map_err(|halt| self.as_error(halt))?;
        let plan = self.sent_plan();
        let report = Report {
            outcome,
            steps: self.step_reports(),
            checks: self.checks,
            entry,
            shared: self.engine.ledger.remote().is_some(),
            began,
            ended,
            resumed: self.resumed,
            failure: self.failure,
            plan,
        };
        self.journal.put_away()?;
        Ok(report)
    }

    fn entry(&self, outcome: Outcome, began: Timestamp, ended: Timestamp) -> Entry {
        let progress = self.journal.progress();
        let receipts = (0..self.plan.steps.len())
            .filter_map(|step| match progress.standing(Way::Forward, step)? {
                Standing::Confirmed { receipt, .. } => Some(StepReceipt { step, receipt: receipt.clone() }),
                _ => None,
            })
            .collect();
        let plan = self.sent_plan();
        let by = progress.began().map_or_else(String::new, |(by, _)| by.to_owned());
        let why = progress.turned().map(|(why, _)| why.to_owned());
        Entry { schema: SCHEMA.to_owned(), outcome, by, began, ended, receipts, why, plan }
    }

    /// The plan with what was sent, not what was meant: a rollback needs the facts, and the user wants to read them.
    fn sent_plan(&self) -> Plan {
        let mut plan = self.plan.clone();
        for (number, step) in plan.steps.iter_mut().enumerate() {
            if let (Task::Write(write), Some(act)) = (&mut step.task, self.journal.progress().act(Way::Forward, number))
            {
                write.act = act;
            }
        }
        plan
    }

    fn step_reports(&self) -> Vec<StepReport> {
        let progress = self.journal.progress();
        let count = self.plan.steps.len();
        let ways = (0..count).map(|step| (Way::Forward, step)).chain((0..count).rev().map(|step| (Way::Back, step)));
        ways.filter_map(|(way, step)| {
            let standing = progress.standing(way, step)?;
            let receipt = match standing {
                Standing::Confirmed { receipt, .. } | Standing::Settled { receipt, .. } => Some(receipt.clone()),
                _ => None,
            };
            let what = progress.act(way, step).map_or_else(|| self.plan.steps[step].what(), |act| act.what());
            let milliseconds = self.times.get(&(way == Way::Back, step)).copied();
            Some(StepReport { step, way, what, receipt, milliseconds })
        })
        .collect()
    }

    fn unrecorded(&self, error: &LedgerError) -> PromoteError {
        let mut hints = error.hints();
        hints.push("run the same command again: it records what is done".to_owned());
        let what = "everything is done, but the ledger does not have it".to_owned();
        PromoteError::Failed { what, why: error.to_string(), outcome: Outcome::Partial, cause: Class::World, hints }
    }
}
