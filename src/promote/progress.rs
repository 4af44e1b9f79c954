//! How far a promotion has come: what its journal's events add up to, and which event may follow which.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::journal::{Event, Way};
use super::plan::Plan;
use super::platform::{Act, Receipt, Watermark};
use crate::error::Outcome;

/// Where one step stands, on one way.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// There was nothing to do.
    Passed,
    /// The request is announced; nobody knows whether it was sent.
    Announced {
        /// The request.
        act: Act,
        /// The receiving side's versions before.
        since: Watermark,
    },
    /// The request was taken.
    Accepted {
        /// The request.
        act: Act,
        /// What the receiving side called it.
        receipt: Receipt,
    },
    /// The request was not taken.
    Refused,
    /// The work has ended.
    Settled {
        /// The request.
        act: Act,
        /// What it made.
        receipt: Receipt,
        /// Why it ended badly, if it did.
        failed: Option<String>,
    },
    /// The state was read back.
    Confirmed {
        /// The request.
        act: Act,
        /// What it made.
        receipt: Receipt,
    },
}

/// Where the promotion as a whole stands; the states of the journal's machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Point {
    #[default]
    Nothing,
    /// Between two steps; the steps from `next` on (on the way back: below `next`) are open.
    Between {
        way: Way,
        next: usize,
    },
    Announced {
        way: Way,
        step: usize,
    },
    Accepted {
        way: Way,
        step: usize,
    },
    Settled {
        way: Way,
        step: usize,
        well: bool,
    },
    Refused {
        way: Way,
        step: usize,
    },
    Verified,
    Recorded,
    Ended,
}

/// An event that may not follow what came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Illegal;

/// What a journal's events add up to.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    point: Point,
    plan: Option<Plan>,
    run: String,
    began: Option<(String, Timestamp)>,
    forward: BTreeMap<usize, Standing>,
    back: BTreeMap<usize, Standing>,
    turned: Option<(String, u8)>,
    verified: bool,
    recorded: Option<String>,
    ended: Option<Outcome>,
}

impl Progress {
    /// Takes one event more.
    ///
    /// # Errors
    /// [`Illegal`] when it may not follow; nothing is changed then.
    pub fn take(&mut self, event: &Event) -> Result<(), Illegal> {
        self.point = self.follow(event)?;
        self.remember(event);
        Ok(())
    }

    /// Which event may follow which, and where it leads.
    fn follow(&self, event: &Event) -> Result<Point, Illegal> {
        use Way::{Back, Forward};
        let steps = self.plan.as_ref().map_or(0, |plan| plan.steps.len());
        let open = |way: Way, next: usize, step: usize| match way {
            Forward => step == next && step < steps,
            Back => step < next,
        };
        let after = |way: Way, step: usize| match way {
            Forward => Point::Between { way, next: step + 1 },
            Back => Point::Between { way, next: step },
        };
        Ok(match (self.point, event) {
            (Point::Nothing, Event::Began { .. }) => Point::Between { way: Forward, next: 0 },
            (Point::Between { way, next }, Event::Passed { step, way: on }) if *on == way && open(way, next, *step) => {
                after(way, *step)
            }
            (Point::Between { way, next }, Event::Announced { step, way: on, .. })
                if *on == way && open(way, next, *step) =>
            {
                Point::Announced { way, step: *step }
            }
            (Point::Announced { way, step }, Event::Accepted { step: s, way: w, .. }) if (*s, *w) == (step, way) => {
                Point::Accepted { way, step }
            }
            (Point::Announced { way, step }, Event::Refused { step: s, way: w }) if (*s, *w) == (step, way) => {
                Point::Refused { way, step }
            }
            // On the way back a refused request may be tried again.
            (Point::Refused { way: Back, step }, Event::Announced { step: s, way: Back, .. }) if *s == step => {
                Point::Announced { way: Back, step }
            }
            (Point::Refused { way: Back, step }, Event::Passed { step: s, way: Back }) if *s == step => {
                after(Back, step)
            }
            (Point::Accepted { way, step }, Event::Settled { step: s, way: w, failed, .. })
                if (*s, *w) == (step, way) =>
            {
                Point::Settled { way, step, well: failed.is_none() }
            }
            (Point::Settled { way, step, well: true }, Event::Confirmed { step: s, way: w })
                if (*s, *w) == (step, way) =>
            {
                after(way, step)
            }
            // On the way back what ended badly may be tried again, or turn out to be as it shall be.
            (Point::Settled { way: Back, step, .. }, Event::Announced { step: s, way: Back, .. }) if *s == step => {
                Point::Announced { way: Back, step }
            }
            (Point::Settled { way: Back, step, .. }, Event::Passed { step: s, way: Back }) if *s == step => {
                after(Back, step)
            }
            (Point::Between { way: Forward, .. }, Event::Turned { .. }) => Point::Between { way: Back, next: steps },
            (
                Point::Accepted { way: Forward, step }
                | Point::Settled { way: Forward, step, .. }
                | Point::Refused { way: Forward, step },
                Event::Turned { .. },
            ) => Point::Between { way: Back, next: step + 1 },
            (Point::Between { way: Forward, next }, Event::Verified) if next == steps => Point::Verified,
            (Point::Verified | Point::Between { way: Back, .. }, Event::Recorded { .. }) => Point::Recorded,
            (Point::Recorded | Point::Between { .. }, Event::Ended { .. }) => Point::Ended,
            _ => return Err(Illegal),
        })
    }

