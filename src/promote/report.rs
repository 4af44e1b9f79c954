//! What a promotion tells while it runs, and what it says at its end.

use jiff::Timestamp;
use serde::Serialize;

use super::change::Resource;
use super::journal::{Event, Way};
use super::plan::{Plan, Step, Task};
use super::platform::{Act, Check, Receipt};
use crate::error::{Class, Outcome};

/// Told while a promotion runs. Every method may be left as it is.
pub trait Observer: Send + Sync {
    /// Something happens in a step or a check.
    fn tell(&self, _news: &News<'_>) {}

    /// An event is in the journal and on the disk; the call it announces has not been made yet.
    fn journalled(&self, _event: &Event) {}
}

/// An observer that looks away.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}

/// One piece of news.
#[derive(Clone, Debug)]
pub enum News<'a> {
    /// An interrupted promotion is taken up again.
    Resumed,
    /// A step begins; on the way back, its undoing.
    Begins {
        /// The step's position, from 0.
        step: usize,
        /// How many steps there are.
        of: usize,
        /// The way.
        way: Way,
        /// What it does, in few words.
        what: &'a str,
    },
    /// A step or a check waits.
    Waits {
        /// What for, in the platform's words.
        why: &'a str,
    },
    /// A step has ended well.
    Done {
        /// The step's position, from 0.
        step: usize,
        /// The way.
        way: Way,
        /// What it made; `None`: there was nothing to do.
        receipt: Option<&'a Receipt>,
    },
    /// A check begins.
    Checks {
        /// The check.
        check: &'a Check,
    },
    /// A check is true.
    Checked {
        /// The check.
        check: &'a Check,
        /// What was seen.
        answer: &'a str,
    },
    /// Something failed; from here on everything is undone.
    Turns {
        /// What failed.
        why: &'a str,
    },
    /// The ledger has it.
    Recorded {
        /// The entry's commit.
        commit: &'a str,
    },
}

/// What a promotion came to.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// The plan.
    pub plan: Plan,
    /// What each step did, in the order it was done, ways back included.
    pub steps: Vec<StepReport>,
    /// What each check saw.
    pub checks: Vec<CheckReport>,
    /// The ledger entry's commit; `None` when nothing was changed.
    pub entry: Option<String>,
    /// Whether the ledger is shared through a remote.
    pub shared: bool,
    /// When it began; of a resumed one, the first time.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Whether it had been interrupted.
    pub resumed: bool,
    /// Why it did not reach the plan, where it did not.
    pub failure: Option<Cause>,
}

/// What one step did.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// The step's position, from 0.
    pub step: usize,
    /// The way.
    pub way: Way,
    /// What it does, in few words.
    pub what: String,
    /// What it made; `None`: there was nothing to do.
    pub receipt: Option<Receipt>,
    /// How long it took, in milliseconds; `None`: it was done before the interruption.
    pub milliseconds: Option<i64>,
}

/// What one check saw.
#[derive(Clone, Debug, Serialize)]
pub struct CheckReport {
    /// The check.
    pub check: Check,
    /// What was seen.
    pub answer: String,
    /// How long it took, in milliseconds.
    pub milliseconds: i64,
}

/// Why a promotion turned.
#[derive(Clone, Debug)]
pub struct Cause {
    /// What failed and why, one line.
    pub why: String,
    /// Its class, from which the exit code follows.
    pub class: Class,
    /// What to do.
    pub hints: Vec<String>,
}

impl Serialize for Cause {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut entries = serializer.serialize_struct("Cause", 3)?;
        entries.serialize_field("why", &self.why)?;
        entries.serialize_field("class", self.class.word())?;
        entries.serialize_field("hints", &self.hints)?;
        entries.end()
    }
}

impl Step {
    /// What the step does, in few words (`app config`, `check app`).
    #[must_use]
    pub fn what(&self) -> String {
        match &self.task {
            Task::Write(write) => write.act.what(),
            Task::Check(check) => format!("check {}", check.subject),
        }
    }
}

impl Act {
    /// What is sent, in few words.
    #[must_use]
    pub fn what(&self) -> String {
        match self {
            Self::Change(change) => change.resource.to_string(),
            Self::Restore { target, version, .. } => format!("{target} back to {version}"),
        }
    }

    /// The resources that it writes.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        let changes = match self {
            Self::Change(change) => std::slice::from_ref(change),
            Self::Restore { covers, .. } => covers.as_slice(),
        };
        changes.iter().map(|change| &change.resource)
    }
}
