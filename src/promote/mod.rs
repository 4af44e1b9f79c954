//! Promotion: plan, apply, verify, roll back. Knows no vendor and no file format of secrets.
//!
//! - [`Pipelines::parse`] reads every `pipelines/*.yaml` against the backends' [`Descriptor`]s; [`Pipelines::choose`] finds the
//!   one that has the stages.
//! - [`Engine`] is made of a [`Connector`] (the vendors), a [`Repository`] (HEAD, opened secrets), a [`Ledger`], a folder of
//!   journals, a clock and a name. [`Engine::plan`] and [`Engine::plan_rollback`] give a [`Plan`]; [`Engine::apply`] gives a
//!   [`Report`] and tells an [`Observer`] on the way; [`Engine::resume`] takes up what was interrupted, from the journal alone;
//!   [`Engine::status`] and [`Ledger::entries`] look back.
//! - A vendor implements [`Reader`], which can only ask, and [`Writer`], which also sends; planning gets the first only.
//!
//! The engine's one way of writing: ask for a watermark, journal what comes next, send it once, wait until it has settled,
//! read it back. After a kill the receiving side is asked whether the announced request arrived. When a step or a check
//! fails, what was sent is undone, last first, by the inverse change or by the platform's own way back to a recorded
//! version. What a platform that is away, a full disk or a lost answer leaves behind is a journal that the next run resumes.

mod artifact;
mod back;
mod change;
mod checkout;
mod descriptor;
mod draft;
mod drive;
mod engine;
mod error;
mod expand;
mod finish;
mod gates;
mod journal;
mod ledger;
mod lock;
mod pipeline;
mod pipelines;
mod plan;
mod planner;
mod platform;
mod platform_error;
mod progress;
mod report;
mod repository;
mod rollback;
mod room;
mod run;
mod source;
mod stage_name;
mod stale;
mod status;

pub use artifact::Artifact;
pub use change::{Build, Change, FactRef, RecordSet, Resource, Stack, State, Value};
pub use checkout::{Checkout, Opener};
pub use descriptor::{Client, Connection, Credential, Descriptor, Reading, Shape, Word};
pub use engine::Engine;
pub use error::PromoteError;
pub(crate) use expand::{Expansion, Item};
pub(crate) use gates::instances;
pub use journal::{Event, Journal, JournalError, Way};
pub use ledger::{Entry, Ledger, LedgerError, Recorded, StepReceipt};
pub use lock::{Claim, LockError, holder};
pub use pipeline::{
    ArtifactRule, At, Node, Origin, Per, Pipeline, PipelineError, PipelineFault, Raw, Resolved, Scope, SecretRule,
    Stage, StepRule, TargetRule, Verb,
};
pub use pipelines::{ChoiceError, Pipelines};
pub use plan::{Agreement, Gate, Plan, PlanFileError, Purpose, Step, Task, Undo, Write};
pub use planner::Request;
pub use platform::{
    Act, Check, Connector, Fate, Observed, PlatformError, PlatformFault, Query, Reader, Receipt, Settled, Target,
    Tests, Verdict, Watermark, Writer,
};
pub use progress::{Illegal, Progress, Standing};
pub use report::{Cause, CheckReport, News, Observer, Report, StepReport, Unobserved};
pub use repository::{FileVersion, Repository, RepositoryError};
pub use source::{Source, SourceError};
pub use stage_name::{NotAStageName, StageName};
pub use status::{Last, Status};
