//! One promotion from where its journal stands to its end. Follows the journal and the plan, never plans again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::change::Change;
use super::engine::Engine;
use super::error::PromoteError;
use super::journal::{Event, Journal, JournalError, Way};
use super::ledger::{Entry, SCHEMA, StepReceipt};
use super::lock::{Lock, LockError};
use super::plan::{Plan, Purpose, Task, Undo};
use super::platform::{Act, Check, Reader, Verdict, Writer};
use super::progress::Standing;
use super::report::{Cause, CheckReport, News, Observer, Report, StepReport};
use crate::error::{Class, Failure, Outcome};

/// Why a promotion does not go on.
pub(super) enum Halt {
    /// It stays where it is; the journal is kept and the next run resumes it.
    Stop(Box<PromoteError>),
    /// It failed; what was applied is undone.
    Turn(Cause),
}

/// A promotion that is being worked on.
pub(super) struct Run<'r> {
    pub(super) engine: &'r Engine<'r>,
    pub(super) observer: &'r dyn Observer,
    pub(super) journal: Journal,
    pub(super) plan: Plan,
    lock: Lock<'r>,
    writers: BTreeMap<String, Arc<dyn Writer>>,
    times: BTreeMap<(bool, usize), i64>,
    checks: Vec<CheckReport>,
    irreversible: Vec<String>,
    failure: Option<Cause>,
    resumed: bool,
}

impl Engine<'_> {
    /// Applies a plan: refuses it when it is stale, then journals, writes, reads back, verifies and records each step. When
    /// something fails, what was applied is undone in reverse order; the report says so.
    ///
    /// # Errors
    /// [`PromoteError`] when nothing was changed, or when the promotion had to stop half-way; then its outcome is `partial` or
    /// `unknown` and [`Engine::resume`] takes it up again.
    pub async fn apply(&self, plan: &Plan, observer: &dyn Observer) -> Result<Report, PromoteError> {
        let journal = match Journal::begin(&self.journals, plan, &self.by, (self.clock)()) {
            Err(JournalError::Unfinished { stage }) => return Err(PromoteError::Unfinished { stage }),
            other => other?,
        };
        if let Some((by, at)) = journal.progress().began() {
            observer.journalled(&Event::Began { plan: Box::new(plan.clone()), by: by.to_owned(), at });
        }
        self.run(journal, observer, false).await
    }

    /// Takes up a promotion of a stage that was interrupted; `None` when there is none. Needs no pipeline file.
    ///
    /// # Errors
    /// As [`Engine::apply`].
    pub async fn resume(
        &self,
        pipeline: &str,
        stage: &super::StageName,
        observer: &dyn Observer,
    ) -> Result<Option<Report>, PromoteError> {
        let Some(journal) = Journal::open(&self.journals, pipeline, stage)? else { return Ok(None) };
        observer.tell(&News::Resumed);
        self.run(journal, observer, true).await.map(Some)
    }

    async fn run(&self, mut journal: Journal, observer: &dyn Observer, resumed: bool) -> Result<Report, PromoteError> {
        let Some(plan) = journal.progress().plan().cloned() else {
            return Err(PromoteError::Unfinished { stage: super::StageName::plain("") });
        };
        let reason = match &plan.purpose {
            Purpose::Promotion { from } => format!("promotes {} from {from}", plan.short()),
            Purpose::Equalise => format!("applies {}", plan.short()),
            Purpose::Rollback { .. } => format!("rolls back as {}", plan.short()),
        };
        let touched = journal.progress().touched() || journal.progress().recorded().is_some();
        let now = (self.clock)();
        let taken = Lock::take(self.ledger.refs(), &plan.pipeline, &plan.stage, &plan.id, &self.by, &reason, now);
        let lock = match taken {
            Ok(lock) => lock,
            Err(error) => {
                abandon(journal, touched, now)?;
                return Err(error.into());
            }
        };
        let begun = if touched { Ok(()) } else { self.refuse_stale(&plan).await };
        let writers = match begun.and_then(|()| self.writers(&plan)) {
            Ok(writers) => writers,
            Err(error) => {
                if !touched {
                    let ended = Event::Ended { outcome: Outcome::Unchanged, at: (self.clock)() };
                    journal.append(&ended)?;
                    observer.journalled(&ended);
                    lock.release()?;
                    journal.put_away()?;
                }
                return Err(error);
            }
        };
        let run = Run {
            engine: self,
            observer,
            journal,
            plan,
            lock,
            writers,
            times: BTreeMap::new(),
            checks: Vec::new(),
            irreversible: Vec::new(),
            failure: None,
            resumed,
        };
        run.to_the_end().await
    }

    fn writers(&self, plan: &Plan) -> Result<BTreeMap<String, Arc<dyn Writer>>, PromoteError> {
        plan.targets
            .iter()
            .map(|target| Ok((target.name.clone(), self.connector.writer(target, self.repository)?)))
            .collect()
    }
}

