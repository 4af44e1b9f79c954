//! Promotion: plan, apply, verify, roll back. Knows no vendor and no file format of secrets.

mod artifact;
mod change;
mod checkout;
mod descriptor;
mod ledger;
mod pipeline;
mod plan;
mod platform;
mod platform_error;
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
