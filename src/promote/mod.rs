//! Promotion: plan, apply, verify, roll back. Knows no vendor and no file format of secrets.

mod artifact;
mod change;
mod checkout;
mod descriptor;
mod engine;
mod error;
mod expand;
mod gates;
mod journal;
mod ledger;
mod lock;
mod pipeline;
mod plan;
mod planner;
mod platform;
mod platform_error;
mod progress;
mod repository;
mod source;
mod stage_name;

pub use artifact::Artifact;
pub use change::{Build, Change, FactRef, RecordSet, Resource, Stack, State, Value};
pub use descriptor::{Client, Connection, Credential, Descriptor, Reading, Shape, Word};
pub use pipeline::{At, Origin, Per, Pipeline, PipelineError, PipelineFault, Scope, Stage, StepRule, TargetRule, Verb};
pub use platform::{
    Act, Check, Connector, Fate, Observed, PlatformError, PlatformFault, Query, Reader, Receipt, Settled, Target,
    Verdict, Watermark, Writer,
};
pub use source::{Source, SourceError};
pub use checkout::{Checkout, Opener};
pub use repository::{FileVersion, Repository, RepositoryError};
pub use stage_name::{NotAStageName, StageName};
pub use ledger::{Entry, Ledger, LedgerError, Recorded, StepReceipt};
pub use plan::{Agreement, Gate, Plan, PlanFileError, Purpose, Step, Task, Undo, Write};
pub use engine::Engine;
pub(crate) use expand::{Expansion, Item};
pub(crate) use gates::instances;
pub use error::PromoteError;
pub use lock::{Claim, LockError, holder};
pub use planner::Request;
pub use journal::{Event, Journal, JournalError, Way};
pub use progress::{Illegal, Progress, Standing};
