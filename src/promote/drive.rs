//! Drives one act from where its journal stands to its end: announce, send once, wait, read back.

use std::sync::Arc;
use std::time::Duration;

use super::change::{Change, FactRef, Value};
use super::error::PromoteError;
use super::journal::{Event, Way};
use super::platform::{Act, Fate, PlatformError, PlatformFault, Receipt, Settled, Watermark, Writer};
use super::progress::Standing;
use super::report::{Cause, News};
use super::run::{Halt, Run};
use crate::error::{Class, Failure as _, Outcome};

/// How often the receiving side is asked after a request of unknown fate before it counts as not arrived.
const ADOPTIONS: usize = 3;
/// How often a request that certainly did not arrive is sent again.
const SENDINGS: usize = 3;
/// How often a state that is not yet what it shall be is read back.
const READINGS: usize = 5;

impl Run<'_> {
    /// Brings `act` to its end. `act` counts only as long as nothing is announced: then the journal's one does.
    pub(super) async fn drive(
        &mut self,
        way: Way,
        step: usize,
        act: &Act,
        limit: Option<Duration>,
    ) -> Result<(), Halt> {
        let writer = self.writer(act.target())?;
        let limit = limit.unwrap_or_else(|| self.default_limit(act.target()));
        let mut announced_now = false;
        loop {
            match self.journal.progress().standing(way, step).cloned() {
                Some(Standing::Passed) => return self.done(way, step, None),
                Some(Standing::Confirmed { receipt, .. }) => return self.done(way, step, Some(&receipt)),
                Some(Standing::Refused) if way == Way::Forward => {
                    return Err(Halt::Turn(self.cause("the platform refused the request", Class::World)));
                }
                Some(Standing::Settled { failed: Some(why), .. }) if way == Way::Forward || announced_now => {
                    return Err(Halt::Turn(self.cause(&format!("{}: {why}", act.what()), Class::World)));
                }
                None | Some(Standing::Refused | Standing::Settled { failed: Some(_), .. }) => {
                    self.announce(way, step, act, &writer, limit).await?;
                    announced_now = true;
                }
                Some(Standing::Announced { act, since }) => {
                    self.send(way, step, &act, &since, &writer, announced_now).await?;
                }
                Some(Standing::Accepted { act, receipt }) => {
                    self.settle(way, step, &act, &receipt, &writer, limit).await?
                }
                Some(Standing::Settled { act, failed: None, .. }) => self.confirm(way, step, &act, &writer).await?,
            }
        }
    }

    async fn announce(
        &mut self,
        way: Way,
        step: usize,
        act: &Act,
        writer: &Arc<dyn Writer>,
        limit: Duration,
    ) -> Result<(), Halt> {
        let act = self.with_facts(act, limit).await?;
        let so = self.engine.is_so(writer.reader(), &act).await.map_err(|error| self.halt(&error))?;
        if so {
            return self.log(&Event::Passed { step, way });
        }
        let since = writer.reader().watermark(&act).await.map_err(|error| self.halt(&error))?;
        self.log(&Event::Announced { step, way, act, since })
    }

    async fn send(
        &mut self,
        way: Way,
        step: usize,
        act: &Act,
        since: &Watermark,
        writer: &Arc<dyn Writer>,
        never_sent: bool,
    ) -> Result<(), Halt> {
        // A resumed announcement may have been sent by the process that died.
        if !never_sent && let Some(receipt) = self.adopted(act, since, writer, ADOPTIONS).await? {
            return self.log(&Event::Accepted { step, way, receipt });
        }
        let mut last = None;
        for _ in 0..SENDINGS {
            let error = match writer.send(act, self.engine.repository).await {
                Ok(receipt) => return self.log(&Event::Accepted { step, way, receipt }),
                Err(error) => error,
            };
            tracing::info!(step, target = act.target(), %error, "a request failed");
            if error.fate == Fate::NotProcessed {
                last = Some(error);
                break;
            }
            if let Some(receipt) = self.adopted(act, since, writer, ADOPTIONS).await? {
                return self.log(&Event::Accepted { step, way, receipt });
            }
            last = Some(error);
        }
        self.log(&Event::Refused { step, way })?;
        Err(match last {
            Some(error) => Halt::Turn(cause_of(&error)),
            None => Halt::Turn(self.cause("the request was not sent", Class::World)),
        })
    }

    /// Asks the receiving side for the announced request; its answer may lag behind the request.
    async fn adopted(
        &mut self,
        act: &Act,
        since: &Watermark,
        writer: &Arc<dyn Writer>,
        times: usize,
    ) -> Result<Option<Receipt>, Halt> {
        for time in 0..times {
            if time > 0 {
                tokio::time::sleep(writer.reader().interval()).await;
            }
            match writer.reader().adopt(act, since, self.engine.repository).await {
                Ok(Some(receipt)) => return Ok(Some(receipt)),
                Ok(None) => {}
                Err(error) => return Err(self.stop(&act.what(), &error, Outcome::Unknown)),
            }
        }
        Ok(None)
    }

    async fn settle(
        &mut self,
        way: Way,
        step: usize,
        act: &Act,
        receipt: &Receipt,
        writer: &Arc<dyn Writer>,
        limit: Duration,
    ) -> Result<(), Halt> {
        let waited = tokio::time::timeout(limit, self.settled(act, receipt, writer)).await;
        let (receipt, failed) = match waited {
            Ok(ended) => ended?,
            Err(_) => (receipt.clone(), Some(format!("it took longer than {} s", limit.as_secs()))),
        };
        self.log(&Event::Settled { step, way, receipt, failed })
    }

    async fn settled(
        &mut self,
        act: &Act,
        receipt: &Receipt,
        writer: &Arc<dyn Writer>,
    ) -> Result<(Receipt, Option<String>), Halt> {
        loop {
            match writer.reader().settled(act, receipt, self.engine.repository).await {
                Ok(Settled::Done(receipt)) => return Ok((receipt, None)),
                Ok(Settled::Failed(why)) => return Ok((receipt.clone(), Some(why))),
                Ok(Settled::Waiting(why)) => self.wait(&why, writer.reader().interval()).await?,
                Err(error) => return Err(self.halt(&error)),
            }
        }
    }

    async fn confirm(&mut self, way: Way, step: usize, act: &Act, writer: &Arc<dyn Writer>) -> Result<(), Halt> {
        for reading in 0..READINGS {
            if reading > 0 {
                self.wait("it is not read back as written yet", writer.reader().interval()).await?;
            }
            let so = self.engine.is_so(writer.reader(), act).await.map_err(|error| self.halt(&error))?;
            if so {
                return self.log(&Event::Confirmed { step, way });
            }
        }
        let why = format!("{}: the platform says it is done, but what is read back is something else", act.what());
        Err(Halt::Turn(self.cause(&why, Class::World)))
    }

    fn done(&mut self, way: Way, step: usize, receipt: Option<&Receipt>) -> Result<(), Halt> {
        self.observer.tell(&News::Done { step, way, receipt });
        Ok(())
    }

    /// The act with its facts filled in; waits for facts that the platform does not know yet.
    async fn with_facts(&mut self, act: &Act, limit: Duration) -> Result<Act, Halt> {
        let Act::Change(change) = act else { return Ok(act.clone()) };
        let facts: Vec<FactRef> = change.after.facts().cloned().collect();
        let mut values = std::collections::BTreeMap::new();
        for fact in facts {
            let value = match tokio::time::timeout(limit, self.fact(&fact)).await {
                Ok(value) => value?,
                Err(_) => {
                    let why = format!("`{fact}` is not known after {} s", limit.as_secs());
                    return Err(Halt::Turn(self.cause(&why, Class::World)));
                }
            };
            values.insert(fact, Value::Text(value));
        }
        let after = change.after.filled(&change.resource, &values);
        Ok(Act::Change(Change { after, ..change.clone() }))
    }

    async fn fact(&mut self, fact: &FactRef) -> Result<String, Halt> {
        let writer = self.writer(&fact.target)?;
        loop {
            match writer.reader().fact(&fact.fact).await {
                Ok(Some(value)) => return Ok(value),
                Ok(None) => self.wait(&format!("{fact} is not known yet"), writer.reader().interval()).await?,
                Err(error) => return Err(self.halt(&error)),
            }
        }
    }

    /// What a failed question means: a platform that is away for a while is waited for by the next run; one that answers
    /// "no" will not answer otherwise later.
    pub(super) fn halt(&self, error: &PlatformError) -> Halt {
        let away = match &error.fault {
            PlatformFault::Unreachable { .. } | PlatformFault::RateLimited { .. } => true,
            PlatformFault::Refused { status, .. } => *status >= 500,
            _ => false,
        };
        if away && self.journal.progress().touched() {
            self.stop("the platform is away", error, self.reached())
        } else {
            Halt::Turn(cause_of(error))
        }
    }

    pub(super) fn stop(&self, what: &str, error: &PlatformError, outcome: Outcome) -> Halt {
        let mut hints = error.hints();
        hints.push("run the same command again: it resumes".to_owned());
        Halt::Stop(Box::new(PromoteError::Failed {
            what: what.to_owned(),
            why: error.to_string(),
            outcome,
            cause: Class::World,
            hints,
        }))
    }

    pub(super) fn cause(&self, why: &str, class: Class) -> Cause {
        Cause { why: why.to_owned(), class, hints: Vec::new() }
    }
}

pub(super) fn cause_of(error: &PlatformError) -> Cause {
    Cause { why: error.to_string(), class: error.class(), hints: error.hints() }
}