    fn remember(&mut self, event: &Event) {
        match event {
            Event::Began { plan, run, by, at } => {
                self.run.clone_from(run);
                self.plan = Some((**plan).clone());
                self.began = Some((by.clone(), *at));
            }
            Event::Passed { step, way } => self.set(*way, *step, Standing::Passed),
            Event::Refused { step, way } => self.set(*way, *step, Standing::Refused),
            Event::Announced { step, way, act, since } => {
                self.set(*way, *step, Standing::Announced { act: act.clone(), since: since.clone() });
            }
            Event::Accepted { step, way, receipt } => {
                if let Some(act) = self.act(*way, *step) {
                    self.set(*way, *step, Standing::Accepted { act, receipt: receipt.clone() });
                }
            }
            Event::Settled { step, way, receipt, failed } => {
                if let Some(act) = self.act(*way, *step) {
                    let (receipt, failed) = (receipt.clone(), failed.clone());
                    self.set(*way, *step, Standing::Settled { act, receipt, failed });
                }
            }
            Event::Confirmed { step, way } => {
                if let Some(Standing::Settled { act, receipt, .. }) = self.standing(*way, *step).cloned() {
                    self.set(*way, *step, Standing::Confirmed { act, receipt });
                }
            }
            Event::Turned { why, class } => self.turned = Some((why.clone(), *class)),
            Event::Verified => self.verified = true,
            Event::Recorded { commit } => self.recorded = Some(commit.clone()),
            Event::Ended { outcome, .. } => self.ended = Some(*outcome),
        }
    }

    fn set(&mut self, way: Way, step: usize, standing: Standing) {
        match way {
            Way::Forward => self.forward.insert(step, standing),
            Way::Back => self.back.insert(step, standing),
        };
    }

    /// The request of a step, once it was announced.
    #[must_use]
    pub fn act(&self, way: Way, step: usize) -> Option<Act> {
        match self.standing(way, step)? {
            Standing::Announced { act, .. }
            | Standing::Accepted { act, .. }
            | Standing::Settled { act, .. }
            | Standing::Confirmed { act, .. } => Some(act.clone()),
            Standing::Passed | Standing::Refused => None,
        }
    }

    /// Where a step stands; `None`: untouched.
    #[must_use]
    pub fn standing(&self, way: Way, step: usize) -> Option<&Standing> {
        match way {
            Way::Forward => self.forward.get(&step),
            Way::Back => self.back.get(&step),
        }
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// The run's own name.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Who began it, and when.
    #[must_use]
    pub fn began(&self) -> Option<(&str, Timestamp)> {
        self.began.as_ref().map(|(by, at)| (by.as_str(), *at))
    }

    /// Why it turned and the cause's class, once it did.
    #[must_use]
    pub fn turned(&self) -> Option<(&str, u8)> {
        self.turned.as_ref().map(|(why, class)| (why.as_str(), *class))
    }

    /// Whether every check was true.
    #[must_use]
    pub fn verified(&self) -> bool {
        self.verified
    }

    /// The ledger entry's commit, once it is there.
    #[must_use]
    pub fn recorded(&self) -> Option<&str> {
        self.recorded.as_deref()
    }

    /// How it ended, once it did.
    #[must_use]
    pub fn ended(&self) -> Option<Outcome> {
        self.ended
    }

    /// Whether any request was announced, so that the world may have been changed.
    #[must_use]
    pub fn touched(&self) -> bool {
        self.forward.values().any(|standing| !matches!(standing, Standing::Passed | Standing::Refused))
    }
}