/// A promotion that touched nothing is over; any other is left for the next run.
fn abandon(mut journal: Journal, touched: bool, now: Timestamp) -> Result<(), PromoteError> {
    if !touched {
        journal.append(&Event::Ended { outcome: Outcome::Unchanged, at: now })?;
        journal.put_away()?;
    }
    Ok(())
}

impl Run<'_> {
    async fn to_the_end(mut self) -> Result<Report, PromoteError> {
        match self.forward().await {
            Ok(()) => {}
            Err(Halt::Stop(error)) => return Err(*error),
            Err(Halt::Turn(cause)) => {
                self.observer.tell(&News::Turns { why: &cause.why });
                let turned = Event::Turned { why: cause.why.clone(), class: cause.class.code() };
                self.failure = Some(cause);
                self.log(&turned).map_err(|halt| self.as_error(halt))?;
            }
        }
        if let Some((why, class)) = self.journal.progress().turned() {
            let cause = Cause { why: why.to_owned(), class: class_of(class), hints: Vec::new() };
            self.failure.get_or_insert(cause);
            match self.back().await {
                Ok(()) => {}
                Err(halt) => return Err(self.half_way_back(halt)),
            }
        }
        self.finish()
    }

    /// Every step and every check, from where the journal stands.
    async fn forward(&mut self) -> Result<(), Halt> {
        if self.journal.progress().turned().is_some() || self.journal.progress().recorded().is_some() {
            return Ok(());
        }
        for step in 0..self.plan.steps.len() {
            let rule = self.plan.steps[step].clone();
            self.begins(Way::Forward, step, &rule.what());
            let began = self.now();
            match &rule.task {
                Task::Write(write) => self.drive(Way::Forward, step, &write.act, rule.timeout).await?,
                Task::Check(check) => {
                    if self.journal.progress().standing(Way::Forward, step).is_none() {
                        self.check(check).await?;
                        self.log(&Event::Passed { step, way: Way::Forward })?;
                    }
                }
            }
            self.timed(Way::Forward, step, began);
        }
        if !self.journal.progress().verified() {
            for check in self.plan.checks.clone() {
                self.check(&check).await?;
            }
            self.log(&Event::Verified)?;
        }
        Ok(())
    }

    /// Undoes what was sent, last first. Skips what already is as it was.
    async fn back(&mut self) -> Result<(), Halt> {
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

    /// Waits until a check is true.
    async fn check(&mut self, check: &Check) -> Result<(), Halt> {
        self.observer.tell(&News::Checks { check });
        let began = self.now();
        let reader: Arc<dyn Reader> = if check.subject.starts_with("https://") {
            self.engine.connector.prober().map_err(|error| self.halt(&error))?
        } else {
            self.writer(&check.subject)?
        };
        let limit = check.timeout.unwrap_or_else(|| self.default_limit(&check.subject));
        let waited = tokio::time::timeout(limit, self.verdict(check, reader)).await;
        let answer = match waited {
            Ok(answer) => answer?,
            Err(_) => {
                let why = format!("check {}: not true after {} s", check.subject, limit.as_secs());
                return Err(Halt::Turn(self.cause(&why, Class::No)));
            }
        };
        self.observer.tell(&News::Checked { check, answer: &answer });
        let milliseconds = self.now().as_millisecond() - began.as_millisecond();
        self.checks.push(CheckReport { check: check.clone(), answer, milliseconds });
        Ok(())
    }

    async fn verdict(&mut self, check: &Check, reader: Arc<dyn Reader>) -> Result<String, Halt> {
        loop {
            match reader.check(check).await {
                Ok(Verdict::Good(answer)) => return Ok(answer),
                Ok(Verdict::Bad(why)) => {
                    return Err(Halt::Turn(self.cause(&format!("check {}: {why}", check.subject), Class::No)));
                }
                Ok(Verdict::Waiting(why)) => self.wait(&why, reader.interval()).await?,
                Err(error) => return Err(self.halt(&error)),
            }
        }
    }

    /// Records, ends, unlocks.
    fn finish(mut self) -> Result<Report, PromoteError> {
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
        self.log(&Event::Ended { outcome, at: ended }).map_err(|halt| self.as_error(halt))?;
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
            plan: self.plan,
        };
        // The promotion is over whatever becomes of these: a lock ends by its expiry.
        if let Err(error) = self.lock.release() {
            tracing::warn!(%error, "the lock was not given back");
        }
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
        let mut plan = self.plan.clone();
        // What was sent, not what was meant: a rollback needs the facts.
        for (number, step) in plan.steps.iter_mut().enumerate() {
            if let (Task::Write(write), Some(act)) = (&mut step.task, progress.act(Way::Forward, number)) {
                write.act = act;
            }
        }
        let by = progress.began().map_or_else(String::new, |(by, _)| by.to_owned());
        let why = progress.turned().map(|(why, _)| why.to_owned());
        Entry { schema: SCHEMA.to_owned(), outcome, by, began, ended, receipts, why, plan }
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

    pub(super) fn log(&mut self, event: &Event) -> Result<(), Halt> {
        self.journal.append(event).map_err(|error| {
            // What cannot be written down is not done: the next run takes up what the disk has.
            let outcome = self.reached();
            let mut hints = error.hints();
            hints.push("run the same command again: it resumes".to_owned());
            let what = "the journal cannot be kept".to_owned();
            Halt::Stop(Box::new(PromoteError::Failed {
                what,
                why: error.to_string(),
                outcome,
                cause: error.class(),
                hints,
            }))
        })?;
        self.observer.journalled(event);
        Ok(())
    }

    /// How far the promotion got, should it stop here.
    pub(super) fn reached(&self) -> Outcome {
        let progress = self.journal.progress();
        let open = (0..self.plan.steps.len()).any(|step| {
            [Way::Forward, Way::Back].iter().any(|way| {
                matches!(progress.standing(*way, step), Some(Standing::Announced { .. } | Standing::Accepted { .. }))
            })
        });
        match (progress.touched(), open) {
            (false, _) => Outcome::Unchanged,
            (true, true) => Outcome::Unknown,
            (true, false) => Outcome::Partial,
        }
    }

    /// Waits for one interval and keeps the lock.
    pub(super) async fn wait(&mut self, why: &str, interval: Duration) -> Result<(), Halt> {
        self.observer.tell(&News::Waits { why });
        let now = self.now();
        match self.lock.beat(now) {
            Ok(()) => {}
            Err(error @ LockError::Lost { .. }) => return Err(Halt::Stop(Box::new(error.into()))),
            Err(error) => tracing::warn!(%error, "the lock's heartbeat failed"),
        }
        tokio::time::sleep(interval).await;
        Ok(())
    }

    pub(super) fn writer(&self, target: &str) -> Result<Arc<dyn Writer>, Halt> {
        self.writers
            .get(target)
            .cloned()
            .ok_or_else(|| Halt::Turn(self.cause(&format!("the plan does not say what `{target}` is"), Class::Usage)))
    }

    pub(super) fn default_limit(&self, subject: &str) -> Duration {
        const PROBE: Duration = Duration::from_secs(3600);
        let backend = self.plan.target(subject).map(|target| target.backend.as_str());
        let descriptors = self.engine.connector.descriptors();
        let name = backend.unwrap_or(super::descriptor::Descriptor::PROBER);
        descriptors.iter().find(|descriptor| descriptor.name == name).map_or(PROBE, |descriptor| descriptor.timeout)
    }

    fn begins(&self, way: Way, step: usize, what: &str) {
        self.observer.tell(&News::Begins { step, of: self.plan.steps.len(), way, what });
    }

    fn timed(&mut self, way: Way, step: usize, began: Timestamp) {
        let milliseconds = self.now().as_millisecond() - began.as_millisecond();
        self.times.insert((way == Way::Back, step), milliseconds);
    }

    fn now(&self) -> Timestamp {
        (self.engine.clock)()
    }

    fn as_error(&self, halt: Halt) -> PromoteError {
        match halt {
            Halt::Stop(error) => *error,
            Halt::Turn(cause) => PromoteError::Failed {
                what: "the promotion stops".to_owned(),
                why: cause.why,
                outcome: self.reached(),
                cause: cause.class,
                hints: cause.hints,
            },
        }
    }

    fn half_way_back(&self, halt: Halt) -> PromoteError {
        let first = self.failure.as_ref().map(|failure| failure.why.clone()).unwrap_or_default();
        match halt {
            Halt::Stop(error) => *error,
            Halt::Turn(cause) => PromoteError::Failed {
                what: format!("{first}; and undoing fails too"),
                why: cause.why,
                outcome: Outcome::Partial,
                cause: Class::World,
                hints: vec!["run the same command again: it goes on undoing".to_owned()],
            },
        }
    }

    fn unrecorded(&self, error: &super::ledger::LedgerError) -> PromoteError {
        let mut hints = error.hints();
        hints.push("run the same command again: it records what is done".to_owned());
        let what = "everything is done, but the ledger does not have it".to_owned();
        PromoteError::Failed { what, why: error.to_string(), outcome: Outcome::Partial, cause: Class::World, hints }
    }
}

fn class_of(code: u8) -> Class {
    [Class::No, Class::Usage, Class::Untrusted, Class::World]
        .into_iter()
        .find(|class| class.code() == code)
        .unwrap_or(Class::Bug)
}
