//! One promotion from where its journal stands to its end. Follows the journal and the plan, never plans again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::engine::Engine;
use super::error::PromoteError;
use super::journal::{Event, Journal, JournalError, Way};
use super::lock::{Lock, LockError};
use super::plan::{Plan, Purpose, Task};
use super::platform::{Check, Reader, Verdict, Writer};
use super::progress::Standing;
use super::report::{Cause, CheckReport, News, Observer, Report};
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
    pub(super) lock: Lock<'r>,
    writers: BTreeMap<String, Arc<dyn Writer>>,
    /// Milliseconds, by whether it was on the way back, and step.
    pub(super) times: BTreeMap<(bool, usize), i64>,
    pub(super) checks: Vec<CheckReport>,
    /// What could not be undone.
    pub(super) irreversible: Vec<String>,
    pub(super) failure: Option<Cause>,
    pub(super) resumed: bool,
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
            let run = journal.progress().run().to_owned();
            observer.journalled(&Event::Began { plan: Box::new(plan.clone()), run, by: by.to_owned(), at });
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
        let taken = Lock::take(
            self.ledger.refs(),
            &plan.pipeline,
            &plan.stage,
            journal.progress().run(),
            &self.by,
            &reason,
            now,
        );
        let lock = match taken {
            Ok(lock) => lock,
            Err(error) if touched => {
                return Err(PromoteError::Failed {
                    what: "the interrupted promotion is not resumed".to_owned(),
                    why: error.to_string(),
                    outcome: Outcome::Partial,
                    cause: error.class(),
                    hints: error.hints(),
                });
            }
            Err(error) => {
                abandon(journal, now)?;
                return Err(error.into());
            }
        };
        let begun = if touched { Ok(()) } else { self.refuse_stale(&plan).await };
        let writers = match begun.and_then(|()| self.writers(&plan)) {
            Ok(writers) => writers,
            Err(error) => {
                if !touched {
                    lock.release()?;
                    let ended = Event::Ended { outcome: Outcome::Unchanged, at: (self.clock)() };
                    journal.append(&ended)?;
                    observer.journalled(&ended);
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
        run.finished().await
    }

    fn writers(&self, plan: &Plan) -> Result<BTreeMap<String, Arc<dyn Writer>>, PromoteError> {
        plan.targets
            .iter()
            .map(|target| Ok((target.name.clone(), self.connector.writer(target, self.repository)?)))
            .collect()
    }
}

/// A promotion that touched nothing is over.
fn abandon(mut journal: Journal, now: Timestamp) -> Result<(), PromoteError> {
    journal.append(&Event::Ended { outcome: Outcome::Unchanged, at: now })?;
    Ok(journal.put_away()?)
}

impl Run<'_> {
    async fn finished(mut self) -> Result<Report, PromoteError> {
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

    /// Waits until a check is true.
    async fn check(&mut self, check: &Check) -> Result<(), Halt> {
        self.observer.tell(&News::Checks { check });
        let began = self.now();
        let (prober, writer);
        let reader: &dyn Reader = if check.subject.starts_with("https://") {
            prober = self.engine.connector.prober().map_err(|error| self.halt(&error))?;
            prober.as_ref()
        } else {
            writer = self.writer(&check.subject)?;
            writer.reader()
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

    async fn verdict(&mut self, check: &Check, reader: &dyn Reader) -> Result<String, Halt> {
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

    pub(super) fn begins(&self, way: Way, step: usize, what: &str) {
        self.observer.tell(&News::Begins { step, of: self.plan.steps.len(), way, what });
    }

    pub(super) fn timed(&mut self, way: Way, step: usize, began: Timestamp) {
        let milliseconds = self.now().as_millisecond() - began.as_millisecond();
        self.times.insert((way == Way::Back, step), milliseconds);
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.engine.clock)()
    }

    pub(super) fn as_error(&self, halt: Halt) -> PromoteError {
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
}

fn class_of(code: u8) -> Class {
    [Class::No, Class::Usage, Class::Untrusted, Class::World]
        .into_iter()
        .find(|class| class.code() == code)
        .unwrap_or(Class::Bug)
}
